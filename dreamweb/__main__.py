"""The console script `dreamweb`."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version

import click

from dreamweb.errors import DreamWebError, Invalid
from dreamweb.sending.command import send


def main() -> None:
    """Run a command; what we foresee going wrong is told in a sentence, with exit status 2."""
    # What is written here are dreams: no other user of this machine shall read them.
    os.umask(0o077)
    try:
        # Recordings are sent from machines that have no journal: its settings and its database stay out of that.
        if sys.argv[1:2] == ["send"]:
            send.main(sys.argv[2:], prog_name="dreamweb send")
        elif sys.argv[1:2] == ["worker"]:
            _worker()
        else:
            _journal()
    except DreamWebError as error:
        fields = (
            "".join(f"\n  {name}: {why}" for name, why in error.fields.items()) if isinstance(error, Invalid) else ""
        )
        sys.stderr.write(f"dreamweb: {error.detail}{fields}\n")
        sys.exit(2)


def _worker() -> None:
    """Run jobs, in a process that has loaded no pages."""
    from dreamweb import worker  # noqa: PLC0415

    worker.main()


def _journal() -> None:
    """Run any of the commands; they are found in the application."""
    # Only here: these are heavy, and `send` shall start quickly on small machines.
    from flask.cli import FlaskGroup  # noqa: PLC0415
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    from dreamweb import create_app  # noqa: PLC0415
    from dreamweb.db import is_away  # noqa: PLC0415

    # Settings are read in one place only, so Flask must not load a `.env` into the environment by itself.
    group = FlaskGroup(
        create_app=create_app,
        help="DreamWeb, a voice dream journal.",
        load_dotenv=False,
        set_debug_flag=False,
        add_version_option=False,
        add_default_commands=False,
    )
    # Flask's own options choose another application and its debug mode: not for people who keep a journal.
    group.params.clear()
    click.version_option(version("dreamweb"), prog_name="DreamWeb")(group)
    try:
        group.main(prog_name="dreamweb")
    except SQLAlchemyError as error:
        if not is_away(error):
            raise
        sys.stderr.write(f"dreamweb: the database cannot be reached or is locked: {getattr(error, 'orig', error)}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
