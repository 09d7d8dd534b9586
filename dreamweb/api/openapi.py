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

ERROR: dict[str, Any] = {"schema": {"$ref": "#/components/schemas/Error"}}
"""The content of every answer that tells of an error."""

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

_ANYWHERE = {
    400: ["INVALID_REQUEST"],  # a request that is no HTTP
    431: ["INVALID_REQUEST"],  # headers, the address among them, of more than 256 KB
    500: ["DATABASE_ERROR", "INTERNAL_ERROR"],
    503: ["DATABASE_ERROR"],
}

_HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {
        "description": "The client's own, if it is up to 64 letters, digits, `.`, `_` and `-`; else made here.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
    },
    "Retry-After": {
        "description": "After how many seconds it may work.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    },
    "WWW-Authenticate": {
        "description": "That a token is wanted.",
        "required": True,
        "schema": {"type": "string", "const": 'Bearer realm="DreamWeb"'},
    },
}

_HEADERS_OF = {"401": "WWW-Authenticate", "429": "Retry-After"}


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

    `extra` is laid over the operation's OpenAPI object, for what models cannot say; its parameters replace those of the
    same name, and one without a place (`in`) removes them. Nothing is checked here: the views parse by themselves,
    because the library would take malformed JSON for an empty object.
    """
    models: dict[str, Any] = {f"HTTP_{status}": model for status, model in answers.items()}
    codes: dict[int, list[str]] = {status: list(names) for status, names in _ANYWHERE.items()}
    for kind in raises:
        status, code = errors.CODES[kind]
        if code not in codes.setdefault(status, []):
            codes[status].append(code)
    for status, names in codes.items():
        models.setdefault(f"HTTP_{status}", (schemas.Error, ", ".join(f"`{name}`" for name in sorted(names))))

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
    components = described["components"]
    components["headers"] = deepcopy(_HEADERS)
    codes = {code for _, code in errors.CODES.values()} | set(errors.HTTP_CODES.values())
    components["schemas"]["Error"]["properties"]["error_code"]["enum"] = sorted(codes | {"DATABASE_ERROR"})
    return described


def _finish(operation: dict[str, Any]) -> None:
    for parameter in operation["parameters"]:
        if parameter["in"] == "query":
            parameter["schema"] = without_null(parameter["schema"])
    for name, value in _extras[operation["operationId"]].items():
        if name == "parameters":
            replaced = {parameter["name"] for parameter in value}
            kept = [parameter for parameter in operation[name] if parameter["name"] not in replaced]
            operation[name] = kept + [parameter for parameter in value if "in" in parameter]
        else:
            operation[name] = operation.get(name, {}) | value
    if operation.get("security") == {}:
        operation["security"] = []
    for status, response in operation["responses"].items():
        _finish_response(status, response)


def _finish_response(status: str, response: dict[str, Any]) -> None:
    names = ["X-Request-ID", _HEADERS_OF[status]] if status in _HEADERS_OF else ["X-Request-ID"]
    # What waitress answers by itself has the same headers and the same body as our own answers.
    response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    content = response.get("content", {}).get("application/json")
    if content and content["schema"].get("$ref") == ERROR["schema"]["$ref"]:
        body = {"detail": "What happened, and what helps.", "request_id": schemas.EXAMPLE_ID}
        content["examples"] = {
            code: {"value": body | {"error_code": code}} for code in response["description"].split("`")[1::2]
        }


def without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of what text is sent for: forms and queries leave out what they do not know, and have no null."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    plain = {name: value for name, value in schema.items() if name != "anyOf" and (name, value) != ("default", None)}
    return plain | (kinds[0] if len(kinds) == 1 else {"anyOf": kinds} if kinds else {})
