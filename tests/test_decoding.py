"""Promises about decoded sound: what speech engines are given is what the player plays, at the same moment."""

from __future__ import annotations

import contextlib
import io
import itertools
import math
import os
import random
import time
import wave
from array import array
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings

from dreamweb.adapters import audio
from dreamweb.adapters.audio import Decoded, decode
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
    sound_of,
)
from tests.test_peaks import HERTZ, MADE_BY, energy, likeness, long_file, recording, silence, spoken


def decoded(data: bytes) -> tuple[Decoded, array[int]]:
    with nameless(data) as fd, nameless(b"") as out:
        said = decode(fd, out)
        samples = array("h", os.pread(out, os.fstat(out).st_size, 0))
        assert os.lseek(fd, 0, os.SEEK_CUR) == len(data)
        assert os.lseek(out, 0, os.SEEK_CUR) == 0
    return said, samples


def wav(samples: array[int], hertz: int, channels: int = 1) -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(hertz)
        file.writeframes(samples)
    return made.getvalue()


@pytest.mark.parametrize("name", TRUTH)
def test_every_format_is_decoded_in_its_whole_length(name: str) -> None:
    said, samples = decoded(sample(name))
    assert said.duration_seconds == pytest.approx(len(samples) / HERTZ, abs=0.001)
    assert said.duration_seconds == pytest.approx(sound_of(sample(name)).duration_seconds, abs=0.02)
    assert -25 < said.loudness_db < -15


def test_what_needs_no_change_is_given_as_it_is() -> None:
    _, samples = decoded(sample("sl-vlak.wav"))
    assert samples == spoken()


@pytest.mark.parametrize("extension", MADE_BY)
def test_every_word_is_where_it_was_said(extension: str) -> None:
    samples = spoken() + silence(4) + spoken()
    _, found = decoded(recording(samples, extension))
    run_up = silence(1024 / HERTZ) if extension == "aac" else silence(0)  # it cannot say that it has one
    assert likeness(energy((run_up + samples)[: len(samples)]), energy(found[: len(samples)])) > 0.97


def test_what_is_missing_of_a_recording_is_silence() -> None:
    samples = spoken() + spoken() + spoken() + spoken()
    said, found = decoded(recording(samples, "webm", keep=lambda at: not 1.6 < at < 3.1))
    assert said.duration_seconds == pytest.approx(len(samples) / HERTZ, abs=0.05)
    assert max(map(abs, found[round(1.7 * HERTZ) : round(3.0 * HERTZ)])) < 10
    assert likeness(energy(samples[-2 * len(spoken()) :]), energy(found[-2 * len(spoken()) :])) > 0.9


def test_a_clock_that_cannot_be_is_not_followed() -> None:
    # Of two recordings joined by mere copying, the second one's clock starts anew.
    twice = sample("sl-hisa.ogg") + sample("sl-hisa.ogg")
    said, _ = decoded(twice)
    assert said.duration_seconds == pytest.approx(sound_of(twice).duration_seconds, abs=0.1)


@pytest.mark.parametrize(("hertz", "channels"), [(8000, 1), (44_100, 2), (48_000, 1), (96_000, 2)])
def test_any_rate_and_any_channels_become_one_of_16000(hertz: int, channels: int) -> None:
    tone = [round(16_000 * math.sin(2 * math.pi * 440 * place / hertz)) for place in range(2 * hertz)]
    data = wav(array("h", itertools.chain.from_iterable([each] * channels for each in tone)), hertz, channels)
    said, samples = decoded(data)
    assert said.duration_seconds == pytest.approx(2, abs=0.005)
    assert said.loudness_db == pytest.approx(20 * math.log10(16_000 / 32_768 / math.sqrt(2)), abs=0.3)
    crossings = sum(one < 0 <= other for one, other in itertools.pairwise(samples))
    assert crossings == pytest.approx(880, abs=3)


def test_silence_is_as_quiet_as_can_be() -> None:
    said, samples = decoded(recording(silence(3)))
    assert said == Decoded(3.0, -100.0)
    assert not any(samples)


# --- Decoding can harm nobody ---


@pytest.mark.parametrize("data", [*NOT_RECORDINGS.values(), b"", sample("en-key-video.webm")])
def test_what_is_no_recording_is_refused(data: bytes) -> None:
    with pytest.raises(NotAudio):
        decoded(data)


def test_more_than_twelve_hours_are_refused_before_anything_is_written() -> None:
    with nameless(*long_file(13 * 3600)) as fd, nameless(b"") as out:
        with pytest.raises(NotAudio, match="longer than twelve hours"):
            decode(fd, out)
        assert os.fstat(out).st_size == 0


def test_a_disk_without_room_is_not_the_fault_of_the_recording() -> None:
    full = os.open("/dev/full", os.O_RDWR)
    try:
        with nameless(sample("sl-vlak.wav")) as fd, pytest.raises(OSError, match="no room"):
            decode(fd, full)
    finally:
        os.close(full)


def test_too_little_time_is_not_the_fault_of_the_recording() -> None:
    with nameless(slow_file(), SLOW_SIZE) as fd, nameless(b"") as out, pytest.raises(OSError, match="no time"):
        decode(fd, out, timeout=0.3)
    assert not examining()


def test_the_child_that_decodes_has_limits() -> None:
    with nameless(*long_file(10 * 3600)) as fd, nameless(b"") as out, ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(decode, fd, out)
        while not examining():
            time.sleep(0.01)
        child = child_at_work()
        assert child.environ() == {}
        assert child.rlimit(psutil.RLIMIT_AS)[1] <= 512 * 2**20
        assert child.rlimit(psutil.RLIMIT_CPU)[1] <= 900
        assert child.rlimit(psutil.RLIMIT_FSIZE)[1] <= 1500 * 2**20
        for nothing in (psutil.RLIMIT_NOFILE, psutil.RLIMIT_CORE):
            assert child.rlimit(nothing) == (0, 0)
        child.kill()
        with pytest.raises(OSError, match="killed"):
            outcome.result()


@settings(max_examples=25)
@given(damaged())
def test_whatever_the_damage_it_is_decoded_or_refused(data: bytes) -> None:
    with contextlib.suppress(NotAudio):
        said, samples = decoded(data)
        assert said.duration_seconds == pytest.approx(len(samples) / HERTZ, abs=0.001)


def test_a_file_that_claims_one_sample_per_second_is_refused() -> None:
    head, _ = long_file(hertz=1, seconds=60_000)
    with pytest.raises(NotAudio):
        decoded(head + random.Random(5).randbytes(120_000))


@pytest.mark.parametrize(
    "answer",
    ["{}", '{"seconds": "x", "loudness": 0}', '{"seconds": Infinity, "loudness": 0}', '{"seconds": 1, "loudness": 9}'],
)
def test_a_child_that_answers_nonsense_is_not_believed(
    answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "child.py").write_text(f"print('ready'); print('{answer}')", encoding="utf-8")
    monkeypatch.setattr(audio, "_CHILD", tmp_path / "child.py")
    with pytest.raises(NotAudio):
        decoded(sample("sl-hisa.mp3"))
