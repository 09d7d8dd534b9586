"""Has a language model tidy or analyse a text, and checks what it says against the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from itertools import pairwise
from typing import Any

from dreamweb.adapters.children import Say
from dreamweb.adapters.language_child import checking, prompts
from dreamweb.adapters.language_child.asking import ask
from dreamweb.adapters.language_child.local import lemmas
from dreamweb.adapters.language_child.models import Patience
from dreamweb.adapters.language_child.shapes import DreamAnalysis, TidiedDream
from dreamweb.engines import LanguageModel
from dreamweb.errors import Transient
from dreamweb.words import dump, say

_ENDS = re.compile(r"(?<=[.!?…])\s+|\n+")


def read(question: dict[str, Any], model: LanguageModel, text: str, language: str, progress: Say) -> dict[str, Any]:
    """Raises Transient or Permanent."""
    patience = Patience(question["connect_seconds"], question["read_seconds"])
    if question["task"] == "tidy":
        return _tidied(model, text, language, question["piece_letters"], patience, progress)
    return _analysed(model, text, language, patience, progress)


def _tidied(
    model: LanguageModel, text: str, language: str, longest: int, patience: Patience, progress: Say
) -> dict[str, Any]:
    # In pieces: a small computer writes so slowly that the answer to three hours of speech would never be finished.
    parts = list(pieces(text, longest))
    texts = [text[start:end] for start, end in parts]
    answers, used = ask(model, prompts.TIDY, texts, language, TidiedDream, patience, progress)
    tidied = "".join(
        answer.text.replace("\0", "").strip() + ("\n\n" if "\n" in text[end:following] else " ")
        for answer, (end, following) in zip(answers, _gaps(parts, len(text)), strict=True)
    ).strip()
    rejected = checking.objection(
        text,
        tidied,
        partial(lemmas.lemmatise, language=language),
        same_language=lemmas.detect(tidied) == lemmas.detect(text),
        engine=model.name,
    )
    return {"text": tidied, "rejected": dump(rejected) if rejected else None, "used": [asdict(each) for each in used]}


def _analysed(model: LanguageModel, text: str, language: str, patience: Patience, progress: Say) -> dict[str, Any]:
    [claimed], used = ask(model, prompts.ANALYSE, [text], language, DreamAnalysis, patience, progress)
    analysis = checking.supported(claimed, text, language, partial(lemmas.lemmatise, language=language))
    if checking.invented(claimed, analysis):
        raise Transient(
            say("Nothing of what the language model %(engine)s has found occurs in the text.", engine=model.name),
            used=used,
        )
    return {"analysis": asdict(analysis), "used": [asdict(each) for each in used]}


def pieces(text: str, longest: int) -> Iterator[tuple[int, int]]:
    """Where to cut a text into pieces of at most `longest` letters: between sentences, else between words, else
    anywhere. No word is lost between two pieces.
    """
    start, end = 0, len(text.rstrip())
    while start < end:
        stop = end
        if end - start > longest:
            window = text[start : start + longest]
            sentences = [match.start() for match in _ENDS.finditer(window)]
            words = [match.start() for match in re.finditer(r"\s+", window)]
            stop = start + (next((cut for cut in reversed(sentences) if cut), 0) or (words or [0])[-1] or longest)
        yield start, stop
        start = stop + (len(text[stop:end]) - len(text[stop:end].lstrip()))


def _gaps(parts: list[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    return [(end, following) for (_, end), (following, _) in pairwise([*parts, (length, length)])]
