"""Describes every route in OpenAPI 3.1, from the same models that check the requests."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import cache, wraps
from importlib.metadata import version
from typing import Any, TypeVar, cast

from pydantic import BaseModel
from spectree import Response, SecurityScheme, SpecTree
from spectree.models import SecureType, SecuritySchemeData

from dreamweb.api import errors, schemas
from dreamweb.errors import DreamWebError

F = TypeVar("F", bound=Callable[..., Any])

_DESCRIPTION = """
Send recordings, read and change entries. Every request carries a token: `Authorization: Bearer dw_...`.
Times are RFC 3339 in UTC with microseconds, sizes are bytes, durations are seconds.
Every error answers `detail`, `error_code` and `request_id`; `detail` says what can be done.
"""

spec = SpecTree(
    "flask",
    title="DreamWeb",
    description=_DESCRIPTION.strip(),
    version=version("dreamweb"),
    mode="strict",
    annotations=False,
    page_templates={},
    naming_strategy=lambda model: model.__name__,
    nested_naming_strategy=lambda _parent, child: child,
    validation_error_model=schemas.Error,
    security_schemes=[
        SecurityScheme(
            name="token", data=SecuritySchemeData(type=SecureType.HTTP, scheme="bearer", description="A token: dw_...")
        ),
        SecurityScheme(
            name="password", data=SecuritySchemeData(type=SecureType.HTTP, scheme="basic", description="Here only.")
        ),
    ],
)

_extras: dict[str, dict[str, Any]] = {}


def documented(
    tag: str,
    *,
    answers: dict[int, type[BaseModel] | None],
    raises: tuple[type[DreamWebError], ...] = (),
    json: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    security: Any = "token",
    extra: dict[str, Any] | None = None,
) -> Callable[[F], F]:
    """Describe a view: what it takes, what it answers, and by which of our errors it fails.

    `extra` is laid over the operation's OpenAPI object, for what models cannot say. Nothing is checked here: the views
    parse by themselves, because the library would take malformed JSON for an empty object.
    """
    models: dict[str, Any] = {f"HTTP_{status}": model for status, model in answers.items()}
    codes: dict[int, list[str]] = {500: ["DATABASE_ERROR", "INTERNAL_ERROR"], 503: ["DATABASE_ERROR"]}
    for kind in raises:
        status, code = errors.CODES[kind]
        codes.setdefault(status, []).append(code)
    for status, names in codes.items():
        models[f"HTTP_{status}"] = (schemas.Error, ", ".join(f"`{name}`" for name in sorted(names)))

    def decorate(view: F) -> F:
        name = view.__name__
        _extras[name] = extra or {}
        described = spec.validate(
            json=json,
            query=query,
            resp=Response(**models),
            tags=(tag,),
            security={security: []} if isinstance(security, str) else security,
            operation_id=name,
            validation_error_status=422 if (json or query) else 500,
            skip_validation=True,
        )(view)

        @wraps(view)
        def call(*args: Any, **values: Any) -> Any:
            return view(*args, **values)

        # The library looks for its description along `__wrapped__`, but must not be called itself: it would read
        # every answer into memory, a recording too.
        call.__wrapped__ = described
        return cast(F, call)

    return decorate


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document; made on first use, because most servers are never asked for it.

    Needs an application context.
    """
    described: dict[str, Any] = deepcopy(spec.spec)
    for path in described["paths"].values():
        for operation in path.values():
            _finish(operation)
    return described


def _finish(operation: dict[str, Any]) -> None:
    for name, value in _extras[operation["operationId"]].items():
        if isinstance(value, dict):
            operation[name] = operation.get(name, {}) | value
        else:
            operation[name] = operation.get(name, []) + value
    if operation.get("security") == {}:
        operation["security"] = []
