"""The commands, in words; `worker` and `send` are in places of their own."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterable
from datetime import timedelta
from importlib.metadata import version
from uuid import UUID

import click
from flask import Flask
from flask.cli import AppGroup, ScriptInfo

from dreamweb import (
    accounts,
    db,
    housekeeping,
    jobs,
    recordings,
    reindexing,
    server,
    sessions,
    signals,
    supervision,
    words,
    worker,
)
from dreamweb import verify as verification
from dreamweb.config import Settings, resource
from dreamweb.errors import BadSetting, Conflict, Invalid
from dreamweb.fetching import models
from dreamweb.models.account import ROLES, SCOPES, Account
from dreamweb.models.job import Job
from dreamweb.processing import control
from dreamweb.sending.command import send
from dreamweb.tools import Tools


def register(app: Flask) -> None:
    for command in (serve, upgrade, verify, reindex, account, token, job, models, worker.command, send):
        app.cli.add_command(command)


def _settings(app: Flask) -> Settings:
    found: Settings = app.config["DREAMWEB"]
    return found


def _tools(app: Flask) -> Tools:
    found: Tools = app.extensions["dreamweb"]
    return found


def _upgrade() -> bool:
    return db.upgrade(resource("migrations"))


def _need_current() -> None:
    """What only looks must not upgrade the database beneath an older server."""
    if not db.is_current(resource("migrations")):
        raise Conflict("The database is not that of this version. Run `dreamweb upgrade`, or start the server.")


@click.command()
@click.option("--host", help="Address to listen on; the setting HOST otherwise.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; the setting PORT otherwise.")
@click.pass_context
def serve(context: click.Context, host: str | None, port: int | None) -> None:
    """Upgrade the database, then serve until stopped."""
    app = context.ensure_object(ScriptInfo).load_app()
    settings, tools = _settings(app), _tools(app)
    host, port = host or settings.host, settings.port if port is None else port
    tempfile.tempdir = str(tools.storage.temporary_folder)
    with app.app_context():
        _upgrade()
        with db.one_at_a_time():
            _ensure_first(settings)
        newcomer = accounts.count() == 0
    if settings.reload:
        app.run(host, port, use_reloader=True)  # Flask's own server: for developers
        return
    try:
        listening = server.create(
            app,
            tools.storage,
            host=host,
            port=port,
            threads=settings.web_threads,
            limit=tools.max_body_bytes,
            proxy=settings.trusted_proxy,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "there is no such address here"
        raise BadSetting(
            f"HOST, PORT: cannot listen on {host}:{port}: {reason}. Is DreamWeb running already? Else choose another."
        ) from None
    for address, bound in server.addresses(listening):
        click.echo(f"DreamWeb {version('dreamweb')} listens on http://{address}:{bound}")
        if address == "0.0.0.0":  # noqa: S104 -- it is what HOST says, not a place to go to
            click.echo(f"Here: http://localhost:{bound}. From elsewhere: the name or address of this machine.")
    click.echo(f"Data: {settings.data_dir.absolute()}")
    if newcomer:
        click.echo(f"There is no account yet. Make it at the address above, or run: {sys.argv[0]} account add NAME")
    sys.stdout.flush()
    stopping = signals.stopping(lambda: server.wake(listening))
    housekeeping.start(app, tools, stopping)
    workers = supervision.start(settings.workers, stopping)
    server.run(listening, stopping)
    workers.join()


def _ensure_first(settings: Settings) -> None:
    secrets = (settings.admin_password, settings.api_token)
    password, api_token = (secret.get_secret_value() if secret else None for secret in secrets)
    with db.transaction():
        accounts.ensure_first(settings.admin_username, password, api_token)


@click.command()
@click.pass_context
def upgrade(context: click.Context) -> None:
    """Bring the database's tables up to date."""
    with context.ensure_object(ScriptInfo).load_app().app_context():
        click.echo("The database was upgraded." if _upgrade() else "The database is up to date.")


account = AppGroup("account", help="Who may use this journal.")
token = AppGroup("token", help="Tokens by which devices and scripts act for an account.")


_password_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input instead of asking."
)


@account.command("add")
@click.argument("name")
@_password_stdin
@click.option("--role", type=click.Choice(ROLES), help="Otherwise owner for the first account, member for the others.")
def add_account(name: str, password_stdin: bool, role: str | None) -> None:
    """Make an account with a journal of its own."""
    password = _password(password_stdin)
    _upgrade()
    with db.transaction():
        made = accounts.add(name, password, role or ("member" if accounts.count() else "owner"))
    click.echo(f"Made the account {made.name} ({made.role}).", err=True)
    click.echo(
        f"Next, a token for a phone or a script: {sys.argv[0]} token add --account {made.name} --name Phone", err=True
    )


@account.command("password")
@click.argument("name")
@_password_stdin
def set_password(name: str, password_stdin: bool) -> None:
    """Give an account a new password, and sign its browsers out."""
    _need_current()
    found = _account(name)
    password = _password(password_stdin)
    with db.transaction():
        accounts.set_password(found, password)
        sessions.end_all(found)


@account.command("disable")
@click.argument("name")
def disable_account(name: str) -> None:
    """Shut an account's browsers and tokens out; its journal stays."""
    _need_current()
    with db.transaction():
        accounts.disable(_account(name))


@account.command("enable")
@click.argument("name")
def enable_account(name: str) -> None:
    """Let a disabled account in again."""
    _need_current()
    with db.transaction():
        accounts.enable(_account(name))


@account.command("list")
def list_accounts() -> None:
    """List all accounts."""
    _need_current()
    for each in accounts.every():
        state = "disabled" if each.disabled_at else "active"
        click.echo(f"{each.name}\t{each.role}\t{state}\t{each.created_at:%Y-%m-%d}")


@token.command("add")
@click.option("--account", "account_name", required=True, help="Whose token it is.")
@click.option("--name", required=True, help="What will carry it, like Phone.")
@click.option("--scope", "scopes", type=click.Choice(SCOPES), multiple=True, help="Repeatable; all rights without it.")
@click.option("--days", type=click.IntRange(1, 36500), help="After how many days it ends; never without it.")
def add_token(account_name: str, name: str, scopes: tuple[str, ...], days: int | None) -> None:
    """Make a token and print it, this once."""
    _upgrade()
    expires_at = db.now() + timedelta(days=days) if days else None
    with db.transaction():
        _, secret = accounts.add_token(_account(account_name), name, scopes or ("write",), expires_at)
    click.echo(secret)


@token.command("list")
@click.option("--account", "account_name", required=True)
def list_tokens(account_name: str) -> None:
    """List an account's tokens; the tokens themselves are not kept."""
    _need_current()
    for each in accounts.tokens(_account(account_name), limit=1000)[0]:
        used = f"{each.last_used_at:%Y-%m-%d}" if each.last_used_at else "never used"
        click.echo(f"{each.id}\t{each.name}\t{each.scopes}\t{used}")


@token.command("revoke")
@click.option("--account", "account_name", required=True)
@click.argument("token_id", type=click.UUID)
def revoke_token(account_name: str, token_id: UUID) -> None:
    """Revoke a token by its id, as `token list` shows it."""
    _need_current()
    with db.transaction():
        accounts.revoke_token(_account(account_name), token_id)


job = AppGroup("jobs", help="What is to be done with entries: transcribe them, tidy them, and so on.")


@job.command("list")
@click.option("--failed", is_flag=True, help="What has failed, instead of what runs and waits.")
def list_jobs(failed: bool) -> None:
    """List what runs and what waits, in the order in which it is done."""
    _need_current()
    for each in jobs.failed() if failed else jobs.waiting(limit=1000):
        share = f"{each.progress:.0%}" if each.progress is not None else "-"
        reason = words.load(each.reason) if each.reason else "-"
        click.echo(f"{each.id}\t{each.step}\t{each.state}\t{share}\t{each.entry_id}\t{reason}")


@job.command("retry")
@click.argument("job_ids", type=click.UUID, nargs=-1)
@click.option("--failed", is_flag=True, help="Everything that has failed.")
def retry_jobs(job_ids: tuple[UUID, ...], failed: bool) -> None:
    """Do steps again that have failed, were skipped or cancelled; those that wait are done at once."""
    _each_job(control.retry, [each.id for each in jobs.failed()] if failed else job_ids)


@job.command("cancel")
@click.argument("job_ids", type=click.UUID, nargs=-1)
def cancel_jobs(job_ids: tuple[UUID, ...]) -> None:
    """Do not do what waits, and stop what runs."""
    _each_job(control.cancel, job_ids)


@job.command("add")
@click.option("--account", "account_name", help="Only of this account.")
def add_jobs(account_name: str | None) -> None:
    """Let every recording be processed that was not yet, after what somebody waits for."""
    _need_current()
    with db.transaction():
        count = control.catch_up(_account(account_name) if account_name else None)
    click.echo(f"{count} {'entry waits' if count == 1 else 'entries wait'} to be processed.", err=True)


def _each_job(act: Callable[[Account, UUID], object], job_ids: Iterable[UUID]) -> None:
    _need_current()
    for job_id in job_ids:
        with db.transaction():
            act(_owner(job_id), job_id)


def _owner(job_id: UUID) -> Account:
    found = db.session().get(Job, job_id)
    owner = accounts.get(found.account_id) if found and found.account_id else None
    if owner is None:
        raise Invalid(f"There is no job {job_id}. `{sys.argv[0]} jobs list` shows what waits.")
    return owner


@click.command()
@click.option("--repair", is_flag=True, help="Make entries of orphaned recordings and sweep stale temporary files.")
@click.option(
    "--account", "account_name", help="Whose an orphan becomes when nothing tells; the only account's if one."
)
@click.pass_context
def verify(context: click.Context, repair: bool, account_name: str | None) -> None:
    """Compare the database with the recordings on disk; exit status 1 when something is wrong and stays so."""
    app = context.ensure_object(ScriptInfo).load_app()
    tools = _tools(app)
    with app.app_context():
        _need_current()
        heir = _heir(account_name)
        adopted = recordings.adopt(tools.storage) if repair else 0
        with click.progressbar(length=verification.count(), label="Reading recordings", file=sys.stderr) as bar:
            report = verification.verify(tools.storage, progress=lambda: bar.update(1))
        found = len(report.problems)
        if repair:
            verification.repair(tools, report, heir)
        for problem in report.problems:
            click.echo(f"{problem.kind}\t{problem.subject}")
        repaired = report.repaired + adopted
    click.echo(f"{report.checked} recordings checked, {found + adopted} problems found, {repaired} repaired.", err=True)
    if report.problems:
        if not repair and (report.of("orphaned") or report.of("stale")):
            click.echo("`dreamweb verify --repair` adopts what is orphaned and sweeps what is stale.", err=True)
        if repair and report.of("orphaned") and heir is None:
            click.echo("Nothing tells whose the orphans are: name an account with --account NAME.", err=True)
        context.exit(1)


@click.command()
@click.option("--anew", is_flag=True, help="Throw the index away first: for one that is damaged or missing.")
def reindex(anew: bool) -> None:
    """Read all entries into the search index again. What was stopped goes on where it was."""
    _need_current()
    try:
        entries = reindexing.begin(anew=anew)
        with click.progressbar(length=entries, label="Reading entries", file=sys.stderr) as bar:
            for done in reindexing.reindex():
                bar.update(done)
    except reindexing.DamagedError:
        raise Conflict(f"The search index is damaged. Make it again with `{sys.argv[0]} reindex --anew`.") from None
    click.echo(f"{entries} {'entry was' if entries == 1 else 'entries were'} read into the search index.", err=True)


def _heir(name: str | None) -> Account | None:
    if name:
        return _account(name)
    every = accounts.every()
    return every[0] if len(every) == 1 else None


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise Invalid("There is no terminal to ask for the password on. Use --password-stdin.")
    asked: str = click.prompt("Password (at least 8 characters)", hide_input=True, confirmation_prompt=True)
    return asked


def _account(name: str) -> Account:
    found = accounts.named(name)
    if found is None:
        raise Invalid(f"There is no account named {name!r}. `{sys.argv[0]} account list` shows all.")
    return found
