"""The command `dreamweb send`, in words."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click


class _Moment(click.ParamType[str]):
    """A date, with or without time and zone; without a zone it is that of this machine."""

    name = "moment"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return datetime.fromisoformat(value).astimezone().isoformat()
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time. Write it like 2025-01-31T04:10 or 2025-01-31.", param, ctx)


_file = click.Path(path_type=Path)


@click.command()
@click.argument("files", type=_file, nargs=-1, metavar="FILE...")
@click.option("--title", help="Of the dream; for one FILE.")
@click.option("--tags", multiple=True, help="With commas; repeatable.")
@click.option("--dreamed-at", type=_Moment(), help="When; for one FILE. Otherwise as the recording or its file says.")
@click.option("--language", type=click.Choice(["sl", "en", "auto"]), help="Which is spoken.")
@click.option("--watch", type=_file, metavar="FOLDER", help="Go on sending what appears there, and below.")
@click.option("--move-to", type=_file, metavar="FOLDER", help="Move there what has arrived.")
@click.option(
    "--settle",
    type=click.FloatRange(0.1, 86400),
    default=5,
    show_default=True,
    metavar="SECONDS",
    help="For how long a file must keep still before it is sent.",
)
@click.option(
    "--give-up-after",
    type=click.FloatRange(0, 604800),
    default=600,
    show_default=True,
    metavar="SECONDS",
    help="For how long a FILE is tried again when it cannot be sent just now; --watch never gives up.",
)
@click.option("--config", type=_file, metavar="FILE", help="Instead of ~/.config/dreamweb/send.toml.")
@click.option("--state", type=_file, metavar="FILE", help="Instead of ~/.local/state/dreamweb/sent.jsonl.")
@click.pass_context
def send(
    context: click.Context,
    files: tuple[Path, ...],
    title: str | None,
    tags: tuple[str, ...],
    dreamed_at: str | None,
    language: str | None,
    watch: Path | None,
    move_to: Path | None,
    settle: float,
    give_up_after: float,
    config: Path | None,
    state: Path | None,
) -> None:
    """Send recordings from this machine to a journal elsewhere.

    The journal's address and a token come from DREAMWEB_URL and DREAMWEB_TOKEN, or from the file
    ~/.config/dreamweb/send.toml. Sending the same recording again is safe: it stays one entry. Exit status: 0 all have
    arrived, 1 some have not, 2 nothing could be sent as things are.
    """
    if bool(files) == (watch is not None):
        raise click.UsageError("Name files, or a folder with --watch.")
    if (title or dreamed_at) and len(files) != 1:
        raise click.UsageError("--title and --dreamed-at go with one FILE.")
    if watch and move_to and watch.absolute() == move_to.absolute():
        raise click.UsageError("--move-to must be another folder than --watch.")
    # Only here: it is heavy, and the server, which lists this command among its own, never needs it.
    from dreamweb.sending.work import Order, run  # noqa: PLC0415

    given = {"title": title, "tags": ",".join(tags), "dreamed_at": dreamed_at, "language": language}
    fields = {name: value for name, value in given.items() if value}
    context.exit(run(Order(files, watch, fields, move_to, settle, give_up_after, config, state)))
