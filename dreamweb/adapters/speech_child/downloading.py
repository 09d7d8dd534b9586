"""Downloads a model from huggingface.co into a folder, if it is one that faster-whisper can use.

What is asked: https://huggingface.co/docs/hub/api, and files at `/{repository}/resolve/{revision}/{file}`.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import httpx

from dreamweb.adapters.children import Say
from dreamweb.adapters.whisper_models import NEEDED
from dreamweb.errors import Permanent, Transient
from dreamweb.words import Said, say

_FILES = {*NEEDED, "preprocessor_config.json", "vocabulary.json", "vocabulary.txt"}
_REPOSITORY = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)
_REVISION = re.compile(r"[0-9a-f]{8,64}")

_TIMEOUT_SECONDS = 30.0
_ATTEMPTS = 3
_CHUNK = 2**20
_ROOM_BYTES = 100 * 2**20
_FULL = (errno.ENOSPC, errno.EDQUOT)

_Listed = Mapping[str, tuple[int, str | None]]
"""Of each file its size in bytes, and its SHA-256 if it is large."""


def download(question: dict[str, Any], progress: Say) -> dict[str, Any]:
    """Fetch what is not there yet; a part of a file is gone on with. Raises `Permanent` or `Transient`.

    The question names the `repository`, the `folder` for its files, the address of the `hub`, and a `token` or None.
    """
    repository, folder, hub, token = (question[name] for name in ("repository", "folder", "hub", "token"))
    path = Path(folder)
    if not _REPOSITORY.fullmatch(repository):
        raise Permanent(_unknown(repository))
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with httpx.Client(timeout=_TIMEOUT_SECONDS, follow_redirects=True, headers=headers) as client:
            revision, files = _list(client, f"{hub}/api/models/{repository}")
            _check(repository, files)
            whole, done = sum(size for size, _ in files.values()), 0
            path.mkdir(parents=True, exist_ok=True)
            _need_room(path, whole)
            for name, (size, digest) in sorted(files.items(), key=lambda each: each[1][0]):
                url = f"{hub}/{repository}/resolve/{revision}/{name}"
                part = path / f"{name}.{revision[:8]}.part"
                if not _is_there(path / name, size):
                    for so_far in _fetch(client, url, part, size):
                        progress((done + so_far) / whole)
                    _verify(part, size, digest)
                    part.replace(path / name)
                done += size
    except httpx.HTTPStatusError as error:
        raise _refusal(error.response.status_code, repository, path) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Transient(_unreachable(path)) from error
    except OSError as error:
        if error.errno in _FULL:
            raise Permanent(_no_room(path)) from None
        raise Permanent(say("The folder %(folder)s cannot be written to.", folder=path.parent)) from None
    return {}


def _list(client: httpx.Client, url: str) -> tuple[str, _Listed]:
    """The newest revision of a model, and those of its files that are needed."""
    answer = client.get(url, params={"blobs": "true"}).raise_for_status()
    try:
        said = answer.json()
        revision = str(said["sha"])
        files = {
            str(file["rfilename"]): (int(file["size"]), (file.get("lfs") or {}).get("sha256"))
            for file in said["siblings"]
            if file["rfilename"] in _FILES
        }
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Transient(_NONSENSE) from None
    if not _REVISION.fullmatch(revision):
        raise Transient(_NONSENSE)
    return revision, files


def _check(repository: str, files: _Listed) -> None:
    if "model.bin" not in files:
        raise Permanent(_wrong_kind(repository))
    if lacking := [name for name in NEEDED if name not in files]:
        raise Permanent(
            say("The model %(model)s has no %(files)s. Choose another.", model=repository, files=", ".join(lacking))
        )


def _is_there(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


def _fetch(client: httpx.Client, url: str, part: Path, size: int) -> Iterator[int]:
    """Write what is missing of a file; gives its bytes so far. Each attempt goes on where the one before has ended."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with part.open("ab") as file:
                yield from _append(client, url, file, size)
            return
        except httpx.TransportError:
            if attempt == _ATTEMPTS:
                raise


def _append(client: httpx.Client, url: str, file: IO[bytes], size: int) -> Iterator[int]:
    have = file.tell()
    if have >= size:
        return
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with client.stream("GET", url, headers=headers) as answer:
        answer.raise_for_status()
        if answer.status_code != httpx.codes.PARTIAL_CONTENT:  # it gives the whole, whatever it was asked for
            file.truncate(0)
        for data in answer.iter_bytes(_CHUNK):
            file.write(data)
            yield file.tell()
    file.flush()
    os.fsync(file.fileno())


def _verify(part: Path, size: int, digest: str | None) -> None:
    """Throws away what is not as it should be."""
    with part.open("rb") as file:
        same = part.stat().st_size == size
        same = same and digest in (None, hashlib.file_digest(file, "sha256").hexdigest())
    if not same:
        part.unlink()
        raise Transient(say("What came from huggingface.co is damaged, and was deleted. Try again."))


def _need_room(path: Path, whole: int) -> None:
    here = sum(file.stat().st_size for file in path.iterdir() if file.is_file())
    if shutil.disk_usage(path).free < whole - here + _ROOM_BYTES:
        raise Permanent(_no_room(path))


def _refusal(status: int, repository: str, path: Path) -> Transient | Permanent:
    if status == httpx.codes.FORBIDDEN:
        return Permanent(
            say("%(model)s is not for everybody: get access on huggingface.co, and set HF_TOKEN.", model=repository)
        )
    # For a model that does not exist, strangers are told that they are not known.
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.NOT_FOUND):
        return Permanent(_unknown(repository))
    return Transient(_unreachable(path))


_NONSENSE = say("huggingface.co has answered something that makes no sense.")


def _unknown(repository: str) -> Said:
    return say("There is no model named %(model)s on huggingface.co.", model=repository)


def _no_room(path: Path) -> Said:
    return say("There is not enough room on the disk for this model, in %(folder)s.", folder=path.parent)


def _wrong_kind(repository: str) -> Said:
    return say(
        "%(model)s is no model for faster-whisper: it has no model.bin. Choose one that was converted to CTranslate2, "
        "or convert it with ct2-transformers-converter and set SPEECH_MODEL to the path of its folder.",
        model=repository,
    )


def _unreachable(path: Path) -> Said:
    return say(
        "huggingface.co cannot be reached, or the connection broke. Try again: what has come is kept. Without a "
        "network, copy the model's folder from another computer to %(folder)s, or set SPEECH_MODEL to its path.",
        folder=path,
    )
