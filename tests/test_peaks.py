"""Promises about waveforms: they show what can be heard, at its place, and drawing one can harm nobody."""

from __future__ import annotations

import contextlib
import io
import itertools
import math
import os
import random
import signal
import statistics
import struct
import subprocess
import sys
import time
import wave
from array import array
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import av
import psutil
import pytest
from hypothesis import given, settings

from dreamweb.adapters import audio
from dreamweb.adapters.audio import PEAKS, peaks
from dreamweb.errors import NotAudio
from tests.test_audio import (
    NOT_RECORDINGS,
    SLOW_SIZE,
    TRUTH,
    child_at_work,
    damaged,
    examining,
    nameless,
    sample,
    slow_file,
)

HERTZ = 16000
MADE_BY = {
    "mp3": ("mp3", "libmp3lame"),
    "m4a": ("mp4", "aac"),
    "webm": ("webm", "libopus"),
    "ogg": ("ogg", "libopus"),
    "wav": ("wav", "pcm_s16le"),
    "flac": ("flac", "flac"),
    "aac": ("adts", "aac"),
}


def peaks_of(data: bytes) -> bytes:
    with nameless(data) as fd:
        return peaks(fd)


def spoken() -> array[int]:
    """A sentence, as samples."""
    with wave.open(io.BytesIO(sample("sl-vlak.wav"))) as file:
        assert file.getframerate() == HERTZ
        return array("h", file.readframes(file.getnframes()))


def silence(seconds: float) -> array[int]:
    return array("h", bytes(2 * round(seconds * HERTZ)))


def softer(samples: array[int], decibels: float) -> array[int]:
    return array("h", (round(each * 10 ** (-decibels / 20)) for each in samples))


def noise(seconds: float, loudest: int) -> array[int]:
    dice = array("h", random.Random(4).randbytes(2 * round(seconds * HERTZ)))
    return array("h", (each * loudest >> 15 for each in dice))


def recording(samples: array[int], extension: str = "wav", keep: Callable[[float], bool] = lambda _: True) -> bytes:
    """The samples in a format; without the packets that start at a moment that is not to be kept."""
    container_format, codec = MADE_BY[extension]
    data = io.BytesIO()
    with av.open(data, "w", format=container_format) as file:
        stream = file.add_stream(codec, rate=48000 if codec == "libopus" else HERTZ, layout="mono")
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame("s16", "mono", samples=len(samples))
        frame.planes[0].update(samples.tobytes())
        frame.sample_rate, frame.pts = HERTZ, 0
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            if keep(float((packet.pts or 0) * (packet.time_base or 0))):
                file.mux(packet)
    return data.getvalue()


def likeness(one: Iterable[float], other: Iterable[float]) -> float:
    return statistics.correlation(list(map(float, one)), list(map(float, other)))


def energy(samples: array[int]) -> list[float]:
    """The loudness of as many parts as a waveform has, found in another way."""
    ends = [len(samples) * part // PEAKS for part in range(PEAKS + 1)]
    parts = [samples[start:end] for start, end in itertools.pairwise(ends)]
    return [math.sqrt(sum(each * each for each in part) / len(part)) for part in parts]


# --- What a waveform shows ---


@pytest.mark.parametrize("name", TRUTH)
def test_every_format_has_a_waveform(name: str) -> None:
    drawn = peaks_of(sample(name))
    assert len(drawn) == PEAKS == 480
    assert max(drawn) == 255
    assert statistics.pstdev(drawn) > 40


@pytest.mark.parametrize("extension", MADE_BY)
def test_a_waveform_is_as_loud_as_the_voice_and_a_silence_has_its_place(extension: str) -> None:
    drawn = peaks_of(recording(spoken() + silence(4) + spoken(), extension))
    samples = spoken() + silence(4) + spoken()
    if extension == "aac":
        # It cannot say that it begins with the encoder's run-up and ends with a filled packet: players play them, too.
        samples = silence(1024 / HERTZ) + samples + silence(-len(samples) % 1024 / HERTZ)
    assert likeness(drawn, energy(samples)) > 0.9
    loud = [place for place, each in enumerate(samples) if abs(each) > 2000]
    start, end = max(itertools.pairwise(loud), key=lambda pair: pair[1] - pair[0])
    seen = [place for place, each in enumerate(drawn) if each > 60]
    silent = max(itertools.pairwise(seen), key=lambda pair: pair[1] - pair[0])
    assert silent[0] / PEAKS == pytest.approx(start / len(samples), abs=0.02)
    assert silent[1] / PEAKS == pytest.approx(end / len(samples), abs=0.02)
    assert max(drawn[silent[0] + 5 : silent[1] - 5]) < 20


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("en-garden-vorbis.ogg", "en-garden.m4a"),
        ("sl-hisa.ogg", "sl-hisa.mp3"),
        ("sl-morje.webm", "sl-morje-vbr.mp3"),
        ("en-lighthouse-fragmented.m4a", "en-lighthouse.aac"),
    ],
)
def test_a_sentence_looks_the_same_in_every_format(one: str, other: str) -> None:
    assert likeness(peaks_of(sample(one)), peaks_of(sample(other))) > 0.9


def test_a_lost_piece_keeps_its_place() -> None:
    samples = spoken() + spoken() + spoken() + spoken() + spoken()
    whole = peaks_of(recording(samples, "webm"))
    seconds = len(samples) / HERTZ
    broken = peaks_of(recording(samples, "webm", keep=lambda at: not 0.4 * seconds <= at < 0.6 * seconds))
    assert not any(broken[PEAKS * 42 // 100 : PEAKS * 58 // 100])
    for kept in (slice(0, PEAKS * 39 // 100), slice(PEAKS * 61 // 100, PEAKS)):
        assert likeness(broken[kept], whole[kept]) > 0.98


def test_of_joined_files_whose_clock_starts_anew_both_are_drawn() -> None:
    one, both = peaks_of(sample("sl-hisa.ogg")), peaks_of(sample("sl-hisa.ogg") * 2)
    assert likeness(both[:240], one[::2]) > 0.9
    assert likeness(both[240:], one[::2]) > 0.9


def test_a_quiet_voice_is_as_visible_as_a_loud_one_and_a_whisper_is_visible() -> None:
    loud, quiet, whisper = (peaks_of(recording(softer(spoken(), decibels))) for decibels in (0, 26, 40))
    assert likeness(loud, quiet) > 0.98
    assert max(quiet) == 255
    assert max(whisper) > 80


def test_silence_is_flat_and_what_rustles_in_it_is_not_made_loud() -> None:
    assert not any(peaks_of(recording(silence(3))))
    assert not any(peaks_of(recording(noise(3, loudest=32))))  # -60 dB
    assert max(peaks_of(recording(silence(2) + noise(2, loudest=300) + spoken()))) == 255
    assert max(peaks_of(recording(noise(3, loudest=300) + spoken()))[: PEAKS // 2]) < 60


def test_a_knock_on_the_phone_leaves_the_voice_visible() -> None:
    knock = noise(0.02, loudest=32_000)
    drawn = peaks_of(recording(knock + silence(1) + softer(spoken(), 26) + silence(1) + knock))
    assert drawn[0] == drawn[-1] == 255
    assert 60 < max(drawn[PEAKS // 4 : PEAKS * 3 // 4]) < 255


def test_a_recording_of_an_instant_is_drawn_too() -> None:
    assert len(peaks_of(recording(noise(0.002, loudest=9000)))) == PEAKS


def test_sound_on_any_number_of_channels_is_drawn() -> None:
    for channels in (2, 3, 6):
        data = io.BytesIO()
        with wave.open(data, "wb") as file:
            file.setparams((channels, 2, HERTZ, 0, "NONE", ""))
            file.writeframes(b"".join(struct.pack("<h", each) * channels for each in spoken()))
        assert likeness(peaks_of(data.getvalue()), peaks_of(sample("sl-vlak.wav"))) > 0.98


# --- Drawing can harm nobody ---


@pytest.mark.parametrize("name", ["sl-hisa.mp3", "en-garden.m4a", "sl-chromium.webm", "sl-vlak.wav"])
def test_a_truncated_recording_is_drawn_or_refused(name: str) -> None:
    data = sample(name)
    with contextlib.suppress(NotAudio):
        assert len(peaks_of(data[: len(data) * 7 // 10])) == PEAKS


@pytest.mark.parametrize("data", NOT_RECORDINGS.values(), ids=NOT_RECORDINGS.keys())
def test_what_is_no_recording_is_refused(data: bytes) -> None:
    with pytest.raises(NotAudio):
        peaks_of(data)


@pytest.mark.parametrize("data", [b"", sample("en-key-video.webm"), sample("sl-hisa.ogg")[:120]])
def test_what_has_no_sound_of_its_own_is_refused(data: bytes) -> None:
    with pytest.raises(NotAudio):
        peaks_of(data)


def test_packets_that_cannot_be_decoded_are_silent() -> None:
    data = bytearray(sample("en-lighthouse.aac"))
    middle = len(data) // 2
    data[middle : middle + 2000] = random.Random(3).randbytes(2000)
    assert len(peaks_of(bytes(data))) == PEAKS


@settings(max_examples=20)
@given(damaged())
def test_whatever_the_damage_it_is_drawn_or_refused(data: bytes) -> None:
    started = time.monotonic()
    with contextlib.suppress(NotAudio):
        assert len(peaks_of(data)) == PEAKS
    assert time.monotonic() - started < 20


def test_a_file_that_claims_one_sample_per_second_is_drawn_as_fast_as_any() -> None:
    head, _ = long_file(hertz=1, seconds=60_000)
    with nameless(head + random.Random(5).randbytes(120_000)) as fd:
        assert max(peaks(fd, timeout=20)) == 255


def test_drawing_leaves_the_file_where_it_was() -> None:
    with nameless(sample("sl-hisa.mp3")) as fd:
        os.lseek(fd, 7, os.SEEK_SET)
        peaks(fd)
        assert os.lseek(fd, 0, os.SEEK_CUR) == 7


def test_the_child_that_draws_has_limits() -> None:
    with being_drawn() as (child, outcome):
        assert child.environ() == {}
        assert child.rlimit(psutil.RLIMIT_AS)[1] <= 512 * 2**20
        assert child.rlimit(psutil.RLIMIT_CPU)[1] <= 600
        for nothing in (psutil.RLIMIT_NOFILE, psutil.RLIMIT_FSIZE, psutil.RLIMIT_CORE):
            assert child.rlimit(nothing) == (0, 0)
        assert child.num_threads() == 1
        child.kill()
        with pytest.raises(OSError, match="killed"):
            outcome.result()


def test_a_file_on_which_the_drawing_crashes_is_refused() -> None:
    with being_drawn() as (child, outcome):
        child.send_signal(signal.SIGSEGV)
        with pytest.raises(NotAudio):
            outcome.result()


def test_a_drawing_that_gets_no_time_is_the_machines_fault_and_its_child_is_gone() -> None:
    with nameless(slow_file(), SLOW_SIZE) as fd, pytest.raises(OSError, match="no time"):
        peaks(fd, timeout=0.5)
    assert not examining()


@contextlib.contextmanager
def being_drawn() -> Iterator[tuple[psutil.Process, Future[bytes]]]:
    """The child that draws a recording of two days, and what will come of it."""
    with nameless(slow_file(), SLOW_SIZE) as fd, ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(peaks, fd, timeout=20)
        while not examining():
            time.sleep(0.01)
        yield child_at_work(), outcome


@pytest.mark.parametrize(
    "answer",
    [
        "print('ready')",
        "print('ready'); print('gibberish')",
        """print('ready'); print('{"peaks": "0011"}')""",
        """print('ready'); print('{"peaks": 480}')""",
        """print('ready'); print('{"refused": "for fun"}')""",
    ],
)
def test_a_child_that_answers_nonsense_is_not_believed(
    answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "child.py").write_text(answer, encoding="utf-8")
    monkeypatch.setattr(audio, "_CHILD", tmp_path / "child.py")
    with pytest.raises(NotAudio):
        peaks_of(sample("sl-hisa.mp3"))


# --- However long a recording is ---


def long_file(seconds: int, hertz: int = 8000) -> tuple[bytes, int]:
    """The beginning and the size of a WAV that goes on with zeros."""
    size = 44 + seconds * 2 * hertz
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, hertz, 2 * hertz, 2, 16)
    return b"RIFF" + struct.pack("<I", size - 8) + b"WAVE" + form + struct.pack("<4sI", b"data", size - 44), size


MEASURE = """
import resource
from dreamweb.adapters.audio import peaks
peaks(0)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def kilobytes(seconds: int) -> int:
    """The memory that it takes to draw a recording so long."""
    with nameless(*long_file(seconds)) as fd:
        done = subprocess.run([sys.executable, "-c", MEASURE], stdin=fd, capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_a_long_recording_takes_no_more_memory_than_a_short_one() -> None:
    assert kilobytes(20 * 60) < kilobytes(10) + 4096


def test_in_a_long_recording_a_word_has_its_place() -> None:
    seconds = 20 * 60
    moments = (61, 361, 1001)
    with nameless(*long_file(seconds)) as fd:
        for moment in moments:
            os.pwrite(fd, noise(0.25, 9000).tobytes(), 44 + moment * 2 * 8000)
        drawn = peaks(fd)
    assert {place for place, each in enumerate(drawn) if each} == {moment * PEAKS // seconds for moment in moments}
