"""Directives of the site's pages: what they show is made from the code as it is.

`{quote} minidl.framework.op.apply` shows that source, as the chapters do;
`{generated} labs` is one of the tables in listings.py. In a line, {chapter}`2` and
{titled}`2` name a chapter: a link where it is there, "planned" where it is not.
"""

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.util.docutils import SphinxDirective, SphinxRole

from .. import chapters
from ..environment import ROOT
from ..quote import file_of, quote
from .listings import LISTINGS


class Quote(SphinxDirective):
    """The source of something by its dotted name, below a link to its reference."""

    required_arguments = 1

    def run(self):
        name = self.arguments[0]
        try:
            source = quote(name)
        except LookupError as error:
            raise self.error(f"quote: {error}") from None
        path, members = file_of(name.split("."))
        self.env.note_dependency(str(path))
        code = nodes.literal_block(source, source, language="python")
        return [self.caption(name, ".".join(members)), code]

    def caption(self, name, inside):
        """A line such as `pull in minidl.framework.tape`, with what links there are."""
        module = name.removesuffix(f".{inside}")
        parts = [self.link("obj", name, inside), nodes.Text(" in ")] if inside else []
        parts += [self.link("mod", module, module)]
        return nodes.paragraph("", "", *parts, classes=["quoted"])

    def link(self, kind, target, words):
        return pending_xref(
            "", nodes.literal(words, words), refdomain="py", reftype=kind,
            reftarget=target, refexplicit=True, refwarn=False, refdoc=self.env.docname,
        )  # fmt: skip


class Generated(SphinxDirective):
    """A table by its name in LISTINGS, as Markdown that is read here."""

    required_arguments = 1

    def run(self):
        name = self.arguments[0]
        if name not in LISTINGS:
            raise self.error(f"generated: no {name!r}; there is {', '.join(LISTINGS)}")
        self.env.note_reread()
        return self.parse_text_to_nodes(LISTINGS[name]())


class Chapter(SphinxRole):
    """A chapter by its number, in one of two ways to name it."""

    def __init__(self, words):
        super().__init__()
        self.words = words

    def run(self):
        known = {str(chapter["number"]): chapter for chapter in chapters.chapters()}
        if self.text not in known:
            words = f"{self.rawtext}: the manifest has no such chapter"
            return [], [self.inliner.reporter.error(words, line=self.lineno)]
        chapter = known[self.text]
        words = self.words.format(**chapter)
        if not chapter["ready"]:
            return [nodes.inline("", f"{words}, planned")], []
        path = chapters.notebook_path(chapter).relative_to(ROOT)
        target = f"/{path.with_suffix('').as_posix()}"
        link = pending_xref(
            "", nodes.inline("", words), refdomain="std", reftype="doc", refwarn=True,
            reftarget=target, refexplicit=True, refdoc=self.env.docname,
        )  # fmt: skip
        return [link], []


def setup(app):
    app.add_directive("quote", Quote)
    app.add_directive("generated", Generated)
    app.add_role("chapter", Chapter("chapter {number}"))
    app.add_role("titled", Chapter("{number:02d} {title}"))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
