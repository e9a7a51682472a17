"""Which submissions share code: fingerprints of their tokens, compared pair by pair.

Names, numbers and strings all count as one of their kind, so that renaming hides
nothing; comments and layout don't count. A string that holds a program, such as a CUDA
kernel, counts by its own tokens. Of the sums of all runs of RUN tokens, the
smallest in each window is a fingerprint, so that any shared run of RUN + WINDOW - 1
tokens shares one (winnowing: Schleimer, Wilkerson & Aiken, 2003). What the course gives
is taken off. Sharing is no proof: short answers to one question resemble each other.
"""

import io
import keyword
import re
import tokenize
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from zlib import crc32

RUN, WINDOW = 16, 6
FEWEST = 12  # fingerprints that a submission must have to be compared
THRESHOLD = 0.6  # of the fingerprints of the one that has fewer
KINDS = {tokenize.NAME: "name", tokenize.NUMBER: "number", tokenize.STRING: "string",
         tokenize.OP: None, tokenize.NEWLINE: "\n"}  # fmt: skip
WORD = re.compile(r"(?P<name>[A-Za-z_]\w*)|(?P<number>\d[\w.]*)|(?P<mark>[^\w\s])")


@dataclass(frozen=True)
class Pair:
    first: object  # a Graded
    second: object
    shared: float  # share of the fingerprints of the smaller, 0 to 1
    cells: tuple  # ((number, source) of first, the same of second) that share most


def pairs(gradeds, given=()):
    """The Pairs of one lab above the threshold, most alike first.

    `given` are sources that all students were handed.
    """
    known = frozenset().union(*(all_runs(source) for source in given))
    prints = [(g, fingerprints(g, known)) for g in gradeds]
    prints = [(g, found) for g, found in prints if len(found) >= FEWEST]
    alike = []
    for (a, first), (b, second) in combinations(prints, 2):
        shared = len(first & second) / min(len(first), len(second))
        if shared >= THRESHOLD:
            alike.append(Pair(a, b, shared, tuple(beside(a, b, first & second))))
    return sorted(alike, key=lambda pair: -pair.shared)


def fingerprints(graded, known):
    found = [winnowed(runs(source)) for _, source in graded.cells]
    return frozenset().union(*found) - known


def winnowed(sums):
    """The smallest sum in each window."""
    windows = max(len(sums) - WINDOW + 1, 1 if sums else 0)
    return {min(sums[i : i + WINDOW]) for i in range(windows)}


def all_runs(source):
    return frozenset(runs(source))


@cache
def runs(source):
    """The sum of each run of RUN tokens, in order."""
    words = tokens(source)
    starts = range(max(len(words) - RUN + 1, 0))
    return tuple(crc32(" ".join(words[i : i + RUN]).encode()) for i in starts)


def tokens(source):
    """The words of a source with names, numbers and strings made alike.

    Of a source that is no Python, those up to where it breaks.
    """
    words = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.STRING and ";\n" in token.string:
                words += inner_tokens(token.string)
            elif token.type in KINDS:
                fixed = keyword.iskeyword(token.string) or token.type == tokenize.OP
                words.append(token.string if fixed else KINDS[token.type])
    except (tokenize.TokenError, SyntaxError):
        pass
    return words


def inner_tokens(text):
    """The same of a program in a string, in a language like C."""
    for match in WORD.finditer(re.sub(r"//.*", "", text)):
        word, kind = match[0], match.lastgroup
        yield word if kind == "mark" or keyword.iskeyword(word) else kind


def beside(a, b, shared):
    """For each cell of `a` that shares fingerprints, it and the nearest of `b`."""
    for number, source in a.cells:
        mine = shared.intersection(runs(source))
        if mine:
            near = max(b.cells, key=lambda cell: len(mine & all_runs(cell[1])))
            yield (number, source), near
