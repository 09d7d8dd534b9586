"""Does what `dreamweb send` was asked for, and ends with its exit status."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from dreamweb.sending.delivery import Delivered, Hopeless, NotNow, Refused, connect, deliver, deliver_in_time
from dreamweb.sending.destination import Folders, load
from dreamweb.sending.found import Changed, Found, Unsendable
from dreamweb.sending.memory import Memory
from dreamweb.sending.moving import NotMoved, move
from dreamweb.sending.reporting import Report, progress
from dreamweb.sending.watching import Watch

ALL_ARRIVED, SOME_NOT, HOPELESS, INTERRUPTED = 0, 1, 2, 130


@dataclass(frozen=True)
class Order:
    """What was asked for: files, or a folder to watch, and how."""

    files: Sequence[Path]
    watch: Path | None
    fields: dict[str, str]
    move_to: Path | None
    settle: float
    give_up_after: float
    config: Path | None
    state: Path | None


def run(order: Order) -> int:
    """Raises `BadSetting` when nothing says where to send."""
    to, warning = load(order.config)
    report = Report()
    if warning:
        report.tell(warning)
    memory = Memory(order.state or Folders().memory, to.url)
    with connect(to) as client:
        job = _Job(order, client, memory, report)
        try:
            if order.watch is not None:
                job.watch(order.watch)
            for path in order.files:
                job.send(path)
        except Hopeless as error:
            report.tell(f"dreamweb: {error}")
            return HOPELESS
        except KeyboardInterrupt:
            report.tell("Stopped. What was not sent yet can be sent later; what was, is not sent twice.")
            return INTERRUPTED
        finally:
            if order.watch or len(order.files) > 1:
                report.summary()
    return SOME_NOT if report.failed else ALL_ARRIVED


@dataclass(frozen=True)
class _Job:
    order: Order
    client: httpx.Client
    memory: Memory
    report: Report

    def send(self, path: Path) -> None:
        try:
            with progress() as started:
                found, delivered = deliver_in_time(
                    self.client,
                    path,
                    self.order.fields,
                    settle=self.order.settle,
                    give_up_after=self.order.give_up_after,
                    waiting=lambda why, wait: self.report.again(path, why, wait),
                    started=started,
                )
        except (Refused, NotNow, Changed, Unsendable) as error:
            self.report.not_sent(path, error)
            return
        self._remember(found, delivered)
        try:
            self._arrived(found)
        except (Changed, NotMoved) as error:
            self.report.not_moved(path, error)

    def watch(self, folder: Path) -> None:
        def send(found: Found) -> None:
            with progress() as started:
                delivered = deliver(self.client, found, self.order.fields, started(found))
            self._remember(found, delivered)

        apart = self.order.move_to and self.order.move_to.absolute()
        Watch(
            folder.absolute(), apart, self.order.settle, self.memory, self.report, send=send, arrived=self._arrived
        ).forever()

    def _remember(self, found: Found, delivered: Delivered) -> None:
        self.report.delivered(found.path, delivered)
        try:
            self.memory.note(found, delivered.entry_id)
        except OSError as error:
            self.report.tell(f"It cannot be noted that this was sent, so it may be sent again: {error.strerror}.")

    def _arrived(self, found: Found) -> None:
        if self.order.move_to is not None:
            move(found, self.order.move_to)
