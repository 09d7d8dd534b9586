"""Pages of one's own tokens, and of how a phone or a script sends recordings with one."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID, uuid4

import segno
from flask import Blueprint, Response, flash, request, url_for
from flask_babel import gettext
from markupsafe import Markup
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response as BaseResponse

from dreamweb import accounts, log, signin
from dreamweb.db import now, transaction
from dreamweb.errors import Conflict, Invalid
from dreamweb.models.account import SCOPES, Token
from dreamweb.web import forms, pages
from dreamweb.web.words import translated

blueprint = Blueprint("tokens", __name__)

logger = log.Logger(__name__)

RECIPE = 1
"""Version of the recipe for a Shortcut; to be raised whenever one made by an older recipe should be made anew."""

_SHOWN = 50

_LASTS = ("30", "90", "365")
"""Days after which a token may end by itself."""


@blueprint.get("/settings/tokens")
def every() -> str:
    """One's own tokens, and a form for another."""
    return _list({"scope": "upload"})


@blueprint.post("/settings/tokens")
def make() -> BaseResponse | tuple[str, int]:
    """Make a token and show it, this once; sending the same form again makes no second one."""
    sent = forms.typed("name", "scope", "days", "token_id")
    days = sent.get("days", "")
    try:
        token_id = _id(sent.get("token_id", ""))
        with transaction():
            token, secret = accounts.add_token(
                pages.account(),
                sent.get("name", ""),
                [sent.get("scope", "")],
                now() + timedelta(days=int(days)) if days in _LASTS else None,
                token_id,
            )
    except Invalid as error:
        return _list(sent, forms.reasons(error)), 422
    except (Conflict, IntegrityError):  # the second of two at once finds out from the database
        return _was_shown(token_id)
    logger.info("A token was made", account=pages.account().id, token=token.id, scopes=token.scopes)
    return _show(token, secret)


@blueprint.get("/settings/tokens/<uuid:token_id>")
def one(token_id: UUID) -> str:
    """What a token may do, and the ways to change or revoke it."""
    token = accounts.existing_token(pages.account(), token_id)
    return pages.render_template("tokens/page.html", token=token, of_setting=token.name == accounts.SETTING_TOKEN)


@blueprint.post("/settings/tokens/<uuid:token_id>/rotate")
def rotate(token_id: UUID) -> BaseResponse:
    """Replace the secret of a token and show the new one, this once; sending the same form again changes nothing."""
    known = request.form.get("known", "")
    try:
        with transaction():
            token, secret = accounts.rotate_token(pages.account(), token_id, known)
    except Conflict as error:
        flash(translated(error.detail), "bad")
        return pages.see(url_for(".one", token_id=token_id))
    signin.forget(known)
    logger.info("A token was changed", account=pages.account().id, token=token.id)
    return _show(token, secret)


@blueprint.post("/settings/tokens/<uuid:token_id>/revoke")
def revoke(token_id: UUID) -> BaseResponse:
    """Shut out whatever carries this token."""
    with transaction():
        token = accounts.revoke_token(pages.account(), token_id)
    signin.forget(token.token_hash)
    logger.info("A token was revoked", account=pages.account().id, token=token_id)
    flash(gettext("The token is revoked. Whatever carried it is shut out."), "good")
    return pages.see(url_for(".every"))


@blueprint.get("/shortcut")
@pages.public
def shortcut() -> str:
    """How a phone or a script sends recordings. A token after the `#` stays in the browser, which fills it in."""
    return pages.render_template(
        "tokens/shortcut.html",
        address=_address(),
        upload=url_for("api.upload.upload", _external=True),
        recipe=RECIPE,
        reaches_itself_only=_reaches_itself_only(),
    )


@blueprint.app_template_filter("scope")
def _scope(scopes: str) -> str:
    """What a token may do, in plain words."""
    says = {
        "upload": gettext("may only add recordings"),
        "read": gettext("may only read"),
        "upload,read": gettext("may add recordings and read"),
    }
    return str(says.get(scopes) or gettext("may do everything but manage accounts"))


def _show(token: Token, secret: str) -> Response:
    address = _address()
    content = f"{url_for('.shortcut', _external=True)}#{urlencode({'address': address, 'token': secret})}"
    html = pages.render_template(
        "tokens/made.html",
        token=token,
        secret=secret,
        shortcut=content,
        qr=Markup(segno.make(content, error="m", micro=False).svg_inline(omitsize=True, border=2)),  # noqa: S704
        reaches_itself_only=_reaches_itself_only(),
    )
    return Response(html, headers={"Cache-Control": "no-store"})


def _was_shown(token_id: UUID) -> BaseResponse:
    flash(gettext("This token was made already, and is shown only once. Not copied? Make a new secret for it."), "bad")
    return pages.see(url_for(".one", token_id=token_id))


def _list(values: dict[str, Any], wrong: dict[str, str] | None = None) -> str:
    tokens, cursor = accounts.tokens(pages.account(), limit=_SHOWN, cursor=request.args.get("cursor") or None)
    wrong = wrong or {}
    return pages.render_template(
        "tokens/list.html",
        tokens=tokens,
        more=url_for(".every", cursor=cursor) if cursor else None,
        values=values,
        wrong=wrong | {"scope": wrong.get("scopes")},
        scopes=SCOPES,
        lasts=_LASTS,
        token_id=uuid4(),
    )


def _id(value: str) -> UUID:
    """The id that the form has brought along. Raises `Invalid` when somebody has meddled with it."""
    try:
        return UUID(value)
    except ValueError:
        raise Invalid(
            gettext("Load this page again, then repeat."), {"name": gettext("load this page again")}
        ) from None


def _address() -> str:
    """Where the visitor has found us, and so, most likely, their phone can, too."""
    return request.url_root.rstrip("/")


def _reaches_itself_only() -> bool:
    """Whether the address leads a phone to itself."""
    name = urlsplit(request.host_url).hostname or ""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
