"""DataLoader: what comes, in which order, and going on where it stopped."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import Squares, labels, noisy, pulled

import minidl as dl

DataLoader = dl.data.DataLoader
sizes = st.integers(0, 40), st.integers(1, 12)


# ---- what comes


@given(*sizes, st.booleans(), st.booleans(), st.integers(0, 3))
def test_a_pass_has_every_row_once(n, size, shuffle, drop_last, num_workers):
    loader = DataLoader(Squares(n), size, shuffle, drop_last, num_workers=num_workers)
    batches = pulled(loader)
    squares = [i * i for i in range(n)]
    found = labels(batches)
    assert len(batches) == len(loader)
    if drop_last:
        assert len(found) == n - n % size and len(set(found)) == len(found)
        assert set(found) <= set(squares)
    else:
        assert sorted(found) == squares
    assert found == squares[: len(found)] or shuffle


def by_hand(n, size, key):
    """The batches of a pass: Philox's permutation, then a stream for each batch."""
    order = np.random.Generator(np.random.Philox(key=key)).permutation(n)
    for number, start in enumerate(range(0, n, size)):
        rows = order[start : start + size]
        philox = np.random.Philox(key=key, counter=(0, 0, 0, number + 1))
        noise = np.random.Generator(philox).random((len(rows), 1, 2, 2), np.float32)
        x = rows.astype(np.float32).reshape(-1, 1, 1, 1) + noise
        yield x.tolist(), (rows * rows).tolist()


@pytest.mark.parametrize(
    "num_workers, worker", [(0, "thread"), (1, "thread"), (3, "thread"), (2, "process")]
)
def test_batches_are_those_worked_out_by_hand_whoever_makes_them(num_workers, worker):
    loader = DataLoader(
        Squares(23),
        4,
        shuffle=True,
        generator=dl.Generator(11),
        transform=noisy,
        num_workers=num_workers,
        worker=worker,
    )
    for draw in range(2):
        assert pulled(loader) == list(by_hand(23, 4, (11, draw)))
    loader.close()


def test_a_pass_that_draws_nothing_leaves_the_generator_alone():
    g = dl.Generator(0)
    plain = DataLoader(Squares(9), 4, generator=g)
    assert pulled(plain) == pulled(plain) and g.draw == 0
    pulled(DataLoader(Squares(9), 4, generator=g, transform=noisy))
    assert g.draw == 1


def test_two_passes_at_once_keep_apart():
    loader = DataLoader(
        Squares(9), 2, shuffle=True, generator=dl.Generator(1), num_workers=2
    )
    turns = [(a[1].tolist(), b[1].tolist()) for a, b in zip(loader, loader)]
    again = DataLoader(Squares(9), 2, shuffle=True, generator=dl.Generator(1))
    first, second = pulled(again), pulled(again)
    assert turns == [(a[1], b[1]) for a, b in zip(first, second)]


# ---- going on where it stopped


@given(*sizes, st.integers(0, 40), st.integers(0, 2), st.booleans(), st.booleans())
def test_a_resumed_loader_goes_on_as_if_never_stopped(n, size, k, w, shuffle, noise):
    options = {
        "shuffle": shuffle,
        "transform": noisy if noise else None,
        "num_workers": w,
    }

    def fresh(seed):
        generator = dl.Generator(np.int64(seed))
        return DataLoader(Squares(n), size, generator=generator, **options)

    whole, stopped, resumed = fresh(5), fresh(5), fresh(6)
    expected = [pulled(whole) for _ in range(3)]
    passes = [pulled(stopped), pulled(stopped, k)]
    state = json.loads(json.dumps(stopped.state_dict()))
    resumed.load_state_dict(state)
    if k > len(whole):  # then the pass was over
        passes.append(pulled(resumed))
    else:
        passes[1] += pulled(resumed)
        passes.append(pulled(resumed))
    assert passes == expected


def test_the_state_counts_what_the_caller_has_not_what_was_made_ahead():
    data = dl.data.TensorDataset(dl.arange(12))
    loader = DataLoader(data, 2, num_workers=3, prefetch_factor=2)
    assert loader.state_dict()["received"] is None
    seen = [loader.state_dict()["received"] for _ in loader]
    assert seen == [1, 2, 3, 4, 5, 6]
    assert loader.state_dict()["received"] is None


def test_after_the_last_batch_nothing_is_left_of_the_pass():
    loader = DataLoader(Squares(4), 2)
    one_pass = iter(loader)
    next(one_pass), next(one_pass)
    loader.load_state_dict(loader.state_dict())
    assert [len(pulled(loader)) for _ in range(2)] == [0, 2]


def test_with_the_programs_generator_its_owner_saves_it():
    loader = DataLoader(Squares(20), 4, shuffle=True)
    whole = [pulled(loader) for _ in range(2)]
    dl.manual_seed(0)
    first = pulled(loader, 2)
    state, generator = loader.state_dict(), dl.framework.create.default_generator
    saved = generator.seed, generator.draw
    assert state["generator"] is None
    dl.rand(3)
    generator.seed, generator.draw = saved
    loader.load_state_dict(state)
    assert [first + pulled(loader), pulled(loader)] == whole


def test_a_state_that_does_not_fit_is_refused():
    state = DataLoader(Squares(9), 3).state_dict()
    weighted = dl.data.WeightedRandomSampler([1] * 9, 9)
    for other, words in [
        (DataLoader(Squares(8), 3), "rows 9, this one has 8"),
        (DataLoader(Squares(9), 2), "batch_size 3, this one has 2"),
        (DataLoader(Squares(9), 3, sampler=weighted), "sampler Sequential.* Weighted"),
        (DataLoader(Squares(9), 3, transform=noisy), "draws False, this one has True"),
    ]:
        with pytest.raises(ValueError, match=words):
            other.load_state_dict(state)


# ---- mistakes


@pytest.mark.parametrize(
    "options, kind, words",
    [
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
        ({"num_workers": -1}, ValueError, "num_workers must be at least 0"),
        ({"prefetch_factor": 0}, ValueError, "prefetch_factor must be at least 1"),
        ({"worker": "gpu"}, ValueError, "no worker 'gpu'; there are: thread, process"),
        ({"sampler": [2, 1]}, TypeError, r"order\(key\).* Subset"),
        ({"transform": 3}, TypeError, "function of images"),
        (
            {"shuffle": True, "sampler": dl.data.RandomSampler([1])},
            ValueError,
            "leave shuffle out",
        ),
    ],
)
def test_a_mistake_in_the_options_is_named(options, kind, words):
    with pytest.raises(kind, match=words):
        DataLoader(Squares(3), **options)
