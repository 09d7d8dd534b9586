"""Answers questions about texts: tidies and analyses them, and finds the lemmas of their words."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Any

from dreamweb.adapters.children import Say, answer
from dreamweb.adapters.language_child.local import lemmas
from dreamweb.adapters.language_child.local.analysing import analyse
from dreamweb.adapters.language_child.local.tidying import tidy
from dreamweb.engines import LOCAL, LanguageModel
from dreamweb.errors import Permanent
from dreamweb.words import say


def task(question: dict[str, Any], _fds: list[int], progress: Say) -> dict[str, Any]:
    """Answers `lemmatise`, `tidy` or `analyse`; the language is detected when it is not told."""
    text: str = question["text"]
    language: str = question["language"] or lemmas.detect(text)
    if question["task"] == "lemmatise":
        words = [word for _, _, word in lemmas.words(text)]
        return {"language": language, "lemmas": lemmas.lemmatise(text, language), "words": words}
    model = LanguageModel(**question["model"])
    if model.provider != LOCAL:
        return _ask(question, model, text, language, progress)
    if language not in lemmas.LANGUAGES:
        language = lemmas.detect(text)
    if question["task"] == "tidy":
        return {"text": tidy(text, language), "rejected": None, "used": []}
    return {"analysis": asdict(analyse(text, language)), "used": []}


def _ask(question: dict[str, Any], model: LanguageModel, text: str, language: str, progress: Say) -> dict[str, Any]:
    try:
        # 65 MB and a second that nobody needs whose texts stay at home.
        from dreamweb.adapters.language_child import reading  # noqa: PLC0415

        return reading.read(question, model, text, language, progress)
    except ImportError as error:
        raise Permanent(
            say(
                "The language model %(engine)s cannot be asked: a library that this needs is missing. "
                "Install DreamWeb again.",
                engine=model.name,
            )
        ) from error


if __name__ == "__main__":
    logging.disable()  # where the environment asks for it, the providers' libraries would log whole dreams
    answer(task)
