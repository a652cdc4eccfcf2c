"""The built site holds what the Markdown does: headings, code, tables, and links that lead somewhere."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest
from conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

DOCS = ROOT / "docs"
SOURCES = {path.relative_to(DOCS).as_posix(): path for path in sorted(DOCS.rglob("*.md"))}
HOME = "http://site/"
HEADINGS = {f"h{level}" for level in range(1, 7)}
LOADED = {"script": "src", "img": "src", "link": "href"}  # what a browser fetches to show a page
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


class Content(HTMLParser):
    """What a page holds: headings of the article, counts of elements, ids, and addresses."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings: list[tuple[str, str]] = []
        self.count: dict[str, int] = {}
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self._heading = ""
        self._skip = False
        self._article = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._article = self._article or tag == "article"
        if self._article:
            self.count[tag] = self.count.get(tag, 0) + 1
        self.ids |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in LOADED and given.get("rel") not in ("canonical", "prev", "next") and LOADED[tag] in given:
            self.loaded.append(given[LOADED[tag]])
        if tag in HEADINGS and self._article:
            self._heading = tag
            self.headings.append((tag, ""))
        self._skip = given.get("class") == "headerlink"

    def handle_endtag(self, tag: str) -> None:
        self._skip = self._skip and tag != "a"
        if tag == "article":
            self._article = False
        if tag == self._heading:
            self._heading = ""

    def handle_data(self, data: str) -> None:
        if self._heading and not self._skip:
            tag, text = self.headings[-1]
            self.headings[-1] = (tag, text + data)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Content]:
    """Every page of the built site by its address; built once, whichever worker asks first."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "site"
    with open(f"{folder}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            build(folder)
    return {
        HOME + path.relative_to(folder).as_posix().removesuffix("index.html"): Content(path.read_text("utf-8"))
        for path in sorted(folder.rglob("*.html"))
        if path.name != "404.html"
    } | {
        HOME + path.relative_to(folder).as_posix(): Content("")
        for path in folder.rglob("*.*")
        if path.suffix != ".html"
    }


def build(folder: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-f", ".mkdocs.yml", "-d", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def address(name: str) -> str:
    return HOME + re.sub(r"(^|/)index/$", r"\1", name.removesuffix(".md") + "/")


def plain(heading: str) -> str:
    """A heading of Markdown as its words."""
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "").strip()


def headings(text: str) -> list[tuple[str, str]]:
    rows = re.findall(r"^(#{1,6}) +(.*)$", FENCE.sub("", text), re.MULTILINE)
    return [(f"h{len(marks)}", plain(words)) for marks, words in rows]


def test_headings_are_those_of_the_markdown(site: dict[str, Content]) -> None:
    for name, path in SOURCES.items():
        shown = [(tag, plain(words)) for tag, words in site[address(name)].headings]
        assert shown == headings(path.read_text("utf-8")), name


def test_code_and_tables_are_those_of_the_markdown(site: dict[str, Content]) -> None:
    for name, path in SOURCES.items():
        text = path.read_text("utf-8")
        fences = FENCE.findall(text)
        math = sum(fence.startswith("```math\n") for fence in fences)
        tables = len(re.findall(r"^\|[-:| ]+\|$", FENCE.sub("", text), re.MULTILINE))
        counted = site[address(name)].count
        assert (counted.get("pre", 0), counted.get("math", 0)) == (len(fences) - math, math), name
        assert counted.get("table", 0) == tables, name


def test_every_link_and_anchor_leads_somewhere(site: dict[str, Content]) -> None:
    broken = []
    for place, page in site.items():
        for link in (*page.links, *page.loaded):
            target, anchor = urldefrag(unquote(urljoin(place, link)))
            if not target.startswith(HOME):
                continue
            if target not in site or (anchor and anchor not in site[target].ids):
                broken.append(f"{place}: {link}")
    assert broken == []


def test_a_page_loads_nothing_from_elsewhere(site: dict[str, Content]) -> None:
    elsewhere = {
        link
        for place, page in site.items()
        for link in page.loaded
        if not link.startswith("data:") and urlsplit(urljoin(place, link)).netloc != "site"
    }
    assert elsewhere == set()


def test_the_gallery_leads_to_explorer_pages(site: dict[str, Content]) -> None:
    source = SOURCES["explore.md"].read_text("utf-8")
    listed = re.findall(r"^\* `convcost explore .* -o (explore/\w+\.html)`$", source, re.MULTILINE)
    assert len(listed) >= 7
    linked = {urljoin(address("explore.md"), link) for link in site[address("explore.md")].links}
    for name in listed:
        assert HOME + name in linked
        assert {"status", "bars-0", "memory-0"} <= site[HOME + name].ids


def test_every_bundled_spec_has_its_page_and_the_catalogue_leads_to_it(site: dict[str, Content]) -> None:
    catalogue = {urljoin(address("catalogue.md"), link) for link in site[address("catalogue.md")].links}
    specs = [
        address(path.relative_to(ROOT).as_posix().replace(".yaml", ".md")) for path in (ROOT / "specs").rglob("*.yaml")
    ]
    assert len(specs) > 100
    assert set(specs) <= set(site)
    linked = [place for place in specs if place in catalogue]
    assert len(linked) >= 140


def test_the_landing_page_shows_a_model_a_table_and_a_formula(site: dict[str, Content]) -> None:
    home = site[HOME]
    assert [words for tag, words in home.headings][:4] == ["convcost", "A model in", "A table out", "And a formula"]
    assert home.count["math"] == 1
    assert home.count["pre"] >= 3
    for page in ("quickstart.md", "tour.md", "language.md", "zh/quickstart.md", "zh/tour.md"):
        assert address(page) in {urljoin(HOME, link) for link in home.links}, page


def test_every_page_is_reached_from_the_landing_page(site: dict[str, Content]) -> None:
    reached, waiting = set(), [HOME]
    while waiting:
        place = waiting.pop()
        if place in reached:
            continue
        reached.add(place)
        waiting += [target for link in site[place].links if (target := urldefrag(urljoin(place, link))[0]) in site]
    assert {address(name) for name in SOURCES} <= reached


def test_readers_choose_light_or_dark(site: dict[str, Content]) -> None:
    assert {"__palette_0", "__palette_1", "__palette_2"} <= site[HOME].ids
