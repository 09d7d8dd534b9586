"""Promises about what is typed to find a dream: it is understood as people mean it, and never wrong."""

from __future__ import annotations

import random
import sqlite3
import string
import time
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date
from typing import Literal

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from dreamweb.search.folding import fold, spans, tokens
from dreamweb.search.query import (
    MAX_TERMS,
    MAX_TOKEN,
    MAX_TYPED,
    MAX_VALUE,
    Dreamed,
    Field,
    FieldName,
    Phrase,
    Query,
    Term,
    What,
    Word,
    parse,
    unparse,
)

# --- What is typed, and what is meant ---

Clause = What | Term | tuple[What | Term, ...]


def word(typed: str, token: str | None = None) -> Word:
    return Word(fold(typed) if token is None else token, typed)


def beginning(typed: str) -> Word:
    return Word(fold(typed), typed, prefix=True)


def phrase(text: str) -> Phrase:
    return Phrase(tuple(text.split()))


def without(what: What) -> Term:
    return Term(what, without=True)


def nights(start: str | None, end: str | None) -> Dreamed:
    return Dreamed(*(date.fromisoformat(each) if each else None for each in (start, end)))


def field(name: FieldName, value: str) -> Field:
    return Field(name, value)


def clauses(*wanted: Clause) -> tuple[tuple[Term, ...], ...]:
    each = [clause if isinstance(clause, tuple) else (clause,) for clause in wanted]
    return tuple(tuple(term if isinstance(term, Term) else Term(term) for term in clause) for clause in each)


UNDERSTOOD: list[tuple[str, tuple[Clause, ...]]] = [
    # Words
    ("", ()),
    ("   ", ()),
    ("hiša", (word("hiša", "hisa"),)),
    ("  Babica\tv\nKUHINJI ", (word("Babica"), word("v"), word("KUHINJI"))),
    ("đon straße", (word("đon", "đon"), word("straße", "straße"))),
    ("morje, hiša! (vlak)", (word("morje"), word("hiša"), word("vlak"))),
    ("hiša,morje", (word("hiša"), word("morje"))),
    ("and/or", (word("and"), word("or"))),
    ("hiša hiša Hiša HIŠA", (word("hiša"),)),
    ("hiša hisa", (word("hiša"), word("hisa"))),
    ("hiša 🏠 !", (word("hiša"),)),
    ("c\u030cas", (word("čas"),)),
    ("a\0b \ud83d", (word("a"), word("b"))),
    ("SELECT * FROM x; --", (word("SELECT"), word("FROM"), word("x"))),
    ("NEAR(a b) AND NOT", (phrase("near a"), word("b"), word("AND"), word("NOT"))),
    ("or ali Or", (word("or"), word("ali"))),
    # Words of several tokens
    ("e-mail", (phrase("e mail"),)),
    ("3.5 3,5 12:30", (phrase("3 5"), phrase("12 30"))),
    ("snake_case", (phrase("snake case"),)),
    ("grandmother's", (word("grandmother"),)),
    ("grandmother’s house", (word("grandmother"), word("house"))),
    ("mothers' it's", (word("mothers"), word("it"))),
    ("mother-in-law's", (phrase("mother in law"),)),
    ("I'm we’re they'll", (word("I"), word("we"), word("they"))),
    ("couldn't don’t", (word("couldn't", "couldn"), word("don't", "don"))),
    ("d'Artagnan", (phrase("d artagnan"),)),
    # Phrases
    ('"train with no driver"', (phrase("train with no driver"),)),
    ("“Train with” „hiša ob“ »na morju« «la mer»", tuple(map(phrase, ("train with", "hisa ob", "na morju", "la mer")))),
    ('"hiša"', (phrase("hisa"),)),
    ('"hiša', (phrase("hisa"),)),
    ('vlak "hiša ob morju', (word("vlak"), phrase("hisa ob morju"))),
    ('""', ()),
    ('"" a "!"', (word("a"),)),
    ('"a" "b"c', (phrase("a"), phrase("b"), word("c"))),
    ('"OR" "a OR b" OR "|"', (phrase("or"), phrase("a or b"))),
    ('"tag:x -y z*"', (phrase("tag x y z"),)),
    ('said:"hello there"', (word("said"), phrase("hello there"))),
    # Without
    ("vlak -morje", (word("vlak"), without(word("morje")))),
    ('-"big house"', (without(phrase("big house")),)),
    ("−morje –hiša", (without(word("morje")), without(word("hiša")))),
    ("-tag:work -is:private", (without(field("tag", "work")), without(field("is", "private")))),
    ("-e-mail", (without(phrase("e mail")),)),
    ("-mor*", (without(beginning("mor")),)),
    ("- a – b", (word("a"), word("b"))),
    ("a-b a - b", (phrase("a b"), word("a"), word("b"))),
    ("--morje -", (word("morje"),)),
    ("—morje", (word("morje"),)),
    ("a -a", (word("a"), without(word("a")))),
    ("-a,b", (without(phrase("a b")),)),
    # Beginnings
    ("mor*", (beginning("mor"),)),
    ("HIŠ*", (beginning("HIŠ"),)),
    ("mor**", (beginning("mor"),)),
    ("m*", (word("m"),)),
    ("*mor mo*r *", (word("mor"), phrase("mo r"))),
    ("mor *", (word("mor"),)),
    ("e-ma*", (word("e"), beginning("ma"))),
    # Either
    ("vlak OR avtobus", ((word("vlak"), word("avtobus")),)),
    ("a b OR c d", (word("a"), (word("b"), word("c")), word("d"))),
    ("vlak ALI avtobus|letalo", ((word("vlak"), word("avtobus"), word("letalo")),)),
    ("OR a OR OR b OR", ((word("a"), word("b")),)),
    ("|| a || b |", ((word("a"), word("b")),)),
    ("a OR a", (word("a"),)),
    ("a OR b b OR a", ((word("a"), word("b")),)),
    ("a OR -b", ((word("a"), without(word("b"))),)),
    ("a OR !!! b", (word("a"), word("b"))),
    ("a !!! OR b", (word("a"), word("b"))),
    ("a OR foo:bar", ((word("a"), phrase("foo bar")),)),
    ("(tag:x OR tag:y) a", ((field("tag", "x"), field("tag", "y")), word("a"))),
    # Fields
    ("tag:Morje", (field("tag", "morje"),)),
    ('tag:"Two   Words"', (field("tag", "two words"),)),
    ("TAG:x Oznaka:y oznake:z", (field("tag", "x"), field("tag", "y"), field("tag", "z"))),
    ("tag:»dve besedi", (field("tag", "dve besedi"),)),
    ("tag:a,b tag:c-d", (field("tag", "a,b"), field("tag", "c-d"))),
    ("tag:🏠 tag:c++", (field("tag", "🏠"), field("tag", "c++"))),
    ("mood:strah razpoloženje:Žalost", (field("mood", "strah"), field("mood", "žalost"))),
    ("RAZPOLOZENJE:mir", (field("mood", "mir"),)),
    ("motif:flying motiv:let", (field("motif", "flying"), field("motif", "let"))),
    ("kind:Dream kind:journal kind:guided", tuple(field("kind", each) for each in ("dream", "journal", "guided"))),
    ("vrsta:sanje vrsta:dnevnik vrsta:vodeno", tuple(field("kind", each) for each in ("dream", "journal", "guided"))),
    ("has:audio has:text has:attachment", tuple(field("has", each) for each in ("audio", "text", "attachment"))),
    ("ima:zvok ima:besedilo ima:priponka", tuple(field("has", each) for each in ("audio", "text", "attachment"))),
    ("ima:posnetek ima:prilogo", (field("has", "audio"), field("has", "attachment"))),
    ("is:private je:zasebno je:zaseben je:zasebna", (field("is", "private"),)),
    ("foo:bar http://x", (word("foo"), word("bar"), word("http"), word("x"))),
    # Nights
    ("before:2025", (nights(None, "2025-01-01"),)),
    ("before:2025-03 after:2025-03", (nights(None, "2025-03-01"), nights("2025-04-01", None))),
    ("before:2025-03-05 after:2025-03-05", (nights(None, "2025-03-05"), nights("2025-03-06", None))),
    ("after:2024", (nights("2025-01-01", None),)),
    ("on:2025", (nights("2025-01-01", "2026-01-01"),)),
    ("on:2024-02 on:2025-12", (nights("2024-02-01", "2024-03-01"), nights("2025-12-01", "2026-01-01"))),
    ("on:2025-3-5", (nights("2025-03-05", "2025-03-06"),)),
    ("dne:5.3.2025 dne:05.03.2025.", (nights("2025-03-05", "2025-03-06"),)),
    ('dne:"5. 3. 2025"', (nights("2025-03-05", "2025-03-06"),)),
    ("pred:3.2025 po:3.2025", (nights(None, "2025-03-01"), nights("2025-04-01", None))),
    ("-on:2025", (without(nights("2025-01-01", "2026-01-01")),)),
    # What is not understood
    ("has:banana", (word("has"), word("banana"))),
    ("before:yesterday", (word("before"), word("yesterday"))),
    ("on:2025-02-30", (word("on"), phrase("2025 02 30"))),
    ("on:9999 on:0000", (word("on"), word("9999"), word("0000"))),
    ("tag: morje", (word("tag"), word("morje"))),
    ('tag:"" is:', (word("tag"), word("is"))),
    ("-has:banana", (without(phrase("has banana")),)),
    ('kind:"big banana"', (word("kind"), word("big"), word("banana"))),
]


@pytest.mark.parametrize(("typed", "meant"), UNDERSTOOD, ids=[repr(typed) for typed, _ in UNDERSTOOD])
def test_what_is_typed_is_understood(typed: str, meant: tuple[Clause, ...]) -> None:
    assert parse(typed).clauses == clauses(*meant)


@pytest.mark.parametrize("typed", [typed for typed, _ in UNDERSTOOD])
def test_what_is_written_again_means_the_same(typed: str) -> None:
    found = parse(typed)
    again = parse(unparse(found))
    assert (again.clauses, again.notes) == (found.clauses, ())


# --- What is said ---


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("has:banana", ["“has:banana” was not understood, and is looked for as words."]),
        ("has:banana a has:banana", ["“has:banana” was not understood, and is looked for as words."]),
        ("tag:", ["“tag:” was not understood, and is looked for as words."]),
        ("Pred:včeraj", ["“Pred:včeraj” was not understood, and is looked for as words."]),
        (f"is:{'x' * 60}", [f"“is:{'x' * 27}…” was not understood, and is looked for as words."]),
        ("m*", ["A beginning such as “m*” needs two letters; it is looked for as a word."]),
        ("🏠 ?!", ["There is no word in this to look for."]),
        ('""', ["There is no word in this to look for."]),
        ("OR", ["There is no word in this to look for."]),
        ("a 🏠", []),
        ("tga:morje", ["“tga:morje” was not understood, and is looked for as words."]),
        ('rekel:"pridi domov"', []),
        ("http://sanje.si sanjal: 12:30 3:x -x yz* OR z", []),
        ("", []),
        (" \0\ud800 ", []),
    ],
)
def test_what_is_not_looked_for_as_it_was_typed_is_said(typed: str, said: list[str]) -> None:
    notes = parse(typed).notes
    assert list(notes) == said
    assert all(note == note.msgid % note.values for note in notes)


def test_a_long_text_is_cut_and_that_is_said() -> None:
    found = parse(f"morje {'. ' * MAX_TYPED} hiša")
    assert found.clauses == clauses(word("morje"))
    assert list(found.notes) == ["This is long: only its first 2000 characters are looked for."]


def test_many_words_are_cut_and_that_is_said() -> None:
    found = parse(" ".join(f"w{n}" for n in range(50)))
    assert found.clauses == clauses(*(word(f"w{n}") for n in range(MAX_TERMS)))
    assert list(found.notes) == ["Only the first 32 words are looked for."]
    assert not parse(" ".join(f"w{n}" for n in range(MAX_TERMS))).notes
    assert not parse("morje " * 100).notes


def test_many_words_beside_or_are_cut_as_well() -> None:
    found = parse(f"a {' OR '.join(f'w{n}' for n in range(50))} b")
    assert [len(clause) for clause in found.clauses] == [1, MAX_TERMS - 1]
    assert list(found.notes) == ["Only the first 32 words are looked for."]


def test_a_long_phrase_is_cut_and_that_is_said() -> None:
    found = parse(f'"{"a b " * 30}"')
    assert found.clauses == clauses(phrase("a b " * (MAX_TERMS // 2)))
    assert list(found.notes) == ["Of a phrase, only the first 32 words are looked for."]


def test_of_a_word_without_end_the_beginning_is_looked_for() -> None:
    found = parse("x" * 100)
    assert found.clauses == clauses(beginning("x" * MAX_TOKEN))
    assert list(found.notes) == [f"“{'x' * 30}…” is long: only its beginning is looked for."]
    assert not parse("x" * MAX_TOKEN).notes
    assert parse(f"tag:{'x' * 200}").clauses == clauses(field("tag", "x" * MAX_VALUE))


# --- Whatever is typed ---

_BITS = [
    *("a", "hiša", "Čas", "OR", "ALI", "|", "-", "−", "*", ":", '"', "“", "”", "»", "«", "'", "’", "s", "t", ".", ","),
    *("tag:", "motiv:", "mood:", "on:", "pred:", "po:", "has:", "je:", "kind:", "2025", "3", "-05", "zvok", "audio"),
    *(
        " ",
        " ",
        " ",
        "  ",
        "\n",
        "(",
        ")",
        "\0",
        "\ud800",
        "🏠",
        "e\u0301",
        "İ",
        "ß",
        "đ",
        "x" * 70,
        "don't",
        "_",
        "\ue000",
    ),
]

anything = st.one_of(st.text(), st.lists(st.sampled_from(_BITS), max_size=40).map("".join))


def terms_of(found: Query) -> Iterator[Term]:
    return (term for clause in found.clauses for term in clause)


def tokens_of(found: Query) -> Iterator[str]:
    for term in terms_of(found):
        if isinstance(term.what, Word):
            yield term.what.token
        elif isinstance(term.what, Phrase):
            yield from term.what.tokens


def texts_of(found: Query) -> Iterator[str]:
    yield from tokens_of(found)
    yield from (term.what.typed for term in terms_of(found) if isinstance(term.what, Word))
    yield from (term.what.value for term in terms_of(found) if isinstance(term.what, Field))
    yield from found.notes


@given(anything)
@example("\ud83d\udc00")
@example('"')
@example("-")
@example("tag:")
@example("|" * 100)
@example("'s")
def test_nothing_that_is_typed_is_wrong(typed: str) -> None:
    found = parse(typed)
    assert all(found.clauses)
    assert len(list(terms_of(found))) <= MAX_TERMS
    for token in tokens_of(found):
        assert tokens(token) == [token]
        assert len(token) <= MAX_TOKEN
    for term in terms_of(found):
        if isinstance(term.what, Word):
            assert tokens(term.what.typed)[0] == term.what.token
            assert not term.what.prefix or len(term.what.token) > 1
        elif isinstance(term.what, Phrase):
            assert 0 < len(term.what.tokens) <= MAX_TERMS
        elif isinstance(term.what, Field):
            assert 0 < len(term.what.value) <= MAX_VALUE
            assert term.what.value == " ".join(term.what.value.split())
    for text in texts_of(found):
        assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in text)
        assert unicodedata.is_normalized("NFC", text) or text in tokens_of(found)


@given(anything)
def test_a_query_that_is_written_is_the_same_when_it_is_read(typed: str) -> None:
    found = parse(typed)
    written = unparse(found)
    assume(len(written) <= MAX_TYPED)
    again = parse(written)
    assert again.clauses == found.clauses
    assert unparse(again) == written


plain_words = st.text(string.ascii_lowercase + "čšžđ0123456789", min_size=1, max_size=12)


@given(st.lists(plain_words, max_size=MAX_TERMS))
def test_every_plain_word_is_looked_for(typed: list[str]) -> None:
    found = parse(" ".join(typed))
    assert found.clauses == clauses(*(word(each) for each in dict.fromkeys(typed)))
    assert not found.notes


_PARTS = ["hiša", "-vlak", '"big house"', "mor*", "tag:x", "a OR b", "on:2025-03", "e-mail", "has:audio", "-is:private"]


@given(st.permutations(_PARTS))
def test_in_which_order_it_is_typed_does_not_change_what_is_meant(parts: list[str]) -> None:
    assert set(parse(" ".join(parts)).clauses) == set(parse(" ".join(_PARTS)).clauses)


@given(anything, anything)
def test_a_second_part_leaves_the_first_as_it_is(first: str, second: str) -> None:
    assume(not any(mark in first for mark in '"“”„‟＂»«|'))
    assume(not any(mark in second for mark in "|") and "OR" not in first + second and "ALI" not in first + second)
    assume(len(first) < 200 and len(second) < 200)
    alone = parse(first).clauses
    assert parse(f"{first} {second}").clauses[: len(alone)] == alone


HOSTILE: dict[str, Callable[[int], str]] = {
    "words": lambda n: "hiša " * n,
    "one word": lambda n: "x" * n,
    "quotes": lambda n: '"' * n,
    "opened quotes": lambda n: '„a»"' * n,
    "colons": lambda n: "a:" * n,
    "names": lambda n: "tag:" * n,
    "a long name": lambda n: "a" * n + ":",
    "minuses": lambda n: "-" * n,
    "brackets": lambda n: "(" * n,
    "either": lambda n: "|OR " * n,
    "stars": lambda n: "a*" * n,
    "marks": lambda n: "a" + "\u0301\u0316" * n,
    "apostrophes": lambda n: "a's" * n,
    "spaces": lambda n: " " * n + "a",
    "digits": lambda n: "on:" + "1" * n,
    "symbols": lambda n: "🏠" * n,
    "any": lambda n: "".join(random.Random(n).choices(_BITS, k=n)),
}


def seconds(work: Callable[[str], object], text: str) -> float:
    """The least of three: what else the machine does is not counted."""
    taken = []
    for _ in range(3):
        start = time.thread_time()
        work(text)
        taken.append(time.thread_time() - start)
    return min(taken)


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_text_without_end_takes_no_time(kind: str) -> None:
    assert seconds(parse, HOSTILE[kind](100_000)) < 0.1


# --- Folding ---


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Čšž ČŠŽ c\u030cs\u030cz\u030c", "csz csz csz"),
        ("Đon đ ß ẞ Øre æ", "đon đ ß ß øre æ"),
        ("İstanbul ĞÜNEŞ", "istanbul gunes"),
        ("café Ångström Việt ẲẴ", "cafe angstrom viet aa"),
        ("Мой Ёж ΑΣ 한국 が", "мой ёж ας 한국 が".replace("ς", "σ")),
        ("≠ ½ ﬁ", "≠ ½ ﬁ"),
    ],
)
def test_folding_takes_capitals_and_diacritics_away(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_folding_twice_is_folding_once_and_goes_character_by_character(text: str) -> None:
    assert fold(fold(text)) == fold(text) == "".join(map(fold, text))


@given(st.text())
def test_tokens_are_letters_and_digits_only(text: str) -> None:
    for token in tokens(text):
        assert token
        assert all(unicodedata.category(char)[0] in "LN" or unicodedata.category(char) == "Co" for char in token)


def test_every_letter_and_digit_of_unicode_is_in_a_token_and_nothing_else_is() -> None:
    every = map(chr, range(0x110000))
    assert [char for char in every if bool(tokens(char)) != is_of_words(char)] == []


def is_of_words(char: str) -> bool:
    category = unicodedata.category(char)
    return category[0] in "LN" or category == "Co"


def test_underscores_and_apostrophes_divide_words() -> None:
    assert tokens("a_b grandmother's d’Arc 12:30") == ["a", "b", "grandmother", "s", "d", "arc", "12", "30"]


@given(anything)
def test_a_span_is_the_place_of_its_token(text: str) -> None:
    found = spans(text)
    assert [token for _, _, token in found] == tokens(text)
    place = 0
    for start, end, token in found:
        assert place <= start < end
        assert fold(text[start:end]) == token
        assert not any(map(is_of_words, text[place:start]))
        place = end
    assert not any(map(is_of_words, text[place:]))


def test_a_span_has_the_marks_of_its_letters() -> None:
    text = "Čšž, c\u030cs\u030cz\u030c. e\u0301!"
    assert [text[start:end] for start, end, _ in spans(text)] == ["Čšž", "c\u030cs\u030cz\u030c", "e\u0301"]


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_long_text_is_folded_in_no_time(kind: str) -> None:
    text = HOSTILE[kind](100_000)[:100_000]
    assert seconds(spans, text) < 0.3
    assert seconds(fold, text) < 0.3


# --- The same as the index ---

# Where FTS5's own tables end (the Unicode of 2012, and marks that are no diacritics), it is not the same, and need not
# be for Slovenian and English: ſ, µ and ǡ; newer letters; newer emoji, which it takes for letters.
_DIFFERENT = set("ſẛµǠǡ")
_ALPHABET = [
    char
    for char in map(chr, (*range(1, 0x250), *range(0x1E00, 0x1F00), *range(0x2000, 0x2065), *range(0x20A0, 0x20BA)))
    if char not in _DIFFERENT
]
_MARKS = ["\u0300", "\u0301", "\u0302", "\u0303", "\u0304", "\u0306", "\u0307", "\u0308", "\u030a", "\u030c", "\u0327"]
_COMMON = [*string.ascii_letters, *"čšžČŠŽđćáéàü", *" .,;:-–—_'’\"“„»«!?()/*\n\t0123456789😀🏠", *_MARKS]

indexed_texts = st.text(st.one_of(st.sampled_from(_COMMON), st.sampled_from(_ALPHABET)), max_size=60)


@pytest.fixture(scope="module")
def fts5() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE texts USING fts5(text, tokenize = 'unicode61 remove_diacritics 2')")
    connection.execute("CREATE VIRTUAL TABLE vocabulary USING fts5vocab(texts, instance)")
    yield connection
    connection.close()


def indexed(fts5: sqlite3.Connection, text: str) -> list[str]:
    """The tokens that the database makes of a text, in order."""
    fts5.execute("DELETE FROM texts")
    fts5.execute("INSERT INTO texts VALUES (?)", (text,))
    return [token for (token,) in fts5.execute('SELECT term FROM vocabulary ORDER BY "offset"')]


@given(text=indexed_texts)
@example(text="Hiša ob morju; grandmother's e-mail: đ ß Æ ø ǿ")
def test_the_index_has_the_same_tokens(fts5: sqlite3.Connection, text: str) -> None:
    assert tokens(text) == indexed(fts5, text)


@given(text=st.text(_COMMON, max_size=60), form=st.sampled_from(["NFC", "NFD"]))
def test_the_index_has_the_same_tokens_of_composed_and_decomposed_letters(
    fts5: sqlite3.Connection, text: str, form: Literal["NFC", "NFD"]
) -> None:
    text = unicodedata.normalize(form, text)
    assert tokens(text) == indexed(fts5, text)
    assert tokens(unicodedata.normalize("NFC", text)) == tokens(unicodedata.normalize("NFD", text))


def test_the_index_has_the_same_tokens_for_every_letter_of_europe(fts5: sqlite3.Connection) -> None:
    for char in _ALPHABET:
        assert tokens(f"a{char}b {char}") == indexed(fts5, f"a{char}b {char}"), hex(ord(char))


def test_letters_of_other_scripts_are_left_as_the_index_has_them(fts5: sqlite3.Connection) -> None:
    text = "мой Ёжик 한국어 が शब्द שלום"
    assert tokens(text) == indexed(fts5, text)
