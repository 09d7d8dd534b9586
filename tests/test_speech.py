"""Promises about speech: what was said becomes text with its times, whoever hears it, and nothing is made up."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from dreamweb.adapters import speech
from dreamweb.adapters.audio import decode
from dreamweb.adapters.children import Watch
from dreamweb.adapters.speech import Heard, Segment, Speech
from dreamweb.adapters.speech_child.phantoms import is_phrase, judge
from dreamweb.adapters.speech_child.pieces import Piece, aligned
from dreamweb.adapters.speech_child.slicing import HERTZ, Slice, slices
from dreamweb.engines import SpeechEngine
from dreamweb.errors import Permanent, Skipped, Transient
from dreamweb.words import Said, dump, load, say
from tests.conftest import SAMPLES
from tests.speech_server import SENTENCE, Reply, Speaking, speech_server
from tests.test_peaks import noise, silence, softer, spoken
from tests.whisper_model import WORDS, build

NOBODY = Watch(lambda _: None, lambda: None)

ENGINE = SpeechEngine("none", "tiny", "", "", 2, "", 60, "/nowhere")

SLOVENIAN = ["sl-hisa.mp3", "sl-morje.webm", "sl-vlak.wav"]
ENGLISH = ["en-garden.m4a", "en-lighthouse.aac", "en-key.flac"]


class StoppedError(Exception):
    """Somebody does not want to wait any longer."""


@contextmanager
def nameless(samples: bytes | array[int]) -> Iterator[int]:
    fd = os.open("/tmp", os.O_TMPFILE | os.O_RDWR)
    try:
        with open(fd, "wb", closefd=False) as file:
            file.write(samples)
        yield fd
    finally:
        os.close(fd)


def sound(*names: str) -> array[int]:
    """Recordings, one behind the other with half a second between, as samples."""
    samples = array("h")
    for name in names:
        with open(SAMPLES / name, "rb") as file, nameless(b"") as out:
            decode(file.fileno(), out)
            samples.frombytes(os.pread(out, os.fstat(out).st_size, 0))
        samples += silence(0.5)
    return samples


def hear(speech: Speech, samples: array[int], language: str | None = "sl", watch: Watch = NOBODY) -> Heard:
    with nameless(samples) as pcm:
        return speech.hear(pcm, len(samples) / HERTZ, language=language, watch=watch)


@contextmanager
def running(engine: SpeechEngine) -> Iterator[Speech]:
    speech = Speech(engine)
    try:
        yield speech
    finally:
        speech.end()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the model `tiny` of random weights."""
    folder = tmp_path_factory.mktemp("models")
    build(folder / "tiny")
    return folder


@pytest.fixture(scope="module")
def whisper(folder: Path) -> Iterator[Speech]:
    """The real faster-whisper, with that model."""
    with running(replace(ENGINE, kind="faster-whisper", folder=str(folder))) as speech:
        yield speech


@pytest.fixture(scope="module")
def listening() -> Iterator[Speaking]:
    with speech_server() as speaking:
        yield speaking


@pytest.fixture
def server(listening: Speaking) -> Speaking:
    """A speech server that has forgotten what it did before."""
    listening.over.set()
    for name, value in vars(Speaking(url=listening.url)).items():
        setattr(listening, name, value)
    return listening


@pytest.fixture(scope="module")
def asker(listening: Speaking) -> Iterator[Speech]:
    with running(replace(ENGINE, kind="server", url=listening.url, model="whisper-1")) as speech:
        yield speech


@pytest.fixture
def asking(server: Speaking, asker: Speech) -> Speech:
    """Asks that server, by one process for all the tests that do not kill it."""
    return asker


def check_times(heard: Heard, seconds: float) -> None:
    """Everything is in order and inside of the recording, and each word of the text has its time."""
    for one, other in itertools.pairwise(heard.segments):
        assert one.start <= other.start
    for segment in heard.segments:
        words = segment.words
        assert 0 <= segment.start <= segment.end <= seconds
        assert [word for _, _, word in words] in ([], segment.text.split())
        for start, end, _ in words:
            assert 0 <= start <= end <= seconds
        assert all(earlier[0] <= later[0] for earlier, later in itertools.pairwise(words))


# --- What was heard ---


def test_a_long_pause_begins_a_paragraph_and_what_was_dropped_is_in_none() -> None:
    heard = Heard(
        (
            Segment(0, 2, "I was flying."),
            Segment(2.5, 4, "Over a house."),
            Segment(5, 6, "Thank you for watching.", dropped=say("It is quiet.")),
            Segment(6.5, 8, "Then I woke."),
        ),
        "en",
        "an engine",
    )
    assert heard.text == "I was flying. Over a house.\n\nThen I woke."
    assert Heard((), None, "an engine").text == ""


def test_without_an_engine_the_step_is_skipped_and_it_is_said_which_setting_helps() -> None:
    with pytest.raises(Skipped, match="SPEECH_ENGINE") as skipped:
        hear(Speech(ENGINE), silence(1))
    assert isinstance(skipped.value.detail, Said)


# --- faster-whisper itself, with a model of random weights ---


@pytest.mark.parametrize("name", SLOVENIAN + ENGLISH)
def test_real_speech_gives_words_with_their_times(whisper: Speech, name: str) -> None:
    samples = sound(name)
    heard = hear(whisper, samples, None)
    assert set(heard.text.split()) <= set(WORDS)
    assert heard.text
    assert all(segment.words and segment.dropped is None for segment in heard.segments)
    assert heard.language in ("sl", "en")
    assert re.fullmatch(r"faster-whisper \d+\.\d+\.\d+, tiny", heard.engine)
    check_times(heard, len(samples) / HERTZ)


@pytest.mark.parametrize("language", ["sl", "en"])
def test_a_language_that_is_set_is_not_guessed(whisper: Speech, language: str) -> None:
    assert hear(whisper, sound("sl-hisa.mp3"), language).language == language


def test_auto_means_that_the_language_is_told_by_the_engine(whisper: Speech) -> None:
    samples = sound("en-garden.m4a")
    assert hear(whisper, samples, "auto") == hear(whisper, samples, None)


def test_a_silent_recording_gives_no_text(whisper: Speech) -> None:
    assert hear(whisper, silence(20), None).segments == ()
    assert hear(whisper, array("h"), None).text == ""


def test_a_rustling_recording_gives_no_text(whisper: Speech) -> None:
    heard = hear(whisper, noise(20, loudest=300), None)
    assert (heard.text, heard.language) == ("", None)


def test_speech_in_a_long_silence_has_its_place(whisper: Speech) -> None:
    heard = hear(whisper, silence(40) + spoken() + silence(40))
    assert heard.segments
    assert all(38 < segment.start <= segment.end < 44 for segment in heard.segments)


def test_a_whisper_is_heard_too(whisper: Speech) -> None:
    assert hear(whisper, silence(3) + softer(sound("sl-hisa.mp3"), 26) + silence(3)).text


def test_words_that_are_expected_are_given_to_the_model(folder: Path, whisper: Speech) -> None:
    engine = replace(ENGINE, kind="faster-whisper", folder=str(folder), words="Prežihov Voranc")
    with running(engine) as other:
        samples = sound("sl-hisa.mp3")
        assert [each.text for each in hear(other, samples).segments] != [
            each.text for each in hear(whisper, samples).segments
        ]


def test_a_model_may_be_named_by_its_path(folder: Path) -> None:
    with running(replace(ENGINE, kind="faster-whisper", model=str(folder / "tiny"))) as speech:
        heard = hear(speech, spoken())
    assert heard.text
    assert heard.engine.endswith(", tiny")


@pytest.mark.parametrize(
    ("model", "helps"),
    [("small", "dreamweb models download small"), ("/no/such/folder", "SPEECH_MODEL")],
)
def test_of_a_model_that_is_missing_it_is_said_what_to_do(folder: Path, model: str, helps: str) -> None:
    with running(replace(ENGINE, kind="faster-whisper", folder=str(folder), model=model)) as speech:
        with pytest.raises(Permanent, match=helps) as failed:
            hear(speech, spoken())
        assert isinstance(failed.value.detail, Said)
        assert speech.pid


@pytest.mark.parametrize("file", ["model.bin", "config.json", "tokenizer.json"])
def test_a_model_that_was_cut_off_is_said_to_be_damaged(tmp_path: Path, folder: Path, file: str) -> None:
    for path in (folder / "tiny").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes()[: path.stat().st_size // (2 if path.name == file else 1)])
    with (
        running(replace(ENGINE, kind="faster-whisper", model=str(tmp_path))) as speech,
        pytest.raises(Permanent, match="damaged"),
    ):
        hear(speech, spoken())


def test_a_model_with_the_files_of_another_one_is_said_to_be_damaged(tmp_path: Path, folder: Path) -> None:
    for path in (folder / "tiny").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "preprocessor_config.json").write_text('{"feature_size": 128}')  # as large-v3 has it
    with (
        running(replace(ENGINE, kind="faster-whisper", model=str(tmp_path))) as speech,
        pytest.raises(Permanent, match="damaged"),
    ):
        hear(speech, spoken())


def test_without_the_library_it_is_said_how_to_install_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "faster_whisper.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    with running(replace(ENGINE, kind="faster-whisper", folder=str(folder))) as speech:
        for _ in range(2):
            with pytest.raises(Permanent, match=re.escape("dreamweb[whisper]")):
                hear(speech, spoken())


def test_progress_goes_from_slice_to_slice_to_the_end(whisper: Speech) -> None:
    told: list[float] = []
    hear(whisper, sound("sl-hisa.mp3") + silence(330) + spoken(), watch=Watch(told.append, lambda: None))
    assert told == sorted(told)
    assert 0 < told[0] < 0.1
    assert told[-1] == 1
    assert len(told) >= 4


# --- The process that hears ---


def night(seconds: int) -> array[int]:
    """Real speech, as long as is wanted."""
    once = sound("sl-hisa.mp3", "en-garden.m4a", "sl-morje.webm") + silence(1)
    samples = once * (seconds * HERTZ // len(once) + 1)
    return samples[: seconds * HERTZ]


@pytest.mark.fault
def test_twenty_minutes_take_no_more_memory_than_five(folder: Path) -> None:
    most = []
    for minutes in (5, 20):
        with running(replace(ENGINE, kind="faster-whisper", folder=str(folder))) as speech:
            heard = hear(speech, night(60 * minutes))
            check_times(heard, 60 * minutes)
            assert heard.segments[-1].end > 60 * minutes - 20
            assert speech.pid
            status = Path(f"/proc/{speech.pid}/status").read_text()
            most.append(int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]))
    assert most[1] < most[0] + 64 * 1024
    assert most[1] < 600 * 1024


def interrupting(speech: Speech, what: int | Exception) -> Watch:
    """Somebody who sends a signal, or raises, as soon as something was heard."""

    def progress(share: float) -> None:
        if isinstance(what, Exception):
            raise what
        assert speech.pid
        os.kill(speech.pid, what)

    return Watch(progress, lambda: None)


@pytest.mark.parametrize(
    "number",
    [signal.SIGKILL, *(pytest.param(number, marks=pytest.mark.fault) for number in (signal.SIGSEGV, signal.SIGTERM))],
)
def test_a_process_that_is_killed_is_started_again_by_the_next_recording(folder: Path, number: int) -> None:
    samples = night(60)
    with running(replace(ENGINE, kind="faster-whisper", folder=str(folder))) as speech:
        with pytest.raises(Transient):
            hear(speech, samples, watch=interrupting(speech, number))
        assert hear(speech, spoken()).text


def test_who_does_not_want_to_wait_ends_it_at_once(folder: Path) -> None:
    with running(replace(ENGINE, kind="faster-whisper", folder=str(folder))) as speech:
        hear(speech, spoken())
        assert speech.pid
        process = psutil.Process(speech.pid)
        began = time.monotonic()

        def check() -> None:
            if time.monotonic() > began + 0.2:
                raise StoppedError

        with pytest.raises(StoppedError):
            hear(speech, night(300), watch=Watch(lambda _: None, check))
        assert time.monotonic() - began < 3
        assert not process.is_running()
        assert hear(speech, spoken()).text


def test_whoever_cannot_keep_its_progress_ends_it_too(folder: Path) -> None:
    with running(replace(ENGINE, kind="faster-whisper", folder=str(folder))) as speech:
        with pytest.raises(StoppedError):
            hear(speech, night(60), watch=interrupting(speech, StoppedError()))
        assert speech.pid is None


def test_an_idle_process_ends_and_the_next_recording_starts_another(folder: Path) -> None:
    with running(replace(ENGINE, kind="faster-whisper", folder=str(folder), idle_seconds=0.3)) as speech:
        hear(speech, spoken())
        for _ in range(100):
            if speech.pid is None:
                break
            time.sleep(0.05)
        assert speech.pid is None
        assert hear(speech, spoken()).text


def test_a_model_is_loaded_once_and_the_process_is_the_first_to_go_when_memory_is_short(whisper: Speech) -> None:
    hear(whisper, spoken())
    first = whisper.pid
    hear(whisper, spoken())
    assert whisper.pid == first
    assert Path(f"/proc/{first}/oom_score_adj").read_text().strip() == "800"


def test_nothing_heavy_is_loaded_by_those_who_ask() -> None:
    lines = "import sys, dreamweb.adapters.speech, dreamweb.adapters.whisper_models\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True).stdout.split()
    assert "dreamweb.adapters.speech" in loaded
    assert not {"numpy", "faster_whisper", "ctranslate2", "onnxruntime", "httpx", "huggingface_hub", "av"} & set(loaded)


# --- A server ---


def test_a_server_is_asked_as_it_is_documented(server: Speaking) -> None:
    server.key = "sk-dreams"
    engine = replace(ENGINE, kind="server", url=server.url, model="whisper-1", key="sk-dreams", words="Prežihov Voranc")
    samples = sound("sl-hisa.mp3")
    with running(engine) as speech:
        heard = hear(speech, samples)
    assert heard.text == SENTENCE
    assert (heard.language, heard.engine) == ("sl", "server: whisper-1")
    check_times(heard, len(samples) / HERTZ)
    assert [word for _, _, word in heard.segments[0].words] == SENTENCE.split()
    [asked] = server.asked
    assert asked.authorization == "Bearer sk-dreams"
    assert asked.seconds == pytest.approx(len(samples) / HERTZ)
    assert asked.fields == {
        "model": ["whisper-1"],
        "prompt": ["Prežihov Voranc"],
        "response_format": ["verbose_json"],
        "timestamp_granularities[]": ["word", "segment"],
        "language": ["sl"],
    }


@pytest.mark.parametrize(("spoken_language", "found"), [("sl", "sl"), ("en", "en"), ("hr", None)])
def test_a_server_tells_the_language_if_it_is_one_of_ours(
    server: Speaking, asking: Speech, spoken_language: str, found: str | None
) -> None:
    server.language = spoken_language
    assert hear(asking, spoken(), None).language == found
    assert "language" not in server.asked[0].fields
    assert server.asked[0].authorization is None


def test_a_server_that_gives_the_text_alone_is_asked_for_that(server: Speaking, asking: Speech) -> None:
    server.only_text = True
    samples = night(400)
    heard = hear(asking, samples)
    assert heard.text == f"{SENTENCE} {SENTENCE}"
    assert [segment.words for segment in heard.segments] == [(), ()]
    assert [each.fields["response_format"] for each in server.asked] == [["verbose_json"], ["json"], ["json"]]
    check_times(heard, 400)


def test_a_long_recording_is_sent_in_parts_that_any_server_takes(server: Speaking, asking: Speech) -> None:
    told: list[float] = []
    heard = hear(asking, night(1000), None, Watch(told.append, lambda: None))
    assert len(server.asked) == 4
    assert all(each.size_bytes < 10 * 2**20 and each.seconds <= 300 for each in server.asked)
    assert sum(each.seconds for each in server.asked) == pytest.approx(1000)
    starts = [sum(each.seconds for each in server.asked[:place]) for place in range(4)]
    assert [each.start for each in heard.segments] == pytest.approx(starts, abs=0.01)
    assert "language" in server.asked[1].fields
    assert told[-1] == 1
    check_times(heard, 1000)


def test_a_silence_is_not_even_sent(server: Speaking, asking: Speech) -> None:
    assert hear(asking, silence(400)).text == ""
    assert server.asked == []


def test_a_phantom_of_a_server_is_left_out_and_stays_visible(server: Speaking, asking: Speech) -> None:
    server.says, server.no_speech = "Thank you for watching.", 0.9
    heard = hear(asking, noise(10, loudest=120))
    assert server.asked
    assert heard.text == ""
    [segment] = heard.segments
    assert segment.text == server.says
    assert isinstance(segment.dropped, Said)
    assert hear(asking, night(10)).text == server.says


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("7", 7), ("0", 0), ("-3", 0), ("1e9", 86400), ("nan", None), ("soon", None), (None, None)],
)
def test_a_server_that_has_too_much_to_do_is_left_alone_for_as_long_as_it_says(
    server: Speaking, asking: Speech, said: str | None, seconds: float | None
) -> None:
    server.replies = [Reply(429, b"{}", {"Retry-After": said} if said else {})]
    with pytest.raises(Transient) as failed:
        hear(asking, spoken())
    assert failed.value.retry_after == seconds
    assert hear(asking, spoken()).text == SENTENCE


@pytest.mark.parametrize("usegmt", [True, False])
def test_a_server_may_say_until_when_it_wants_to_be_left_alone(server: Speaking, asking: Speech, usegmt: bool) -> None:
    in_an_hour = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=usegmt)
    server.replies = [Reply(503, headers={"Retry-After": in_an_hour})]
    with pytest.raises(Transient) as failed:
        hear(asking, spoken())
    assert failed.value.retry_after == pytest.approx(3600, abs=60)


def segments(*each: Any) -> bytes:
    return json.dumps({"text": "x", "segments": list(each)}).encode()


GARBAGE = {
    "nothing": b"",
    "half a JSON": b'{"text": "Sanjala sem, da l',
    "a page": b"<html><title>nginx</title></html>",
    "bytes": bytes(range(256)),
    "a list": b"[1, 2]",
    "a number": b"17",
    "another schema": b'{"result": "Sanjala sem"}',
    "text that is none": b'{"text": 5}',
    "deep": b"[" * 200_000,
    "segments that are none": b'{"text": "x", "segments": "x"}',
    "a segment that is none": segments(5),
    "a segment without text": segments({"start": 0, "end": 1}),
    "a segment without times": segments({"text": "x"}),
    "NaN": segments({"text": "x", "start": float("nan"), "end": 1}),
    "infinity": segments({"text": "x", "start": 0, "end": float("inf")}),
    "endless numbers": b'{"text": "x", "segments": [{"text": "x", "start": 0, "end": 1%s}]}' % (b"0" * 400),
    "backwards": segments({"text": "x", "start": 1, "end": 0}),
    "beyond the end": segments({"text": "x", "start": 5, "end": 500}),
    "before the start": segments({"text": "x", "start": -50, "end": 1}),
    "times in words": segments({"text": "x", "start": "0", "end": True}),
    "too much to be spoken": json.dumps({"text": "x" * 50_000}).encode(),
    "too much to be read": b'{"text": "' + b"x" * 9 * 2**20 + b'"}',
}


@pytest.mark.parametrize("body", GARBAGE.values(), ids=GARBAGE.keys())
def test_what_makes_no_sense_is_not_believed_and_asked_again_later(
    server: Speaking, asking: Speech, body: bytes
) -> None:
    server.replies = [Reply(body=body)]
    with pytest.raises(Transient, match="makes no sense") as failed:
        hear(asking, spoken())
    assert isinstance(failed.value.detail, Said)
    assert hear(asking, spoken()).text == SENTENCE


def test_what_is_a_little_wrong_is_put_right(server: Speaking, asking: Speech) -> None:
    server.replies = [
        Reply(
            body=segments(
                {"text": " One\0\n two\ud800 ", "start": -0.1, "end": 0.9, "words": [{"word": "One", "start": "x"}]},
                {"text": "three", "start": 0.5, "end": 30, "avg_logprob": "x", "no_speech_prob": float("nan")},
                {"text": "four", "start": 0.2, "end": 0.4},
                {"text": " ", "start": 1, "end": 1},
            )
        )
    ]
    heard = hear(asking, spoken())
    assert [segment.text for segment in heard.segments] == ["One two", "three", "four"]
    assert [segment.words for segment in heard.segments] == [()] * 3
    check_times(heard, len(spoken()) / HERTZ)


@pytest.mark.parametrize(
    "reply", [Reply(500), Reply(503, headers={"Retry-After": "5"}), Reply(408), Reply(cut=True, body=b"{} " * 9)]
)
def test_a_server_that_fails_is_asked_again_later(server: Speaking, asking: Speech, reply: Reply) -> None:
    server.replies = [reply]
    with pytest.raises(Transient) as failed:
        hear(asking, spoken())
    assert failed.value.retry_after == (5 if reply.headers else None)


@pytest.mark.parametrize(
    ("reply", "helps"),
    [
        (Reply(401, b'{"error": {"message": "no sk-dreams"}}'), "SPEECH_KEY"),
        (Reply(403), "SPEECH_KEY"),
        (Reply(404, b"not found"), "SPEECH_URL"),
        (Reply(413), "MB"),
        (Reply(307, headers={"Location": "http://127.0.0.1:9/elsewhere"}), "SPEECH_URL"),
        (Reply(402, b'{"error": {"message": "Pay for sk-dreams first."}}'), "It says: Pay for ... first."),
        (Reply(418, b'{"detail": [1]}'), "It says: -"),
    ],
)
def test_a_server_that_refuses_is_not_asked_again_and_it_is_said_what_to_do(
    server: Speaking, reply: Reply, helps: str
) -> None:
    server.replies = [reply]
    with running(replace(ENGINE, kind="server", url=server.url, model="m", key="sk-dreams")) as speech:
        with pytest.raises(Permanent, match=re.escape(helps)) as failed:
            hear(speech, spoken())
        assert "sk-dreams" not in failed.value.detail
        assert load(dump(failed.value.detail)) == failed.value.detail


def test_a_server_that_refuses_twice_has_the_last_word(server: Speaking, asking: Speech) -> None:
    server.replies = [Reply(400), Reply(400, b'{"error": {"message": "Invalid file format."}}')]
    with pytest.raises(Permanent, match="Invalid file format"):
        hear(asking, spoken())


def test_a_wrong_address_is_said_to_be_one(server: Speaking) -> None:
    with (
        running(replace(ENGINE, kind="server", url=server.url.removesuffix("/v1"), model="m")) as speech,
        pytest.raises(Permanent, match="SPEECH_URL"),
    ):
        hear(speech, spoken())


def test_a_server_that_does_not_run_is_named_without_its_password() -> None:
    with (
        running(replace(ENGINE, kind="server", url="http://me:secret@127.0.0.1:9/v1", model="m")) as speech,
        pytest.raises(Transient, match=r"127\.0\.0\.1:9 cannot be reached") as failed,
    ):
        hear(speech, spoken())
    assert "secret" not in failed.value.detail


def test_a_server_that_does_not_answer_is_given_up(
    server: Speaking, asking: Speech, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speech, "_ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(speech, "_ANSWER_SECONDS_EACH", 0)
    server.replies = [Reply(wait_seconds=30)]
    began = time.monotonic()
    with pytest.raises(Transient, match="too long"):
        hear(asking, spoken())
    assert time.monotonic() - began < 5


def test_waiting_for_a_server_ends_when_nobody_wants_it(server: Speaking, asking: Speech) -> None:
    server.replies = [Reply(wait_seconds=30)]

    def check() -> None:
        if server.asked:
            raise StoppedError

    with pytest.raises(StoppedError):
        hear(asking, spoken(), watch=Watch(lambda _: None, check))
    assert asking.pid is None


def test_what_may_not_leave_any_more_is_not_sent(server: Speaking) -> None:
    def leave() -> None:
        if server.asked:
            raise StoppedError

    url = server.url.replace("127.0.0.1", "0.0.0.0")  # as if it were another machine
    with (
        running(replace(ENGINE, kind="server", url=url, model="m")) as speech,
        pytest.raises(StoppedError),
    ):
        hear(speech, night(700), watch=Watch(lambda _: None, lambda: None, leave))
    assert len(server.asked) == 1
    assert speech.pid is None


def test_no_proxy_of_the_environment_hears_a_dream(server: Speaking, monkeypatch: pytest.MonkeyPatch) -> None:
    with speech_server() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        with running(replace(ENGINE, kind="server", url=server.url, model="m")) as speech:
            assert hear(speech, spoken()).text == SENTENCE
        assert proxy.asked == []


# --- Slices ---


def cut(samples: array[int], most_seconds: float) -> list[Slice]:
    with nameless(samples) as pcm:
        return list(slices(pcm, most_seconds))


def test_slices_are_the_whole_recording_in_order() -> None:
    samples = night(95) + noise(0.03, loudest=9)
    found = cut(samples, 20)
    assert sum((each.samples for each in found), array("h")) == samples
    for one, other in itertools.pairwise(found):
        assert one.start + one.seconds == pytest.approx(other.start)
        assert 10 <= one.seconds <= 20
    assert all(len(each.levels) == -(-len(each.samples) // 1600) for each in found)


def test_a_slice_ends_in_a_pause_and_not_in_a_word() -> None:
    samples = (noise(7.3, loudest=9000) + silence(0.8)) * 12
    for each in cut(samples, 20)[:-1]:
        assert 7.3 < (each.start + each.seconds) % 8.1 < 8.1


def test_how_loud_it_is_is_known() -> None:
    [found] = cut(silence(1) + noise(1, loudest=3277) + silence(1), 300)
    assert found.loudest(0, 0.9) == -100
    assert found.loudest(1.1, 1.9) == pytest.approx(-20 - 4.8, abs=1)
    assert found.loudest(0, 3) == max(found.levels)
    assert found.floor() == -100


# --- Phantoms ---


def slice_of(samples: array[int]) -> Slice:
    return cut(samples, 300)[0]


QUIET = noise(30, loudest=100)  # -55 dB
LOUD = (spoken() + noise(0.3, loudest=50)) * 15
HUM = noise(30, loudest=2000)


@pytest.mark.parametrize(
    ("where", "text", "no_speech", "log_probability", "dropped"),
    [
        (QUIET, "Thank you for watching!", 0.9, -0.3, True),
        (QUIET, "Hvala za ogled.", None, None, True),
        (QUIET, "[Music]", 0.9, None, True),
        (QUIET, "Podnapisi: Nekdo Neznan", 0.7, -0.5, True),
        (QUIET, "Hvala. Hvala. Hvala.", 0.7, -0.5, True),
        (QUIET, "I flew.", 0.9, -1.4, True),
        (QUIET, "I flew.", 0.9, -0.3, False),
        (QUIET, "I flew.", None, None, False),
        (QUIET, "Thank you for watching!", 0.1, -0.3, False),
        (HUM, "Thank you for watching!", 0.9, -0.3, True),
        (LOUD, "Thank you for watching!", 0.9, -1.4, False),
        (LOUD, "Hvala za ogled.", None, None, False),
        (LOUD, "I flew.", 0.9, -1.4, False),
        (silence(30), "I flew.", 0.0, 0.0, True),
    ],
)
def test_words_are_dropped_only_when_everything_says_that_nobody_spoke(
    where: array[int], text: str, no_speech: float | None, log_probability: float | None, dropped: bool
) -> None:
    piece = Piece(5.0, 9.0, text, no_speech=no_speech, log_probability=log_probability)
    assert (judge(piece, slice_of(where)) is not None) == dropped


@pytest.mark.parametrize("text", ["Thanks for Watching!!", "hvala za ogled", "(Glasba)", "Don't forget to subscribe."])
def test_phrases_are_known_however_they_are_written(text: str) -> None:
    assert is_phrase(text)


@pytest.mark.parametrize("text", ["", "Hvala za vodo.", "I thanked them for watching my house.", "Glasba je igrala."])
def test_what_only_sounds_like_a_phrase_is_none(text: str) -> None:
    assert not is_phrase(text)


# --- Words and their times ---


@pytest.mark.parametrize(
    ("text", "heard", "found"),
    [
        ("I flew.", [(0, 1, "I"), (1, 2, "flew")], [(0, 1, "I"), (1, 2, "flew.")]),
        ("Re-do - it", [(0, 1, "Re"), (1, 2, "-do"), (3, 4, "it")], [(0, 2, "Re-do"), (3, 4, "-"), (3, 4, "it")]),
        ("a b", [(0, 1, "ab")], [(0, 1, "a"), (0, 1, "b")]),
        ("one two", [], []),
        ("...", [(0, 1, "one")], []),
    ],
)
def test_each_word_of_a_text_has_its_time(text: str, heard: list[Any], found: list[Any]) -> None:
    assert aligned(text, heard) == found
