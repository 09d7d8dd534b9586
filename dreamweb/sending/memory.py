"""Remembers what was sent, in a small file that only ever grows, so that a restart neither repeats nor forgets."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from dreamweb.errors import BadSetting
from dreamweb.sending.found import Found, State


class Memory:
    """What this machine has sent to one journal; each line of the file is one confirmed recording, in JSON."""

    def __init__(self, file: Path, url: str) -> None:
        self._file = file
        self._url = url
        self._digests: set[str] = set()
        self._paths: dict[str, State] = {}
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("ab+") as opened:
                opened.seek(0)
                for line in opened:
                    self._recall(line)
        except OSError as error:
            raise BadSetting(f"{file}, which remembers what was sent, cannot be used: {error.strerror}.") from None

    def knows(self, found: Found) -> bool:
        return found.sha256 in self._digests

    def knows_unread(self, path: Path, state: State) -> bool:
        """Whether just this file was sent, as far as its name, size and times tell.

        Not where the recorder's clock is not set: then two recordings can look the same from outside.
        """
        return state.has_believable_time and self._paths.get(str(path.absolute())) == state

    def note(self, found: Found, entry_id: str) -> None:
        """Write down that the server has confirmed it; on disk when this returns. Raises `OSError`."""
        path = str(found.path.absolute())
        if self.knows(found) and self._paths.get(path) == found.state:
            return
        line = {
            "sha256": found.sha256,
            "client_id": str(found.client_id),
            "entry_id": entry_id,
            "url": self._url,
            "path": path,  # a name that is not UTF-8 survives in JSON, as halves of pairs
            "state": asdict(found.state),
            "sent_at": datetime.now(UTC).isoformat(),
        }
        # One write at the end of the file: several programs may do so at once. A line that a crash has cut off is
        # closed by the line break in front, and passed over when read.
        data = b"\n" + json.dumps(line).encode() + b"\n"
        with open(os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb", buffering=0) as opened:
            opened.write(data)
            os.fsync(opened.fileno())
        self._recall(data.strip())

    def _recall(self, line: bytes) -> None:
        try:
            said = json.loads(line)
            if said["url"] == self._url:
                self._digests.add(said["sha256"])
                self._paths[said["path"]] = State(**said["state"])
        except (ValueError, KeyError, TypeError):
            return
