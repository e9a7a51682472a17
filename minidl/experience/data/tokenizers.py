"""Tokenizers: text as integers, and back without loss. (Chapter 5.)

A tokenizer is a table of pieces of text, and a token is a row number in it. Characters
give a small table and long sequences; learned pieces give fewer tokens for a text.
`encode` takes a string to an int64 array, `decode` takes it back, `len` counts rows.
"""

import codecs
import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np

from ..files import write_whole
from ..progress import progress
from .pairs import Pairs, join


class CharTokenizer:
    """One token a character: those of `text`, in the order of their code points."""

    def __init__(self, text):
        self.letters = "".join(sorted(set(text)))
        points = code_points(self.letters)
        self.ids = np.full(max(points, default=0) + 2, -1)  # its last stays unknown
        self.ids[points] = np.arange(len(points))

    def __len__(self):
        return len(self.letters)

    def encode(self, text):
        """The tokens of `text`; ValueError where one of its characters has none."""
        points = code_points(text)
        ids = self.ids[np.minimum(points, len(self.ids) - 1)]
        if ids.size and ids.min() < 0:
            at = int((ids < 0).argmax())
            raise ValueError(
                f"encode: {text[at]!r} (U+{ord(text[at]):04X}) at position {at} is not "
                f"among the {len(self)} characters of this CharTokenizer; make it from "
                "a text that has it, or take it out"
            )
        return ids

    def decode(self, ids):
        return "".join([self.letters[i] for i in valid(ids, len(self))])


def code_points(text):
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


def valid(ids, size):
    """`ids` as a list of integers, all in 0 ... size - 1; raises where they are not."""
    ids = np.asarray(ids)
    if ids.ndim != 1:
        raise ValueError(f"decode takes one row of tokens, found shape {ids.shape}")
    if ids.size and ids.dtype.kind not in "iu":
        raise TypeError(f"decode takes integers, found {ids.dtype}")
    wrong = ids[(ids < 0) | (ids >= size)]
    if wrong.size:
        raise ValueError(f"decode: {wrong[0]} is no token; they are 0 ... {size - 1}")
    return ids.tolist()


# A word takes along the space before it. A character is of a word, white space, or a
# mark, so nothing is lost. Text without spaces is cut at 64, or it would be one word.
WORDS = re.compile(r" ?\w{1,64}| ?[^\w\s]{1,64}|\s{1,64}(?= \S)|\s{1,64}")
REMEMBERED = 1 << 16  # words whose tokens a tokenizer keeps, about
FORMAT = "minidl byte pairs 1"


class BPETokenizer:
    """Byte-pair encoding: tokens 0-255 are the bytes, each later one joins two earlier.

    `merges[k]` is the pair that token 256 + k joins. The UTF-8 bytes of a word are
    joined in that order, so every string has tokens, and none spans two words.
    (Sennrich, Haddow & Birch, 2016; from bytes: Radford et al., 2019.)
    """

    def __init__(self, merges):
        self.merges = tuple(map(tuple, merges))
        self.spelled = [bytes([i]) for i in range(256)]
        for new, (left, right) in enumerate(self.merges, 256):
            if not (0 <= left < new and 0 <= right < new):
                raise ValueError(f"token {new} can't join {left}, {right}: not earlier")
            self.spelled.append(self.spelled[left] + self.spelled[right])
        self.joined = {pair: new for new, pair in enumerate(self.merges, 256)}
        self.remembered = {}

    @classmethod
    def train(cls, text, vocabulary_size):
        """The tokenizer of `vocabulary_size` tokens learned from `text`.

        Each merge joins the pair most frequent in the words; among equals the one with
        the smaller left token, then the smaller right. Raises ValueError where the
        words have too few pairs.
        """
        if vocabulary_size < 256:
            raise ValueError(f"vocabulary_size {vocabulary_size}: bytes alone are 256")
        words, merges = Counter(WORDS.findall(text)), []
        pairs = Pairs([list(utf8(word)) for word in words], list(words.values()))
        with progress(range(256, vocabulary_size), desc="merges") as bar:
            for new in bar:
                if (pair := pairs.most_frequent()) is None:
                    raise ValueError(
                        f"vocabulary_size {vocabulary_size}: the text has pairs for "
                        f"{new}; ask for that, or train on more text"
                    )
                pairs.join(pair, new)
                merges.append(pair)
        return cls(merges)

    def __len__(self):
        return len(self.spelled)

    def encode(self, text):
        words = WORDS.findall(text)
        known = self.remembered
        ids = {w: known.get(w) or list(self.stages(w))[-1] for w in set(words)}
        if len(known) < REMEMBERED:
            known.update(ids)
        return np.array([i for word in words for i in ids[word]], np.int64)

    def decode(self, ids):
        """The text of `ids`; bytes that are no UTF-8, as after a cut, give U+FFFD."""
        spelled = b"".join([self.spelled[i] for i in valid(ids, len(self))])
        return spelled.decode("utf-8", "minidl.lenient")

    def stages(self, word):
        """The tokens of one word: its bytes, then after each merge, earliest first."""
        ids = list(utf8(word))
        yield ids
        while found := [self.joined[p] for p in pairwise(ids) if p in self.joined]:
            new = min(found)
            ids = join(ids, self.merges[new - 256], new)
            yield ids

    def steps(self, word):
        """The pieces of one word as text: its bytes, then after each merge."""
        if len(words := WORDS.findall(word)) != 1:
            raise ValueError(f"steps takes one word, found {len(words)}: {words}")
        return [[shown(self.spelled[i]) for i in ids] for ids in self.stages(word)]

    def tokens(self):
        r"""What each token spells, to read: a byte that is no text stands as \xff."""
        return [shown(spelled) for spelled in self.spelled]

    def save(self, path):
        """Writes JSON, one merge a line: [left, right, what the new token spells]."""
        rows = [[*pair, text] for pair, text in zip(self.merges, self.tokens()[256:])]
        lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        content = f'{{"format": "{FORMAT}", "merges": [\n{lines}\n]}}\n'
        write_whole(path, [content.encode()])

    @classmethod
    def load(cls, path):
        """The tokenizer that `save` wrote at `path`; ValueError for any other file."""
        try:
            content = json.loads(Path(path).read_text("utf-8"))
            rows = content["merges"]
            tokenizer = cls((left, right) for left, right, _ in rows)
            spelled = [text for _, _, text in rows]
            good = content["format"] == FORMAT and spelled == tokenizer.tokens()[256:]
        except (ValueError, KeyError, TypeError, RecursionError):
            good = False
        if not good:
            raise ValueError(
                f"{path} is not as BPETokenizer.save wrote it: it is of another kind "
                "or was changed; give a file that was saved, or train anew"
            )
        return tokenizer


def utf8(text):
    return text.encode("utf-8", "surrogatepass")


def shown(spelled):
    return spelled.decode("utf-8", "backslashreplace")


def lenient(error):
    """What to decode bad bytes to: a surrogate as itself, all else as U+FFFD."""
    try:
        return codecs.lookup_error("surrogatepass")(error)
    except UnicodeDecodeError:
        return codecs.replace_errors(error)


codecs.register_error("minidl.lenient", lenient)
