"""Asks one language model through pydantic-ai, and tells apart what can go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from pydantic_ai import Agent, NativeOutput
from pydantic_ai import exceptions as failed
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import RunUsage

from dreamweb.adapters.language_child import prompts
from dreamweb.adapters.language_child.models import Patience, build, client
from dreamweb.engines import LanguageModel
from dreamweb.errors import Permanent, Transient, Used
from dreamweb.words import Said, say

_RETRIES = 2
"""How often a model is told that its answer has not the right shape, and asked again."""

_MOST_TOKENS = 8192
"""Enough for every answer and the thinking before it; a small model that repeats itself is stopped."""

_SENSELESS = (AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What the libraries stumble over in answers that no true server gives; the errors may quote the answer."""

Shape = TypeVar("Shape")


def ask(
    model: LanguageModel,
    task: str,
    texts: Sequence[str],
    language: str,
    shape: type[Shape],
    patience: Patience,
    progress: Callable[[float], None],
) -> tuple[list[Shape], tuple[Used, ...]]:
    """What the model answers to each of the texts, and what that has used.

    Nothing but the text itself, its language and our instructions is sent. Raises Transient or Permanent, with what
    was used until then.
    """
    usage = RunUsage()
    try:
        answers = asyncio.run(_ask(model, task, texts, language, shape, patience, progress, usage))
    except (failed.AgentRunError, failed.UserError, *_SENSELESS) as error:
        raise _refusal(model, error, _used(model, usage)) from None
    return answers, _used(model, usage)


async def _ask(
    model: LanguageModel,
    task: str,
    texts: Sequence[str],
    language: str,
    shape: type[Shape],
    patience: Patience,
    progress: Callable[[float], None],
    usage: RunUsage,
) -> list[Shape]:
    answers = []
    async with client(patience) as http:
        native = model.provider == "server"
        agent: Agent[None, Shape] = Agent(
            build(model, http),
            output_type=NativeOutput(shape) if native else shape,
            deps_type=type(None),
            retries=_RETRIES,
            # Jobs try again by themselves; and a server that sends a byte now and then would never be given up.
            model_settings=ModelSettings(
                max_retries=0, max_tokens=_MOST_TOKENS, request_timeout=patience.connect + patience.read
            ),
        )
        for number, text in enumerate(texts):
            result = await agent.run(
                prompts.fenced(text),
                instructions=prompts.instructions(task, text, language, as_json=native),
                usage=usage,
            )
            answers.append(result.output)
            progress((number + 1) / len(texts))
    return answers


def _used(model: LanguageModel, usage: RunUsage) -> tuple[Used, ...]:
    if not usage.total_tokens:
        return ()
    cost = None if usage.cost is None else float(usage.cost)
    return (Used(model.name, usage.input_tokens, usage.output_tokens, cost),)


def _refusal(model: LanguageModel, error: Exception, used: tuple[Used, ...]) -> Transient | Permanent:
    lasting = _lasting(model.name)
    passing = _passing(model.name)
    if isinstance(error, tuple(lasting)):
        return Permanent(lasting[_kind(error, lasting)], used=used)
    retry_after = error.retry_after if isinstance(error, failed.ModelAPIError) else None
    return Transient(passing[_kind(error, passing)], retry_after=retry_after, used=used)


def _kind(error: Exception, kinds: Iterable[type[Exception]]) -> type[Exception]:
    return next(kind for kind in kinds if isinstance(error, kind))


# --- What people are told; of two kinds that fit, the first counts ---


def _lasting(name: str) -> dict[type[Exception], Said]:
    return {
        failed.ModelAuthenticationError: say(
            "The language model %(engine)s did not accept the key. Check the key in the settings.", engine=name
        ),
        failed.ModelQuotaExceededError: say(
            "The account for the language model %(engine)s has nothing left to spend. Top it up there, "
            "or choose another model.",
            engine=name,
        ),
        failed.ModelNotFoundError: say(
            "The language model %(engine)s is not known there. Check its name and the address in the settings.",
            engine=name,
        ),
        failed.ModelContextWindowExceededError: say(
            "This text is too long for the language model %(engine)s.", engine=name
        ),
        failed.OutputTokenLimitExceeded: say(
            "The answer of the language model %(engine)s was cut off: the text is too long for it.", engine=name
        ),
        failed.ContentFilterError: say("The language model %(engine)s declined to read this text.", engine=name),
        failed.ModelRequestRejectedError: say(
            "The language model %(engine)s refused the request. It may not be able to give structured answers: "
            "choose another model.",
            engine=name,
        ),
        failed.UserError: say(
            "The language model %(engine)s cannot be asked in the way it is set up. Check the settings.", engine=name
        ),
    }


def _passing(name: str) -> dict[type[Exception], Said]:
    late = say("The language model %(engine)s did not answer in time.", engine=name)
    return {
        failed.ModelRateLimitError: say(
            "The language model %(engine)s was asked too often, and wants us to wait.", engine=name
        ),
        failed.ModelTimeoutError: late,
        failed.ModelRequestTimeout: late,
        failed.ModelConnectionError: say(
            "The connection to the language model %(engine)s failed. Is its server running, and its address right?",
            engine=name,
        ),
        failed.ModelHTTPError: say(
            "The server of the language model %(engine)s has a problem of its own.", engine=name
        ),
        Exception: say("The language model %(engine)s answered, but not in the shape that was asked for.", engine=name),
    }
