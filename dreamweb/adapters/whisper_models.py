"""Knows where the models of faster-whisper lie, which are there, and fetches more of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dreamweb.adapters.children import Child, Watch
from dreamweb.errors import Permanent
from dreamweb.words import say

HUB = "https://huggingface.co"

REPOSITORIES = {
    "tiny": "Systran/faster-whisper-tiny",
    "base": "Systran/faster-whisper-base",
    "small": "Systran/faster-whisper-small",
    "medium": "Systran/faster-whisper-medium",
    "large-v3": "Systran/faster-whisper-large-v3",
}
"""Short names, and where those models are on huggingface.co: https://huggingface.co/Systran."""

NEEDED = ("model.bin", "config.json", "tokenizer.json")
"""Without these, faster-whisper cannot work, or would ask the internet for them."""

_DOWNLOAD_SECONDS = 24 * 3600.0
_IDLE_SECONDS = 60.0


@dataclass(frozen=True)
class Model:
    """A model in the folder; `missing` names the files that it lacks."""

    name: str
    size_bytes: int
    missing: tuple[str, ...]


def place(folder: str, model: str) -> Path:
    """Where a model is or would be: a path as it is, a name in the folder, with `--` for its slash."""
    if Path(model).is_absolute() or model.startswith(("./", "../", "~")):
        return Path(model).expanduser()
    return Path(folder) / model.replace("/", "--")


def missing(path: Path) -> tuple[str, ...]:
    """The files that a model in this folder lacks."""
    return tuple(name for name in NEEDED if not (path / name).is_file())


def installed(folder: str) -> list[Model]:
    """The models in the folder, by name."""
    root = Path(folder)
    paths = sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    return [Model(path.name.replace("--", "/"), _size(path), missing(path)) for path in paths]


def download(folder: str, model: str, watch: Watch, *, hub: str = HUB, token: str | None = None) -> Path:
    """Fetch a model by its short name or as `owner/name` from huggingface.co; goes on with what is there in part.

    `hub` may be a mirror; some models need the `token` of somebody who may have them.
    Raises `Permanent` when there is no such model, no room, or it is of another kind; `Transient` when the network or
    the other side fails.
    """
    repository = REPOSITORIES.get(model, model)
    if repository.count("/") != 1 or place(folder, model).parent != Path(folder):
        raise Permanent(
            say(
                "There is no model named %(model)s. Choose one of %(names)s, or write OWNER/NAME.",
                model=model,
                names=", ".join(REPOSITORIES),
            )
        )
    path = place(folder, model)
    child = Child("dreamweb.adapters.speech_child", _IDLE_SECONDS)
    try:
        question = {
            "task": "download",
            "repository": repository,
            "folder": str(path),
            "hub": hub.rstrip("/"),
            "token": token,
        }
        child.ask(question, watch, timeout=_DOWNLOAD_SECONDS)
    finally:
        child.end()
    return path


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.iterdir() if file.is_file())
