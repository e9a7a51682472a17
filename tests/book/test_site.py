"""The built site in a browser: it works alone, reads well, gives no answers away."""

import re
from html import escape, unescape
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import nbformat
import pytest

from kit.environment import ROOT
from kit.labs.make import REGION

pytestmark = pytest.mark.slow
FILE_NAME = re.compile(r"^\S+\.(png|svg|jpe?g|gif)$|^_images/")


def failing(site, wrong):
    """{page: what is wrong there} where something is."""
    return {name: found for name, seen in site.items() if (found := wrong(seen))}


def bad_words(seen):
    """Pictures without words, or with a file's name for words."""
    return [
        source
        for source, words in seen["images"]
        if not words or FILE_NAME.search(words)
    ]


def test_no_page_has_an_error(site):
    assert not failing(site, lambda seen: seen["errors"])


def test_no_page_asks_another_server(site):
    assert not failing(site, lambda seen: seen["foreign"])


def test_every_formula_is_set(site):
    unset = failing(
        site,
        lambda s: s["formulas"] != s["equations"] and (s["formulas"], s["equations"]),
    )
    assert not unset
    assert sum(seen["equations"] for seen in site.values()) > 20
    assert not failing(site, lambda seen: seen["broken"])


def test_every_view_of_a_notebook_is_drawn_without_a_kernel(site):
    assert not failing(site, lambda s: s["wanted"] != s["views"] and s["wanted"])
    assert sum(seen["views"] for seen in site.values()) >= 7


def test_every_view_moves_without_a_kernel(site):
    assert not failing(site, lambda seen: seen["moved"].count(False))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(site, theme):
    assert not failing(site, lambda seen: seen[theme])


def test_no_page_scrolls_sideways_on_a_phone(site):
    assert not failing(site, lambda seen: seen["sticks_out"] > 0 and seen["sticks_out"])


def test_every_picture_has_words(site):
    assert not failing(site, bad_words)
    assert not failing(site, lambda seen: seen["unnamed"])
    assert sum(len(seen["images"]) for seen in site.values()) > 30


def test_the_search_finds_a_word(chromium, address):
    chromium.goto(f"{address}/search.html?q=broadcasting")
    found = chromium.locator("#search-results li a").first
    found.wait_for(timeout=10_000)
    hrefs = chromium.locator("#search-results li a").evaluate_all(
        "(links) => links.map((link) => link.href)"
    )
    assert any("01_tensors" in href for href in hrefs)


def test_the_first_tab_stop_skips_to_the_text_and_shows_itself(chromium, address):
    chromium.goto(f"{address}/index.html")
    chromium.keyboard.press("Tab")
    words = chromium.evaluate("document.activeElement.textContent.trim()")
    assert words == "Skip to main content"
    chromium.wait_for_function(
        "document.activeElement.getBoundingClientRect().top >= 0", timeout=2000
    )


class Links(HTMLParser):
    """The ids of a page, where it links to, and what it loads."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.loaded = {""}, [], []
        self.feed(text)

    def handle_starttag(self, tag, pairs):
        given = dict(pairs)
        self.ids |= {given.get("id"), given.get("name") if tag == "a" else None}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag in ("script", "img", "iframe", "source") and given.get("src"):
            self.loaded.append(given["src"])
        if tag == "link" and "stylesheet" in given.get("rel", ""):
            self.loaded.append(given["href"])


def parsed(folder):
    """{path of a page: its Links}."""
    return {
        path: Links(path.read_text(encoding="utf-8"))
        for path in folder.resolve().rglob("*.html")
        if path.relative_to(folder.resolve()).parts[0] != "_static"
    }


def dead(folder):
    """(page, link) for each link to a page, a file or an anchor that is not there."""
    pages = parsed(folder)
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (
                (path.parent / unquote(parts.path)).resolve() if parts.path else path
            )
            anchor = unquote(parts.fragment)
            known = pages[target].ids if target in pages else {""}
            if not target.is_file() or (target in pages and anchor not in known):
                yield path.name, link


def test_no_link_inside_the_site_is_dead(html):
    assert list(dead(html)) == []


def test_no_page_names_a_script_or_style_of_another_server(html):
    loads = ((p.name, url) for p, page in parsed(html).items() for url in page.loaded)
    assert [pair for pair in loads if urlsplit(pair[1]).netloc] == []


def test_every_notebook_has_four_ways_to_run_it(html):
    for path in (html / "notebooks").glob("*.html"):
        text, name = path.read_text("utf-8"), f"notebooks/{path.stem}.ipynb"
        links = Links(text).links
        for host in ("mybinder.org", "colab.research.google.com", "codespaces.new"):
            assert any(host in link for link in links), (path.name, host)
        assert any(host_and_file(link, name) for link in links), path.name
        assert "python3 -m kit learn" in text


def host_and_file(link, name):
    return "mybinder.org" in link and link.endswith(f"lab/tree/{name}")


def answers():
    """Neighbouring lines of the solutions, but for what the open library has, too."""
    sources = (p for end in ("py", "cu") for p in ROOT.glob(f"minidl/**/*.{end}"))
    library = " ".join(p.read_text("utf-8") for p in sources)
    return {pair for pair in pairs() if pair not in " ".join(library.split())}


def pairs():
    """Pairs of neighbouring lines of the solutions, blanks made one."""
    for path in (ROOT / "solutions").glob("*.py"):
        for region in REGION.finditer(path.read_text(encoding="utf-8")):
            lines = [line.strip() for line in region[0].splitlines()[1:-1]]
            lines = [line for line in lines if line and not line.startswith("#")]
            two = (" ".join(pair) for pair in zip(lines, lines[1:]))
            yield from (words for words in two if len(words) > 40)


def plain(path):
    """What a reader can copy from a page or a notebook, blanks made one."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        text = "\n".join(cell.source for cell in nbformat.reads(text, 4).cells)
    else:
        text = unescape(re.sub(r"<[^>]*>", "", text))
    return " ".join(text.split())


def given_away(folder):
    """(file, lines of an answer) for each that stands below `folder`."""
    wanted = answers()
    files = (p for p in folder.rglob("*") if p.suffix in (".html", ".ipynb", ".txt"))
    texts = {path.name: plain(path) for path in files}
    return {(name, a) for name, text in texts.items() for a in wanted if a in text}


def test_no_page_has_an_answer(html):
    assert len(answers()) > 20
    assert not given_away(html)


def test_an_answer_in_a_page_or_a_notebook_is_seen(tmp_path):
    source = (ROOT / "solutions" / "lab01_tensors.py").read_text(encoding="utf-8")
    page = "".join(f"<span>{escape(line)}</span>\n" for line in source.splitlines())
    (tmp_path / "lab.html").write_text(page, encoding="utf-8")
    cells = [nbformat.v4.new_code_cell(source)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "lab.ipynb")
    assert {name for name, _ in given_away(tmp_path)} == {"lab.html", "lab.ipynb"}


def test_every_public_name_of_the_library_is_in_the_reference(html):
    import minidl

    pages = " ".join(p.read_text("utf-8") for p in (html / "api").glob("*.html"))
    things = {name: getattr(minidl, name) for name in dir(minidl) if name[0] != "_"}
    here = {
        name: f"{thing.__module__}.{thing.__qualname__}"
        for name, thing in things.items()
        if getattr(thing, "__module__", "").startswith("minidl.")
        and hasattr(thing, "__qualname__")
    }
    assert len(here) > 20
    assert [name for name, full in here.items() if f'id="{full}"' not in pages] == []


MISTAKES = {  # a body of a page, and the fact that must tell of it
    '<script src="https://cdn.example.org/x.js"></script>': lambda s: s["foreign"],
    '<p>A picture: <img src="data:image/png;base64,">': bad_words,
    '<img alt="_images/42.png" src="data:image/png;base64,">': bad_words,
    "<svg></svg>": lambda seen: seen["unnamed"],
    "<script>undefined_name()</script>": lambda seen: seen["errors"],
    '<div style="width: 2000px">wide</div>': lambda seen: seen["sticks_out"] > 0,
    '<p style="color: #ddd; background: #fff">pale</p>': lambda seen: seen["light"],
    '<div class="minidl-view"><div class="map">still</div>'
    '<input type="range" max="3" aria-label="x"></div>': lambda s: False in s["moved"],
}  # fmt: skip


@pytest.mark.parametrize("body", MISTAKES, ids=lambda body: body[:24])
def test_a_planted_mistake_is_seen(planted, body):
    assert MISTAKES[body](planted(body))


def test_a_dead_link_and_a_missing_anchor_are_seen(tmp_path):
    (tmp_path / "a.html").write_text('<a href="b.html">b</a><a href="#no">no</a>')
    (tmp_path / "c.html").write_text('<p id="x"><a href="a.html">a</a><a href="#x">')
    assert sorted(dead(tmp_path)) == [("a.html", "#no"), ("a.html", "b.html")]
