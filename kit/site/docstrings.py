"""Docstrings as reStructuredText: `x` becomes code, an indented block stays as it is.

The library's docstrings are plain text with `code` in single backticks. Of all that
reStructuredText would read into them (`*args`, `name_`, `|x|`), nothing is meant.
Chapters and arXiv papers that they name become links.
"""

import re

SPAN = re.compile(r"`([^`]+)`")
ARXIV = re.compile(r"arXiv (\d{4}\.\d{4,5})\b")
CHAPTERS = re.compile(r"[Cc]hapters? [\d, and]+")


def as_rst(lines, docs=()):
    """`lines` of plain text, in reStructuredText that shows the same.

    `docs` are the pages of the site: a chapter among them becomes a link.
    """
    out, inside = [], False
    for line in lines:
        indented = line.startswith("    ")
        if indented and not inside:
            out += ["", ".. code-block:: text", ""]
            inside = True
        elif line.strip() and not indented:
            inside = False
        out.append(line if inside else prose(line, docs))
    return out


def prose(line, docs):
    """A line, with code in code and everything else as it stands."""
    parts = SPAN.split(line)
    parts[::2] = [linked(escaped(words), docs) for words in parts[::2]]
    parts[1::2] = [f"\\ ``{code}``\\ " for code in parts[1::2]]
    return "".join(parts).replace(" \\ ``", " ``").replace("``\\  ", "`` ").strip()


def escaped(words):
    return re.sub(r"([*|\\]|_\b)", r"\\\1", words)


def linked(words, docs):
    """`words` with a link to each arXiv paper and each chapter of `docs`."""
    words = ARXIV.sub(r"`arXiv \1 <https://arxiv.org/abs/\1>`__", words)
    pages = {doc[10:12]: doc for doc in docs if re.match(r"notebooks/\d\d_", doc)}

    def link(match):
        page = pages.get(match[0].zfill(2))
        return f":doc:`{match[0]} </{page}>`" if page else match[0]

    return CHAPTERS.sub(lambda match: re.sub(r"\d+", link, match[0]), words)
