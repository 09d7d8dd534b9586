"""Three dreams that we have written, for looking around in an empty journal; marked, so that they can be taken away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from dreamweb import entries, profile, recordings
from dreamweb.db import now, session
from dreamweb.details import Details
from dreamweb.models.account import Account
from dreamweb.models.entry import Entry
from dreamweb.storage import Storage


@dataclass(frozen=True)
class _Sample:
    title: str
    text: str
    tags: tuple[str, ...]
    mood: str
    lucidity: int
    days_ago: int
    clock: time


_ENGLISH = (
    _Sample(
        "The house with one more door",
        "I was in grandmother's house, and behind the pantry there was a **door that was never there**. It led to a "
        "room full of water that stood as high as my knees, warm and quite still.\n\nSomebody was rowing at the far "
        "end. I knew that it was me, only older, and I was not afraid.",
        ("house", "grandmother", "water"),
        "calm",
        1,
        1,
        time(4, 10),
    ),
    _Sample(
        "Late for the train again",
        "The station had no clocks. Everybody knew when to go but me.\n\n- my ticket was a leaf\n- the conductor "
        "spoke in birdsong\n- the train left, and the rails went with it",
        ("train", "being late"),
        "restless",
        0,
        3,
        time(6, 25),
    ),
    _Sample(
        "Flying over the bay",
        "I noticed that my hands had six fingers, so *this is a dream*, and at once I could fly. I kept low over the "
        "bay, close enough to touch it. When I laughed I rose; when I thought about it I sank.",
        ("flying", "sea", "lucid"),
        "joyful",
        5,
        366,
        time(5, 5),
    ),
)

_SLOVENIAN = (
    _Sample(
        "Hiša z enimi vrati preveč",
        "V babičini hiši sem in za shrambo so **vrata, ki jih nikoli ni bilo**. Vodijo v sobo, polno vode, ki mi sega "
        "do kolen. Topla je in čisto mirna.\n\nNa drugem koncu nekdo vesla. Vem, da sem to jaz, čez mnogo let, in ni "
        "me strah.",
        ("hiša", "babica", "voda"),
        "mirno",
        1,
        1,
        time(4, 10),
    ),
    _Sample(
        "Spet prepozno na vlak",
        "Na postaji ni bilo ur. Vsi razen mene so vedeli, kdaj je treba na vlak.\n\n- moja vozovnica je bila drevesni "
        "list\n- sprevodnik je govoril v ptičjem petju\n- vlak je odpeljal in tiri so odšli z njim",
        ("vlak", "zamujanje"),
        "nemirno",
        0,
        3,
        time(6, 25),
    ),
    _Sample(
        "Let nad zalivom",
        "Opazim, da imam na roki šest prstov. Torej *sanjam* in že lahko letim. Držim se nizko nad zalivom, tako "
        "blizu, da se ga lahko dotaknem. Ko se zasmejim, se dvignem; ko začnem o tem razmišljati, se spustim.",
        ("letenje", "morje", "lucidne sanje"),
        "veselo",
        5,
        366,
        time(5, 5),
    ),
)


def add(account: Account, language: str) -> None:
    """Put the samples into a journal, in `sl` or `en`; inside somebody else's transaction."""
    clock = profile.zone(account.time_zone)
    today = now().astimezone(clock).date()
    for sample in _SLOVENIAN if language == "sl" else _ENGLISH:
        entries.create(account, _details(sample, language, today, clock))


def remove(storage: Storage, account: Account) -> int:
    """Delete them for good, in the trash too; answers how many. Commits by itself, as `recordings.remove` does."""
    found = _all(account)
    for entry in found:
        recordings.remove(storage, account, entry.id)
    return len(found)


def _all(account: Account) -> Sequence[Entry]:
    query = select(Entry).where(Entry.account_id == account.id, entries.is_sample())
    return session().scalars(query).all()


def _details(sample: _Sample, language: Any, today: date, clock: ZoneInfo) -> Details:
    return Details(
        title=sample.title,
        text=sample.text,
        tags=list(sample.tags),
        mood=sample.mood,
        lucidity=sample.lucidity,
        recall="full",
        language=language,
        dreamed_at=datetime.combine(today - timedelta(days=sample.days_ago), sample.clock, clock),
        metadata={"sample": entries.SAMPLE},
    )
