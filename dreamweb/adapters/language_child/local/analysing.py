"""Understands a dream by rules and our word lists: the same text always gives the same result, at no cost."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from dreamweb.adapters.language_child.local.finding import (
    Hit,
    Token,
    merged,
    named,
    names,
    sentences,
    themes,
    tokens,
)
from dreamweb.adapters.language_child.local.lexicon import Lexicon, lexicon
from dreamweb.adapters.language_child.local.mood import moods, sentiment, strongest, told
from dreamweb.analysis import Analysis, FoundMotif, MotifType

_LONGEST_TITLE = 60
_LONGEST_SUMMARY = 200
_MOST_QUESTIONS = 4

_TELLING = {"theme": 5, "symbol": 3, "person": 3, "place": 2, "feeling": 1, "action": 1}
"""How much a type of motif says about a dream."""

_Times = Counter[tuple[MotifType, str]]
"""How often each motif is told of."""


def analyse(text: str, language: str) -> Analysis:
    """What can honestly be said about a text in Slovenian ("sl") or else English, and nothing more."""
    known = lexicon(language)
    found = tokens(text, language)
    all_hits = [*named(found, known), *names(found, language, known), *themes(found, known)]
    hits = [hit for hit in all_hits if told(found, hit, known)]
    motifs = merged(text, found, hits, known)
    scores = moods(found, all_hits, known)
    mood = strongest(scores)
    return Analysis(
        language=language,
        title=_title(text, motifs, hits, known),
        summary=_summary(text, found, hits),
        mood=mood,
        sentiment=sentiment(found, scores, known),
        lucidity=_lucidity(text, known),
        motifs=tuple(motifs),
        questions=_questions(motifs, hits, mood, known) if found else (),
    )


def _title(text: str, motifs: Sequence[FoundMotif], hits: Sequence[Hit], known: Lexicon) -> str | None:
    """One theme and what is most telling beside it, in the order of the text; without motifs, how the text begins."""
    candidates = [each for each in motifs if each.type in ("symbol", "person", "place")]
    times: _Times = Counter((hit.type, hit.name) for hit in hits)
    of_themes = [each for each in motifs if each.type == "theme"]
    theme = max(of_themes, key=lambda each: (_made_of(each, hits), _weight(each, times)), default=None)
    if theme:
        candidates = [each for each in candidates if not set(each.words) <= set(theme.words)]
    telling = sorted(candidates, key=lambda each: -_weight(each, times))[: 2 if theme else 3]
    for most in range(len(telling), -1, -1):
        chosen = [*([theme.name] if theme else []), *(each.name for each in candidates if each in telling[:most])]
        title = f" {known.and_} ".join(filter(None, [", ".join(chosen[:-1]), *chosen[-1:]]))
        if title and len(title) <= _LONGEST_TITLE:
            return title[0].upper() + title[1:]
    first = next((text[start:end] for start, end in sentences(text)), "")
    clause = re.split(r"[,;:.!?…\n]", " ".join(first.split()))[0].strip()
    return _shortened(clause[:1].upper() + clause[1:], _LONGEST_TITLE) or None


def _weight(motif: FoundMotif, times: _Times) -> float:
    return _TELLING[motif.type] + min(times[motif.type, motif.name], 4) * 0.6


def _made_of(theme: FoundMotif, hits: Sequence[Hit]) -> int:
    """How many words make a theme together: the more, the more it says."""
    return max(len(hit.tokens) for hit in hits if hit.type == "theme" and hit.name == theme.name)


def _summary(text: str, found: Sequence[Token], hits: Sequence[Hit]) -> str | None:
    """The sentence with most of the motifs; None for a text of one sentence."""
    spans = sentences(text)
    if len(spans) < 2:
        return None
    said: list[set[tuple[str, str]]] = [set() for _ in spans]
    for hit in hits:
        said[found[hit.tokens[0]].sentence].add((hit.type, hit.name))
    scores = [sum(_TELLING[kind] for kind, _ in each) for each in said]
    best = max(range(len(spans)), key=lambda number: (scores[number], -number))
    start, end = spans[best]
    return _shortened(" ".join(text[start:end].split()), _LONGEST_SUMMARY)


def _shortened(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return text[: most - 1].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"


def _lucidity(text: str, known: Lexicon) -> int | None:
    """How sure it is that the dreamer knew: 0 when they say they did not, None when they say nothing of it."""
    lowered = " ".join(text.lower().replace("’", "'").split())
    if known.not_lucid.search(lowered):
        return 0
    level = max((level for level, pattern in known.lucid if pattern.search(lowered)), default=None)
    return 5 if level == 4 and known.in_control.search(lowered) else level


def _questions(motifs: Sequence[FoundMotif], hits: Sequence[Hit], mood: str | None, known: Lexicon) -> tuple[str, ...]:
    """Two to four: about the themes, the mood, what is told most of, and how it could go on."""
    times: _Times = Counter((hit.type, hit.name) for hit in hits)
    asked = [known.questions[each.name] for each in motifs if each.type == "theme" and each.name in known.questions][:2]
    if mood:
        asked.append(known.questions[mood])
    for kind in ("person", "symbol", "place"):
        of_kind = [each for each in motifs if each.type == kind]
        if of_kind:
            telling = max(of_kind, key=lambda each: _weight(each, times))
            asked.append(known.questions[kind] % telling.name)
    asked = asked[: _MOST_QUESTIONS - 1]
    if not asked:
        asked.append(known.questions["any"])
    return (*asked, known.questions["last"])
