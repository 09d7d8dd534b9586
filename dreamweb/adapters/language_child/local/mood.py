"""Tells the mood of a text and how bright it is, by the feelings in it, what they are strengthened and denied by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from dreamweb.adapters.language_child.local.finding import Hit, Token
from dreamweb.adapters.language_child.local.lexicon import Lexicon

Scores = dict[str, float]
"""How much of each mood there is."""

_BEFORE = 5
"""Words: as far before a feeling may its denial stand."""

_BEFORE_THEME = 3
"""Words: what is denied farther before a theme is mostly something else."""

_PASSES = 7
"""Words: as far before a feeling may stand that it was there at first."""

_CLITICS = frozenset(("me", "te", "se", "ga", "jo", "naju", "nas", "jih", "mi", "si", "bilo"))
"""They stand between a Slovenian feeling and its denial after it: *strah me ni bilo*."""

_HINT, _FELT, _LEAST = 0.35, 1.0, 0.65
_DENIED_FEAR = 0.4
"""How much calm there is in saying that one was not afraid."""


def told(found: Sequence[Token], hit: Hit, known: Lexicon) -> bool:
    """Whether a motif is said to have been there: a feeling or a theme may be denied."""
    if hit.type == "feeling":
        return not denied(found, hit.tokens[0], known)
    own = {found[number].plain for number in hit.tokens if found[number].lemma != "be"}
    if hit.type == "theme" and not own & known.negators:  # "could not move" is denied by nothing else
        return not denied(found, hit.tokens[0], known, within=_BEFORE_THEME)
    return True


def denied(found: Sequence[Token], number: int, known: Lexicon, *, within: int = _BEFORE) -> bool:
    """Whether a feeling is said not to have been there; "never so happy" is no denial."""
    token = found[number]
    before = [each for each in found[max(0, number - within) : number] if each.clause == token.clause]
    plains = [each.plain for each in before]
    if known.never in plains and set(plains) & known.strongly:
        return False
    if known.still & {each.lemma for each in before}:
        return False
    after = [each.plain for each in found[number + 1 : number + 3] if each.clause == token.clause]
    late = len(after) == 2 and after[0] in _CLITICS and after[1] in known.negators
    return late or bool(set(plains) & known.negators)


def _strength(found: Sequence[Token], number: int, known: Lexicon) -> float:
    around = {each.plain for each in found[max(0, number - 2) : number]}
    strength = 1.5 if around & known.strongly else 0.6 if around & known.weakly else 1.0
    before = found[max(0, number - _PASSES) : number]
    passes = any(each.plain in known.at_first and each.sentence == found[number].sentence for each in before)
    return strength / 2 if passes else strength


def moods(found: Sequence[Token], hits: Sequence[Hit], known: Lexicon) -> Scores:
    """How much of each mood there is; what is told later weighs more, because it is how the dream ends."""
    scores: Scores = defaultdict(float)
    total = max(1, len(found))
    counted: set[str] = set()
    for hit in hits:
        late = 1 + 0.5 * hit.tokens[0] / total
        if hit.type == "feeling":
            mood = known.mood_of_feeling[hit.name]
            if not denied(found, hit.tokens[0], known):
                scores[mood] += _FELT * late * _strength(found, hit.tokens[0], known)
            elif mood == known.afraid:
                scores[known.calm] += _DENIED_FEAR * late
        elif hit.type == "theme" and hit.name in known.mood_of_theme:
            mood, weight = known.mood_of_theme[hit.name]
            if hit.name not in counted and told(found, hit, known):
                scores[mood] += weight * late
                counted.add(hit.name)
    for number, token in enumerate(found):
        for mood in known.hints.get(token.lemma, ()):
            if not denied(found, number, known):
                scores[mood] += _HINT * (1 + 0.5 * number / total) * _strength(found, number, known)
    return scores


def strongest(scores: Scores) -> str | None:
    """The mood of the text; None where there is hardly any."""
    mood, score = max(scores.items(), key=lambda pair: pair[1], default=("", 0.0))
    return mood if score >= _LEAST else None


def sentiment(found: Sequence[Token], scores: Scores, known: Lexicon) -> float | None:
    """Between -1 (dark) and 1 (bright); None where nothing says so."""
    tones = [
        -tone if denied(found, number, known) else tone
        for number, token in enumerate(found)
        if (tone := known.tones.get(token.lemma)) is not None
    ]
    felt = sum(known.valences[mood] * score for mood, score in scores.items())
    weight = sum(scores.values()) + 0.4 * len(tones)
    if not weight:
        return None
    return round(max(-1.0, min(1.0, (felt + 0.4 * sum(tones)) / (weight + 0.5))), 2)
