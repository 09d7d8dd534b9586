"""Pages of who may use this journal: sign-in and sign-out, and for owners everybody's accounts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from dreamweb import accounts, log, profile, sessions, signin
from dreamweb.db import transaction
from dreamweb.errors import Conflict, Invalid, NotFound
from dreamweb.models.account import ROLES, Account
from dreamweb.web import forms, pages
from dreamweb.web.words import translated

blueprint = Blueprint("accounts", __name__)

logger = log.Logger(__name__)


@blueprint.get("/sign-in")
@pages.public
def sign_in() -> str | Response:
    """Ask for name and password."""
    if pages.visitor():
        return pages.see(pages.back_to(url_for("timeline.home")))
    if not accounts.count():
        return pages.see(url_for("welcome.first"))
    return _form()


@blueprint.post("/sign-in")
@pages.public
@signin.page_slowed_by_address
@signin.page_slowed_by_account
def check_password() -> Response | tuple[str, int]:
    """Sign in."""
    account = accounts.by_password(request.form.get("name", ""), request.form.get("password", ""))
    if account is None:
        logger.warning("Sign-in failed", ip=request.remote_addr)
        return _form(gettext("The name or the password is wrong.")), 401
    signin.begin(account)
    if account.time_zone is None and (zone := request.form.get("time_zone", "")) in profile.zones():
        with transaction():
            accounts.set_time_zone(account, zone)
    logger.info("Signed in", account=account.id, ip=request.remote_addr)
    return pages.see(pages.back_to(url_for("timeline.home")))


@blueprint.post("/sign-out")
@pages.public
def sign_out() -> Response:
    """Sign out, here and on the server."""
    signin.end()
    response = pages.see(url_for("accounts.sign_in"))
    response.headers["Clear-Site-Data"] = '"cache"'  # what Back would show otherwise; drafts and recordings stay
    return response


@blueprint.get("/accounts")
def every() -> str:
    """All accounts, and a form for another."""
    _need_owner()
    return _list({"role": "member"})


@blueprint.post("/accounts")
def add() -> Response | tuple[str, int]:
    """Make an account."""
    _need_owner()
    sent = forms.typed("name", "password", "role")
    try:
        with transaction():
            made = accounts.add(sent.get("name", ""), sent.get("password", ""), sent.get("role", ""))
    except Invalid as error:
        return _list(sent, forms.reasons(error)), 422
    except Conflict as error:
        return _list(sent, {"name": translated(error.detail)}), 409
    logger.info("An account was made", account=made.id, role=made.role, by=pages.account().id)
    flash(gettext("%(name)s can sign in now.", name=made.name), "good")
    return pages.see(url_for(".every"))


@blueprint.get("/accounts/<uuid:account_id>")
def one(account_id: UUID) -> str:
    """One account, and what an owner may do with it."""
    return _page(_other(account_id))


@blueprint.post("/accounts/<uuid:account_id>/password")
def set_password(account_id: UUID) -> Response | tuple[str, int]:
    """Give somebody a new password, and sign their browsers out."""
    person = _other(account_id)
    if person.id == pages.account().id:  # one's own only by telling the old one
        return pages.see(url_for("settings.profile"))
    try:
        with transaction():
            accounts.set_password(person, request.form.get("password", ""))
            sessions.end_all(person)
    except Invalid as error:
        return _page(person, forms.reasons(error)), 422
    logger.info("A password was set", account=person.id, by=pages.account().id)
    flash(gettext("%(name)s has a new password, and is signed out everywhere.", name=person.name), "good")
    return pages.see(url_for(".one", account_id=account_id))


@blueprint.post("/accounts/<uuid:account_id>/disable")
def disable(account_id: UUID) -> Response:
    """Shut an account out; its journal stays."""
    person = _other(account_id)
    try:
        with transaction():
            accounts.disable(person)
    except Conflict as error:
        flash(translated(error.detail), "bad")
    else:
        logger.info("An account was disabled", account=person.id, by=pages.account().id)
        flash(gettext("%(name)s is shut out. The journal stays.", name=person.name), "good")
    return pages.see(url_for(".one", account_id=account_id))


@blueprint.post("/accounts/<uuid:account_id>/enable")
def enable(account_id: UUID) -> Response:
    """Let an account in again."""
    person = _other(account_id)
    with transaction():
        accounts.enable(person)
    logger.info("An account was enabled", account=person.id, by=pages.account().id)
    flash(gettext("%(name)s can sign in again.", name=person.name), "good")
    return pages.see(url_for(".one", account_id=account_id))


def _need_owner() -> None:
    """To everybody else these pages do not exist."""
    if pages.account().role != "owner":
        raise NotFound(gettext("There is nothing at this address."))


def _other(account_id: UUID) -> Account:
    _need_owner()
    return accounts.existing(account_id)


def _list(values: dict[str, Any], wrong: dict[str, str] | None = None) -> str:
    return pages.render_template(
        "accounts/list.html", people=accounts.every(), values=values, wrong=wrong or {}, roles=ROLES
    )


def _page(person: Account, wrong: dict[str, str] | None = None) -> str:
    return pages.render_template("accounts/page.html", person=person, wrong=wrong or {})


def _form(wrong: str | None = None) -> str:
    name = request.form.get("name", "")
    return pages.render_template("accounts/sign_in.html", wrong=wrong, name=name, next=pages.back_to(""))
