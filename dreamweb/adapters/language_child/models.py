"""Makes of a language model's setting one that pydantic-ai can ask; loaded only when a model is asked at all."""

# ruff: noqa: PLC0415  (the providers' libraries are large, and only one of them may be installed)

from __future__ import annotations

from dataclasses import dataclass

import httpx2
import pydantic_ai
from pydantic_ai.models import Model

from dreamweb.adapters.children import leave
from dreamweb.engines import LanguageModel

# It would greet whoever starts it in a terminal, with links.
pydantic_ai.BANNER_ENABLED = False

_OPENAI = "https://api.openai.com/v1"
_ANTHROPIC = "https://api.anthropic.com"
_GOOGLE = "https://generativelanguage.googleapis.com"

_TELLING = ("x-stainless-", "x-goog-api-client", "openai-organization", "openai-project")
"""So begin the headers in which the libraries tell what machine this is, or what they find in its environment."""


@dataclass(frozen=True)
class Patience:
    """How many seconds a server has to take the call, and then to answer."""

    connect: float
    read: float


def client(patience: Patience) -> httpx2.AsyncClient:
    """A client that asks the server that was named and no other: it takes no proxies from the environment, and
    follows no redirection to somewhere else.
    """
    timeout = httpx2.Timeout(patience.read, connect=patience.connect)
    return httpx2.AsyncClient(timeout=timeout, trust_env=False, event_hooks={"request": [_tell_less, _leave]})


def build(model: LanguageModel, http: httpx2.AsyncClient) -> Model:
    """Raises ImportError when the library for this provider is not installed."""
    make = {"server": _server, "openai": _openai, "anthropic": _anthropic, "google": _google}[model.provider]
    return make(model, http)


async def _tell_less(request: httpx2.Request) -> None:
    for name in [name for name in request.headers if name.lower().startswith(_TELLING)]:
        del request.headers[name]
    request.headers["User-Agent"] = "dreamweb"


async def _leave(_request: httpx2.Request) -> None:
    leave()


def _server(model: LanguageModel, http: httpx2.AsyncClient) -> Model:
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.profiles.openai import OpenAIModelProfile
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

    # Small models hold to a grammar better than to a tool; and some servers know only what OpenAI had at first.
    profile = OpenAIModelProfile(
        supports_json_schema_output=True,
        openai_supports_strict_tool_definition=False,
        openai_chat_supports_max_completion_tokens=False,
    )
    provider = OpenAICompatibleProvider(
        "server", base_url=model.url, api_key=model.key or None, http_client=http, profile=profile
    )
    return OpenAIChatModel(model.model, provider=provider)


def _openai(model: LanguageModel, http: httpx2.AsyncClient) -> Model:
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    provider = OpenAIProvider(base_url=model.url or _OPENAI, api_key=model.key, http_client=http)
    return OpenAIChatModel(model.model, provider=provider)


def _anthropic(model: LanguageModel, http: httpx2.AsyncClient) -> Model:
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    provider = AnthropicProvider(base_url=model.url or _ANTHROPIC, api_key=model.key, http_client=http)
    return AnthropicModel(model.model, provider=provider)


def _google(model: LanguageModel, http: httpx2.AsyncClient) -> Model:
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    provider = GoogleProvider(base_url=model.url or _GOOGLE, api_key=model.key, http_client=http)
    return GoogleModel(model.model, provider=provider)
