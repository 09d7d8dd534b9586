"""Promises about writing, changing and deleting dreams, with a keyboard alone and with a finger; no word gets lost."""

from __future__ import annotations

from uuid import UUID

import httpx
from flask import Flask
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from dreamweb import db
from dreamweb.models import Entry
from tests.attachables import PNG
from tests.browser.conftest import Hand, OpenBrowser, let_in
from tests.conftest import SAMPLES, Person, until

DRAFTS = "() => Object.keys(localStorage).filter((key) => key.startsWith('draft:')).length"


def wait_for_drafts(page: Page, number: int) -> None:
    page.wait_for_function(f"number => ({DRAFTS})() === number", arg=number)


def offers(field: Locator, tags: list[str]) -> None:
    """What a browser would show below the field, before it has looked which of these begin with what is typed."""
    until(lambda: field.evaluate("field => [...field.list.options].map((each) => each.value)") == tags)


def test_a_line_is_kept_with_enter_and_nothing_with_one_press(hand: Hand) -> None:
    page = hand.page
    page.goto("/")
    hand.write(page.get_by_label("A line about a dream"), "I was a lake")
    page.keyboard.press("Enter")
    expect(page.locator(".card-title")).to_have_text(["I was a lake"])
    expect(page.get_by_label("A line about a dream")).to_have_value("")
    hand.press(page.get_by_role("button", name="I remember nothing"))
    expect(page.locator(".card")).to_have_count(2)
    expect(page.locator(".notice.good")).to_contain_text("Sleep well.")


def test_a_dream_is_written_changed_deleted_and_brought_back(hand: Hand, api: httpx.Client) -> None:
    api.post("/entries", json={"text": "before", "tags": ["harbour", "night"]})
    page = hand.page
    page.goto("/")
    hand.press(page.get_by_role("link", name="Write", exact=True))
    hand.write(page.get_by_label("Title"), "Over the sea")
    hand.write(page.get_by_label("Text"), "I was **flying**.")
    hand.write(page.get_by_label("Tags"), "sea, ")
    offers(page.get_by_label("Tags"), ["sea, harbour", "sea, night"])
    hand.write(page.get_by_label("Tags"), "sea, night")
    hand.choose(page.get_by_label("Lucidity"), "3: half awake in it")
    hand.tick(page.get_by_label("Private"))
    page.get_by_label("Attachments").set_input_files({"name": "sea.png", "mimeType": "image/png", "buffer": PNG})
    hand.press(page.get_by_role("button", name="Save"))
    expect(page.get_by_role("heading", name="Over the sea")).to_be_visible()
    expect(page.locator(".attachment img")).to_be_visible()
    expect(page.locator(".prose strong")).to_have_text("flying")
    expect(page.locator(".chip")).to_have_text(["night", "sea"])
    expect(page.locator(".entry-head")).to_contain_text("Private")
    hand.press(page.get_by_role("link", name="Edit"))
    hand.write(page.get_by_label("Text"), "I was swimming.")
    hand.press(page.get_by_role("button", name="Save"))
    expect(page.locator(".prose")).to_have_text("I was swimming.")
    hand.press(page.get_by_role("button", name="Delete", exact=True))
    expect(page.locator(".card")).to_have_count(1)
    hand.press(page.get_by_role("button", name="Undo"))
    expect(page.get_by_role("heading", name="Over the sea")).to_be_visible()


def test_a_tag_is_offered_however_many_are_used_more(at_home: Page, api: httpx.Client) -> None:
    common = [f"tag{number:03}" for number in range(100)]
    for tags in (common[:50], common[50:]) * 2:
        api.post("/entries", json={"text": "before", "tags": tags})
    api.post("/entries", json={"text": "before", "tags": ["zither"]})
    at_home.goto("/entries/new")
    field = at_home.get_by_label("Tags")
    field.focus()
    offers(field, common)
    field.press_sequentially("sea, Zit")
    offers(field, [f"sea, {tag}" for tag in (*common, "zither")])


def test_two_fields_for_tags_have_nothing_to_do_with_one_another(at_home: Page, api: httpx.Client) -> None:
    api.post("/entries", json={"text": "before", "tags": ["harbour", "night"]})
    at_home.goto("/")
    at_home.get_by_text("Filter", exact=True).click()
    line, wanted = at_home.get_by_label("Tags, separated by commas"), at_home.get_by_label("Tags", exact=True)
    for field in (wanted, line):
        field.focus()
        offers(field, ["harbour", "night"])
    line.fill("night, ")
    offers(line, ["night, harbour"])
    offers(wanted, ["harbour", "night"])


def test_the_trash_gives_back_and_deletes_for_good_with_a_question(hand: Hand, api: httpx.Client) -> None:
    for title in ("one", "two"):
        api.delete(f"/entries/{api.post('/entries', json={'title': title}).json()['id']}")
    page = hand.page
    page.goto("/")
    hand.press(page.get_by_role("link", name="Trash"))
    rows = page.locator(".list > li")
    expect(rows).to_have_count(2)
    hand.press(rows.filter(has_text="one").get_by_role("button", name="Delete for good"))  # and the question: no
    expect(rows).to_have_count(2)
    page.on("dialog", lambda dialog: dialog.accept())
    hand.press(rows.filter(has_text="one").get_by_role("button", name="Delete for good"))
    expect(rows).to_have_count(1)
    hand.press(page.get_by_role("button", name="Restore"))
    expect(page.get_by_role("heading", name="two")).to_be_visible()
    assert [entry["title"] for entry in api.get("/entries").json()["items"]] == ["two"]


def test_an_entry_is_edited_in_its_place_and_left_as_it_was(hand: Hand, api: httpx.Client) -> None:
    address = f"/entries/{api.post('/entries', json={'text': 'a lake'}).json()['id']}"
    page = hand.page
    page.goto(address)
    page.evaluate("() => { window.sameDocument = true; }")
    hand.press(page.get_by_role("link", name="Edit"))
    expect(page.get_by_label("Text")).to_have_value("a lake")
    expect(page).to_have_url(f"{address}/edit")
    assert page.evaluate("() => window.sameDocument") is True
    page.go_back()
    expect(page.locator(".prose")).to_have_text("a lake")
    expect(page).to_have_url(address)
    hand.press(page.get_by_role("link", name="Edit"))
    hand.write(page.get_by_label("Text"), "not this")
    wait_for_drafts(page, 1)
    hand.press(page.get_by_role("link", name="Cancel"))
    expect(page.locator(".prose")).to_have_text("a lake")
    wait_for_drafts(page, 0)


def test_versions_of_a_text_are_shown_in_place(hand: Hand, app: Flask, api: httpx.Client) -> None:
    entry = api.post("/upload", content=(SAMPLES / "sl-hisa.mp3").read_bytes()).json()["id"]
    with app.app_context(), db.transaction() as session:
        found = session.get(Entry, UUID(entry))
        assert found
        found.transcription, found.cleaned_text = "stara hiša no", "Stara hiša."
    page = hand.page
    page.goto(f"/entries/{entry}")
    page.evaluate("() => { window.sameDocument = true; }")
    expect(page.locator(".prose")).to_have_text("Stara hiša.")
    hand.press(page.get_by_role("link", name="Transcription"))
    expect(page.locator(".prose")).to_have_text("stara hiša no")
    expect(page.locator(".tabs [aria-current]")).to_have_text("Transcription")
    assert page.evaluate("() => window.sameDocument") is True
    page.reload()
    expect(page.locator(".prose")).to_have_text("stara hiša no")


def reopen(context: BrowserContext, page: Page, address: str) -> Page:
    """Close the tab, and open another one."""
    page.close()
    page = context.new_page()
    page.goto(address)
    return page


def test_words_survive_a_closed_tab_until_they_are_saved_or_discarded(open_at_home: OpenBrowser) -> None:
    context = open_at_home()
    page = context.new_page()
    page.goto("/entries/new")
    page.get_by_label("Title").fill("Half a dream")
    page.get_by_label("Text").fill("and then")
    page.get_by_label("Private").check()
    wait_for_drafts(page, 1)
    page = reopen(context, page, "/entries/new")
    expect(page.get_by_label("Title")).to_have_value("Half a dream")
    expect(page.get_by_label("Private")).to_be_checked()
    expect(page.locator("form .notice")).to_contain_text("that were not saved")
    page.get_by_role("button", name="Discard them").click()
    expect(page.get_by_label("Title")).to_have_value("")
    expect(page.get_by_label("Private")).not_to_be_checked()
    wait_for_drafts(page, 0)
    page.get_by_label("Text").fill("left at once")
    page.get_by_role("link", name="Timeline").click()
    page = reopen(context, page, "/entries/new")
    expect(page.get_by_label("Text")).to_have_value("left at once")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".prose")).to_have_text("left at once")
    wait_for_drafts(page, 0)
    page.goto("/entries/new")
    expect(page.get_by_label("Text")).to_have_value("")
    expect(page.locator("form .notice")).to_have_count(0)


def test_words_survive_beside_a_file_that_no_script_can_choose_again(open_at_home: OpenBrowser) -> None:
    context = open_at_home()
    page = context.new_page()
    page.goto("/entries/new")
    page.get_by_label("Attachments").set_input_files({"name": "sea.png", "mimeType": "image/png", "buffer": PNG})
    page.get_by_label("Text").fill("I drew the sea.")
    wait_for_drafts(page, 1)
    page.close()
    page = context.new_page()
    page.goto("/entries/new")
    expect(page.get_by_label("Text")).to_have_value("I drew the sea.")
    page.get_by_role("button", name="Discard them").click()
    expect(page.get_by_label("Text")).to_have_value("")


def test_a_quick_line_survives_a_closed_tab_and_comes_once(open_at_home: OpenBrowser) -> None:
    context = open_at_home()
    page = context.new_page()
    page.goto("/")
    page.get_by_label("A line about a dream").fill("a door in the")
    wait_for_drafts(page, 1)
    page = reopen(context, page, "/")
    line = page.get_by_label("A line about a dream")
    expect(line).to_have_value("a door in the")
    line.press("Enter")
    expect(page.locator(".card-title")).to_have_text(["a door in the"])
    expect(line).to_have_value("")
    wait_for_drafts(page, 0)
    page.get_by_role("link", name="a door in the").click()
    page.go_back()
    page.reload()
    expect(line).to_have_value("")
    expect(page.locator(".card")).to_have_count(1)


def lose_the_answer(route: Route) -> None:
    """What is sent arrives, and nothing comes back, not even a cookie."""
    context = route.request.frame.page.context
    cookies = context.cookies()
    route.fetch(max_redirects=0)
    context.clear_cookies()
    context.add_cookies(cookies)  # type: ignore[arg-type]
    route.abort()


def test_words_that_go_on_after_the_answer_was_lost_are_saved_too(
    open_at_home: OpenBrowser, foreseen: list[str]
) -> None:
    foreseen += ["409", "ERR_FAILED"]
    context = open_at_home()
    page = context.new_page()
    for address, field in (("/entries/new", "Text"), ("/", "A line about a dream")):
        page.goto(address)
        page.get_by_label(field).fill("a lake")
        page.route("**/entries", lose_the_answer, times=1)
        with page.expect_event("requestfailed"):
            page.get_by_role("button", name="Save").click()
        page = reopen(context, page, address)
        expect(page.get_by_label(field)).to_have_value("a lake")
        page.get_by_label(field).fill("a lake, and a boat")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("alert")).to_contain_text("An entry was already made of this form")
        wait_for_drafts(page, 1)
        page.get_by_role("button", name="Save").click()
        expect(page.locator(".prose")).to_have_text("a lake, and a boat")
        wait_for_drafts(page, 0)
    page.goto("/")
    expect(page.locator(".card")).to_have_count(4)


def test_what_is_written_after_words_were_discarded_is_a_new_entry(
    open_at_home: OpenBrowser, foreseen: list[str]
) -> None:
    foreseen.append("ERR_FAILED")
    context = open_at_home()
    page = context.new_page()
    page.goto("/entries/new")
    page.get_by_label("Text").fill("a lake")
    page.route("**/entries", lose_the_answer, times=1)
    with page.expect_event("requestfailed"):
        page.get_by_role("button", name="Save").click()
    page = reopen(context, page, "/entries/new")
    page.get_by_role("button", name="Discard them").click()
    page.get_by_label("Text").fill("a door")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".prose")).to_have_text("a door")


def test_words_of_another_account_are_not_shown(open_at_home: OpenBrowser, bor: Person, app: Flask, live: str) -> None:
    context = open_at_home()
    page = context.new_page()
    page.goto("/entries/new")
    page.get_by_label("Text").fill("only mine")
    wait_for_drafts(page, 1)
    let_in(context, app, bor, live)
    page = reopen(context, page, "/entries/new")
    expect(page.get_by_label("Text")).to_have_value("")


def test_two_tabs_do_not_overwrite_one_another(
    open_at_home: OpenBrowser, api: httpx.Client, foreseen: list[str]
) -> None:
    foreseen.append("409")
    address = f"/entries/{api.post('/entries', json={'text': 'a lake', 'mood': 'calm'}).json()['id']}"
    phone, laptop = (open_at_home().new_page() for _ in range(2))
    for page in (phone, laptop):
        page.goto(f"{address}/edit")
    phone.get_by_label("Text").fill("from the phone")
    laptop.get_by_label("Text").fill("from the laptop")
    phone.get_by_role("button", name="Save").click()
    expect(phone.locator(".prose")).to_have_text("from the phone")
    laptop.get_by_role("button", name="Save").click()
    expect(laptop.get_by_role("alert")).to_contain_text("changed on another device")
    laptop.get_by_text("What is kept now").click()
    expect(laptop.locator(".notice .prose")).to_have_text("from the phone")
    expect(laptop.get_by_label("Text")).to_have_value("from the laptop")
    expect(laptop.get_by_label("Dreamed at")).not_to_have_value("")
    laptop.get_by_role("button", name="Save").click()
    expect(laptop.locator(".prose")).to_have_text("from the laptop")
    wait_for_drafts(laptop, 0)


def test_an_old_draft_does_not_overwrite_what_was_kept_elsewhere(
    open_at_home: OpenBrowser, api: httpx.Client, foreseen: list[str]
) -> None:
    foreseen.append("409")
    address = f"/entries/{api.post('/entries', json={'text': 'a lake'}).json()['id']}"
    context = open_at_home()
    page = context.new_page()
    page.goto(f"{address}/edit")
    page.get_by_label("Text").fill("half a change")
    wait_for_drafts(page, 1)
    assert api.patch(address, json={"text": "from the phone"}).status_code == 200
    page = reopen(context, page, f"{address}/edit")
    expect(page.get_by_label("Text")).to_have_value("half a change")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("changed on another device")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".prose")).to_have_text("half a change")
