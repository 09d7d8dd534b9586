"""Serves the API's description: the OpenAPI document, Swagger UI and ReDoc, all from our own files."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template

from dreamweb.api.openapi import document

blueprint = Blueprint("docs", __name__)

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'{styles}; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

# ReDoc 2.5.4 makes two style elements of its own: an empty one, which it fills rule by rule, and its scroll bar's.
_REDOC_STYLES = (
    " 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' 'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='"
)


@blueprint.get("/api/v1/openapi.json")
def openapi() -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    return document()


@blueprint.get("/docs")
def swagger() -> Response:
    """Try the API in the browser."""
    return _page("docs/swagger.html")


@blueprint.get("/redoc")
def redoc() -> Response:
    """Read about the API."""
    return _page("docs/redoc.html", styles=_REDOC_STYLES)


def _page(template: str, styles: str = "") -> Response:
    response = Response(render_template(template))
    response.headers["Content-Security-Policy"] = _POLICY.format(styles=styles)
    return response
