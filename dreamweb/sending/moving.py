"""Puts a recording that has arrived into another folder, for people who want to see what is left to do."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from dreamweb.sending.found import Changed, Found, State, Unsendable, read


class NotMoved(Exception):
    """It has arrived, but stays where it is; the text says why."""


def move(found: Found, folder: Path) -> None:
    """Move the file, under another name when there is one of its own; nothing is ever replaced. A link stays.

    Raises `NotMoved`, and `Changed` when the file is not the one that was sent.
    """
    path = found.path
    try:
        if path.is_symlink() or os.path.realpath(path.parent) == os.path.realpath(folder):
            return
        folder.mkdir(parents=True, exist_ok=True)
        if State.of(path.stat()) != found.state:
            raise Changed
        target = _claim(folder, path.name)
        try:
            if path.stat().st_dev == folder.stat().st_dev:
                path.replace(target)  # which is our own empty file
            else:
                _carry(found, target)
        except BaseException:
            if path.exists():
                target.unlink()
            raise
    except (OSError, Unsendable) as error:
        why = getattr(error, "strerror", None) or error
        raise NotMoved(f"it has arrived, but cannot be moved: {why}") from None


def _claim(folder: Path, name: str) -> Path:
    """An empty file under this name, or under one with a number when there is such a file."""
    stem, suffix = Path(name).stem, Path(name).suffix
    number = 1
    while True:
        target = folder / (name if number == 1 else f"{stem} ({number}){suffix}")
        try:
            target.touch(exist_ok=False)
        except FileExistsError:
            number += 1
        else:
            return target


def _carry(found: Found, target: Path) -> None:
    """To another disk: the original goes when the copy is on disk and has its bytes."""
    shutil.copy2(found.path, target)
    with target.open("rb") as file:
        os.fsync(file.fileno())
    before, copied = read(found.path), read(target)
    if before.sha256 != copied.sha256 or before.state != found.state:
        raise Changed
    found.path.unlink()
