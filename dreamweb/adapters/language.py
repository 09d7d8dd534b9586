"""Has texts tidied, analysed and broken into lemmas in a child process, by the first engine that can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from dreamweb.adapters.children import Child, Watch
from dreamweb.analysis import Analysis, FoundMotif
from dreamweb.engines import LOCAL, LanguageModel
from dreamweb.errors import Permanent, Transient, Used
from dreamweb.words import Said, dump, load

CONNECT_SECONDS = 10.0
# A Raspberry Pi with a small model writes five words a second, and reads for a minute before that.
READ_SECONDS = 300.0
LOCAL_SECONDS = 120.0

PIECE_LETTERS = 3000
"""A longer text is tidied in pieces: each is answered within `READ_SECONDS`, and fits into what small models see."""

_ASKED = 3
"""How often the child asks a model the same, when its answers have not the right shape."""


_Failures = list[Transient | Permanent]


@dataclass(frozen=True)
class Tidied:
    """A tidied text, and who made it. `rejected` is the reason why it must not stand for what was said.

    `failed` are the reasons of the engines that were asked before; `used` is what they all have used. `outside`: it was
    made on another machine.
    """

    text: str
    engine: str
    rejected: Said | None
    used: tuple[Used, ...]
    failed: tuple[Said, ...] = ()
    outside: bool = False


@dataclass(frozen=True)
class Analysed:
    """An analysis, and who made it; see `Tidied`."""

    analysis: Analysis
    engine: str
    used: tuple[Used, ...]
    failed: tuple[Said, ...] = ()
    outside: bool = False


@dataclass(frozen=True)
class Lemmatised:
    """The words of a text in their order, and beside each its lemma in lower case."""

    language: str
    lemmas: list[str]
    words: list[str]


class Language:
    """One child process, started by the first question and gone when it was idle for so long; for one thread."""

    def __init__(self, idle_seconds: float = 300) -> None:
        self._child = Child("dreamweb.adapters.language_child", idle_seconds)

    @property
    def pid(self) -> int | None:
        """The child's; None while it does not run."""
        return self._child.pid

    def tidy(self, text: str, language: str | None, models: tuple[LanguageModel, ...], watch: Watch) -> Tidied:
        """The text as one would write it, by the first of the models that can.

        `language` is a code as in ISO 639-1; it is detected when it is None. Raises Transient when all have failed and
        one of them may work later, else Permanent.
        """
        model, answer, failures = self._first("tidy", text, language, models, watch)
        rejected = load(answer["rejected"]) if answer["rejected"] else None
        used = _used_by(failures) + _used(answer)
        return Tidied(answer["text"], _engine(model), rejected, used, _reasons(failures), model.outside)

    def analyse(self, text: str, language: str | None, models: tuple[LanguageModel, ...], watch: Watch) -> Analysed:
        """What the first of the models that can has understood of a text; raises as `tidy` does."""
        model, answer, failures = self._first("analyse", text, language, models, watch)
        used = _used_by(failures) + _used(answer)
        return Analysed(_analysis(answer["analysis"]), _engine(model), used, _reasons(failures), model.outside)

    def lemmatise(self, text: str, language: str | None, watch: Watch) -> Lemmatised:
        """The words of a text and their lemmas; of a language other than sl and en, its lemmas are the words.

        Raises Transient.
        """
        question = {"task": "lemmatise", "text": text, "language": language}
        return Lemmatised(**self._child.ask(question, watch, timeout=LOCAL_SECONDS))

    def end(self) -> None:
        """Kill the child, if there is one."""
        self._child.end()

    def _first(
        self, task: str, text: str, language: str | None, models: Sequence[LanguageModel], watch: Watch
    ) -> tuple[LanguageModel, dict[str, Any], _Failures]:
        failures: _Failures = []
        for model in models:
            question = {
                "task": task,
                "text": text,
                "language": language,
                "model": asdict(model),
                "connect_seconds": CONNECT_SECONDS,
                "read_seconds": READ_SECONDS,
                "piece_letters": PIECE_LETTERS,
            }
            most = _most_seconds(model, text)
            try:
                return model, self._child.ask(question, watch, timeout=most, outside=model.outside), failures
            except (Transient, Permanent) as error:
                failures.append(error)
            watch.check()  # the work may have been stopped meanwhile: then nobody else is asked
        raise _failed(failures)


def _engine(model: LanguageModel) -> str:
    """What made a result; our own rules change with our version, whatever else it is has its own in its name."""
    return f"{LOCAL} {version('dreamweb')}" if model.provider == LOCAL else model.name


def _failed(failures: _Failures) -> Transient | Permanent:
    used = _used_by(failures)
    passing = [error for error in failures if isinstance(error, Transient)]
    if not passing:
        return Permanent(failures[0].detail, used=used)
    waits = [error.retry_after for error in passing if error.retry_after is not None]
    return Transient(passing[0].detail, retry_after=min(waits, default=None), used=used)


def _used_by(failures: _Failures) -> tuple[Used, ...]:
    return tuple(used for error in failures for used in error.used)


def _reasons(failures: _Failures) -> tuple[Said, ...]:
    return tuple(load(dump(error.detail)) for error in failures)


def _most_seconds(model: LanguageModel, text: str) -> float:
    """The child gives up by itself before that, unless something is wrong with it."""
    if model.provider == LOCAL:
        return LOCAL_SECONDS
    # Where sentences are cut unluckily, two pieces are only as long as one.
    pieces = 2 * (len(text) // PIECE_LETTERS) + 1
    return LOCAL_SECONDS + pieces * _ASKED * (CONNECT_SECONDS + READ_SECONDS)


def _used(answer: Mapping[str, Any]) -> tuple[Used, ...]:
    return tuple(Used(**each) for each in answer["used"])


def _analysis(told: Mapping[str, Any]) -> Analysis:
    motifs = tuple(FoundMotif(**{**motif, "words": tuple(motif["words"])}) for motif in told["motifs"])
    return Analysis(**{**told, "motifs": motifs, "questions": tuple(told["questions"])})
