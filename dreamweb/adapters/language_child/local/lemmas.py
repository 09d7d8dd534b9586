"""Finds the words of a text, the language it is in, and the dictionary form of each word.

`low_memory` keeps simplemma's dictionaries in compact arrays: with both languages a process grows by 5 MB, not by 40,
and a word that was not seen before takes 15 microseconds, not 7.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import simplemma

from dreamweb.adapters.language_child.local.forms_en import forms as forms_en
from dreamweb.adapters.language_child.local.forms_sl import forms as forms_sl
from dreamweb.adapters.language_child.local.stopwords_en import FUNCTION_WORDS as FUNCTION_EN
from dreamweb.adapters.language_child.local.stopwords_sl import FUNCTION_WORDS as FUNCTION_SL

LANGUAGES = ("sl", "en")

_WORD = re.compile(r"[^\W_](?:[^\W_]|[\u0300-\u036f]|['’](?=[^\W_]))*")
_LONGEST = 40
"""No word is longer; simplemma would take apart a longer one for seconds."""

_DETECTED_BY = 2000
"""Words: as many say which language a text is in, and the rest would not change it."""

_FORMS = {"sl": forms_sl(), "en": forms_en()}


def words(text: str) -> list[tuple[int, int, str]]:
    """Start, end and letters of every word: letters and digits with the marks on them, and apostrophes inside."""
    return [(found.start(), found.end(), found.group()) for found in _WORD.finditer(text)]


def detect(text: str) -> str:
    """The language of a text, "sl" or "en", also where it is a few words; "en" when there is nothing to tell by."""
    found = [plain(word) for _, _, word in words(text)[:_DETECTED_BY]]
    slovenian = sum(word in FUNCTION_SL for word in found) + sum(not word.isascii() and _caron(word) for word in found)
    english = sum(word in FUNCTION_EN for word in found)
    if slovenian != english:
        return "sl" if slovenian > english else "en"
    text = " ".join(word for word in found if len(word) <= _LONGEST)
    shares = dict(simplemma.langdetect(text, lang=LANGUAGES, low_memory=True))
    return "sl" if shares.get("sl", 0.0) > shares.get("en", 0.0) else "en"


def lemmatise(text: str, language: str) -> list[str]:
    """The dictionary form of every word, in order and in lower case; always the same for the same word."""
    return [lemma(word, language) for _, _, word in words(text)]


@lru_cache(maxsize=20_000)
def lemma(word: str, language: str) -> str:
    """The dictionary form of one word, in lower case; of a language other than "sl" or "en", the word itself."""
    lowered = plain(word)
    if language not in _FORMS or len(lowered) > _LONGEST:
        return lowered
    own = _FORMS[language].get(lowered)
    if own is None and language == "en":
        lowered = re.sub(r"'s?$", "", lowered)
        own = _FORMS[language].get(lowered)
    return own or plain(simplemma.lemmatize(lowered, lang=language, low_memory=True))


def known(word: str, language: str) -> bool:
    """Whether the dictionaries of a language have this word."""
    lowered = plain(word)
    return lowered in _FORMS[language] or simplemma.is_known(lowered, lang=language, low_memory=True)


def plain(word: str) -> str:
    """A word as it is compared: composed, in lower case, with straight apostrophes."""
    return unicodedata.normalize("NFC", word.replace("’", "'")).lower()


def _caron(word: str) -> bool:
    return any(letter in "čšž" for letter in word)
