"""Names that students and platforms give, made safe: for files, tables and the eye."""

import hashlib
import re
import unicodedata

from ..labs import plain

RESERVED = {"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt")
                                           for n in range(10))}  # fmt: skip


def label(text):
    """A name as a person may read it: one line, no control characters."""
    return " ".join(plain.clean(text, 100).split()) or "(no name)"


def key(text):
    """A file name for a name, the same on every run, safe on every system.

    A name that is one already stays; any other has a sum of itself at its end, so that
    no two names meet.
    """
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    plain_text = re.sub(r"[^a-z0-9]+", "-", ascii_text.lower()).strip("-")[:40]
    if plain_text and plain_text == text and text not in RESERVED:
        return text
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    return f"{plain_text or 'student'}-{mark}"


def cell(value):
    """A value for a table: a text that a spreadsheet would take for a formula has an
    apostrophe in front."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value


def folded(text):
    """For comparing names: without case, and in one of Unicode's forms."""
    return unicodedata.normalize("NFC", label(text)).casefold()
