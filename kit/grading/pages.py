"""What the pages of grading share: one file each, no script, nothing fetched."""

from html import escape

STYLE = """
:root { color-scheme: light dark; --ink: #1d2329; --paper: #fff; --soft: #5b6670;
  --line: #d5dbe0; --shade: #f4f6f8; --good: #1a6b3c; --bad: #a4262c; --bar: #4a7ab5; }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e7ea; --paper: #15191d;
  --soft: #a3adb6; --line: #3a434b; --shade: #1e2429; --good: #6fce97; --bad: #ff8e8b;
  --bar: #7ba7dc; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 60rem; color: var(--ink);
  background: var(--paper); font: 1rem/1.5 system-ui, sans-serif;
  overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; padding-top: .75rem;
  border-top: 1px solid var(--line); }
h2 small { float: right; font-weight: normal; color: var(--soft); }
p { margin: .5rem 0; }
pre { margin: .5rem 0; padding: .6rem .75rem; background: var(--shade);
  overflow-x: auto; font: .85rem/1.45 ui-monospace, monospace; border-radius: 4px; }
pre.said { white-space: pre-wrap; border-left: 3px solid var(--bad); }
ul.rules { list-style: none; padding: 0; }
ul.rules > li { margin: .4rem 0; padding-left: 3.4rem; position: relative; }
ul.rules > li > b { position: absolute; left: 0; font-size: .85rem; line-height: 1.75; }
.good { color: var(--good); } .bad { color: var(--bad); } .soft { color: var(--soft); }
details summary { cursor: pointer; color: var(--soft); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: .5rem 0; overflow-wrap: normal; }
th, td { text-align: left; vertical-align: top; padding: .25rem .9rem .25rem 0;
  border-bottom: 1px solid var(--line); }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.beside { display: grid; grid-template-columns: 1fr 1fr; gap: .75rem; }
.beside > * { min-width: 0; }
.charts { display: flex; flex-wrap: wrap; gap: 1.25rem 2rem; }
figure { margin: 0; }
svg { max-width: 100%; height: auto; } svg text { fill: currentColor; }
svg rect { fill: var(--bar); }
@media (max-width: 40rem) { .beside { grid-template-columns: 1fr; }
  h2 small { float: none; display: block; } }
"""


def page(title, *content):
    """A whole page; `content` is HTML, whose texts are escaped by who made it."""
    return "\n".join([
        "<!doctype html>", '<html lang="en">', "<head>", '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        # Nothing that a submission brings can run or be fetched, escaped or not.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">",
        f"<title>{escape(title)}</title>", f"<style>{STYLE}</style>", "</head>",
        "<body>", *content, "</body>", "</html>", "",
    ])  # fmt: skip


def element(tag, text, kind=""):
    """A text as an element: escaped."""
    attribute = f' class="{kind}"' if kind else ""
    return f"<{tag}{attribute}>{escape(str(text))}</{tag}>"


def table(head, rows):
    """A table; numbers stand to the right, and what is Html stays as it is."""
    body = ["".join(map(cell, row)) for row in rows]
    top = "".join(element("th", name) for name in head)
    lines = [f"<tr>{row}</tr>" for row in [top, *body]]
    return '<div class="wide"><table>' + "\n".join(lines) + "</table></div>"


class Html(str):
    """A text that is HTML already."""


def cell(value):
    if isinstance(value, Html):
        return f"<td>{value}</td>"
    number = isinstance(value, int | float)
    return element("td", points(value) if number else value, "number" * number)


def points(value):
    """6, 7.5, 3.33: a number without needless zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
