"""Promises about captures on bad days: whatever dies, comes twice or too late, one whole entry comes of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import hypothesis.strategies as st
import pytest
from hypothesis import Phase, given, settings

from tests.conftest import TOKEN, Process, locked
from tests.recorded import SLICES, Capture, digest

pytestmark = [
    pytest.mark.fault,
    # What a connection to a server that was killed leaves behind.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SCHEDULES = 100
"""On each of the two databases."""

Place = tuple[int, int]

# Two runs of a recorder: four slices of one, two of the other.
CHUNKS: dict[Place, bytes] = {(0, n): data for n, data in enumerate(SLICES)} | {(1, n): SLICES[n] for n in range(2)}
PLACES = sorted(CHUNKS)

WRITTEN = "capture_chunks, captures, dream_entries IN EXCLUSIVE MODE"

FAULTS = ["kill", "kill while finishing", "finish", "finish thrice", "put while finishing", "silence", "lock"]

steps = st.one_of(st.sampled_from(PLACES), st.sampled_from(PLACES), st.sampled_from(FAULTS))
schedules = st.tuples(
    st.lists(steps, min_size=2, max_size=14),
    st.none() | st.sampled_from(PLACES[1:]),  # one that the client has lost
    st.integers(0, 3000),  # milliseconds until a kill: a busy machine takes half of that to finish
)


@dataclass
class Phone:
    """A client that does as the schedule says, and in the end as our own does: sends again until all is confirmed."""

    process: Process
    lock: Callable[[], Any]
    capture: Capture
    lost: Place | None
    kept: set[Place] = field(default_factory=set)
    entry: str | None = None
    healed: int = 0
    after_commit: int = 0

    def put(self, place: Place) -> bool:
        if place == self.lost:
            return True
        answer = self._ask(lambda: self.capture.put(place[1], CHUNKS[place], place[0]))
        if answer is not None and answer.status_code in (200, 201):
            self.kept.add(place)
            return True
        assert answer is None or answer.status_code >= 500, answer.text
        return False

    def finish(self) -> bool:
        kept = set(self.kept)  # others may send meanwhile
        counts = [1 + max(n for segment, n in PLACES if segment == wanted) for wanted in (0, 1)]
        answer = self._ask(lambda: self.capture.finish(*counts, accept_gaps=self.lost is not None and self.all_kept()))
        if answer is not None and answer.status_code in (200, 201):
            self.entry = self.entry or answer.json()["id"]
            assert answer.json()["id"] == self.entry
            return True
        if answer is not None and answer.status_code < 500:
            assert answer.json()["error_code"] == "CHUNKS_MISSING", answer.text
            assert not {tuple(place) for place in answer.json()["missing"]} & kept, "an acknowledged chunk is lost"
        return False

    def all_kept(self) -> bool:
        return self.kept | {self.lost} >= set(PLACES)

    def do(self, step: Any, milliseconds: int) -> None:
        if step in CHUNKS:
            self.put(step)
            return
        acts: dict[str, Callable[[], None]] = {
            "kill": self.restart,
            "kill while finishing": lambda: self.kill_while_finishing(milliseconds),
            "finish": lambda: _together(self.finish),
            "finish thrice": lambda: _together(self.finish, self.finish, self.finish),
            "put while finishing": lambda: _together(self.finish, self.put_all),
            "silence": lambda: time.sleep(1.2),
            "lock": self.put_into_a_locked_database,
        }
        acts[step]()

    def kill_while_finishing(self, milliseconds: int) -> None:
        self.put_all()  # else there is hardly ever a commit to be before or behind
        thread = threading.Thread(target=self.finish)
        thread.start()
        time.sleep(milliseconds / 1000)
        self.process.kill()
        thread.join()
        self.process.start()
        state = self._ask(lambda: self.capture.api.get(self.capture.url))
        self.after_commit += state is not None and state.json().get("state") == "finished"

    def put_all(self) -> None:
        for place in PLACES:
            if self.entry is None:
                self.put(place)

    def put_into_a_locked_database(self) -> None:
        with self.lock():
            for place in PLACES[:2]:
                self.put(place)

    def restart(self) -> None:
        self.process.kill()
        self.process.start()

    def heal(self) -> None:
        for _ in range(50):
            done = [self.put(place) for place in PLACES if self.entry is None or place not in self.kept]
            if all(done) and self.finish():
                return
            self.healed += 1
            time.sleep(0.2)
        raise AssertionError("retrying does not heal it")

    def _ask(self, request: Callable[[], httpx.Response]) -> httpx.Response | None:
        try:
            return request()
        except httpx.TransportError:
            return None


def _together(*acts: Callable[[], object]) -> None:
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_no_schedule_of_faults_loses_a_chunk_or_makes_two_entries(
    serving: Process, database_url: str, say_how_many: Callable[[str, int], None], database_kind: str
) -> None:
    """Chunks in any order, twice, too late and lost; kills, also while it is finished; silence; a locked database."""
    serving.configure(capture_idle_minutes=0.01)
    serving.constants |= {"dreamweb.housekeeping.EVERY": 0.2, "dreamweb.db.LOCK_WAIT": 0.3}
    serving.start()
    done: list[str] = []
    after_commit: list[int] = []

    @settings(max_examples=SCHEDULES, phases=[Phase.generate])
    @given(schedules)
    def try_one(schedule: tuple[list[Any], Place | None, int]) -> None:
        each, lost, milliseconds = schedule
        before = {entry["id"] for entry in entries_of(client)}
        phone = Phone(serving, lambda: locked(database_url, WRITTEN), Capture(client), lost)
        for step in each:
            phone.do(step, milliseconds)
        phone.heal()
        assert phone.finish()
        expected = digest(*(CHUNKS[place] for place in PLACES if place != lost))
        (mine,) = (entry for entry in entries_of(client) if entry["id"] not in before)
        assert (mine["id"], mine["sha256"], mine["cut_off"]) == (phone.entry, expected, False)
        assert digest(client.get(f"/entries/{phone.entry}/audio").content) == expected
        assert client.get(f"/entries/{phone.entry}/playback").status_code == 200
        assert client.delete(f"/entries/{phone.entry}", params={"permanent": True}).status_code == 204
        done.append(str(phone.entry))
        after_commit.append(phone.after_commit)

    with httpx.Client(
        base_url=f"{serving.url}/api/v1", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60
    ) as client:
        try_one()
    say_how_many(f"schedules of faults ({database_kind})", len(done))
    say_how_many(f"kills of which the commit was not a victim ({database_kind})", sum(after_commit))
    assert sum(after_commit)
    assert serving.run("verify").stdout == ""


def entries_of(client: httpx.Client) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get("/entries", params={"limit": 100}).raise_for_status().json()["items"]
    return items
