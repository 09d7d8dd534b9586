"""Tells whoever sends what became of each recording: results on standard output, everything else beside it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from dreamweb.sending.delivery import Delivered
from dreamweb.sending.found import Changed, Found


class Report:
    """Says it, and counts."""

    def __init__(self) -> None:
        self.sent = self.known = self.failed = 0

    def delivered(self, path: Path, delivered: Delivered) -> None:
        if delivered.new:
            self.sent += 1
        else:
            self.known += 1
        click.echo("\t".join(("sent" if delivered.new else "known", delivered.url, shown(path))))

    def not_sent(self, path: Path, why: Exception) -> None:
        self.failed += 1
        self.tell(f"{shown(path)}: not sent: {_reason(why)}.")

    def again(self, path: Path, why: Exception, wait: float) -> None:
        self.tell(f"{shown(path)}: {_reason(why)}; trying again in {wait:.0f} s.")

    def not_moved(self, path: Path, why: Exception) -> None:
        self.tell(f"{shown(path)}: {_reason(why)}, so it stays where it is.")

    def tell(self, text: str) -> None:
        click.echo(text, err=True)

    def summary(self) -> None:
        kinds = ((self.sent, "sent"), (self.known, "there already"), (self.failed, "not sent"))
        self.tell(", ".join(f"{count} {what}" for count, what in kinds) + ".")


@contextmanager
def progress() -> Iterator[Callable[[Found], Callable[[int], object]]]:
    """A bar for whoever looks on; into files and pipes only results are written.

    It counts what has left this machine. That a recording has arrived is said by `Report.delivered` alone.
    """
    with ExitStack() as on_screen:

        def start(found: Found) -> Callable[[int], object]:
            on_screen.close()  # the bar of the attempt before
            left, label = found.size, shown(found.path)
            bar = on_screen.enter_context(
                click.progressbar(length=left, label=label, file=sys.stderr, hidden=not sys.stderr.isatty())
            )

            def passed(size: int) -> None:
                nonlocal left
                left -= size
                if not left:
                    bar.label = f"{label}, waiting for the answer"
                bar.update(size)

            return passed

        yield start


def shown(path: Path) -> str:
    """A name for people, on one line, also when it is not UTF-8 or holds what would steer a terminal."""
    name = click.format_filename(path)
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in name)


def _reason(why: Exception) -> str:
    return "it has changed meanwhile" if isinstance(why, Changed) else str(why).rstrip(".")
