"""Promises about reading, writing, changing and deleting an entry on its pages, all of it without scripts."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

import httpx
import pytest
from flask import Flask

from tests.attachables import PDF, PNG
from tests.conftest import SAMPLES, Person
from tests.processed import LEFT_OUT, hear_nothing
from tests.web.conftest import Browser, words


def entry_ids(page: httpx.Response) -> list[str]:
    return re.findall(r'id="entry-([0-9a-f-]{36})"', page.text)


def state_of(form: httpx.Response) -> str:
    """The state of an entry that a form was made from, which it sends along."""
    found = re.search(r'name="updated_at" value="([^"]+)"', form.text)
    assert found
    return found[1]


def client_id_of(form: httpx.Response) -> str:
    found = re.search(r'name="client_id" value="([^"]+)"', form.text)
    assert found
    return found[1]


def write(browser: Browser, **fields: str) -> str:
    """Write an entry by the whole form; answers its address."""
    page = browser.submit("/entries", {"text": "I was flying over a quiet sea.", "whole": "1"} | fields)
    assert page.status_code == 200, words(page)
    return page.url.path


def test_a_dream_is_written_read_changed_and_deleted_without_scripts(at_home: Browser) -> None:
    address = write(at_home, title="Over the sea", tags="Sea, flying", mood="Calm", lucidity="3", recall="full")
    page = at_home.get(address)
    for said in ("Over the sea", "quiet sea", "flying", "calm", "Lucidity 3 of 5", "all of it"):
        assert said in words(page)
    state = state_of(at_home.get(f"{address}/edit"))
    changed = at_home.submit(address, {"text": "It was **a lake**.", "title": "", "updated_at": state})
    assert "<strong>a lake</strong>" in changed.text
    gone = at_home.submit(f"{address}/delete")
    assert "Moved to the trash." in words(gone)
    assert entry_ids(gone) == []
    assert at_home.get(address).status_code == 404
    assert "a lake" in words(at_home.get("/trash"))
    back = at_home.submit(f"{address}/restore")
    assert (back.status_code, back.url.path) == (200, address)


def test_one_line_and_some_tags_are_a_dream(at_home: Browser) -> None:
    home = at_home.submit("/entries", {"text": "a train that never stopped", "tags": "train, night"})
    assert home.url.path == "/"
    assert "a train that never stopped" in words(home)
    assert len(entry_ids(home)) == 1
    assert "night" in words(home.text[home.text.index("entry-") :])


def test_remembering_nothing_is_one_tap(at_home: Browser) -> None:
    home = at_home.submit("/entries/nothing")
    assert "Nothing remembered" in words(home)
    assert len(entry_ids(home)) == 1


def test_a_double_tap_on_nothing_is_one_night(at_home: Browser) -> None:
    page = at_home.get("/")
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]+)"', page.text.partition('action="/entries/nothing"')[2]))
    for _ in range(2):
        home = at_home.post("/entries/nothing", data=fields)
        assert "Nothing remembered" in words(home)
        assert len(entry_ids(home)) == 1
    line = {"text": "and then a lake", "client_id": client_id_of(page)}
    assert len(entry_ids(at_home.submit("/entries", line))) == 2


def test_the_same_form_sent_twice_is_kept_once(at_home: Browser) -> None:
    fields = {"text": "twice", "client_id": str(uuid.uuid4())}
    assert len(entry_ids(at_home.submit("/entries", fields))) == 1
    assert len(entry_ids(at_home.submit("/entries", fields))) == 1


def test_a_form_that_comes_again_with_anything_changed_is_shown_again_and_can_be_saved(at_home: Browser) -> None:
    first = {"text": "a lake", "tags": "water", "whole": "1", "client_id": str(uuid.uuid4())}
    made = at_home.submit("/entries", first).url.path
    changes = {"text": "a lake, and a boat"}, {"tags": "water, boat"}, {"mood": "calm"}, {"private": "1"}
    for number, change in enumerate(changes, start=2):
        again = at_home.submit("/entries", first | change)
        assert again.status_code == 409
        assert "What is below is not saved yet" in words(again)
        assert f'<a href="{made}">Open it</a>' in again.text
        assert change.get("text", first["text"]) in again.text
        assert len(entry_ids(at_home.get("/"))) == number - 1
        saved = at_home.submit("/entries", first | change | {"client_id": client_id_of(again)})
        assert (saved.status_code, saved.url.path == made) == (200, False)
        assert len(entry_ids(at_home.get("/"))) == number
    assert "a lake, and a boat" not in words(at_home.get(made))


def test_a_line_that_comes_again_after_the_first_was_deleted_is_not_lost(at_home: Browser) -> None:
    line = {"text": "a lake", "client_id": str(uuid.uuid4())}
    made = entry_ids(at_home.submit("/entries", line))[0]
    at_home.submit(f"/entries/{made}/delete")
    again = at_home.submit("/entries", line | {"text": "a boat"})
    assert again.status_code == 409
    assert '<a href="/trash">Trash</a>' in again.text
    assert "a boat" in words(at_home.submit("/entries", {"text": "a boat", "client_id": client_id_of(again)}))


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("dreamed_at", "2999-01-01T03:00", "it lies in the future"),
        ("dreamed_at", "yesterday", "write it like"),
        ("tags", "x" * 51, "50"),
        ("title", "x" * 201, "200"),
        ("lucidity", "9", "5"),
        ("mood", "x" * 51, "50"),
        ("kind", "nightmare", "dream"),
        ("metadata", "{weather}", "JSON"),
        ("metadata", "[1]", "JSON"),
        ("metadata", '{"x": NaN}', "JSON"),
        ("text", " ", "write a text or a title"),
    ],
)
def test_what_is_not_possible_is_said_at_its_field_and_the_words_stay(
    at_home: Browser, field: str, value: str, reason: str
) -> None:
    sent = {"text": "These words must not be lost.", "title": "", "whole": "1", field: value}
    page = at_home.submit("/entries", sent)
    assert page.status_code == 422
    error = re.search(rf'id="{field}-error">([^<]*)<', page.text)
    assert error
    assert reason in error[1].replace("&#34;", '"')
    assert sent["text"] in page.text
    assert entry_ids(at_home.get("/")) == []


def test_two_devices_do_not_overwrite_one_another(at_home: Browser) -> None:
    address = write(at_home)
    state = state_of(at_home.get(f"{address}/edit"))
    at_home.submit(address, {"text": "from the phone", "updated_at": state})
    late = at_home.submit(address, {"text": "from the laptop", "updated_at": state})
    assert late.status_code == 409
    assert "from the laptop" in late.text
    assert "from the phone" in words(late)
    newer = state_of(late)
    assert newer != state
    assert "from the laptop" in words(at_home.submit(address, {"text": "from the laptop", "updated_at": newer}))


def test_who_corrects_a_mistake_does_not_overwrite_what_another_device_kept_meanwhile(at_home: Browser) -> None:
    address = write(at_home)
    began = state_of(at_home.get(f"{address}/edit"))
    at_home.submit(address, {"text": "from the phone", "updated_at": began})
    mistaken = at_home.submit(address, {"text": "from the laptop", "lucidity": "9", "updated_at": began})
    assert mistaken.status_code == 422
    corrected = at_home.submit(address, {"text": "from the laptop", "updated_at": state_of(mistaken)})
    assert corrected.status_code == 409
    assert "from the phone" in words(corrected)
    seen = at_home.submit(address, {"text": "from the laptop", "updated_at": state_of(corrected)})
    assert "from the laptop" in words(seen)


def test_saving_does_not_take_the_seconds_from_the_time_of_the_dream(at_home: Browser, api: httpx.Client) -> None:
    made = api.post("/entries", json={"text": "at 03:04:05", "dreamed_at": "2025-01-31T03:04:05.678901Z"}).json()
    address = f"/entries/{made['id']}"
    shown = re.search(r'name="dreamed_at"[^>]*value="([^"]+)"', at_home.get(f"{address}/edit").text)
    assert shown
    at_home.submit(address, {"text": "changed", "dreamed_at": shown[1]})
    assert api.get(address).json()["dreamed_at"] == made["dreamed_at"]
    at_home.submit(address, {"text": "changed", "dreamed_at": "2025-02-01T05:00"})
    assert api.get(address).json()["dreamed_at"] != made["dreamed_at"]


def test_times_are_those_of_the_persons_clock(at_home: Browser, api: httpx.Client) -> None:
    at_home.submit("/settings", {"name": "ana", "time_zone": "Asia/Tokyo", "theme": "auto"})
    address = write(at_home, dreamed_at="2025-01-31T05:30")
    assert api.get(address).json()["dreamed_at"] == "2025-01-30T20:30:00.000000Z"
    assert 'value="2025-01-31T05:30"' in at_home.get(f"{address}/edit").text


def test_a_version_of_the_text_can_be_chosen_and_own_words_come_first(
    at_home: Browser, api: httpx.Client, app_database: Callable[..., None]
) -> None:
    sent = api.post("/upload", content=(SAMPLES / "sl-hisa.mp3").read_bytes()).json()
    app_database(sent["id"], transcription="stara hiša no", cleaned_text="Stara hiša.")
    address = f"/entries/{sent['id']}"
    assert "Stara hiša." in words(at_home.get(address))
    assert "stara hiša no" in words(at_home.get(f"{address}?version=transcription"))
    at_home.submit(address, {"text": "Moja stara hiša."})
    page = words(at_home.get(address))
    assert "Moja stara hiša." in page
    for name in ("Own text", "Cleaned text", "Transcription"):
        assert name in page
    assert "Moja stara hiša." in words(at_home.get(f"{address}?version=nonsense"))


def test_markdown_is_shown_as_what_it_means(at_home: Browser) -> None:
    text = "# A head\n\n- one\n- two\n\n> said\n\n[a link](https://example.org/) and ~~not this~~"
    page = at_home.get(write(at_home, text=text)).text
    for html in ("<h2>A head</h2>", "<li>one</li>", "<blockquote>", "<s>not this</s>", 'rel="noopener noreferrer'):
        assert html in page


def test_a_recording_is_sent_by_a_plain_form_and_what_is_none_is_named(at_home: Browser) -> None:
    files = [
        ("file", ("hiša.mp3", (SAMPLES / "sl-hisa.mp3").read_bytes())),
        ("file", ("list.txt", b"bread, milk")),
        ("file", ("key.flac", (SAMPLES / "en-key.flac").read_bytes())),
    ]
    home = at_home.submit("/recordings", files=files)
    said = words(home)
    assert "2 recordings are saved." in said
    assert "list.txt: This is not a recording." in said
    assert len(entry_ids(home)) == 2


def test_a_recording_has_a_player_and_a_waveform_that_is_kept(at_home: Browser, api: httpx.Client) -> None:
    sent = api.post("/upload", content=(SAMPLES / "sl-hisa.mp3").read_bytes()).json()
    address = f"/entries/{sent['id']}"
    assert f'hx-get="{address}/waveform"' in at_home.get(address).text
    drawn = at_home.get(f"{address}/waveform").text
    assert drawn.count("v") > 100
    page = at_home.get(address).text
    assert "/waveform" not in page
    assert re.sub(r"\s+", "", drawn) in re.sub(r"\s+", "", page)
    playing = at_home.get(f"/api/v1{address}/audio", headers={"Range": "bytes=0-9"})
    assert (playing.status_code, len(playing.content)) == (206, 10)


def test_a_written_entry_has_no_waveform(at_home: Browser) -> None:
    assert at_home.get(f"{write(at_home)}/waveform").status_code == 404


def test_attachments_are_added_shown_and_deleted_without_scripts(at_home: Browser) -> None:
    address = write(at_home)
    png = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + b"\0" * 100
    page = at_home.submit(
        f"{address}/attachments", files=[("file", ("sea.png", png)), ("file", ("evil.png", b"\x7fELF" + b"\0" * 100))]
    )
    assert "sea.png" in words(page)
    assert "evil.png:" in words(page)
    assert page.text.count('class="attachment"') == 1
    removing = re.search(r"/attachments/[0-9a-f-]{36}/remove", page.text)
    assert removing
    assert 'class="attachment"' not in at_home.submit(removing[0]).text


def test_a_dream_is_written_with_its_pictures_in_one_form_that_counts_once(at_home: Browser, api: httpx.Client) -> None:
    form = {"whole": "1", "client_id": str(uuid.uuid4()), "text": "I drew it.", "kind": "dream"}
    files = [
        ("file", ("sea.png", PNG)),
        ("file", ("evil.png", b"\x7fELF" + b"\0" * 100)),
        ("file", ("letter.pdf", PDF)),
    ]
    for _ in range(2):  # the second time because the answer was lost
        page = at_home.submit("/entries", form, page="/entries/new", files=files)
        assert page.url.path.startswith("/entries/")
        assert "evil.png:" in words(page)
        [entry] = api.get("/entries").json()["items"]
        kept = {each["original_filename"] for each in entry["attachments"]}
        assert (kept, len(entry["attachments"])) == ({"sea.png", "letter.pdf"}, 2)


def test_who_has_to_correct_a_form_is_told_to_choose_its_files_again(at_home: Browser, api: httpx.Client) -> None:
    form = {"whole": "1", "client_id": str(uuid.uuid4()), "text": "I drew it.", "kind": "dream", "lucidity": "99"}
    page = at_home.submit("/entries", form, page="/entries/new", files=[("file", ("sea.png", PNG))])
    assert page.status_code == 422
    assert "Choose the files again." in words(page)
    assert api.get("/entries").json()["items"] == []
    assert "Choose the files again." not in words(at_home.get("/entries/new"))


def test_a_recording_in_which_nobody_was_heard_says_so_and_what_was_left_out(
    app: Flask, at_home: Browser, api: httpx.Client
) -> None:
    entry = str(api.post("/upload", content=(SAMPLES / "sl-hisa.mp3").read_bytes()).json()["id"])
    assert "No text yet." in words(at_home.get(f"/entries/{entry}"))
    hear_nothing(app, entry, "Hvala za ogled.")
    page = at_home.get(f"/entries/{entry}")
    assert "Nobody was heard in this recording. What was made of it does not count:" in words(page)
    assert "<del>Hvala za ogled.</del>" in page.text
    assert f"Left out: {LEFT_OUT}" in words(page)
    hear_nothing(app, entry)
    page = at_home.get(f"/entries/{entry}")
    assert "Nobody was heard in this recording. You can listen yourself" in words(page)


def test_deleting_for_good_is_possible_from_the_trash_only(at_home: Browser, api: httpx.Client) -> None:
    address = write(at_home)
    assert at_home.submit(f"{address}/remove").status_code == 404
    at_home.submit(f"{address}/delete")
    page = at_home.submit(f"{address}/remove")
    assert "Deleted for good." in words(page)
    assert api.post(f"{address}/restore").status_code == 404


def test_earlier_and_later_dreams_are_one_step_away(at_home: Browser) -> None:
    first, second, third = (write(at_home, dreamed_at=f"2025-01-0{day}T05:00") for day in (1, 2, 3))
    page = at_home.get(second).text
    assert re.search(rf'rel="prev" href="{first}"', page)
    assert re.search(rf'rel="next" href="{third}"', page)
    assert 'rel="prev"' not in at_home.get(first).text
    assert 'rel="next"' not in at_home.get(third).text


def test_samples_come_and_go_with_one_click_and_take_nothing_else(at_home: Browser) -> None:
    write(at_home, title="Mine")
    home = at_home.submit("/samples")
    assert len(entry_ids(home)) == 4
    assert "Some of these dreams are samples." in words(home)
    left = at_home.submit("/samples/remove")
    assert len(entry_ids(left)) == 1
    assert "Mine" in words(left)


def test_tags_are_offered_for_completion(at_home: Browser, elsewhere: Browser) -> None:
    write(at_home, tags="morje, hiša")
    write(elsewhere, tags="secret")
    assert re.findall(r'value="([^"]+)"', at_home.get("/tags").text) == ["hiša", "morje"]
    assert re.findall(r'value="([^"]+)"', at_home.get("/tags?prefix=MO%00").text) == ["morje"]


def test_a_private_entry_is_blurred_in_lists(at_home: Browser, ana: Person) -> None:
    write(at_home, title="Not for others", private="1")
    assert 'class="card private"' in at_home.get("/").text
