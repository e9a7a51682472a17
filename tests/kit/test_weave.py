"""Notebooks: made from their text, complete, and stale when anything changed."""

import copy

import nbformat
import pytest

from kit import chapters, notebook, quote, weave
from kit.environment import ROOT, KitError
from kit.readme import table
from minidl.experience.tools.manifest import manifest

READY = chapters.ready()


def test_chapters_are_numbered_once_each_from_zero():
    assert [c["number"] for c in chapters.chapters()] == list(range(27))


def test_ready_chapters_book_texts_and_notebooks_are_the_same_set():
    names = {chapters.stem(chapter) for chapter in READY}
    assert names == {p.stem for p in (ROOT / "book").glob("[0-9][0-9]_*.md")}
    assert names == {p.stem for p in (ROOT / "notebooks").glob("*.ipynb")}


def test_the_manifest_names_modules_and_layers_that_exist():
    layers = {layer["name"] for layer in manifest()["layer"]} | {"all"}
    for chapter in chapters.chapters():
        assert chapter["layer"] in layers
        assert bool(chapter["modules"]) == chapter["ready"]
        for name in chapter["modules"]:
            path = ROOT.joinpath(*name.split("."))
            assert path.with_suffix(".py").is_file() or path.is_dir(), name


def test_the_stack_picture_and_the_folders_agree():
    ready = {chapter["number"] for chapter in READY}
    for layer in manifest()["layer"]:
        there = any(set(part["chapters"]) & ready for part in layer["parts"])
        assert there == (ROOT / "minidl" / layer["name"]).is_dir()


@pytest.mark.parametrize("chapter", READY, ids=chapters.stem)
def test_a_notebook_has_outputs_and_follows_the_rules(chapter):
    made = nbformat.read(chapters.notebook_path(chapter), as_version=4)
    code = [cell for cell in made.cells if cell.cell_type == "code"]
    assert 15 <= len(code) <= 30
    assert all(cell.execution_count for cell in code)
    assert sum(bool(cell.outputs) for cell in code) > len(code) * 0.8
    checked = [c for c in code if "nbval-check-output" in c.metadata.get("tags", [])]
    assert len(checked) >= len(code) / 3
    prose = "\n".join(c.source for c in made.cells if c.cell_type == "markdown")
    for heading in ("## Exercises", "## What was left out", "## References"):
        assert heading in prose
    assert prose.count("Predict") >= 5
    assert any(
        "application/vnd.jupyter.widget-view+json" in output.get("data", {})
        and "image/svg+xml" in output["data"]
        for cell in code
        for output in cell.outputs
    ), "something to move, with a still picture"
    assert made.metadata.get("widgets"), "the site shows the widgets from their state"


@pytest.fixture
def changed(tmp_path, monkeypatch):
    """Chapter 2 copied to where a test may change its text and its notebook."""
    chapter = READY[2]
    text = tmp_path / "02_autodiff.md"
    made = tmp_path / "02_autodiff.ipynb"
    text.write_text(chapters.book_path(chapter).read_text("utf-8"), "utf-8")
    made.write_text(chapters.notebook_path(chapter).read_text("utf-8"), "utf-8")
    monkeypatch.setattr(chapters, "book_path", lambda chapter: text)
    monkeypatch.setattr(chapters, "notebook_path", lambda chapter: made)
    return chapter, text, made


def edit_notebook(path, change):
    made = nbformat.read(path, as_version=4)
    change(made)
    nbformat.write(made, path)


def first_code(made):
    return next(cell for cell in made.cells if cell.cell_type == "code")


def test_an_untouched_notebook_is_fresh(changed):
    assert notebook.stale(changed[0]) is None


def test_a_changed_text_makes_it_stale(changed):
    chapter, text, _ = changed
    text.write_text(text.read_text("utf-8").replace("dl.tools.stack(2)", "1"), "utf-8")
    assert "differs from its text" in notebook.stale(chapter)


def test_changed_source_that_it_quotes_makes_it_stale(changed, monkeypatch):
    monkeypatch.setattr(notebook, "quote", lambda name: "def other(): ...")
    assert "source it quotes" in notebook.stale(changed[0])


def test_a_notebook_without_outputs_is_stale(changed):
    chapter, _, path = changed

    def strip(made):
        for cell in made.cells:
            if cell.cell_type == "code":
                cell.outputs = []

    edit_notebook(path, strip)
    assert notebook.stale(chapter) == "has no outputs"
    edit_notebook(path, lambda made: first_code(made).update(execution_count=None))
    assert "never run" in notebook.stale(chapter)


@pytest.mark.slow
def test_a_failing_cell_stops_and_is_shown(changed):
    chapter, text, made = changed
    before = made.read_bytes()
    text.write_text("# T\n\n```{code-cell}\nundefined_name\n```\n", "utf-8")
    with pytest.raises(KitError, match="undefined_name"):
        notebook.make(chapter, lambda: None)
    assert made.read_bytes() == before


def test_an_output_that_names_a_folder_of_this_machine_is_refused(changed):
    chapter = changed[0]
    made = nbformat.read(chapters.notebook_path(chapter), as_version=4)
    notebook.refuse_paths(chapter, made)
    leaky = copy.deepcopy(made)
    output = nbformat.v4.new_output("stream", text=f"{ROOT}/minidl/x.py")
    first_code(leaky).outputs.append(output)
    with pytest.raises(KitError, match="a folder of this machine"):
        notebook.refuse_paths(chapter, leaky)


def test_quote_finds_functions_rows_methods_and_modules():
    assert quote.quote("minidl.framework.ops.mul").startswith("mul = elementwise(")
    assert quote.quote("minidl.framework.autodiff.backward").startswith("def backward(")
    method = quote.quote("minidl.framework.tensor.Tensor.item")
    assert method.startswith("def item(self):\n    ")
    assert quote.quote("minidl.framework.tensor.Tensor.shape").startswith("@property\n")
    assert '"""Names to devices' in quote.quote("minidl.hardware.registry")


def test_quote_finds_a_kernel_with_its_comment_and_nothing_after_it():
    found = quote.quote("minidl.runtime.kernels.cuda.reduction.reduce_shuffle")
    assert found.startswith("// The last 32 values are one warp's")
    assert found.count("__global__") == 1 and found.endswith("\n}")
    device = quote.quote("minidl.runtime.kernels.cuda.reduction.warp_sum")
    assert "__device__ float warp_sum" in device and "__global__" not in device
    with pytest.raises(LookupError, match="no kernel 'reduce_shufle'.*reduce_shuffle"):
        quote.quote("minidl.runtime.kernels.cuda.reduction.reduce_shufle")


def test_an_unknown_quote_is_named_with_what_is_near(changed):
    with pytest.raises(LookupError, match="defines no 'backwards' .*backward"):
        quote.quote("minidl.framework.autodiff.backwards")
    chapter, text, _ = changed
    text.write_text("\n\n```{quote} minidl.nothing.here\n```\n", "utf-8")
    with pytest.raises(KitError, match="02_autodiff.md, line 3: minidl.nothing.here"):
        notebook.cells(chapter)


def test_derived_files_are_checked(monkeypatch):
    assert list(weave.stale_files()) == []
    monkeypatch.setitem(weave.DERIVED, "README.md", lambda: "other")
    assert list(weave.stale_files()) == [
        ("README.md", "differs from what it is made from")
    ]


def test_the_readmes_table_says_what_is_there():
    rows = table().splitlines()[2:]
    assert len(rows) == 27
    assert sum("| ready |" in row for row in rows) == len(READY)
    assert table() in (ROOT / "README.md").read_text("utf-8")
