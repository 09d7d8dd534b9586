"""Says by which words something that was typed is looked for: as it stands, and by its lemmas."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from dreamweb.adapters import forms
from dreamweb.search.folding import fold, tokens
from dreamweb.search.query import Phrase, Word

_BARE = {"c": "cč", "s": "sš", "z": "zž"}
_MOST_BARE = 5
"""Letters of a word that may lack their caron: two to this power are tried."""


@dataclass(frozen=True)
class Needle:
    """What is looked for, folded: any of the `forms`, in texts and among lemmas, or the `tokens` in a row in a text.

    With `prefix` the last of the tokens may go on. Without forms the tokens are meant as they stand. What says `little`
    stands in nearly every text: that it is there is no reason to show that place.
    """

    tokens: tuple[str, ...]
    prefix: bool = False
    forms: tuple[str, ...] = ()
    little: bool = False


def needle(what: Word | Phrase, *, open_end: bool = False) -> Needle:
    """A phrase and a prefix are looked for as they stand, a word in every form.

    `open_end`: somebody is still typing it, so that it may go on.
    """
    if isinstance(what, Phrase):
        return Needle(what.tokens)
    if what.prefix:
        return Needle((what.token,), prefix=True)
    found, little = lemmas(what.typed), says_little(what)
    others = tuple(form for form in found if form != what.token)
    if others and forms.is_function_word(what.token) and not forms.is_function_word(what.typed):
        return Needle((what.token,), forms=others)  # *hiš* is *his* without its caron, which is in every third dream
    forms_of_it = tuple(sorted({what.token, *found}))
    return Needle((what.token,), prefix=open_end and len(what.token) > 1, forms=forms_of_it, little=little)


def says_little(what: Word | Phrase) -> bool:
    """Whether it is a word that stands in nearly every text, and that nobody remembers a dream by."""
    return isinstance(what, Word) and not what.prefix and forms.is_function_word(what.typed)


def lemmas(typed: str) -> tuple[str, ...]:
    """The folded lemmas of a word in Slovenian and in English; also of what it may be with its carons put back."""
    found = {forms.lemma(typed, language) for language in forms.LANGUAGES}
    found |= {forms.lemma(word, "sl") for word in _with_carons(typed.lower()) if forms.known(word, "sl")}
    folded = {tuple(tokens(lemma)) for lemma in found}
    return tuple(sorted({fold(each[0]) for each in folded if len(each) == 1}))


def _with_carons(word: str) -> list[str]:
    bare = sum(letter in _BARE for letter in word)
    if not 0 < bare <= _MOST_BARE:
        return []
    return ["".join(letters) for letters in product(*(_BARE.get(letter, letter) for letter in word))][1:]
