"""Promises about recordings: what is kept, what is refused and why, and that looking at a file can harm nobody."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutagen.id3 import APIC, ID3, TDRC, TIT2

from dreamweb.adapters import audio
from dreamweb.adapters.audio import Examination, Sound, examine
from dreamweb.adapters.formats import FORMATS
from dreamweb.errors import EmptyFile, NotAudio

SAMPLES = Path(__file__).parent / "samples"
TRUTH: dict[str, dict[str, Any]] = json.loads((SAMPLES / "samples.json").read_text(encoding="utf-8"))


@contextlib.contextmanager
def nameless(data: bytes, size: int | None = None) -> Iterator[int]:
    """A file that has no name, as an upload has none; made longer with a hole, if a size is given."""
    fd = os.open("/tmp", os.O_TMPFILE | os.O_RDWR)
    try:
        os.write(fd, data)
        os.ftruncate(fd, size or len(data))
        yield fd
    finally:
        os.close(fd)


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def sound_of(data: bytes, **options: Any) -> Sound:
    with nameless(data) as fd, examine(fd, **options) as examination:
        return examination.result()


def refusal_of(data: bytes, **options: Any) -> str:
    with pytest.raises(NotAudio) as refused:
        sound_of(data, **options)
    return refused.value.detail


def id3(**frames: Any) -> bytes:
    tag: Any = ID3()  # type: ignore[no-untyped-call]
    data = BytesIO()
    for frame in frames.values():
        tag.add(frame)
    tag.save(data)
    return data.getvalue()


def without_tag(mp3: bytes) -> bytes:
    """The MP3 behind its ID3v2 tag."""
    size = mp3[6] << 21 | mp3[7] << 14 | mp3[8] << 7 | mp3[9]
    return mp3[10 + size :]


def slow_file() -> bytes:
    """Examining this keeps a processor busy for minutes if the file goes on with gigabytes of nothing."""
    return sample("sl-vlak.wav")


SLOW_SIZE = 6 * 2**30


# --- What a recording is ---


@pytest.mark.parametrize("name", TRUTH)
def test_every_format_is_told_by_its_bytes_and_its_true_length_is_known(name: str) -> None:
    truth = TRUTH[name]
    sound = sound_of(sample(name))
    assert (sound.extension, sound.content_type) == (truth["extension"], truth["content_type"])
    assert sound.duration_seconds == pytest.approx(truth["duration_seconds"], abs=0.1)


def test_there_is_a_sample_of_every_format() -> None:
    assert {truth["extension"] for truth in TRUTH.values()} == set(FORMATS)


@pytest.mark.parametrize(
    ("name", "title", "recorded_at"),
    [
        ("sl-hisa.mp3", "Stara hiša", datetime(2024, 5, 1, 4, 30, tzinfo=UTC)),
        ("en-garden.m4a", "The garden", datetime(2024, 5, 2, 4, 15, tzinfo=UTC)),
        ("sl-hisa.ogg", "Bela sova", None),  # its date is only a year
        ("en-key.flac", "Key in the bread", datetime(2024, 5, 3, 12, tzinfo=UTC)),  # a day: noon is on it everywhere
        ("sl-morje.webm", "Morje", None),
        ("sl-vlak.wav", None, None),
        ("en-lighthouse.aac", None, None),
    ],
)
def test_title_and_date_come_from_the_tags(name: str, title: str | None, recorded_at: datetime | None) -> None:
    sound = sound_of(sample(name))
    assert (sound.title, sound.recorded_at) == (title, recorded_at)


@pytest.mark.parametrize("encoding", [0, 1, 2, 3])  # Latin-1, UTF-16 with and without its mark, UTF-8
def test_a_title_is_read_in_every_encoding_that_mp3_tags_may_use(encoding: int) -> None:
    tag = id3(title=TIT2(encoding=encoding, text="Morjé"))  # type: ignore[no-untyped-call]
    assert sound_of(tag + sample("sl-morje-vbr.mp3")).title == "Morjé"


def test_a_title_is_one_line_without_control_characters_and_not_endless() -> None:
    tag = id3(title=TIT2(text="  The\x07 \x1b[31mred\r\n \u202edoor " + "a" * 500))  # type: ignore[no-untyped-call]
    title = sound_of(tag + sample("sl-morje-vbr.mp3")).title
    assert title is not None
    assert title.startswith("The [31mred door aaa")
    assert len(title) == 200
    assert title.isprintable()


@pytest.mark.parametrize("date", ["2024", "2024-05", "0000-00-00", "1970-01-01", "1904-01-01T00:00:00", "2999-01-01"])
def test_a_date_that_is_unclear_or_an_unset_clock_is_no_date(date: str) -> None:
    tag = id3(date=TDRC(text=date))  # type: ignore[no-untyped-call]
    assert sound_of(tag + sample("sl-morje-vbr.mp3")).recorded_at is None


def test_sound_is_found_behind_a_large_cover_picture() -> None:
    tag = id3(cover=APIC(mime="image/png", data=os.urandom(3_000_000)))  # type: ignore[no-untyped-call]
    assert sound_of(tag + sample("sl-morje-vbr.mp3")).duration_seconds == pytest.approx(4.268, abs=0.1)


@pytest.mark.parametrize("name", ["en-lighthouse.aac", "en-key.flac"])
def test_aac_and_flac_behind_an_mp3_tag_are_still_told_apart(name: str) -> None:
    tag = id3(title=TIT2(text="Disguised"))  # type: ignore[no-untyped-call]
    assert sound_of(tag + sample(name)).extension == TRUTH[name]["extension"]


def test_a_wav_whose_recorder_never_wrote_its_size_has_its_real_length() -> None:
    data = bytearray(sample("sl-vlak.wav"))
    place = data.find(b"data")
    data[4:8] = data[place + 4 : place + 8] = bytes(4)
    assert sound_of(bytes(data)).duration_seconds == pytest.approx(1.564, abs=0.1)


def test_ogg_files_joined_into_one_are_as_long_as_both() -> None:
    assert sound_of(sample("sl-hisa.ogg") * 2).duration_seconds == pytest.approx(2 * 5.833, abs=0.1)


# --- What is damaged but can be played ---


@pytest.mark.parametrize("name", [name for name in TRUTH if name != "en-garden.m4a"])
def test_a_truncated_recording_is_kept_with_its_real_length(name: str) -> None:
    data, whole = sample(name), TRUTH[name]["duration_seconds"]
    sound = sound_of(data[: len(data) * 7 // 10])
    assert sound.extension == TRUTH[name]["extension"]
    assert 0.3 * whole < sound.duration_seconds < 0.85 * whole


def test_a_truncated_mp3_is_kept_with_its_real_length() -> None:
    frames = without_tag(sample("sl-hisa.mp3"))
    half = sound_of(frames[: len(frames) // 2])
    assert half.duration_seconds == pytest.approx(5.833 / 2, abs=0.1)


def test_a_browser_recording_without_its_last_piece_is_kept() -> None:
    pieces = [sample(f"chromium-{number}.webm.part") for number in range(3)]
    assert sound_of(b"".join(pieces)).duration_seconds == pytest.approx(9, abs=0.2)


def test_a_recording_with_a_damaged_middle_is_kept() -> None:
    data = bytearray(sample("en-lighthouse.aac"))
    middle = len(data) // 2
    data[middle : middle + 2000] = random.Random(3).randbytes(2000)
    assert sound_of(bytes(data)).duration_seconds == pytest.approx(4.457, abs=0.7)


# --- What is refused ---


def zipped(mp3: bytes) -> bytes:
    data = BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("dream.mp3", mp3)
    return data.getvalue()


NOT_RECORDINGS = {
    "a program": Path(sys.executable).read_bytes()[:100_000],
    "a Windows program": b"MZ" + bytes(500) + b"PE\0\0" + bytes(2000),
    "a page": b"<!DOCTYPE html><title>Dream</title><script>alert(1)</script>" * 50,
    "a picture": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(3000),
    "a photo": b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(3000),
    "an iPhone photo": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(3000),
    "an animation": b"RIFF\0\x10\0\0WEBPVP8 " + bytes(3000),
    "text": "Letela sem nad hišo.".encode() * 100,
    "text in UTF-16": "Sanjala sem, da letim.".encode("utf-16") * 100,
    "a playlist": b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n",
    "music without sound": b"MThd\0\0\0\6\0\1\0\1\1\xe0MTrk" + bytes(1000),
    "an archive with a recording in it": zipped(sample("sl-morje-vbr.mp3")),
    "noise": random.Random(1).randbytes(50_000),
    "nothing but zeros": bytes(50_000),
    "one byte": b"\xff",
}


@pytest.mark.parametrize("data", NOT_RECORDINGS.values(), ids=NOT_RECORDINGS.keys())
def test_what_is_no_recording_is_refused_without_starting_a_child(data: bytes) -> None:
    before = examining()
    with nameless(data) as fd:
        with pytest.raises(NotAudio, match="not a recording"):
            examine(fd)
        assert examining() == before


def test_an_empty_file_is_refused_as_empty() -> None:
    with pytest.raises(EmptyFile, match="empty"):
        sound_of(b"")


def test_a_tag_without_sound_is_refused() -> None:
    assert "no sound" in refusal_of(id3(title=TIT2(text="Silence")))  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("name", ["en-key-video.mp4", "en-key-video.webm"])
def test_a_video_with_pictures_is_refused(name: str) -> None:
    assert "video" in refusal_of(sample(name))


def test_an_ordinary_m4a_cut_short_is_refused_and_the_detail_says_that_nothing_plays() -> None:
    data = sample("en-garden.m4a")
    detail = refusal_of(data[: len(data) * 7 // 10])
    assert "M4A" in detail
    assert "nothing in it can be played" in detail


@pytest.mark.parametrize("name", ["sl-chromium.webm", "sl-hisa.ogg", "en-garden.m4a", "en-key.flac"])
def test_a_header_without_sound_is_refused_and_the_detail_says_that_nothing_plays(name: str) -> None:
    assert "nothing in it can be played" in refusal_of(sample(name)[:120])


def test_a_browser_recording_without_its_first_piece_is_refused_and_the_detail_says_that_nothing_plays() -> None:
    assert "nothing in it can be played" in refusal_of(sample("chromium-1.webm.part") + sample("chromium-2.webm.part"))


def test_a_recording_that_is_mostly_noise_is_refused_as_damaged() -> None:
    noise = random.Random(2)
    header = sample("en-lighthouse.aac")[:3]  # the header of one frame of 300 bytes; the rest is not sound
    frame = header + bytes((0x80 | 300 >> 11, 300 >> 3 & 0xFF, (300 & 7) << 5 | 0x1F, 0xFC))
    data = sample("en-lighthouse.aac") + b"".join(frame + noise.randbytes(293) for _ in range(600))
    assert "damaged" in refusal_of(data)


def test_a_format_that_is_not_allowed_is_refused_and_the_allowed_ones_are_named() -> None:
    detail = refusal_of(sample("sl-vlak.wav"), allowed=frozenset({"mp3", "ogg"}))
    assert "WAV" in detail
    assert "MP3, OGG" in detail
    assert sound_of(sample("sl-hisa.ogg"), allowed=frozenset({"mp3", "ogg"})).extension == "ogg"


# --- Looking at a file can harm nobody ---


def test_examining_leaves_the_file_where_it_was_and_returns_at_once() -> None:
    with nameless(slow_file(), SLOW_SIZE) as fd:
        os.lseek(fd, 7, os.SEEK_SET)
        started = time.monotonic()
        with examine(fd):
            assert time.monotonic() - started < 5  # the examination itself would take minutes
            time.sleep(0.3)
            assert os.lseek(fd, 0, os.SEEK_CUR) == 7


def examining() -> list[psutil.Process]:
    """The children that examine recordings; other tests may have left a database server running."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):
            if child.status() == psutil.STATUS_ZOMBIE or any("audio_child" in word for word in child.cmdline()):
                found.append(child)
    return found


def child_at_work() -> psutil.Process:
    """The one child of this process, once it has loaded what it needs and looks at the file."""
    for _ in range(200):
        # For a moment after it was started, a process has no command line yet.
        children = examining()
        assert len(children) <= 1
        if children and children[0].rlimit(psutil.RLIMIT_NOFILE)[0] == 0:
            return children[0]
        time.sleep(0.05)
    raise AssertionError("the child never started")


def test_the_child_has_limits_and_knows_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DREAMWEB_SECRET_KEY", "do not tell")
    with nameless(slow_file(), SLOW_SIZE) as fd, examine(fd):
        child = child_at_work()
        assert child.environ() == {}
        assert child.rlimit(psutil.RLIMIT_AS)[1] <= 512 * 2**20
        assert child.rlimit(psutil.RLIMIT_CPU)[1] <= 120
        for nothing in (psutil.RLIMIT_NOFILE, psutil.RLIMIT_FSIZE, psutil.RLIMIT_CORE):
            assert child.rlimit(nothing) == (0, 0)
        assert child.num_fds() <= 3
        assert os.getsid(child.pid) == child.pid


def test_an_examination_that_gets_no_time_is_the_machines_fault_and_its_child_is_gone() -> None:
    with nameless(slow_file(), SLOW_SIZE) as fd, examine(fd, timeout=1) as examination:
        child = child_at_work()
        started = time.monotonic()
        with pytest.raises(OSError, match="no time"):
            examination.result()
        assert time.monotonic() - started < 20
        assert not child.is_running()


def test_leaving_an_examination_ends_its_child() -> None:
    with nameless(slow_file(), SLOW_SIZE) as fd:
        with examine(fd):
            child = child_at_work()
        assert not child.is_running()


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGXCPU])
def test_a_file_on_which_the_child_crashes_is_refused(number: int) -> None:
    with nameless(slow_file(), SLOW_SIZE) as fd, examine(fd) as examination:
        child_at_work().send_signal(number)
        with pytest.raises(NotAudio, match="could not be examined"):
            examination.result()


def test_a_child_that_the_machine_kills_says_nothing_of_the_file() -> None:
    with nameless(slow_file(), SLOW_SIZE) as fd, examine(fd) as examination:
        child_at_work().kill()
        with pytest.raises(OSError, match="killed"):
            examination.result()


def test_an_index_of_a_hundred_million_samples_does_not_take_the_memory() -> None:
    data = bytearray(sample("en-garden.m4a"))
    place = data.find(b"stsz")
    data[place + 8 : place + 16] = struct.pack(">II", 1, 2**27)
    with nameless(bytes(data)) as fd, examine(fd) as examination, pytest.raises(NotAudio):
        examination.result()


def test_a_tag_larger_than_the_memory_allowed_costs_the_title_but_not_the_recording(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    child = Path(audio._CHILD).read_text(encoding="utf-8").replace("384 * 2**20", "200 * 2**20")
    (tmp_path / "child.py").write_text(child, encoding="utf-8")
    monkeypatch.setattr(audio, "_CHILD", tmp_path / "child.py")
    size = bytes((250 * 2**20 >> shift) & 0x7F for shift in (21, 14, 7, 0))
    head, sound = b"ID3\4\0\0" + size + b"APIC" + size + b"\0\0", sample("sl-morje-vbr.mp3")
    with nameless(head, 10 + 250 * 2**20 + len(sound)) as fd:
        os.pwrite(fd, sound, 10 + 250 * 2**20)
        with examine(fd) as examination:
            assert examination.result().duration_seconds == pytest.approx(4.268, abs=0.1)


def examination_by(child: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Examination:
    """An examination of a good file by a child of the test's own."""
    path = tmp_path / "child.py"
    path.write_text(child, encoding="utf-8")
    monkeypatch.setattr(audio, "_CHILD", path)
    with nameless(sample("sl-hisa.mp3")) as fd:
        return examine(fd, timeout=20)


@pytest.mark.parametrize(
    "answer",
    [
        "print('ready')",
        "print('ready'); print('gibberish')",
        "print('ready'); print('[]')",
        "print('ready'); print('{}')",
        """print('ready'); print('{"seconds": NaN, "title": null, "recorded_at": null}')""",
        """print('ready'); print('{"seconds": -1, "title": null, "recorded_at": null}')""",
        """print('ready'); print('{"seconds": 1, "title": 7, "recorded_at": null}')""",
        """print('ready'); print('{"seconds": 1, "title": null, "recorded_at": "yesterday"}')""",
        """print('ready'); print('{"refused": "for fun"}')""",
        "print('ready', flush=True)\nwhile True: print('x' * 10000)",
        "import os; print('ready', flush=True); os.abort()",
    ],
)
def test_a_child_that_answers_nonsense_is_not_believed(
    answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    examination = examination_by(answer, tmp_path, monkeypatch)
    with pytest.raises(NotAudio, match="could not be examined"):
        examination.result()


def test_a_child_that_cannot_load_its_libraries_is_not_the_files_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    examination = examination_by("import no_such_library", tmp_path, monkeypatch)
    with pytest.raises(OSError, match="no_such_library"):
        examination.result()


def test_a_child_that_cannot_be_started_is_not_the_files_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(OSError, match="nowhere"):
        sound_of(sample("sl-hisa.mp3"))


def test_the_web_process_never_loads_what_decodes_audio() -> None:
    code = "import sys, dreamweb.adapters.audio; print({'av', 'mutagen', 'flask'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent.parent, capture_output=True, text=True
    )
    assert done.stdout.strip() == "set()"


# --- Any damage at all ---


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    data = bytearray(sample(draw(st.sampled_from(sorted(TRUTH)))))
    place = draw(st.integers(0, len(data) - 1))
    match draw(st.sampled_from(["flip", "head", "cut", "garbage", "hole", "double"])):
        case "flip":
            for _ in range(draw(st.sampled_from([1, 10, 200]))):
                data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
        case "head":
            for _ in range(5):
                data[draw(st.integers(0, 400))] = draw(st.sampled_from([0, 1, 127, 128, 255]))
        case "cut":
            del data[place:]
        case "garbage":
            data[:0] = draw(st.binary(min_size=1, max_size=100))
        case "hole":
            del data[place : place + draw(st.integers(1, 10_000))]
        case "double":
            data[place:place] = data[place : place + draw(st.integers(1, 10_000))]
    return bytes(data)


@pytest.mark.fault
@settings(max_examples=100)
@given(damaged())
def test_whatever_the_damage_the_answer_is_a_sound_or_a_refusal(data: bytes) -> None:
    started = time.monotonic()
    with contextlib.suppress(NotAudio, EmptyFile):
        sound = sound_of(data)
        assert 0 < sound.duration_seconds < 60
        assert FORMATS[sound.extension] == sound.content_type
    assert time.monotonic() - started < 20
