"""Datasets, collating, splitting and samplers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import Squares

import minidl as dl
from minidl.experience.data.samplers import stream

KEY = (7, 3)


def values(batch):
    return [part.tolist() for part in batch]


# ---- datasets


def test_rows_of_tensors_are_their_single_rows_stacked(rng):
    x, y = rng.random((6, 2, 3)), rng.integers(0, 9, 6)
    data = dl.data.TensorDataset(dl.from_numpy(x), y)
    a, b = data.rows(np.array([4, 0, 4]))
    assert (a.numpy() == [x[4], x[0], x[4]]).all() and a.dtype == x.dtype
    assert b.tolist() == [y[4], y[0], y[4]]
    assert all((p == q).all() for p, q in zip(data[4], (a[0], b[0])))


def test_a_batch_is_no_view_of_the_dataset():
    data = dl.data.TensorDataset(dl.zeros(4))
    (batch,) = data.rows(np.arange(4))
    batch.fill_(1)
    assert data.tensors[0].tolist() == [0] * 4


def test_a_list_is_a_dataset():
    pairs = [(i / 2, i) for i in range(5)]
    x, y = next(iter(dl.data.DataLoader(pairs, 5)))
    assert x.tolist() == [0, 0.5, 1, 1.5, 2] and x.dtype == dl.float32
    assert y.tolist() == [0, 1, 2, 3, 4] and y.dtype == dl.int64
    single = next(iter(dl.data.DataLoader([3.0, 4.0], 2, transform=np.negative)))
    assert single.tolist() == [-3, -4]


def test_collate_stacks_each_part_and_keeps_its_dtype():
    arrays = [(np.ones(2, np.float64), dl.ones(3), True, np.int8(4))] * 2
    parts = dl.data.collate(arrays)
    assert [p.shape for p in parts] == [(2, 2), (2, 3), (2,), (2,)]
    assert [str(p.dtype) for p in parts] == ["float64", "float32", "bool", "int8"]


@pytest.mark.parametrize(
    "samples, kind, words",
    [
        (
            [(np.ones(2), 0), (np.ones(2), 1), (np.ones(3), 2)],
            ValueError,
            r"part 0 of samples 0 and 2 .* \(2,\) and \(3,\)",
        ),
        ([np.ones(2), np.ones((2, 1))], ValueError, r"samples 0 and 1 .* \(2, 1\)"),
        ([(1, 2), (1, 2, 3)], ValueError, "samples 0 and 1 .* 2 and 3 parts"),
        ([(1, "a"), (2, "b")], TypeError, "part 1 of sample 0 .* 'a'"),
        ([], ValueError, "no samples"),
    ],
)
def test_samples_that_make_no_batch_are_named(samples, kind, words):
    with pytest.raises(kind, match=words):
        dl.data.collate(samples)


def test_a_dataset_without_its_methods_says_which():
    with pytest.raises(NotImplementedError, match="Dataset has no __len__"):
        len(dl.data.Dataset())


# ---- splitting


@given(st.lists(st.integers(0, 9), min_size=1, max_size=4), st.integers(0, 99))
def test_a_split_has_every_row_once(lengths, seed):
    data = Squares(sum(lengths))
    if sum(lengths) == 1:
        return  # then they are shares
    parts = dl.data.random_split(data, lengths, dl.Generator(seed))
    assert [len(part) for part in parts] == lengths
    rows = [int(part[i][1]) for part in parts for i in range(len(part))]
    assert sorted(rows) == [i * i for i in range(len(data))]


def test_shares_split_all_of_the_rows():
    parts = dl.data.random_split(Squares(11), [0.5, 0.3, 0.2])
    assert [len(part) for part in parts] == [6, 3, 2]  # 5.5, 8.8 and 11, rounded
    with pytest.raises(ValueError, match="counts whose sum is 11"):
        dl.data.random_split(Squares(11), [5, 5])
    with pytest.raises(ValueError, match="shares whose sum is 1"):
        dl.data.random_split(Squares(11), [0.5, 0.4])


def test_a_subset_of_a_subset_reads_the_rows_it_names():
    data = dl.data.TensorDataset(dl.arange(10) * 10)
    inner = dl.data.Subset(dl.data.Subset(data, [9, 8, 7, 6]), [3, 0])
    assert values(inner.rows(np.array([1, 0, 1]))) == [[90, 60, 90]]
    assert inner[0][0].item() == 60 and len(inner) == 2


# ---- samplers


@given(st.integers(0, 50), st.integers(0, 99), st.integers(0, 99))
def test_an_order_is_a_permutation_that_follows_from_its_key(n, seed, draw):
    sampler = dl.data.RandomSampler(range(n))
    order = sampler.order((seed, draw))
    assert sorted(order) == list(range(n)) and len(sampler) == n
    assert (order == dl.data.RandomSampler(range(n)).order((seed, draw))).all()


def test_the_order_is_that_of_numpys_philox():
    by_hand = np.random.Generator(np.random.Philox(key=KEY)).permutation(20)
    assert (dl.data.RandomSampler(range(20)).order(KEY) == by_hand).all()


def test_all_orders_of_three_rows_are_equally_frequent():
    sampler = dl.data.RandomSampler(range(3))
    codes = [sampler.order((0, draw)) @ [9, 3, 1] for draw in range(6000)]
    _, counts = np.unique(codes, return_counts=True)
    # chi-squared with 5 degrees of freedom: below 20.5 with probability 0.999
    assert len(counts) == 6 and ((counts - 1000) ** 2 / 1000).sum() < 20.5


def test_streams_of_one_key_differ():
    draws = [tuple(stream(KEY, number).integers(0, 2**63, 2)) for number in range(50)]
    assert len(set(draws)) == 50


def test_weights_are_the_frequencies():
    sampler = dl.data.WeightedRandomSampler([1, 0, 3], 8000)
    counts = np.bincount(sampler.order(KEY), minlength=3)
    assert counts[1] == 0 and counts.sum() == 8000 == len(sampler)
    assert abs(counts[2] - 6000) < 4 * np.sqrt(8000 * 0.75 * 0.25)


def test_without_replacement_a_row_comes_once():
    sampler = dl.data.WeightedRandomSampler([1, 5, 1, 0], 3, replacement=False)
    assert sorted(sampler.order(KEY)) == [0, 1, 2]
    loader = dl.data.DataLoader(Squares(4), 2, sampler=sampler)
    assert len(loader) == 2
    assert sorted(y for _, part in loader for y in part.tolist()) == [0, 1, 4]


@pytest.mark.parametrize(
    "arguments, words",
    [
        (([1, -1], 2), "none negative"),
        (([0, 0], 2), "not all zero"),
        (([1, 0], 2, False), "2 samples without replacement from 1 rows"),
    ],
)
def test_weights_that_say_nothing_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        dl.data.WeightedRandomSampler(*arguments)
