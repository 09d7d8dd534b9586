"""Watches a folder, and sends each recording that appears there once nobody writes to it any more."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dreamweb.sending.delivery import Hopeless, NotNow, Pace, Refused
from dreamweb.sending.found import Changed, Found, State, Unsendable, look, read
from dreamweb.sending.memory import Memory
from dreamweb.sending.moving import NotMoved
from dreamweb.sending.reporting import Report, shown

EVERY = 2.0

# What recorders write. Whether it is taken is decided by the journal, which tells by the bytes: of what it refuses,
# the person shall hear, instead of believing it was sent.
SOUNDS = {".mp3", ".m4a", ".m4b", ".mp4", ".webm", ".mka", ".ogg", ".oga", ".opus", ".wav", ".wave", ".flac", ".aac"}
SOUNDS |= {".3gp", ".aif", ".aifc", ".aiff", ".amr", ".caf", ".dss", ".ds2", ".wma"}


@dataclass
class _Seen:
    """A file as it was found, and what became of it."""

    state: State
    since: float
    pace: Pace = field(default_factory=Pace)
    again_at: float = 0
    done: bool = False


@dataclass
class Watch:
    """A folder, what becomes of a recording in it, and what was done so far."""

    folder: Path
    apart: Path | None  # a folder in it that is not looked at
    settle: float
    memory: Memory
    report: Report
    send: Callable[[Found], object]
    arrived: Callable[[Found], object]  # for what was sent earlier, too
    _seen: dict[Path, _Seen] = field(default_factory=dict)
    _away: Pace = field(default_factory=Pace)
    _away_until: float = 0
    _told: set[tuple[Path, str]] = field(default_factory=set)
    _was_there: bool | None = None

    def forever(self) -> None:
        """Raises `Hopeless` when the journal says that nothing can be sent any more."""
        while True:
            self.round()
            time.sleep(min(EVERY, max(self.settle / 2, 0.1)))

    def round(self) -> None:
        """Look once at everything that is there."""
        self._notice_folder()
        there = dict(_recordings(self.folder, self.apart))
        self._seen = {path: seen for path, seen in self._seen.items() if path in there}
        for path, state in there.items():
            seen = self._seen.get(path)
            if seen is None or seen.state != state:
                self._seen[path] = _Seen(state, time.monotonic())
            elif self._is_due(seen):
                self._take(path, seen)

    def _notice_folder(self) -> None:
        there = self.folder.is_dir()
        if there != self._was_there:
            self.report.tell(f"Watching {shown(self.folder)}." if there else f"Waiting for {shown(self.folder)}.")
        self._was_there = there

    def _is_due(self, seen: _Seen) -> bool:
        now = time.monotonic()
        return not seen.done and now - seen.since >= self.settle and now >= max(seen.again_at, self._away_until)

    def _take(self, path: Path, seen: _Seen) -> None:
        try:
            self._bring(path, seen.state)
            seen.done = True
        except Refused as error:
            seen.done = True  # until the file is another, or this program starts again
            self.report.not_sent(path, error)
        except (Changed, Unsendable, NotMoved) as error:
            self._later(path, seen, error)
        except (NotNow, Hopeless) as error:
            if isinstance(error, NotNow) and not error.away:
                self._later(path, seen, error)
            elif isinstance(error, Hopeless) and error.for_sure:
                raise
            else:  # a laptop in a hotel must not give up for ever
                wait = self._away.next(error)
                self._away_until = time.monotonic() + wait
                self._tell(path, error, wait)

    def _bring(self, path: Path, state: State) -> None:
        if self.memory.knows_unread(path, state):
            self.arrived(Found(path, state, sha256=""))
            return
        found = read(path)
        if found.state != state:  # it has not kept still for long enough
            raise Changed
        if not self.memory.knows(found):
            self.send(found)
            self._away = Pace()
            self._told.clear()
        self.arrived(found)

    def _later(self, path: Path, seen: _Seen, error: Exception) -> None:
        wait = seen.pace.next(error)
        seen.again_at = time.monotonic() + wait
        self._tell(path, error, wait)

    def _tell(self, path: Path, error: Exception, wait: float) -> None:
        """Say it once, and not every minute of the night."""
        if (path, str(error)) not in self._told:
            self._told.add((path, str(error)))
            self.report.again(path, error, wait)


def _recordings(folder: Path, apart: Path | None) -> Iterator[tuple[Path, State]]:
    """What looks like a recording by its name, below the folder, without what is hidden or still being copied."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and Path(parent, name) != apart)
        for name in sorted(names):
            path = Path(parent, name)
            if path.suffix.lower() in SOUNDS and not name.startswith("."):
                try:
                    yield path, look(path)
                except Unsendable:
                    continue  # empty, or gone again
