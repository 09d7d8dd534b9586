"""Makes the recordings in this folder from sentences spoken by espeak-ng, and samples.json beside them.

Needs Debian's ffmpeg, espeak-ng and chromium, and the Python package playwright:

    python tests/samples/make.py
"""

from __future__ import annotations

import base64
import json
import subprocess
import tempfile
import wave
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent

SENTENCES = {
    "sl-hisa": ("sl", "Sanjala sem, da letim nad staro hišo. Na strehi je sedela bela sova."),
    "sl-morje": ("sl", "Morje je bilo toplo. Iz njega so rasle stopnice."),
    "sl-vlak": ("sl", "Zamudila sem vlak."),
    "en-lighthouse": ("en", "I was climbing a lighthouse made of glass, and the sea below me was singing."),
    "en-garden": ("en", "My grandmother showed me a garden under the kitchen floor."),
    "en-key": ("en", "I found a key in the bread."),
}

# file: (sentence, what ffmpeg is told)
RECIPES = {
    "sl-hisa.mp3": ("sl-hisa", "-ar 44100 -c:a libmp3lame -b:a 48k -id3v2_version 4"),
    "sl-morje-vbr.mp3": ("sl-morje", "-ar 44100 -c:a libmp3lame -q:a 6 -write_xing 0 -id3v2_version 0"),
    "en-garden.m4a": ("en-garden", "-ar 44100 -c:a aac -b:a 48k"),
    "en-lighthouse-fragmented.m4a": (
        "en-lighthouse",
        "-ar 48000 -c:a aac -b:a 48k -movflags empty_moov+default_base_moof -frag_duration 1000000 -f mp4",
    ),
    "sl-morje.webm": ("sl-morje", "-ar 48000 -c:a libopus -b:a 24k"),
    "sl-hisa.ogg": ("sl-hisa", "-ar 48000 -c:a libopus -b:a 24k"),
    "en-garden-vorbis.ogg": ("en-garden", "-ar 44100 -c:a libvorbis -q:a 1"),
    "sl-vlak.wav": ("sl-vlak", "-ar 16000 -c:a pcm_s16le"),
    "en-key.flac": ("en-key", "-ar 16000 -c:a flac"),
    "en-lighthouse.aac": ("en-lighthouse", "-ar 44100 -c:a aac -b:a 48k -f adts"),
}

# Videos, which are to be refused: (sentence, what ffmpeg is told)
VIDEOS = {
    "en-key-video.mp4": ("en-key", "-c:a aac -b:a 32k -c:v mpeg4"),
    "en-key-video.webm": ("en-key", "-c:a libopus -b:a 16k -c:v libvpx"),
}

TAGS = {
    "sl-hisa.mp3": {"title": "Stara hiša", "date": "2024-05-01T04:30:00"},
    "en-garden.m4a": {"title": "The garden", "date": "2024-05-02T06:15:00+02:00"},
    "sl-hisa.ogg": {"title": "Bela sova", "date": "2024"},
    "en-key.flac": {"title": "Key in the bread", "date": "2024-05-03"},
    "sl-morje.webm": {"title": "Morje"},
}

CONTENT_TYPES = {
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".webm": "audio/webm",
    ".ogg": "audio/ogg",
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".aac": "audio/aac",
}

RECORD = """
async () => {
  const stream = await navigator.mediaDevices.getUserMedia({audio: true});
  const recorder = new MediaRecorder(stream, {mimeType: "audio/webm;codecs=opus", audioBitsPerSecond: 24000});
  const chunks = [];
  recorder.ondataavailable = (event) => { if (event.data.size) chunks.push(event.data); };
  const stopped = new Promise((resolve) => { recorder.onstop = resolve; });
  recorder.start(3000);
  await new Promise((resolve) => setTimeout(resolve, 10000));
  recorder.stop();
  await stopped;
  return Promise.all(chunks.map(async (chunk) => {
    const bytes = new Uint8Array(await chunk.arrayBuffer());
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  }));
}
"""


def run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def wav_seconds(path: Path) -> float:
    with wave.open(str(path)) as sound:
        return float(sound.getnframes() / sound.getframerate())


def speak(folder: Path) -> dict[str, Path]:
    spoken = {}
    for name, (voice, sentence) in SENTENCES.items():
        spoken[name] = folder / f"{name}.wav"
        run("espeak-ng", "-v", voice, "-s", "160", "-w", str(spoken[name]), sentence)
    return spoken


def cover(folder: Path) -> Path:
    path = folder / "cover.png"
    run("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "color=c=navy:s=64x64:d=1", "-frames:v", "1", str(path))
    return path


def encode(name: str, source: Path, options: str, picture: Path | None) -> None:
    command = ["ffmpeg", "-v", "error", "-y", "-i", str(source)]
    if picture:
        command += ["-i", str(picture), "-map", "0:a", "-map", "1:v", "-c:v", "copy", "-disposition:v", "attached_pic"]
    command += ["-map_metadata", "-1", "-fflags", "+bitexact"]
    for key, value in TAGS.get(name, {}).items():
        command += ["-metadata", f"{key}={value}"]
    run(*command, *options.split(), str(HERE / name))


def film(name: str, source: Path, options: str) -> None:
    moving = ["-f", "lavfi", "-i", "testsrc=s=64x48:d=1:r=5", "-i", str(source), "-shortest", "-fflags", "+bitexact"]
    run("ffmpeg", "-v", "error", "-y", *moving, *options.split(), str(HERE / name))


def record_in_chromium(microphone: Path) -> list[bytes]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=[
                "--no-sandbox",
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
                f"--use-file-for-fake-audio-capture={microphone}",
            ],
        )
        page = browser.new_page()
        page.route("**/*", lambda route: route.fulfill(body="<title>a microphone needs a secure origin</title>"))
        page.goto("http://localhost/")
        chunks = [base64.b64decode(chunk) for chunk in page.evaluate(RECORD)]
        browser.close()
    return chunks


def decoded_seconds(path: Path) -> float:
    """The length by Debian's ffmpeg, which is not the one inside PyAV: a second opinion."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-ac", "1", "-ar", "48000", "-f", "s16le", "-"]
    return len(subprocess.run(command, check=True, capture_output=True).stdout) / 2 / 48000


def main() -> None:
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        spoken = speak(folder)
        for name, (sentence, options) in RECIPES.items():
            encode(name, spoken[sentence], options, cover(folder) if name == "sl-hisa.mp3" else None)
            seconds[name] = wav_seconds(spoken[sentence])
        for name, (sentence, options) in VIDEOS.items():
            film(name, spoken[sentence], options)
        for old in HERE.glob("chromium-*.webm.part"):
            old.unlink()
        chunks = record_in_chromium(spoken["sl-hisa"])
    for number, chunk in enumerate(chunks):
        (HERE / f"chromium-{number}.webm.part").write_bytes(chunk)
    (HERE / "sl-chromium.webm").write_bytes(b"".join(chunks))
    seconds["sl-chromium.webm"] = decoded_seconds(HERE / "sl-chromium.webm")
    samples = {
        name: {
            "extension": Path(name).suffix[1:],
            "content_type": CONTENT_TYPES[Path(name).suffix],
            "duration_seconds": round(seconds[name], 3),
        }
        for name in sorted(seconds)
    }
    (HERE / "samples.json").write_text(json.dumps(samples, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
