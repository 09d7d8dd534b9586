"""Knows the dictionary form of single words, in this process: a search cannot wait for a child to start.

The dictionaries are loaded by the first question; they take 8 MB, and half a second.
"""

from __future__ import annotations

from functools import cache

LANGUAGES = ("sl", "en")


def lemma(word: str, language: str) -> str:
    """The dictionary form of a word, in lower case, as the step *index* writes it."""
    from dreamweb.adapters.language_child.local import lemmas  # noqa: PLC0415 -- 8 MB that only a search needs

    return lemmas.lemma(word, language)


def known(word: str, language: str) -> bool:
    """Whether a dictionary has this word."""
    from dreamweb.adapters.language_child.local import lemmas  # noqa: PLC0415

    return lemmas.known(word, language)


def is_function_word(word: str) -> bool:
    """Whether it is one of the words of Slovenian or English that say nothing alone."""
    return word.replace("’", "'").lower() in function_words()


def words(text: str) -> list[tuple[int, int, str]]:
    """Start, end and letters of every word, in step with what the step *index* has written."""
    from dreamweb.adapters.language_child.local import lemmas  # noqa: PLC0415

    return lemmas.words(text)


@cache
def function_words() -> frozenset[str]:
    """The words of both languages that say nothing alone, in lower case."""
    from dreamweb.adapters.language_child.local import stopwords_en, stopwords_sl  # noqa: PLC0415

    return stopwords_en.FUNCTION_WORDS | stopwords_sl.FUNCTION_WORDS
