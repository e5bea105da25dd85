"""The page in a real browser: it loads without a complaint, sorts, filters, opens rows, runs and problems."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.boards.page import page
from harness.boards.ranking import rank
from harness.provers.stored_tree import TreeStore
from harness.types import Problem
from tests.boards.making import board, statements, sweep
from tests.provers.test_best_first import GOOD, TRAP
from tests.provers.test_stored_trees import searched

webdriver = pytest.importorskip("selenium.webdriver", reason="pip install selenium")
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="apt-get install chromium chromium-driver"),
    pytest.mark.xdist_group("browser"),
]
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,1000",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "board.html"
    runs = sweep()
    tree, _, _ = searched(TRAP, 0.0, GOOD)
    TreeStore(path.parent)(Problem("p001", "toy", "test", "", "theorem p1 : True", "p1"), 0, tree)
    runs[0] = dataclasses.replace(runs[0], folder=path.parent)
    path.write_text(page(rank(board(), runs), "2026-01-01", statements), encoding="utf-8")
    return path.as_uri()


def script(browser: Any, text: str) -> Any:
    return browser.execute_script(text)


def until(holds: Callable[[], Any]) -> Any:
    """What `holds` gives once it is true; a browser on a busy machine takes its time."""
    end = time.monotonic() + 300
    while not (found := holds()):
        assert time.monotonic() < end, "nothing came of it"
        time.sleep(0.05)
    return found


def names(browser: Any) -> list[str]:
    rows = 'document.querySelectorAll("main tbody tr:not([hidden])")'
    return list(script(browser, f"return [...{rows}].map((row) => row.cells[2].textContent)"))


def press(browser: Any, key: str) -> None:
    browser.switch_to.active_element.send_keys(key)


def test_it_loads_and_draws_every_chart_without_a_complaint(browser: Any, address: str) -> None:
    browser.get(address)
    charts = script(browser, 'return document.querySelectorAll(".chart").length')
    assert charts == 7

    def drawn() -> bool:
        script(browser, 'document.querySelector(".chart:not([data-drawn])")?.scrollIntoView()')
        return bool(script(browser, 'return document.querySelectorAll(".chart svg.marks").length >= 7'))

    until(drawn)
    assert script(browser, 'return document.querySelectorAll(".chart svg.marks").length') == charts
    assert [line for line in browser.get_log("browser") if line["level"] in ("SEVERE", "WARNING")] == []
    assert script(browser, "return performance.getEntriesByType('resource').length") == 0, (
        "nothing is fetched"
    )


def test_it_sorts_with_unranked_rows_below(browser: Any, address: str) -> None:
    browser.get(address)
    ranked = ["alpha 0.25", "alpha 0.5", "alpha 1", "alpha 0.75"]
    assert [name.split(",")[0] for name in names(browser)] == ranked
    head = (
        "[...document.querySelectorAll('th button')].find((one) => one.textContent === 'solved in 4 tries')"
    )
    script(browser, f"{head}.click()")
    assert [name.split(",")[0] for name in names(browser)] == ranked
    script(browser, f"{head}.click()")
    assert [name.split(",")[0] for name in names(browser)] == [
        "alpha 1",
        "alpha 0.5",
        "alpha 0.25",
        "alpha 0.75",
    ]
    assert script(browser, f"return {head}.parentNode.ariaSort") == "ascending"


def test_it_filters_and_opens_seeds_by_keyboard(browser: Any, address: str) -> None:
    browser.get(address)
    press(browser, "/")
    press(browser, "alpha 0.5")
    assert len(names(browser)) == 1
    assert script(browser, "return document.getElementById('count').textContent") == "1 of 4 rows"
    press(browser, "\ue007")  # Enter goes to the first row
    press(browser, "\ue007")  # and opens it
    assert [name.rsplit(", ", 1)[1] for name in names(browser)][1:] == ["seed 0", "seed 1"]


def test_a_run_has_a_filter_of_its_own(browser: Any, address: str) -> None:
    browser.get(address)
    press(browser, "/")
    press(browser, "alpha 0.25")
    script(browser, "location.hash = '#run/a0.25-0'")
    rows = "return document.querySelectorAll('article tbody tr:not([hidden])').length"
    assert until(lambda: script(browser, rows)) == 12
    press(browser, "/")
    press(browser, "rejected")
    assert script(browser, rows) == 2
    assert script(browser, "return document.getElementById('count').textContent") == "2 of 12 rows"
    script(browser, "history.back()")
    until(lambda: script(browser, "return !document.querySelector('main').hidden"))
    assert len(names(browser)) == 1


def test_it_opens_a_run_and_a_problem_and_shows_nasty_texts_as_text(browser: Any, address: str) -> None:
    browser.get(f"{address}#run/a0.25-0")
    until(lambda: script(browser, "return document.querySelectorAll('article tbody tr').length") == 12)
    assert script(browser, "return document.querySelector('main').hidden")
    browser.get(f"{address}#run/a0.25-0/p001")
    text = until(lambda: script(browser, "return document.querySelector('article pre')?.textContent"))
    assert text.startswith("theorem p1 : True -- <script>alert(1)</script>\\u001b[31m")
    article = str(script(browser, "return document.querySelector('article').textContent"))
    assert "proved sample 0: ok (2 expansions" in article and "intro h\nexact h" in article
    assert "The same problem in other runs" in article
    script(browser, "document.querySelector('article .tree summary').click()")
    lines = "return [...document.querySelectorAll('article .branches summary')].map((one) => one.textContent)"
    tree = until(lambda: script(browser, lines))
    assert tree[0].startswith("start priority") and tree[-1] == "finish QED"
    assert script(browser, "return document.querySelectorAll('article .branches .proof').length") == 3
    assert script(browser, "return document.querySelectorAll('article script').length") == 0
    script(browser, "document.querySelector('article a').click()")
    until(lambda: script(browser, "return !document.querySelector('main').hidden"))


def test_it_fits_a_phone_and_follows_the_system_into_the_dark(browser: Any, address: str) -> None:
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    try:
        browser.get(address)
        assert script(browser, "return document.documentElement.scrollWidth <= 390"), "tables scroll inside"
        back = "return getComputedStyle(document.body).backgroundColor"
        assert script(browser, back) == "rgb(22, 24, 28)"
        script(browser, "document.getElementById('theme').click()")
        assert script(browser, back) == "rgb(255, 255, 255)"
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
