"""Tokenizers and token datasets, against hand-worked merges and brute force."""

import pickle
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import minidl as dl
from minidl.experience.data import tokenizers
from minidl.experience.data.tokenizers import WORDS

BPE = dl.data.BPETokenizer
ANY = st.text(st.characters())  # every code point, lone surrogates too
FEW = st.text("abc \n.", max_size=60)  # few letters: many pairs, many ties
# The words of the paper (Sennrich, Haddow & Birch, 2016), each after a space.
PAPER = " low" * 5 + " lower" * 2 + " newest" * 6 + " widest" * 3


# ---- characters


@given(ANY)
def test_characters_come_back(text):
    chars = dl.data.CharTokenizer(text)
    ids = chars.encode(text)
    assert ids.dtype == np.int64 and chars.decode(ids) == text
    assert len(chars) == len(set(text))


def test_characters_are_numbered_in_their_order():
    chars = dl.data.CharTokenizer("banana\n")
    assert chars.encode("nab\n").tolist() == [3, 1, 2, 0]
    assert chars.decode(dl.tensor([2, 1, 3])) == "ban"


@pytest.mark.parametrize("letter", ["b", "z", "\0", "\U0001f600", "\ud800"])
def test_an_unknown_character_is_named_and_placed(letter):
    chars = dl.data.CharTokenizer("ac")
    with pytest.raises(ValueError, match=f"U.{ord(letter):04X}. at position 2 .*make"):
        chars.encode(f"ac{letter}a{letter}")


# ---- byte pairs: training


def test_the_papers_words_give_the_merges_worked_by_hand():
    """Counts: es 9, st 9, we 8; es goes first by its letter, and leaves we 2.

    Then est 9; " l", lo, ow 7 each; with " l" gone, ow, then " low" 7. Of the 6s " n"
    starts lowest, ew is then below "w"+est, " new", " newest"; and so on with 3s, 2s.
    """
    merges = BPE.train(PAPER, 271).tokens()[256:]
    assert merges[:5] == ["es", "est", " l", "ow", " low"]
    assert merges[5:9] == [" n", "ew", " new", " newest"]
    assert merges[9:13] == [" w", "dest", "idest", " widest"]
    assert merges[13:] == ["er", " lower"]
    with pytest.raises(ValueError, match="272: the text has pairs for 271; ask"):
        BPE.train(PAPER, 272)


def replaced(ids, pair, new):
    """`ids` with `new` for `pair`, from the left: the slow way, to compare with."""
    for at in range(len(ids) - 1):
        if tuple(ids[at : at + 2]) == pair:
            return ids[:at] + [new] + replaced(ids[at + 2 :], pair, new)
    return ids


def words_as_bytes(text):
    return [list(w.encode("utf-8", "surrogatepass")) for w in WORDS.findall(text)]


def recounted_merges(text):
    """The merges of a trainer that counts all pairs of the text again each time."""
    words, merges = words_as_bytes(text), []
    while counts := Counter(pair for ids in words for pair in zip(ids, ids[1:])):
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        words = [replaced(ids, best, 256 + len(merges)) for ids in words]
        merges.append(best)
    return merges


@given(FEW | ANY)
def test_training_meets_recounting_all_pairs(text):
    merges = recounted_merges(text)
    assert list(BPE.train(text, 256 + len(merges)).merges) == merges


# ---- byte pairs: encoding


@given(FEW, FEW)
def test_encoding_is_the_merges_in_turn(text, other):
    bpe = BPE(recounted_merges(text))
    words = words_as_bytes(other)
    for new, pair in enumerate(bpe.merges, 256):
        words = [replaced(ids, pair, new) for ids in words]
    assert bpe.encode(other).tolist() == sum(words, [])
    assert bpe.encode(other).tolist() == sum(words, [])  # now from memory


@given(FEW, FEW)
def test_more_merges_never_give_more_tokens(text, other):
    merges = recounted_merges(text)
    counts = [len(BPE(merges[:k]).encode(other)) for k in range(len(merges) + 1)]
    assert counts == sorted(counts, reverse=True)


@given(ANY, ANY)
def test_any_string_comes_back(seen, text):
    bpe = BPE(recounted_merges(seen))
    for string in (text, seen, seen + text):
        ids = bpe.encode(string)
        assert ids.dtype == np.int64 and bpe.decode(ids) == string


AWKWARD = [
    "",
    "\0",
    "\0 a\0",
    "e\u0301",
    "\U0001f468\u200d\U0001f469",
    "\ud83d\ude00",  # two surrogates that Python keeps apart
    "\ude00\ud83d \ud800",
    "\x1c\x85\u2028\r\n\t  \u00a0 x",
    "word" * 100 + " " * 200 + "-" * 200,
]


@pytest.mark.parametrize("text", AWKWARD)
def test_an_awkward_string_comes_back(text):
    for bpe in (BPE([]), BPE.train(PAPER, 271), BPE(recounted_merges(text))):
        assert bpe.decode(bpe.encode(text)) == text
        assert len(bpe) == 256 + len(bpe.merges)


@given(ANY | FEW)
def test_words_hold_the_text_and_a_space_only_in_front(text):
    words = WORDS.findall(text)
    assert "".join(words) == text
    assert all(w.isspace() or not any(c.isspace() for c in w[1:]) for w in words)


def test_a_word_takes_along_the_space_before_it():
    assert WORDS.findall("In the\n  day, 40") == [
        *["In", " the", "\n ", " day", ",", " 40"],
    ]


def test_remembered_words_change_nothing(monkeypatch):
    train, _ = dl.data.load("text")
    first, second = train[:3000], train[2000:6000]
    bpe, fresh = (BPE.train(train[:20_000], 500) for _ in range(2))
    monkeypatch.setattr(tokenizers, "REMEMBERED", 10)
    bpe.encode(first), bpe.encode(first[::-1])
    assert (bpe.encode(second) == fresh.encode(second)).all()


def test_the_shipped_text_has_the_tokens_another_library_finds(capsys):
    """Hugging Face's tokenizers 0.23.3, given these merges, finds the same tokens."""
    train, test = dl.data.load("text")
    bpe = BPE.train(train, 1000)
    ids = bpe.encode(test)
    assert len(ids) == 33_795 and ids @ np.arange(1, 33_796) == 204_481_467_783
    assert bpe.decode(ids) == test


# ---- byte pairs: decoding and showing


@given(st.binary() | st.text().map(str.encode), st.integers(0, 9))
def test_a_cut_character_is_replaced_as_python_does(spelled, cut):
    spelled = spelled[cut:]
    text = spelled.decode("utf-8", "replace")
    assume(
        not any(
            pair[0] == 0xED and pair[1] > 0x9F for pair in zip(spelled, spelled[1:])
        )
    )
    assert BPE([]).decode(list(spelled)) == text


def test_a_surrogate_beside_a_cut_is_kept():
    ids = BPE([]).encode("\ud800\u00e9")
    assert BPE([]).decode(ids[:-1]) == "\ud800\ufffd"
    assert BPE([]).decode(ids[1:]) == "\ufffd\ufffd\u00e9"


def test_steps_show_a_word_joined_as_by_hand():
    bpe = BPE.train(PAPER, 271)
    assert [" ".join(pieces) for pieces in bpe.steps("lowest")] == [
        "l o w e s t",
        "l o w es t",
        "l o w est",
        "l ow est",
    ]
    assert bpe.steps(" lowest")[-1] == [" low", "est"]
    assert BPE([]).steps("\u00e9") == [["\\xc3", "\\xa9"]]
    with pytest.raises(ValueError, match=r"one word, found 2: \['a', ' b'\]"):
        bpe.steps("a b")


# ---- byte pairs: files


@given(ANY)
def test_a_saved_tokenizer_comes_back(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("bpe") / "tokens.json"
    bpe = BPE(recounted_merges(text))
    bpe.save(path)
    assert BPE.load(str(path)).merges == bpe.merges
    assert [file.name for file in path.parent.iterdir()] == ["tokens.json"]


def test_a_saved_tokenizer_reads_as_one_merge_a_line(tmp_path):
    BPE.train(PAPER, 258).save(tmp_path / "bpe")
    lines = (tmp_path / "bpe").read_text().splitlines()
    assert lines[1:-1] == ['[101, 115, "es"],', '[256, 116, "est"]']


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: "[1, 2]",
        lambda text: "[" * 100_000,
        lambda text: "{}",
        lambda text: text[:-9],
        lambda text: text.replace("1", "7", 1),  # another version
        lambda text: text.replace("256", "258"),  # a token that comes later
        lambda text: text.replace("256", "-1"),
        lambda text: text.replace("256", "25.6"),
        lambda text: text.replace("116", "117"),  # does not spell "est"
        lambda text: text.replace("[", "[3, "),
        lambda text: "\x89PNG",
    ],
)
def test_a_foreign_or_changed_file_is_refused(tmp_path, change):
    path = tmp_path / "tokens.json"
    BPE.train(PAPER, 258).save(path)
    path.write_text(change(path.read_text()), "latin-1")
    with pytest.raises(ValueError, match="tokens.json is not as BPETokenizer.save"):
        BPE.load(path)


def test_a_save_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "tokens.json"
    BPE.train(PAPER, 258).save(path)

    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space"):
        BPE([]).save(path)
    assert len(BPE.load(path)) == 258
    assert [file.name for file in tmp_path.iterdir()] == ["tokens.json"]


# ---- token datasets


def test_each_item_is_a_stretch_and_the_same_one_later():
    tokens = np.random.default_rng(0).integers(0, 99, 20).astype(np.uint16)
    data = dl.data.TokenDataset(tokens, 6)
    assert len(data) == 14
    for i in range(14):
        x, y = data[i]
        assert x.dtype == y.dtype == np.int64
        assert x.tolist() == tokens[i : i + 6].tolist()
        assert y.tolist() == tokens[i + 1 : i + 7].tolist()
    assert data[13][1].tolist()[-1] == tokens[-1]
    with pytest.raises(IndexError):
        data[14]


@pytest.mark.parametrize(
    "index",
    [[3, 0, 3], np.array([3, 0, 3]), slice(2, 9, 3), [-1], slice(0, 0)],
)
def test_many_items_are_their_items_stacked(index):
    data = dl.data.TokenDataset(dl.arange(30), 4)
    items = [data[int(i)] for i in np.arange(26)[index]]
    batches = [data[index], data.rows(index)]
    if not isinstance(index, slice):
        batches.append(data[dl.tensor(index)])
    for x, y in batches:
        assert x.tolist() == [item[0].tolist() for item in items]
        assert y.tolist() == [item[1].tolist() for item in items]
        assert x.shape == y.shape == (len(items), 4)


def test_items_share_no_memory_with_the_tokens():
    tokens = np.arange(9)
    x, y = dl.data.TokenDataset(tokens, 4)[0]
    x.numpy()[:] = 0
    assert y.tolist() == [1, 2, 3, 4] and tokens.tolist() == list(range(9))


def test_a_loader_gives_every_stretch_once():
    data = dl.data.TokenDataset(np.arange(11), 3)
    batches = list(dl.data.DataLoader(data, 4, shuffle=True))
    assert [x.shape for x, _ in batches] == [(4, 3), (4, 3)]
    assert sorted(x.tolist()[0] for batch, _ in batches for x in batch) == [*range(8)]
    assert all((y == x + 1).all() for x, y in batches)


# ---- mistakes

MISTAKES = [
    (lambda: BPE.train("text", 255), ValueError, "255: bytes alone are 256"),
    (lambda: BPE.train("", 257), ValueError, "257: the text has pairs for 256"),
    (lambda: BPE([(97, 256)]), ValueError, "token 256 can't join 97, 256"),
    (
        lambda: BPE([]).decode([65, 256]),
        ValueError,
        r"256 is no token; .* 0 \.\.\. 255",
    ),
    (lambda: BPE([]).decode([-1]), ValueError, "-1 is no token"),
    (lambda: BPE([]).decode([0.5]), TypeError, "integers, found float64"),
    (lambda: BPE([]).decode([[1], [2]]), ValueError, r"one row .* \(2, 1\)"),
    (lambda: dl.data.CharTokenizer("ab").decode([2]), ValueError, "2 is no token"),
    (lambda: dl.data.TokenDataset([1, 2, 3], 3), ValueError, "context 3 of 3 tokens"),
    (lambda: dl.data.TokenDataset([1, 2, 3], 0), ValueError, "at least 1"),
    (lambda: dl.data.TokenDataset([[1, 2]], 1), ValueError, r"shape \(1, 2\)"),
    (lambda: dl.data.TokenDataset([1.0, 2.0], 1), ValueError, "of float64"),
]


@pytest.mark.parametrize("wrong, error, words", MISTAKES)
def test_a_users_mistake_is_named(wrong, error, words):
    with pytest.raises(error, match=words):
        wrong()


def test_a_dataset_is_sent_without_its_windows():
    data = dl.data.TokenDataset(np.arange(1000), 100)
    sent = pickle.dumps(data)
    assert len(sent) < 2 * 8 * 1000
    assert (pickle.loads(sent)[7][0].numpy() == np.arange(7, 107)).all()
