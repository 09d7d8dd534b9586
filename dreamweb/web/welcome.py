"""Makes the owner's account on the first visit to an empty installation."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Blueprint, current_app, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from dreamweb import accounts, db, log, profile, signin
from dreamweb.errors import DreamWebError, Forbidden, Invalid
from dreamweb.models.account import Account
from dreamweb.profile import Profile
from dreamweb.web import errors, forms, pages
from dreamweb.web.words import translated

blueprint = Blueprint("welcome", __name__)

logger = log.Logger(__name__)

OPEN_FOR = 30 * 60
"""Seconds after the start in which the first visitor from the same network is taken for the owner."""

_HOME_NAMES = (".local", ".lan", ".home", ".internal", ".home.arpa", ".localdomain")


@dataclass
class _Claim:
    """What somebody must know who comes late or from elsewhere: it stands in the log, which only the owner can read."""

    code: str = field(default_factory=lambda: secrets.token_hex(4).upper())
    since: float = field(default_factory=time.monotonic)


@blueprint.record_once
def _remember_start(state: object) -> None:
    state.app.extensions["dreamweb_claim"] = _Claim()  # type: ignore[attr-defined]


@blueprint.get("/welcome")
@pages.public
def first() -> str | Response:
    """Ask for the owner's name and password."""
    if accounts.count():
        return pages.see(url_for("accounts.sign_in"))
    return _form()


@blueprint.post("/welcome")
@pages.public
@signin.page_slowed_by_address
def make_owner() -> str | Response | tuple[str, int]:
    """Make the owner's account, and sign in."""
    try:
        with db.one_at_a_time():
            db.end_reading()  # what was true before we waited
            if accounts.count():
                return pages.see(url_for("accounts.sign_in"))
            account = _make()
    except Invalid as error:
        return _form(forms.reasons(error)), 422
    except DreamWebError as error:
        wrong = "code" if isinstance(error, Forbidden) else "name"
        # 401, so that guessing is slowed down.
        return _form({wrong: translated(error.detail)}), 401 if wrong == "code" else errors.status_of(error)
    signin.begin(account)
    logger.info("The owner's account was made", account=account.id, ip=request.remote_addr)
    return pages.see(url_for("timeline.home"))


def _make() -> Account:
    if _needs_code() and not secrets.compare_digest(
        request.form.get("code", "").strip().upper().encode(), _claim().code.encode()
    ):
        raise Forbidden(gettext("This is not the code in the log."))
    sent = forms.typed("name", "password", "time_zone")
    zone = sent.get("time_zone", "")
    with db.transaction():
        account = accounts.add(sent.get("name", ""), sent.get("password", ""), role="owner")
        known = zone if zone in profile.zones() else None
        accounts.prefer(account, Profile(name=account.name, time_zone=known))
    return account


def _form(wrong: dict[str, str] | None = None) -> str:
    needed = _needs_code()
    if needed:
        logger.warning("The code for making the first account", code=_claim().code, ip=request.remote_addr)
    return pages.render_template("accounts/welcome.html", wrong=wrong or {}, needs_code=needed, sent=request.form)


def _claim() -> _Claim:
    found: _Claim = current_app.extensions["dreamweb_claim"]
    return found


def _needs_code() -> bool:
    return time.monotonic() - _claim().since > OPEN_FOR or not _is_from_home()


def _is_from_home() -> bool:
    """Whether the request comes from the same network, and under a name that only such a network has.

    The name counts too, because behind a reverse proxy every address looks like one from home.
    """
    try:
        name = urlsplit(request.host_url).hostname or ""
        if not ip_address(request.remote_addr or "").is_private:
            return False
    except ValueError:
        return False
    try:
        return ip_address(name).is_private
    except ValueError:
        return name != "" and ("." not in name or name.endswith(_HOME_NAMES))
