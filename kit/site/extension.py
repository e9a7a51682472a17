"""What our site adds to Sphinx: words for pictures, docstrings, launch buttons."""

from urllib.parse import urlsplit

from docutils import nodes
from sphinx.transforms import SphinxTransform

from .docstrings import as_rst

LEARN = "python3 -m kit learn"


class PictureWords(SphinxTransform):
    """Gives each picture of a notebook the words that its cell carries for it."""

    default_priority = 400

    def apply(self):
        for cell in self.document.findall(is_cell):
            words = iter(cell["cell_metadata"].get("alt", ()))
            for output in cell.findall(is_output):
                images = list(output.findall(nodes.image))
                said = next(words) if images else None
                for image in images:
                    image["alt"] = said


def is_cell(node):
    return isinstance(node, nodes.container) and "cell_metadata" in node


def is_output(node):
    return isinstance(node, nodes.container) and node.get("nb_element") == "mime_bundle"


def tidy_docstring(app, what, name, thing, options, lines):
    lines[:] = as_rst(lines, app.env.found_docs)


def more_ways_to_run(app, pagename, templatename, context, doctree):
    """Adds Codespaces and one's own JupyterLab to a notebook's launch buttons."""
    for group in context.get("header_buttons", ()):
        if group.get("label") == "launch-buttons":
            group["buttons"] += [codespaces(app), here(app, pagename)]


def codespaces(app):
    url = app.config.html_theme_options["repository_url"]
    return {
        "type": "link",
        "text": "Codespaces",
        "tooltip": "Launch on GitHub Codespaces",
        "icon": "fab fa-github",
        "url": f"https://codespaces.new{urlsplit(url).path}?quickstart=1",
    }


def here(app, pagename):
    return {
        "type": "link",
        "text": "JupyterLab here",
        "tooltip": f"{LEARN} opens this notebook on your machine, as {pagename}.ipynb",
        "icon": "fas fa-laptop-code",
        "url": f"{app.config.html_theme_options['repository_url']}#two-commands",
    }


def setup(app):
    app.add_transform(PictureWords)
    app.connect("autodoc-process-docstring", tidy_docstring)
    app.connect("html-page-context", more_ways_to_run, priority=502)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
