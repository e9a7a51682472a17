"""The written pages of the site: what they make from the code, what they name."""

import contextlib
import io
import re
import sys

import pytest

import minidl as dl
from kit import chapters
from kit.environment import ROOT, KitError
from kit.labs import files
from kit.quote import quote
from kit.site import architecture, docstrings, listings

BOOK = ROOT / "book"
PAGES = [p for p in sorted(BOOK.glob("*.md")) if not p.name[0].isdigit()]
PAGES += sorted((BOOK / "api").glob("*.md"))
TEXTS = {path: path.read_text(encoding="utf-8") for path in PAGES}


# ---- the picture of the architecture


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A function that writes a package from {module: its text} and gives its name."""

    def build(name, modules):
        for module, text in {"__init__": "", **modules}.items():
            path = (tmp_path / name).joinpath(*module.split(".")).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            (path.parent / "__init__.py").touch()
            path.write_text(text, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        return name

    yield build
    for name in [m for m in sys.modules if m.split(".")[0].startswith("house_")]:
        del sys.modules[name]


def edges_of(package, order):
    graph = architecture.import_graph(package)
    return architecture.edges(graph, package, order)


def test_each_import_between_layers_is_counted_also_inside_functions(house):
    name = house(
        "house_down",
        {
            "top.a": "from ..middle import b\nfrom ..low import c",
            "top.d": "def later():\n    from ..middle import b",
            "middle.b": "from . import e",
            "middle.e": "",
            "low.c": "",
        },
    )
    found = edges_of(name, ["top", "middle", "low"])
    assert found == {("top", "middle"): 2, ("top", "low"): 1}


def test_an_import_that_goes_up_stops_the_drawing(house):
    modules = {"top.a": "", "low.c": "def later():\n    from ..top import a"}
    name = house("house_up", modules)
    with pytest.raises(KitError, match=r"house_up\.low\.c imports house_up\.top\.a"):
        architecture.drawing(name, ["top", "low"])


def test_the_layers_come_from_the_contract():
    from minidl.experience.tools.manifest import manifest

    assert architecture.layers() == [layer["name"] for layer in manifest()["layer"]]


def test_minidls_picture_has_an_arrow_for_each_pair_of_layers_that_import():
    """The witness reads the text of the imports, relative ones, with a pattern."""
    order, pairs = architecture.layers(), set()
    for path in (ROOT / "minidl").glob("*/**/*.py"):
        parts = path.relative_to(ROOT / "minidl").parts
        up = "." * len(parts)
        for line in re.findall(
            r"^\s*from (\.+)([\w.]*) import", path.read_text(), re.M
        ):
            if line[0] == up and line[1].split(".")[0] in order:
                pairs.add((parts[0], line[1].split(".")[0]))
    picture = architecture.svg()
    assert pairs == set(edges_of("minidl", order)) and pairs
    assert picture.count("marker-end") == len(pairs)
    assert all(f"{above} imports {below}, " in picture for above, below in pairs)


# ---- what is generated


def test_the_list_of_labs_has_every_part_with_its_points():
    made = listings.labs()
    for chapter in files.all_labs():
        assert f"](/labs/{files.name(chapter)}.ipynb)" in made
        for part in files.parts(chapter).values():
            assert f"| {part.name} | {part.points} | {len(part.properties)} |" in made


def test_the_list_of_operations_has_each_row_once_and_what_it_differentiates():
    made = listings.operations().splitlines()
    assert "| `mul` | x, y | x, y |  |" in made
    assert "| `relu` | x | x |  |" in made
    assert "| `where` | condition, x, y | x, y |  |" in made
    assert "| `reshape` | x | x | view |" in made
    assert "| `linear` | x, weight, bias | x, weight, bias | composition |" in made
    names = [line.split("`")[1] for line in made[2:]]
    assert len(names) == len(set(names))


def test_every_chapter_is_listed_either_as_ready_or_as_planned():
    for chapter in chapters.chapters():
        here = f"/notebooks/{chapters.stem(chapter)}.ipynb"
        planned = f"{chapter['title']} ({chapter['number']})"
        assert (here in listings.ready()) == chapter["ready"]
        assert (planned in listings.planned()) != chapter["ready"]


def test_the_size_of_a_chapter_counts_words_of_prose_and_cells_of_code(
    tmp_path, monkeypatch
):
    import nbformat
    from nbformat import v4

    cells = [v4.new_markdown_cell("one two\n\nthree"), v4.new_code_cell("a = 1")]
    path = tmp_path / "made.ipynb"
    nbformat.write(v4.new_notebook(cells=[*cells, v4.new_code_cell("b")]), path)
    monkeypatch.setattr(chapters, "notebook_path", lambda chapter: path)
    assert listings.size_of(None) == (3, 2)


@pytest.mark.parametrize(
    "plain, marked",
    [
        ("the mean of `x`", "the mean of ``x``"),
        ("the last of a `*rest`; clip_grad_ and **attrs", None),
        ("see arXiv 1412.6980)", "`arXiv 1412.6980 <https://arxiv.org/abs/1412.6980>`"),
        ("(Chapters 1 and 9.)", "(Chapters :doc:`1 </notebooks/01_tensors>` and 9.)"),
        ("2 chapters", "2 chapters"),
    ],
)
def test_a_docstring_shows_what_it_says_and_nothing_is_read_into_it(plain, marked):
    """docutils is the witness: it warns of markup that does not close."""
    from docutils.core import publish_doctree
    from docutils.parsers.rst import roles

    roles.register_local_role("doc", lambda name, raw, text, *more: ([], []))
    (made,) = docstrings.as_rst([plain], ["notebooks/01_tensors"])
    assert marked is None or marked in made
    tree = publish_doctree(
        made, settings_overrides={"report_level": 1, "halt_level": 2}
    )
    if ":doc:" not in made:
        assert tree.astext() == plain.replace("`", "")


def test_an_indented_block_of_a_docstring_keeps_its_lines():
    made = docstrings.as_rst(["The rows:", "", "    a_  *b*", "      c", "", "End."])
    assert made.index("    a_  *b*") == made.index("      c") - 1
    assert ".. code-block:: text" in made and made[-1] == "End."


# ---- what the pages name


def named(pattern):
    return [
        pytest.param(name, id=f"{path.stem}-{name}")
        for path, text in TEXTS.items()
        for name in re.findall(pattern, text)
    ]


@pytest.mark.parametrize("name", named(r"```\{quote\} (\S+)"))
def test_what_a_page_quotes_exists(name):
    assert quote(name)


@pytest.mark.parametrize(
    "name", sorted({p.values[0] for p in named(r"\{generated\} (\S+)")})
)
def test_what_a_page_has_generated_exists(name):
    assert listings.LISTINGS[name]().strip()


def test_every_chapter_that_a_page_names_is_in_the_manifest():
    known = {chapter["number"] for chapter in chapters.chapters()}
    found = named(r"\{(?:chapter|titled)\}`(\d+)`")
    assert found and {int(param.values[0]) for param in found} <= known


def test_links_to_notebooks_and_pages_lead_to_files():
    for path, text in TEXTS.items():
        for target in re.findall(r"\]\(([\w/]+\.(?:md|ipynb))[)#]", text):
            base = ROOT if target.startswith(("notebooks", "labs/")) else path.parent
            assert (base / target).is_file(), f"{path.name}: {target}"


def test_every_figure_has_words_for_those_who_do_not_see_it():
    figures = re.findall(r"```\{figure\}.*?```", "".join(TEXTS.values()), re.DOTALL)
    assert figures and all(re.search(r":alt: \w.{40}", figure) for figure in figures)


def documented():
    """{module: the names that the reference shows of it, or None for all}."""
    text = "".join(text for path, text in TEXTS.items() if path.parent.name == "api")
    found = re.findall(r"automodule:: (\S+)\n(?:   :members:(.*)\n)?", text)
    return {name: set(re.findall(r"\w+", words)) or None for name, words in found}


PUBLIC = [
    pytest.param(thing, id=f"{thing.__module__}.{thing.__name__}")
    for space in (dl, dl.nn, dl.optim, dl.data, dl.train, dl.tools)
    for name, thing in vars(space).items()
    if not name.startswith("_") and hasattr(thing, "__qualname__")
]


@pytest.mark.parametrize("thing", PUBLIC)
def test_a_public_name_has_a_docstring_and_stands_in_the_reference(thing):
    assert (thing.__doc__ or "").strip()
    shown = documented()[thing.__module__]
    assert shown is None or thing.__name__ in shown


# ---- glossary and bibliography


def entries():
    text = TEXTS[BOOK / "glossary.md"].split("```{glossary}\n")[1].split("\n```")[0]
    return [entry.split("\n") for entry in text.strip().split("\n\n")]


def test_every_term_has_a_chinese_term_a_sentence_and_a_chapter():
    for english, chinese, definition in entries():
        assert re.search(r"[\u4e00-\u9fff]", chinese), english
        assert not re.search(r"[\u4e00-\u9fff]", english + definition), english
        assert re.fullmatch(r"  .+\. \(\{chapter\}`\d+`.*\)", definition), english


def test_terms_are_sorted_and_stand_once():
    terms = [entry[0].lower() for entry in entries()]
    assert terms == sorted(set(terms)) and len(terms) >= 120


def test_every_cited_key_is_in_the_bibliography_once():
    keys = re.findall(
        r"^@\w+\{(\w+),", (BOOK / "references.bib").read_text("utf-8"), re.M
    )
    cited = [param.values[0].split(",") for param in named(r"\{cite:\w\}`([^`]+)`")]
    assert len(set(keys)) == len(keys)
    assert cited and {key for group in cited for key in group} <= set(keys)


def test_every_work_that_chapters_list_is_in_the_bibliography():
    """A work is known by the words of its title that have five letters or more."""
    books = (BOOK / "references.bib").read_text("utf-8").lower().split("\n@")
    books = [re.sub(r"[{}]", "", book) for book in books]
    for chapter in chapters.ready():
        text = chapters.book_path(chapter).read_text(encoding="utf-8")
        listed = text.partition("## References")[2]
        for title in re.findall(r"\*([^*]+)\*", listed):
            words = re.findall(r"[a-z-]{5,}", " ".join(title.lower().split()))
            found = [b for b in books if all(word in b for word in words)]
            assert found, f"{chapters.stem(chapter)}: {title}"


# ---- the example on the front page


@pytest.mark.slow
def test_the_front_pages_example_gives_what_stands_below_it():
    """Losses to 0.02: other processors add in another order."""
    text = TEXTS[BOOK / "index.md"]
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    shown = re.search(r"```text\n(.*?)```", text, re.DOTALL)[1].splitlines()
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(code, {})
    found = out.getvalue().splitlines()
    number = re.compile(r"\d+\.\d+")
    assert [number.sub("#", line) for line in found[-4:]] == [
        number.sub("#", line) for line in shown[-4:]
    ]
    pairs = zip(number.findall("".join(found)), number.findall("".join(shown)))
    assert all(abs(float(a) - float(b)) < 0.02 for a, b in pairs)
