"""Sixty entries of one journal, and what somebody types into its search beside the entries that they want.

The queries were written before the search was, those that are `held_out` first of all; nobody may look at how these
fare while the search is made better. An entry goes by a short name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from tests.local_dreams import DREAMS

About = Literal[
    "inflection",
    "no diacritics",
    "mistake",
    "phrase",
    "without",
    "OR",
    "prefix",
    "filter",
    "title",
    "tag",
    "attachment",
    "words",
    "mixed languages",
]
Tongue = Literal["en", "sl"]


@dataclass(frozen=True)
class Written:
    """An entry as it is put into the journal. `recording` is a sample; `attachment` is the name of a file beside it."""

    name: str
    language: str
    text: str
    dreamed_at: datetime
    title: str | None = None
    tags: tuple[str, ...] = ()
    mood: str | None = None
    kind: str = "dream"
    private: bool = False
    recording: str | None = None
    attachment: str | None = None


def _morning(date: str) -> datetime:
    """Three o'clock in UTC: the same night wherever in Europe the server stands."""
    return datetime.fromisoformat(date).replace(hour=3, tzinfo=UTC)


_NAMES = {
    "grandmother's stairs": "a golden key",
    "black coat": "a man in a black coat",
    "flying over the sea": "I could see whales",
    "falling teeth": "My teeth were falling out",
    "exam": "mathematics I think",
    "dead father": "who died three years ago",
    "snake": "There was a snake",
    "naked": "Completely naked",
    "missed train": "three suitcases",
    "flood": "the river came into the village",
    "tower": "a very high tower",
    "tiny baby": "I had a baby",
    "hospital": "in an old hospital",
    "wedding": "at a wedding",
    "war": "There was a war",
    "night swim": "swimming in a lake",
    "wolf": "A wolf came",
    "fired": "told me I was fired",
    "Lisbon": "in Lisbon with Peter",
    "old horse": "my old horse",
    "babičina hiša": "v hiši svoje babice",
    "lov po gozdu": "lovil po gozdu",
    "letenje": "delfini",
    "zobje": "Izpadali so mi zobje",
    "matura": "pisali smo maturo",
    "mrtvi oče": "pred tremi leti",
    "kača": "ležala kača",
    "gola": "čisto gola",
    "zamujeni vlak": "tri kovčke",
    "poplava": "reka je prišla v vas",
    "stolp": "visokega stolpa",
    "dojenček": "Imela sem dojenčka",
    "bolnišnica": "v stari bolnišnici",
    "poroka": "na poroki",
    "vojna": "Bila je vojna",
    "jezero": "plavala v jezeru",
    "volk": "prišel volk",
    "odpuščena": "da sem odpuščena",
    "Piran": "v Piranu",
    "stari konj": "starega konja",
}
"""The forty dreams: the name of each, and what stands only in its text."""

_MORE: dict[str, dict[str, Any]] = {
    "grandmother's stairs": {"tags": ("recurring", "babica"), "dreamed_at": _morning("2024-05-03")},
    "black coat": {"tags": ("nightmare",), "dreamed_at": _morning("2024-05-10")},
    "flying over the sea": {"tags": ("lucid", "sea"), "dreamed_at": _morning("2024-06-21")},
    "exam": {"tags": ("recurring", "school"), "dreamed_at": _morning("2024-09-02")},
    "dead father": {"tags": ("family",), "private": True, "dreamed_at": _morning("2024-11-01")},
    "hospital": {"tags": ("nightmare",), "dreamed_at": _morning("2025-01-31")},
    "wedding": {"tags": ("old friends",)},
    "war": {"tags": ("nightmare", "family")},
    "wolf": {"mood": "wonder", "dreamed_at": _morning("2025-02-14")},
    "old horse": {"title": "The grey mare"},
    "babičina hiša": {"tags": ("družina",), "dreamed_at": _morning("2024-12-24")},
    "letenje": {"tags": ("lucidne", "morje"), "dreamed_at": _morning("2025-03-05")},
    "matura": {"tags": ("šola",), "dreamed_at": _morning("2024-06-03")},
    "mrtvi oče": {"tags": ("družina",), "private": True},
    "poroka": {"tags": ("stari prijatelji",)},
    "volk": {"mood": "začudenje", "dreamed_at": _morning("2025-02-20")},
    "stari konj": {"title": "Lisec na hribu"},
}

_OTHERS: dict[str, dict[str, Any]] = {
    "house by the sea": {
        "text": "We had rented a house by the sea. Nothing much happened. We unpacked, ate bread and olives on the "
        "terrace, and listened to the waves.",
    },
    "night train": {
        "text": "I sat in a night train and it went faster and faster. I walked to the front and there was no driver "
        "there, only a green lamp. I pulled the brake and we stopped between two fields.",
    },
    "mice": {
        "text": "Mice ran across the bedroom floor, first ten, then hundreds. They carried my shoes away. I laughed, "
        "it was like a parade.",
    },
    "lost child": {
        "title": "The map",
        "text": "A child in a yellow raincoat stood alone at the bus stop. I asked where she lived, and she drew me a "
        "map in the water.",
    },
    "piano": {
        "text": "My grandmother gave me a piano with teeth instead of keys. When I played, it bit me a little.",
    },
    "coffee diary": {
        "kind": "journal",
        "text": "Slept badly, too much coffee after dinner. No dream that I could remember, only the colour blue and "
        "the feeling of water.",
    },
    "guided lake": {
        "kind": "guided",
        "text": "I imagined a lake at night, breathed slowly and walked down ten stairs to the shore.",
    },
    "moving house": {
        "title": "The kitchen door",
        "attachment": "floor-plan.jpg",
        "text": "We were moving house again. Boxes in every room, and my mother kept saying that the sea was behind "
        "the kitchen door.",
    },
    "carpet": {
        "title": "A bargain",
        "recording": "en-garden.m4a",
        "text": "I bought a carpet at the market, and it flew out of my hands before I had paid.",
    },
    "office party": {
        "text": "A party at work, on the roof. My colleagues had painted their faces green and the boss played the "
        "drum.",
    },
    "babičina pesem": {
        "text": "V kuhinji je babica pela in mesila kruh. Jaz sem sedela pod mizo in štela njene korake. Dišalo je "
        "po cimetu.",
    },
    "hiša ob morju": {
        "attachment": "tloris hiše.jpg",
        "text": "Kupili smo hišo ob morju. Nič posebnega se ni zgodilo, nosili smo stole iz sobe v sobo in odpirali "
        "okna.",
    },
    "vlak v snegu": {
        "text": "Vlak je obstal v snegu sredi noči. Sprevodnik je delil čaj in nihče ni vedel, kje smo.",
    },
    "mačke": {
        "text": "Po stopnicah je prišlo sedem mačk, vse črne. Ena je govorila z glasom moje učiteljice.",
    },
    "živali": {
        "text": "V šoli so bile namesto otrok živali. Medved je sedel pri oknu, lisica je brala na glas.",
    },
    "psi": {
        "text": "Trije psi so me spremljali po obali. Eden je v gobcu nosil ključ.",
    },
    "dnevnik": {
        "kind": "journal",
        "text": "Slabo sem spala, preveč kave. Sanj se ne spomnim, ostala je samo modra barva in občutek vode.",
    },
    "vodeno": {
        "kind": "guided",
        "text": "Počasi sem dihala in v mislih šla po stopnicah do jezera. Voda je bila mirna.",
    },
    "čoln": {
        "title": "Čoln brez vesel",
        "recording": "sl-morje.webm",
        "text": "Sedel sem v čolnu in morje je bilo kot steklo. Pod mano je plavala ogromna riba in se smejala.",
    },
    "razgovor": {
        "text": "Sanjala sem, da imam job interview v hotelu. Vprašali so me, why are you here, in nisem znala "
        "odgovoriti.",
    },
}
"""Twenty short entries, half of them in each language, that have many words of the forty in common."""


def _entries() -> Iterator[Written]:
    # Nights in 2023, as long as nothing else is said.
    nights = (_morning("2023-01-03") + timedelta(days=6 * number) for number in range(len(_NAMES) + len(_OTHERS)))
    for name, only_there in _NAMES.items():
        [dream] = [each for each in DREAMS if only_there in each.text]
        yield replace(Written(name, dream.language, dream.text, next(nights)), **_MORE.get(name, {}))
    for place, (name, details) in enumerate(_OTHERS.items()):
        yield Written(name=name, language="en" if place < 10 else "sl", **({"dreamed_at": next(nights)} | details))


ENTRIES = tuple(_entries())
assert len({entry.text for entry in ENTRIES}) == len(ENTRIES) == len(DREAMS) + 20
assert _MORE.keys() <= _NAMES.keys()


@dataclass(frozen=True)
class Sought:
    """What is typed, and the names of the entries that are wanted, best first.

    When several are as good as each other, they are `alike`: any of them may come first. When nothing else may be
    found, these are the `only` ones.
    """

    query: str
    expected: tuple[str, ...]
    about: About
    language: Tongue
    alike: bool = False
    only: bool = False
    held_out: bool = False


def _en(about: About, query: str, *expected: str, **more: bool) -> Sought:
    return Sought(query, expected, about, "en", **more)


def _sl(about: About, query: str, *expected: str, **more: bool) -> Sought:
    return Sought(query, expected, about, "sl", **more)


_HELD_OUT = (
    _en("inflection", "children laughing", "night swim"),
    _en("mistake", "Peter fountian", "Lisbon"),
    _en("without", "house -sea", "grandmother's stairs", only=True),
    _en("words", "my dog on the roof", "flood"),
    _en("filter", "kind:journal coffee", "coffee diary", only=True),
    _sl("inflection", "zvonov", "stari konj"),
    _sl("no diacritics", "sefica besna", "odpuščena"),
    _sl("phrase", '"kot da sem doma"', "babičina hiša", only=True),
    _sl("filter", "ima:posnetek ribo", "čoln", only=True),
    _sl("words", "poletela v oblake", "letenje"),
)

_ENGLISH = (
    _en("inflection", "whale", "flying over the sea"),
    _en("inflection", "mirrors", "falling teeth"),
    _en("inflection", "tooth", "falling teeth", "piano"),
    _en("inflection", "mouse", "mice"),
    _en("inflection", "flown", "flying over the sea", "tower", "carpet"),
    _en("inflection", "child", "lost child", "night swim", alike=True),
    _en("inflection", "swims", "night swim"),
    _en("inflection", "wolves", "wolf"),
    _en("inflection", "sang", "grandmother's stairs"),
    _en("inflection", "hugging", "dead father", "flood", alike=True),
    _en("inflection", "soldier", "war"),
    _en("inflection", "fell", "tower", "falling teeth", "fired"),
    _en("inflection", "colleague", "falling teeth", "office party", alike=True),
    _en("inflection", "running", "black coat", "mice", alike=True),
    _en("mistake", "grandmothr", "grandmother's stairs", "piano", alike=True),
    _en("mistake", "strais", "grandmother's stairs", "guided lake", alike=True),
    _en("mistake", "suitecase", "missed train"),
    _en("mistake", "hosptial", "hospital"),
    _en("mistake", "mirrror", "falling teeth"),
    _en("mistake", "weding cake", "wedding"),
    _en("mistake", "snkae garden", "snake"),
    _en("phrase", '"one by one"', "falling teeth", only=True),
    _en("phrase", '"out loud"', "flying over the sea", only=True),
    _en("phrase", "“as if nothing had happened”", "dead father", only=True),
    _en("phrase", '"falling and falling"', "fired", only=True),
    _en("without", "teeth -grandmother", "falling teeth", only=True),
    _en("without", "sea -house", "flying over the sea", only=True),
    _en("without", "falling -tower -teeth", "fired", only=True),
    _en("without", 'house -"by the sea"', "grandmother's stairs", "moving house", alike=True, only=True),
    _en("OR", "whale OR wolf", "flying over the sea", "wolf", alike=True, only=True),
    _en("OR", "train driver OR suitcases", "night train", "missed train", alike=True, only=True),
    _en("OR", "Lisbon OR Piran", "Lisbon", "Piran", alike=True, only=True),
    _en("prefix", "grandm*", "grandmother's stairs", "piano", alike=True, only=True),
    _en("prefix", "laby*", "Lisbon", only=True),
    _en("prefix", "embarr*", "naked", only=True),
    _en("filter", "tag:nightmare", "hospital", "black coat", "war", alike=True, only=True),
    _en("filter", "tag:nightmare -tag:family", "hospital", "black coat", alike=True, only=True),
    _en("filter", 'tag:"old friends"', "wedding", only=True),
    _en("filter", "tag:lucid sea", "flying over the sea", only=True),
    _en("filter", "kind:guided lake", "guided lake", only=True),
    _en("filter", "mood:wonder", "wolf", only=True),
    _en("filter", "mood:afraid nurse", "hospital", only=True),
    _en("filter", "motif:snake", "snake", only=True),
    _en("filter", "on:2024-05-03", "grandmother's stairs", only=True),
    _en("filter", "on:2024-06", "flying over the sea", "matura", alike=True, only=True),
    _en("filter", "wolf after:2024", "wolf", only=True),
    _en("filter", "sea before:2024", "house by the sea", "moving house", alike=True, only=True),
    _en("filter", "has:audio", "carpet", "čoln", alike=True, only=True),
    _en("filter", "has:attachment", "moving house", "hiša ob morju", alike=True, only=True),
    _en("filter", "is:private coffee", "dead father", only=True),
    _en("title", "mare", "old horse"),
    _en("title", "kitchen door", "moving house", "grandmother's stairs"),
    _en("title", "map", "lost child"),
    _en("tag", "recurring", "exam", "grandmother's stairs", alike=True),
    _en("tag", "lucid", "flying over the sea"),
    _en("attachment", "floor plan", "moving house"),
    _en("words", "the house by the sea", "house by the sea"),
    _en("words", "train with no driver", "night train"),
    _en("words", "man chasing me through the city", "black coat"),
    _en("words", "father drinking coffee", "dead father"),
    _en("words", "baby in a drawer", "tiny baby"),
    _en("words", "dancing with a stranger at my wedding", "wedding"),
    _en("words", "wolf head on my knee", "wolf"),
    _en("words", "piano with teeth", "piano"),
    _en("words", "flood in the village", "flood"),
    _en("words", "exam at school with a clock", "exam"),
    _en("words", "grandmother singing in the kitchen", "grandmother's stairs"),
    _en("words", "naked at the supermarket", "naked"),
    _en("mixed languages", "babica stairs", "grandmother's stairs"),
)

_SLOVENIAN = (
    _sl("inflection", "hiš", "babičina hiša", "hiša ob morju", alike=True),
    _sl("inflection", "hišah", "babičina hiša", "hiša ob morju", alike=True),
    _sl("inflection", "morja", "letenje", "hiša ob morju", "čoln", alike=True),
    _sl("inflection", "leteti", "letenje", "stolp"),
    _sl("inflection", "letim", "letenje", "stolp"),
    _sl("inflection", "babici", "babičina pesem", "babičina hiša", "grandmother's stairs", alike=True),
    _sl("inflection", "zobmi", "zobje"),
    _sl("inflection", "psov", "psi", "poplava", "lov po gozdu", alike=True),
    _sl("inflection", "vlakom", "zamujeni vlak", "vlak v snegu", alike=True),
    _sl("inflection", "volka", "volk"),
    _sl("inflection", "kovčkov", "zamujeni vlak"),
    _sl("inflection", "rib", "babičina hiša", "jezero", "čoln", alike=True),
    _sl("inflection", "plavati", "jezero", "babičina hiša", "čoln"),
    _sl("inflection", "iščem", "poplava", "matura", alike=True),
    _sl("inflection", "umrla", "mrtvi oče"),
    _sl("inflection", "mostovi", "vojna"),
    _sl("inflection", "otroka", "jezero", "živali", alike=True),
    _sl("inflection", "hčere", "vojna"),
    _sl("no diacritics", "hisa", "babičina hiša", "hiša ob morju", alike=True),
    _sl("no diacritics", "macka", "mačke", "vojna", alike=True),
    _sl("no diacritics", "zivali", "živali"),
    _sl("no diacritics", "zival", "živali"),
    _sl("no diacritics", "sola", "matura", "živali", alike=True),
    _sl("no diacritics", "strah me je bilo", "bolnišnica", "stolp", "volk", alike=True),
    _sl("no diacritics", "dezevalo", "poplava"),
    _sl("no diacritics", "crne macke", "mačke"),
    _sl("no diacritics", "bolnisnica", "bolnišnica"),
    _sl("no diacritics", "kljuc", "psi"),
    _sl("no diacritics", "tag:sola", "matura", only=True),
    _sl("no diacritics", "mood:zacudenje", "volk", only=True),
    _sl("mistake", "babcia", "babičina pesem", "babičina hiša", "grandmother's stairs", alike=True),
    _sl("mistake", "mroje", "letenje", "hiša ob morju", "čoln", alike=True),
    _sl("mistake", "plavla", "jezero", "babičina hiša", "čoln"),
    _sl("mistake", "bolnisnca", "bolnišnica"),
    _sl("mistake", "stopince", "babičina hiša", "mačke", "vodeno", alike=True),
    _sl("mistake", "torat", "poroka"),
    _sl("mistake", "vojakki", "vojna"),
    _sl("phrase", '"eden za drugim"', "zobje", only=True),
    _sl("phrase", '"kot da ni nič"', "mrtvi oče", only=True),
    _sl("phrase", '"na ves glas"', "letenje", only=True),
    _sl("phrase", "„bilo me je strah“", "bolnišnica", only=True),
    _sl("without", "vlak -brat", "vlak v snegu", only=True),
    _sl("without", "hiša -babica", "hiša ob morju", only=True),
    _sl("without", "voda -riba", "vodeno", "dnevnik", "poplava", alike=True, only=True),
    _sl("without", "morje -hiša -delfini", "čoln", only=True),
    _sl("OR", "jezero ALI vodnjak", "jezero", "vodeno", "Piran", alike=True, only=True),
    _sl("OR", "kača OR snake", "kača", "snake", alike=True, only=True),
    _sl("prefix", "delfin*", "letenje", only=True),
    _sl("prefix", "fotogra*", "vojna", only=True),
    _sl("prefix", "bolni*", "bolnišnica", only=True),
    _sl("filter", "oznaka:lucidne morje", "letenje", only=True),
    _sl("filter", 'oznaka:"stari prijatelji"', "poroka", only=True),
    _sl("filter", "vrsta:vodeno jezero", "vodeno", only=True),
    _sl("filter", "vrsta:dnevnik kava", "dnevnik", only=True),
    _sl("filter", "razpoloženje:začudenje", "volk", only=True),
    _sl("filter", "motiv:kača", "kača", only=True),
    _sl("filter", "dne:5.3.2025", "letenje", only=True),
    _sl("filter", "volk po:2024", "volk", only=True),
    _sl("filter", "je:zasebno kava", "mrtvi oče", only=True),
    _sl("title", "lisec", "stari konj"),
    _sl("title", "čoln brez vesel", "čoln"),
    _sl("tag", "družina", "babičina hiša", "mrtvi oče", alike=True),
    _sl("attachment", "tloris", "hiša ob morju"),
    _sl("words", "sem bila v hiši", "babičina hiša"),
    _sl("words", "hiša ob morju", "hiša ob morju"),
    _sl("words", "babica poje v kuhinji", "babičina pesem"),
    _sl("words", "volk v gozdu", "volk"),
    _sl("words", "oče pije kavo", "mrtvi oče"),
    _sl("words", "otroci se mi smejijo", "jezero"),
    _sl("words", "pes na strehi", "poplava"),
    _sl("words", "plešem na poroki", "poroka"),
    _sl("words", "zelena kača pod jablano", "kača"),
    _sl("words", "labirint in vodnjak", "Piran"),
    _sl("mixed languages", "interview v hotelu", "razgovor"),
)

SOUGHT = tuple(replace(each, held_out=True) for each in _HELD_OUT) + _ENGLISH + _SLOVENIAN

FAMILIES: dict[str, str] = {
    "hiša": "hiša hiše hiši hišo hiš hišah hišami hisa hise hisi hiso",
    "morje": "morje morja morju morjem MORJA",
    "leteti": "leteti letela letel letim letimo letijo",
    "babica": "babica babice babici babico babicami",
    "zob": "zob zobje zobe zobmi zobovi",
    "pes": "pes psa psu psi psov psom",
    "vlak": "vlak vlaka vlaku vlakom vlaki",
    "mačka": "mačka mačke mačko mačk mačkami macka macke macko mack",
    "šola": "šola šole šoli šolo sola solo",
    "stopnice": "stopnice stopnic stopnicah stopnicami",
    "child": "child children child's",
    "fly": "fly flies flew flown flying",
    "tooth": "tooth teeth",
    "house": "house houses",
    "run": "run runs ran running",
    "mouse": "mouse mice",
    "train": "train trains",
    "swim": "swim swims swam swimming",
    "fall": "fall falls fell fallen falling",
    "sing": "sing sings sang sung singing",
    "hug": "hug hugs hugged hugging",
    "key": "key keys",
}
"""Words, and forms of each; all of these find the same."""

_NAMED = {entry.name for entry in ENTRIES}
assert all(set(each.expected) <= _NAMED and each.expected for each in SOUGHT)
assert len({each.query for each in SOUGHT}) == len(SOUGHT)
