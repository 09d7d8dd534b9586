"""Runs a sample of five seconds through an engine, so that a person sees whether it works before the night comes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dreamweb import vectors
from dreamweb.adapters import audio
from dreamweb.adapters.children import Watch
from dreamweb.errors import Permanent, Skipped, Transient, Used
from dreamweb.pipeline.work import Done, Hands, nothing, storable
from dreamweb.words import dump, say

_SPEECH = {name: Path(__file__).parent / f"trial-{name}.ogg" for name in ("sl", "en")}
"""A sentence in either language, spoken by espeak-ng."""

TEXTS = {
    "sl": "eee v sanjah sem sem letela nad morjem in pod mano je bila babičina hiša zelo sem bila vesela",
    "en": "um in the dream I was I was flying over the sea and below me was my grandmother's house I was very happy",
}

DREAMS = {
    "sl": (
        "Letela sem nad morjem in pod seboj videla babičino hišo.",
        "V sanjah sem jadrala visoko nad oceanom, spodaj je stal dom moje babice.",
        "Zamudil sem vlak, ker nisem našel vozovnice.",
    ),
    "en": (
        "I was flying over the sea and saw my grandmother's house below me.",
        "In the dream I soared high above the ocean, and down there stood grandma's home.",
        "I missed the train because I could not find my ticket.",
    ),
}
"""A dream, the same in other words, and another one."""

_Tried = tuple[dict[str, Any], str, Sequence[Used]]
"""A result, the engine that it is of, and what language models have used for it."""


def run(hands: Hands, request: dict[str, Any], watch: Watch) -> Done:
    """`request` is `{"what": "speech" | "language" | "embedding", "language": "sl" | "en"}`.

    The result has `seconds`, and `text`; for embeddings the cosines `alike` and `unlike`. That of language models says
    who has `failed` or may not be asked, and why the text was `rejected`.
    """
    started = time.monotonic()
    language = request["language"]
    result, engine, used = _SAMPLES[request["what"]](hands, language, watch)
    result = storable(result) | {"seconds": round(time.monotonic() - started, 1)}
    return Done(nothing, engine=engine, result=result, used=used)


def _hear(hands: Hands, language: str, watch: Watch) -> _Tried:
    if not hands.tools.engines.may_hear(private=False):
        raise Skipped(
            say("The speech engine is on another machine, and nothing is sent outside (OUTSIDE_CALLS=false).")
        )
    with _SPEECH[language].open("rb") as recording, hands.tools.storage.scratch() as pcm:
        seconds = audio.decode(recording.fileno(), pcm.fileno()).duration_seconds
        heard = hands.speech.hear(pcm.fileno(), seconds, language=language, watch=watch)
    return {"text": heard.text}, heard.engine, ()


def _read(hands: Hands, language: str, watch: Watch) -> _Tried:
    models, spent = hands.models(None)
    tidied = hands.language.tidy(TEXTS[language], language, models, watch)
    try:
        found = hands.language.analyse(TEXTS[language], language, models, watch)
    except (Transient, Permanent) as error:
        error.used = [*tidied.used, *error.used]
        raise
    result = {
        "text": tidied.text,
        "title": found.analysis.title,
        "motifs": [{"type": motif.type, "name": motif.name} for motif in found.analysis.motifs],
        "failed": [dump(reason) for reason in dict.fromkeys([spent, *tidied.failed, *found.failed]) if reason],
        "rejected": dump(tidied.rejected) if tidied.rejected else None,
    }
    return result, found.engine, [*tidied.used, *found.used]


def _compare(hands: Hands, language: str, watch: Watch) -> _Tried:
    engines = hands.tools.engines
    if not engines.may_embed(private=False):
        raise Skipped(say("There is no embedding engine, or it is on another machine and nothing is sent outside."))
    made = hands.embedder.passages(engines.embedding, [("", dream) for dream in DREAMS[language]], watch)
    one, same, other = (vectors.middle(passage.vector for passage in passages) for passages in made)
    result = {"alike": round(vectors.cosine(one, same), 3), "unlike": round(vectors.cosine(one, other), 3)}
    return result, f"{engines.embedding.kind}: {Path(engines.embedding.model).name}", ()


_SAMPLES = {"speech": _hear, "language": _read, "embedding": _compare}
