"""Words for the pictures of a notebook, taken from what the notebook has.

An SVG brings its title. Of a figure that matplotlib drew, the code names the title and
the axes; where it gives no title, the text above says what is seen.
"""

import ast
import re
from html import escape
from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"
STATE = "application/vnd.jupyter.widget-state+json"
PICTURES = ("image/png", "image/svg+xml")


def pictures(notebook):
    """{number of a cell: the words for each of its pictures, in order}."""
    found, text = {}, ""
    for i, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            text = cell.source
        shown = [o.data for o in cell.get("outputs", []) if "data" in o]
        shown = [data for data in shown if set(PICTURES) & set(data)]
        if shown:
            said = figures(cell.source, len(shown), text)
            found[i] = [svg_words(d) or words for d, words in zip(shown, said)]
    return found


def svg_words(data):
    """The title of an SVG, and its description."""
    if "image/svg+xml" not in data:
        return None
    root = ElementTree.fromstring(data["image/svg+xml"])
    parts = [root.findtext(f"{SVG}{name}") for name in ("title", "desc")]
    return sentence(". ".join(part.rstrip(".") for part in parts if part))


def figures(source, count, text):
    """Words for `count` figures that `source` draws below `text`."""
    drawn = [call for call in calls(source) if name_of(call) == "images"]
    if count > 1 and len(drawn) == count:
        return [sentence(of_images(call)) or last_words(text) for call in drawn]
    said = of_images(drawn[0]) if drawn else of_axes(source)
    return [sentence(said) or last_words(text)] * count


def calls(source):
    tree = ast.walk(ast.parse(source))
    return sorted((n for n in tree if isinstance(n, ast.Call)), key=lambda n: n.lineno)


def name_of(call):
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def of_images(call):
    """The title and the constant captions of a call of `dl.tools.images`."""
    given = {word.arg: word.value for word in call.keywords}
    captions = call.args[1] if len(call.args) > 1 else given.get("captions")
    title = constant(given.get("title"))
    listed = [constant(item) for item in getattr(captions, "elts", [])]
    told = [title] if title else ["Pictures, from the left"] if any(listed) else []
    return ": ".join([*told, *[", ".join(filter(None, listed))][: any(listed)]])


def of_axes(source):
    """The title of a figure and what its axes show."""
    tree = ast.parse(source)
    named = {
        getattr(node.targets[0], "id", ""): node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
    }
    said = {}
    for call in calls(source):
        label = name_of(call).removeprefix("set_")
        pairs = [(label, call.args[0])] if call.args else []
        pairs += [(k.arg, k.value) for k in call.keywords if name_of(call) == "set"]
        for key, value in pairs:
            value = named.get(getattr(value, "id", None), value)
            said.setdefault(key, constant(value))
    title = said.get("suptitle") or said.get("title")
    axes = [said[key] for key in ("ylabel", "xlabel") if said.get(key)]
    return title and ": ".join([title, *[" against ".join(axes)][: len(axes)]])


def constant(node):
    """The text of a string in the code; a value set into it is left out."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(constant(part) or "…" for part in node.values)
    return None


def last_words(text):
    """The last paragraph of Markdown that asks nothing of the reader, plain."""
    blocks = [block.strip() for block in re.split(r"\n\s*\n", text) if block.strip()]
    told = [block.split("**Predict")[0] for block in blocks]
    told = [block for block in told if block and block[0] not in "#`|:"]
    plain = re.sub(r"[*`$\\{}]", "", " ".join((told or blocks or [""])[-1].split()))
    return sentence(plain.strip())


def sentence(words):
    """`words` as one sentence, or None."""
    return words and f"{words.rstrip('.')}."


def name_frames(notebook):
    """Gives each frame of a player, where it has no title, its caption as its name."""
    widgets = notebook.metadata.get("widgets", {}).get(STATE, {"state": {}})
    for model in widgets["state"].values():
        state = model["state"]
        if "frames" in state:
            pairs = zip(state["frames"], state["captions"], strict=True)
            state["frames"] = [named(frame, caption) for frame, caption in pairs]


def named(frame, caption):
    if "<title" in frame:
        return frame
    return frame.replace("<svg", f'<svg role="img" aria-label="{escape(caption)}"', 1)
