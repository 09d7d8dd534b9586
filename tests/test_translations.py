"""Promises about what the pages say in Slovenian: all of it is there, and it fits its English sentence."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.frontend import CommandLineInterface
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).parent.parent
TRANSLATIONS = ROOT / "dreamweb" / "translations"
SLOVENIAN = TRANSLATIONS / "sl" / "LC_MESSAGES" / "messages.po"

HELP = "`make translations` brings new sentences into the catalogue, and compiles it"

PLACE = re.compile(r"%(?:\(\w+\)\w|%|)|</?\w+")
"""What is filled in later, a percent sign, and what is markup."""

POLITE = re.compile(
    r"\b(?:vaš\w*|vas|vam|vami|prosimo|ste|boste|niste|imate|nimate|morate|veste|znate|hočete|najdete"
    r"|(?!\w*krite\b)\w+[ij]te)\b",
    re.IGNORECASE,
)
"""What is said to several people, or to one whom we do not know: words, and how such verbs end."""


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """Every sentence in the modules and templates, found as `make translations` finds them."""
    found = tmp_path_factory.mktemp("sentences") / "messages.pot"
    mapping, folders = ROOT / "pyproject.toml", [str(ROOT / name) for name in ("dreamweb", "templates")]
    asked = ["pybabel", "--quiet", "extract", f"--mapping={mapping}", f"--output-file={found}", *folders]
    CommandLineInterface().run(asked)  # type: ignore[no-untyped-call]
    return catalogue(found)


@pytest.fixture(scope="module")
def slovenian() -> Catalog:
    return catalogue(SLOVENIAN)


def test_the_catalogue_has_the_sentences_of_the_code_and_no_others(code: Catalog, slovenian: Catalog) -> None:
    in_code, translated = ({str(ids(message)) for message in messages(each)} for each in (code, slovenian))
    assert len(in_code) > 100
    assert sorted(in_code - translated) == [], f"not in the catalogue; {HELP}"
    assert sorted(translated - in_code) == [], f"not in the code any more; {HELP}"
    assert not slovenian.obsolete


def test_every_sentence_is_translated_for_sure(slovenian: Catalog) -> None:
    assert [ids(message) for message in messages(slovenian) if message.fuzzy or not all(forms(message))] == []


def test_a_translation_has_the_places_and_the_markup_of_its_sentence(slovenian: Catalog) -> None:
    for message in messages(slovenian):
        # Of a plural, the last one says all; English may leave the number out of the first.
        expected = sorted(PLACE.findall(ids(message)[-1]))
        for form in forms(message):
            assert sorted(PLACE.findall(form)) == expected, (ids(message), form)


def test_a_translation_begins_and_ends_as_its_sentence_does(slovenian: Catalog) -> None:
    for message in messages(slovenian):
        english = ids(message)[-1]
        for form in filter(None, forms(message)):
            assert marks_at_the_ends(form) == marks_at_the_ends(english), (english, form)


def test_slovenian_counts_in_four_forms(slovenian: Catalog) -> None:
    assert slovenian.num_plurals == 4
    assert "plural=(n%100==1 ? 0 : n%100==2 ? 1 : n%100==3 || n%100==4 ? 2 : 3)" in slovenian.plural_forms
    for message in messages(slovenian):
        assert len(forms(message)) == (4 if message.pluralizable else 1), ids(message)


def test_what_is_compiled_is_what_is_written() -> None:
    for source in TRANSLATIONS.glob("*/LC_MESSAGES/*.po"):
        compiled = io.BytesIO()
        write_mo(compiled, catalogue(source))
        assert source.with_suffix(".mo").is_file(), HELP
        assert source.with_suffix(".mo").read_bytes() == compiled.getvalue(), f"{source} was changed since; {HELP}"


def test_slovenian_has_its_own_quotation_marks(slovenian: Catalog) -> None:
    for message in messages(slovenian):
        for form in forms(message):
            words = re.sub(r"<[^>]*>|`[^`]*`", "", form)
            assert not re.search(r"['‘’]", words), f"Slovenian has no apostrophes: {form}"
            # Straight ones only where somebody is told to type them.
            assert '"' not in words or '"' in ids(message)[-1], f"»so« in Slovenian: {form}"


def test_slovenian_speaks_to_one_person_it_knows(slovenian: Catalog) -> None:
    for message in messages(slovenian):
        for form in forms(message):
            assert not POLITE.search(PLACE.sub("", form)), form


def test_polite_slovenian_would_be_noticed() -> None:
    for polite in ("Izberite datoteko.", "Ali ste prepričani?", "Vaše sanje", "Kaj želite?", "Ne dodajte ničesar."):
        assert POLITE.search(polite), polite
    for kind in ("Izberi datoteko.", "Skrite datoteke so shranjene.", "Ali res?", "Povej jih."):
        assert not POLITE.search(kind), kind


# ---- how ------------------------------------------------------------------------------------------------------------


def catalogue(path: Path) -> Catalog:
    with path.open("rb") as source:
        return read_po(source, abort_invalid=True)


def messages(catalog: Catalog) -> Iterator[Message]:
    """Without the head, whose sentence is empty."""
    return (message for message in catalog if message.id)


def ids(message: Message) -> tuple[str, ...]:
    """The English sentence; with a number in it, the one for one thing and the one for several."""
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def forms(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ("",))


def marks_at_the_ends(text: str) -> tuple[str, str]:
    """Spaces, and the mark at the end; `...` is one mark, and so is its own character."""
    first = re.match(r"\s*", text)
    last = re.search(r"(?:[.]{3}|[.:?!,;…])?\s*$", text)
    assert first
    assert last
    return first[0], last[0].replace("…", "...")
