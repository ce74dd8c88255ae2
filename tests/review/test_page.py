"""The page of results in a browser without a network: what it draws, filters, opens, and how it fits a phone."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.support.repository import Repository

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PHONE = {"width": 360, "height": 740}  # pixels


@pytest.fixture(scope="module")
def file(whole: Repository) -> Path:
    """The page of a study on digits."""
    said = whole.run("python", "-m", "remnist.cli", "page")
    assert said.strip() == "Open page/index.html in a browser."
    return whole.folder / "page/index.html"


@pytest.fixture(scope="module")
def rows(whole: Repository) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (whole.folder / "metrics/ledger.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert path, f"none of {', '.join(BROWSERS)} on PATH; .ci/packages installs one"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def page(browser: Any, file: Path) -> Iterator[Page]:
    """The page, opened without a network; a test fails if it logs an error or asks for a file."""
    context = browser.new_context(offline=True, viewport={"width": 1200, "height": 900})
    opened, problems = context.new_page(), []
    opened.on("console", lambda message: problems.append(message.text))
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("request", lambda request: problems.append(request.url) if request.url != file.as_uri() else None)
    opened.goto(file.as_uri())
    yield opened
    context.close()
    assert problems == []


def visit(page: Page, place: str) -> None:
    page.evaluate("place => { location.hash = place; }", place)


def test_it_opens_with_the_findings(page, rows, whole):
    assert page.locator("h1:visible").all_inner_texts() == ["What was found"]
    assert page.locator(".counts b").all_inner_texts() != []
    assert sum(int(count) for count in page.locator(".counts b").all_inner_texts()) == len(rows)


def test_a_filter_leaves_the_rows_that_fit_and_its_address_can_be_shared(page, file, rows):
    page.click("nav a[href='#ledger']")
    outcome = rows[0]["outcome"]
    page.select_option("select[name=outcome]", outcome)
    fits = [row["says"] for row in rows if row["outcome"] == outcome]
    assert page.locator("tr.claim:visible .says").all_inner_texts() == fits
    assert page.locator("output").inner_text() == f"{len(fits)} of {len(rows)}"
    address = page.url
    page.click("button[type=reset]")
    page.get_by_text(f"{len(rows)} of {len(rows)}").wait_for()
    page.goto("about:blank")
    page.goto(address)
    assert page.locator("tr.claim:visible").count() == len(fits)
    assert page.input_value("select[name=outcome]") == outcome


def test_a_row_opens_by_keyboard_and_draws_each_run(page, rows):
    row = next(row for row in rows if row["is_difference"] and row["runs"] and row["runs"]["unit"] != "% of runs")
    visit(page, "ledger")
    button = page.locator(f"[id='claim/{row['id']}'] button")
    button.focus()
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-expanded") == "true"
    assert page.url.endswith(f"#claim/{row['id']}")
    details = page.locator(f"[id='details/{row['id']}']")
    details.locator("[data-chart=runs] svg").wait_for()
    values = [value for side in row["runs"]["sides"] for value in side["values"]]
    published = [side["published"] for side in row["runs"]["sides"] if side["published"] is not None]
    assert details.locator("[data-chart=runs] .mark-symbol path").count() == len(values) + len(published)
    page.keyboard.press("Enter")
    assert not details.is_visible()


def test_a_link_opens_its_row(page, rows):
    visit(page, f"claim/{rows[-1]['id']}")
    details = page.locator(f"[id='details/{rows[-1]['id']}']")
    details.wait_for()
    assert page.locator("tr.details:visible").count() == 1


def test_rows_are_sorted_up_and_down(page, rows):
    visit(page, "ledger")
    page.click("[data-sort=says]")
    first = page.locator(".says").all_inner_texts()
    assert first == sorted(first, key=str.casefold)
    page.click("[data-sort=says]")
    assert page.locator(".says").all_inner_texts() == first[::-1]
    assert page.locator("th[aria-sort=descending]").inner_text().startswith("Claim")


def test_a_variant_has_a_line_a_seed_and_part_and_all_its_charts(page, whole):
    plan = json.loads((whole.folder / "plan.json").read_text())
    name = next(iter(plan))
    page.click("nav a[href='#variants']")
    page.click(f"a[href='#variant/{name}']:visible")
    section = page.locator(f"[id='variant/{name}']")
    for chart in section.locator("[data-chart]").all():
        chart.scroll_into_view_if_needed()
        chart.locator("svg").wait_for()
    lines = section.locator("[data-chart=accuracy] .mark-line path").count()
    parts = 3 if plan[name]["data"]["validation"] else 2
    assert lines == parts * len(plan[name]["seeds"])
    assert section.locator("[data-chart=roc] .mark-line path").count() == 12
    assert section.locator("[data-chart=digits] .mark-symbol path").count() == 10 * len(plan[name]["seeds"])


def test_dark_mode_changes_ground_and_charts(page, rows):
    row = next(row for row in rows if row["difference"] and row["is_difference"])
    visit(page, f"claim/{row['id']}")
    chart = page.locator(f"[id='details/{row['id']}'] [data-chart=difference]")
    chart.locator("svg").wait_for()

    def colors() -> tuple[str, ...]:
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return ground, chart.locator(".role-axis-label text").first.get_attribute("fill")

    light = colors()
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "([chart, fill]) => document.querySelector(chart + ' .role-axis-label text')?.getAttribute('fill') !== fill",
        arg=[f"[id='details/{row['id']}'] [data-chart=difference]", light[1]],
    )
    assert all(one != other for one, other in zip(light, colors(), strict=True))


@pytest.mark.parametrize("place", ["findings", "ledger", "variants", "images", "reading", "claim", "variant"])
def test_nothing_is_wider_than_a_phone(page, rows, whole, place):
    page.set_viewport_size(PHONE)
    row = next(row for row in rows if row["difference"] and row["is_difference"])
    name = next(iter(json.loads((whole.folder / "plan.json").read_text())))
    visit(page, {"claim": f"claim/{row['id']}", "variant": f"variant/{name}"}.get(place, place))
    for chart in page.locator("[data-chart]:visible").all():
        chart.scroll_into_view_if_needed()
        chart.locator("svg").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
