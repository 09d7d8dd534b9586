"""Promises about bad nights: whatever dies while somebody speaks, but for a slice all of it becomes one entry."""

from __future__ import annotations

import io
import sys
import time
import wave
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from tests.browser.conftest import decoded
from tests.browser.phones import Journal, Phone, begin, done, last, listed, says, sign_in, speak
from tests.browser.test_outbox import CHUNKS, FINISH, answer, once, waiting
from tests.browser.test_recorder import likeness, loudness
from tests.conftest import SAMPLES, Process, until
from tests.recorded import digest

pytestmark = [
    pytest.mark.fault,
    # What a connection to a server that was killed leaves behind.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SLICE = 3
"""Seconds of the recorder's slices: what a device may lose that dies."""

SLACK = 0.5
"""Seconds: the page says that it records a little before or after it does, on a busy machine."""

RATE = 16_000


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty seconds of people who tell their dreams, as a WAV file."""
    file = tmp_path_factory.mktemp("story") / "story.wav"
    told = ["en-lighthouse.aac", "sl-hisa.mp3", "en-garden.m4a", "sl-morje.webm", "en-key.flac", "sl-vlak.wav"]
    with wave.open(str(file), "wb") as written:
        written.setparams((1, 2, 48_000, 0, "NONE", ""))
        for name in [*told, *reversed(told)]:
            written.writeframes(decoded(SAMPLES / name, 48_000))
    return file


@pytest.fixture(scope="session")
def told(story: Path) -> list[float]:
    """How loud the story is."""
    return loudness(decoded(story, RATE), RATE)


@pytest.fixture
def home(serving: Process) -> Process:
    """The server, not started yet."""
    serving.configure(log_level="INFO")
    return serving


@pytest.fixture
def phone(browser: Browser, home: Process, story: Path, tmp_path: Path) -> Iterator[Phone]:
    """Switched on; the server is running."""
    phone = Phone(browser.browser_type, tmp_path / "profile", story, home)
    home.start()
    phone.switch_on()
    yield phone
    phone.switch_off()
    assert phone.errors == []


@pytest.fixture
def journal(home: Process) -> Journal:
    return Journal(home)


class Arrives(Protocol):
    """Waits for a recording."""

    def __call__(self, page: Page, spoken: float, lost: float = 0) -> dict[str, Any]: ...


@pytest.fixture
def arrives(
    journal: Journal, told: list[float], request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> Arrives:
    """Waits until a recording is confirmed, and looks at every promise that was made about it."""

    def arrives(page: Page, spoken: float, lost: float = 0) -> dict[str, Any]:
        """The last one on this device; of so many seconds that were spoken it may lack so many at its end."""
        client_id = last(page)["client_id"]
        begun = time.monotonic()
        until(lambda: listed(page, client_id)["state"] == "confirmed", 70)
        took = time.monotonic() - begun
        [entry] = [each for each in journal.entries() if each["client_id"] == client_id]
        here = listed(page, client_id)
        assert (here["entry"]["id"], here["slices"], here["bytes"]) == (entry["id"], 0, 0)
        assert entry["cut_off"] is False
        audio = journal.get(f"/entries/{entry['id']}/audio").content
        assert digest(audio) == entry["sha256"]
        assert journal.get("/captures").json()["items"] == []

        address, duration = f"/entries/{entry['id']}/playback", entry["duration_seconds"]
        original, kept = (
            loudness(decoded(io.BytesIO(each), RATE), RATE) for each in (audio, journal.get(address).content)
        )
        alike = likeness(kept, told)
        with capsys.disabled():
            sys.stdout.write(
                f"\n{request.node.name}: spoken {spoken:.2f} s, kept {duration:.2f} s, heard {len(kept) / 100:.2f} s, "
                f"alike {alike:.2f}, confirmed after {took:.1f} s\n"
            )
        assert spoken - lost - SLACK < duration < spoken + SLACK
        assert len(kept) == pytest.approx(len(original), abs=5)
        assert len(kept) / 100 > 0.9 * duration  # a busy machine makes a microphone stutter
        assert alike > 0.7
        assert page.evaluate(SEEK, ["/api/v1" + address, duration / 2]) == pytest.approx(duration / 2, abs=0.2)
        return entry

    return arrives


SEEK = """([address, place]) => new Promise((resolve, reject) => {
  const audio = new Audio(address);
  audio.onerror = () => reject(audio.error.message);
  setTimeout(() => reject("It does not play."), 20_000);
  audio.onloadedmetadata = () => (audio.currentTime = place);
  audio.onseeked = () => resolve(audio.currentTime);
})"""


def test_a_server_that_is_killed_while_somebody_speaks_costs_nothing(
    phone: Phone, home: Process, journal: Journal, arrives: Arrives
) -> None:
    page = phone.recorder()
    begin(page)
    for second in (3.5, 6.5):
        speak(page, second)
        home.kill()
        home.start()
    speak(page, 10)
    spoken = done(page)
    arrives(page, spoken)
    expect(says(page)).to_have_text("Saved.")
    assert len(journal.entries()) == 1
    assert home.run("verify").stdout == ""


@pytest.fixture
def moments(database_kind: str) -> list[int]:
    """Milliseconds after the last press; on each database others, to save time."""
    return [50, 150, 300] if database_kind == "sqlite" else [100, 220, 400]


def test_a_server_that_is_killed_while_it_joins_a_recording_makes_one_entry_of_it(
    phone: Phone,
    home: Process,
    journal: Journal,
    arrives: Arrives,
    moments: list[int],
    say_how_many: Callable[[str, int], None],
) -> None:
    page = phone.recorder()
    under_way: list[str] = []

    def note(request: Request) -> None:
        if request.url.endswith("/finish"):
            under_way.append(request.url)

    page.on("request", note)
    page.on("requestfinished", lambda request: under_way.clear() if request.url.endswith("/finish") else None)
    hit = 0
    for moment in moments:
        under_way.clear()
        begin(page)
        speak(page, 3.3)
        spoken = done(page, moment)
        hit += bool(under_way)
        home.kill()
        home.start()
        arrives(page, spoken)
    assert len(journal.entries()) == len(moments)
    assert home.run("verify").stdout == ""
    say_how_many("kills while a recording was joined", hit)


def test_a_recording_that_is_finished_thrice_at_once_is_one_entry(
    phone: Phone, journal: Journal, arrives: Arrives
) -> None:
    page = phone.recorder()
    page.evaluate(THRICE)
    begin(page)
    speak(page, 4)
    arrives(page, done(page))
    assert sorted(page.evaluate("window.finished")) == [200, 200, 201]
    assert len(journal.entries()) == 1


THRICE = """() => {
  const once = window.fetch;
  window.finished = [];
  window.fetch = async (address, how) => {
    if (!String(address).endsWith("/finish")) return once(address, how);
    const answers = await Promise.all([1, 2, 3].map(() => once(address, how)));
    window.finished.push(...answers.map(({ status }) => status));
    return answers[0];
  };
}"""


def test_a_network_that_goes_away_while_somebody_speaks_costs_nothing(
    phone: Phone, journal: Journal, arrives: Arrives
) -> None:
    """Off from second 5 to 25: until 60 it would only be more of the same, and cost a minute more."""
    page = phone.recorder()
    begin(page)
    speak(page, 5)
    phone.context.set_offline(True)
    expect(page.locator("[data-where]")).to_have_text("No connection. Kept on this device.")
    speak(page, 25)
    phone.context.set_offline(False)
    speak(page, 27)
    spoken = done(page)
    arrives(page, spoken)
    expect(says(page)).to_have_text("Saved.")
    assert len(journal.entries()) == 1


def test_a_tab_that_is_closed_in_the_middle_loses_a_slice_at_most_and_the_next_visit_sends_the_rest(
    phone: Phone, journal: Journal, arrives: Arrives
) -> None:
    page = phone.recorder()
    begin(page)
    spoken = speak(page, 8.5)
    page.close()
    later = phone.context.new_page()
    later.goto("/")
    arrives(later, spoken, SLICE)
    assert len(journal.entries()) == 1


def test_a_browser_that_is_killed_loses_a_slice_at_most_and_sends_the_rest_when_it_is_back(
    phone: Phone, journal: Journal, arrives: Arrives
) -> None:
    page = phone.recorder_as_ever()
    begin(page)
    spoken = speak(page, 8.5)
    phone.kill()
    phone.switch_on()
    later = phone.context.new_page()
    later.goto("/")
    arrives(later, spoken, SLICE)
    assert len(journal.entries()) == 1


@once
def test_a_browser_that_is_killed_without_a_network_keeps_what_was_said(
    phone: Phone, home: Process, journal: Journal, arrives: Arrives
) -> None:
    """Nothing of it had reached the server but its first slice."""
    page = phone.recorder_as_ever()
    begin(page)
    speak(page, 4)
    home.kill()
    spoken = speak(page, 8)
    phone.kill()
    phone.switch_on()
    later = phone.context.new_page()
    later.goto("/record")
    expect(waiting(later)).to_contain_text("Kept on this device")
    home.start()
    arrives(later, spoken, SLICE)
    assert len(journal.entries()) == 1


@pytest.fixture
def other(browser: Browser, home: Process) -> Iterator[Page]:
    """A page of another browser of ana's."""
    page = browser.new_page(base_url=home.url)
    yield page
    page.close()


def test_a_session_that_ends_while_somebody_speaks_keeps_it_until_they_sign_in_again(
    phone: Phone, other: Page, journal: Journal, arrives: Arrives
) -> None:
    page = phone.recorder()
    begin(page)
    speak(page, 3.5)
    other.goto("/record")
    sign_in(other)
    other.goto("/settings/sessions")
    other.get_by_role("button", name="Sign out all others").click()
    expect(other.get_by_role("button", name="Sign out all others")).to_be_hidden()
    speak(page, 7)
    spoken = done(page)
    expect(says(page)).to_have_text("Kept on this device. Sign in, and it is sent.")
    assert journal.entries() == []
    page.locator("[data-recorder]").get_by_role("link", name="Sign in").click()
    sign_in(page)
    arrives(page, spoken)
    assert len(journal.entries()) == 1


AWAY = {"detail": "Away.", "error_code": "DATABASE_ERROR"}
FULL = {"detail": "It is too large.", "error_code": "FILE_TOO_LARGE"}
HTML: dict[str, Any] = {"content_type": "text/html", "body": "<html>not from the journal</html>"}


def test_a_server_in_trouble_costs_nothing(phone: Phone, journal: Journal, arrives: Arrives) -> None:
    phone.switch_off()
    phone.switch_on(service_workers="block")  # with one, a request may get round `Page.route`, as Playwright says
    page = phone.recorder()

    def broken_off(route: Route) -> None:
        route.fetch()  # it arrives, and only the answer gets lost
        route.abort()

    trouble: dict[str, list[Callable[[Route], None]]] = {
        CHUNKS: [
            lambda route: route.fulfill(status=500, **HTML),
            lambda route: route.fulfill(status=503, headers={"Retry-After": "1"}, json=AWAY),
            lambda route: route.fulfill(status=413, **HTML),
            broken_off,
        ],
        FINISH: [
            lambda route: route.fulfill(status=503, **HTML),
            lambda route: route.fulfill(status=500, json=AWAY),
            broken_off,
            lambda route: route.fulfill(status=413, json=FULL),
        ],
    }
    for address, answers in trouble.items():
        page.route(address, partial(answer, answers))
    begin(page)
    speak(page, 7)
    with page.expect_response(lambda answer: answer.status == 413 and "/finish" in answer.url, timeout=60_000):
        spoken = done(page)
    assert not any(trouble.values())
    expect(page.locator("[data-where]")).to_have_text(FULL["detail"])
    waiting(page).get_by_role("button", name="Try now").click()
    arrives(page, spoken)
    assert len(journal.entries()) == 1


@pytest.fixture
def impatient(home: Process) -> None:
    """A server that waits for nobody."""
    home.configure(capture_idle_minutes=0.02)
    home.constants |= {"dreamweb.housekeeping.EVERY": 0.3}


def test_what_the_server_has_cut_off_is_made_whole_by_the_tab_that_still_speaks(
    impatient: None, phone: Phone, journal: Journal, arrives: Arrives
) -> None:
    page = phone.recorder()
    begin(page)
    speak(page, 6.5)
    phone.context.set_offline(True)
    until(lambda: [entry["cut_off"] for entry in journal.entries()] == [True])
    speak(page, 10)
    spoken = done(page)
    [cut_off] = journal.entries()
    assert cut_off["duration_seconds"] < 7
    phone.context.set_offline(False)
    assert arrives(page, spoken)["id"] == cut_off["id"]
    assert len(journal.entries()) == 1


def test_after_a_cold_start_without_a_network_it_records_lists_and_sends_later(
    phone: Phone, home: Process, journal: Journal, arrives: Arrives
) -> None:
    phone.recorder_as_ever()
    phone.switch_off()
    home.kill()
    phone.switch_on(offline=True)
    page = phone.context.new_page()
    page.goto("/record")
    begin(page)
    speak(page, 4)
    spoken = done(page)
    expect(says(page)).to_have_text("Kept on this device, will be sent as soon as there is a connection.")
    page.close()
    phone.kill()
    phone.switch_on(offline=True)
    later = phone.context.new_page()
    later.goto("/record")
    expect(waiting(later)).to_contain_text("No connection. Kept on this device")
    home.start()
    phone.context.set_offline(False)
    arrives(later, spoken)
    assert len(journal.entries()) == 1
