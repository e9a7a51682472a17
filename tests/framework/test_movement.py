"""Views, indexing and writes against NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minidl as dl


@st.composite
def basic_key(draw, shape):
    """Ints, slices, None and ... for a tensor of `shape`."""
    parts = []
    for n in shape[: draw(st.integers(0, len(shape)))]:
        ends = st.one_of(st.none(), st.integers(-n - 1, n + 1))
        step = st.one_of(st.none(), st.integers(1, 3))
        slices = st.builds(slice, ends, ends, step)
        parts.append(draw(st.one_of(st.integers(-n, n - 1), slices)))
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), Ellipsis)
    for _ in range(draw(st.integers(0, 2))):
        parts.insert(draw(st.integers(0, len(parts))), None)
    return tuple(parts)


def shaped():
    return st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)


@given(st.data(), shaped())
def test_basic_indexing_equals_numpys_and_is_a_view(data, shape):
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    key = data.draw(basic_key(shape))
    x = dl.tensor(array)
    out = x[key]
    assert out.shape == array[key].shape
    np.testing.assert_array_equal(out.numpy(), array[key])
    assert out.version is x.version


@given(st.data(), shaped())
def test_integer_tensors_and_masks_pick_as_in_numpy(data, shape):
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    x, n = dl.tensor(array), data.draw(st.integers(1, 4))
    seed = np.random.default_rng(data.draw(st.integers(0, 99)))
    lead = [
        seed.integers(-m, m, n) for m in shape[: data.draw(st.integers(1, len(shape)))]
    ]
    ours = x[tuple(map(dl.tensor, lead))]
    np.testing.assert_array_equal(ours.numpy(), array[tuple(lead)])
    mask = seed.random(shape) > 0.5
    np.testing.assert_array_equal(x[dl.tensor(mask)].numpy(), array[mask])
    tail = seed.integers(0, shape[-1], n)
    np.testing.assert_array_equal(x[..., dl.tensor(tail)].numpy(), array[..., tail])


@st.composite
def mixed_key(draw, shape):
    """Integers, slices, ..., None, integer arrays of one length, and masks."""
    n, rng = draw(st.integers(0, 3)), np.random.default_rng(draw(st.integers(0, 99)))
    parts = []
    for size in shape[: draw(st.integers(1, len(shape)))]:
        kind = draw(st.sampled_from(["places", "number", "slice", "mask"]))
        if kind == "mask":  # as many True as other arrays are long
            mask = np.zeros(size, bool)
            mask[rng.permutation(size)[:n]] = True
            parts.append(mask if mask.sum() == n else rng.integers(-size, size, n))
        elif kind == "places":
            parts.append(rng.integers(-size, size, n))
        elif kind == "number":
            parts.append(int(rng.integers(-size, size)))
        else:
            parts.append(slice(None, None, draw(st.integers(1, 2))))
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), None)
    if draw(st.booleans()):
        parts.append(Ellipsis)
    return tuple(parts)


def as_tensors(key):
    return tuple(dl.tensor(k) if isinstance(k, np.ndarray) else k for k in key)


@given(st.data(), shaped())
def test_mixed_keys_read_and_write_as_numpys(data, shape):
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    x, key = dl.tensor(array), data.draw(mixed_key(shape))
    np.testing.assert_array_equal(x[as_tensors(key)].numpy(), array[key])
    x[as_tensors(key)] = -1
    array[key] = -1
    np.testing.assert_array_equal(x.numpy(), array)


@given(st.data(), shaped())
def test_a_key_passes_gradients_to_the_elements_it_picks(data, shape):
    key = data.draw(mixed_key(shape))
    x = dl.zeros(*shape, requires_grad=True)
    x[as_tensors(key)].sum().backward()
    picked = np.zeros(shape, np.float32)
    np.add.at(picked, key, 1)
    np.testing.assert_array_equal(x.grad.numpy(), picked)


@given(st.data(), shaped())
def test_assignment_equals_numpys(data, shape):
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    x, key = dl.tensor(array), data.draw(basic_key(shape))
    x[key] = 7
    expected = array.copy()
    expected[key] = 7
    np.testing.assert_array_equal(x.numpy(), expected)
    mask = array % 2 == 0
    x[dl.tensor(mask)] = -1
    expected[mask] = -1
    np.testing.assert_array_equal(x.numpy(), expected)


MOVES = [
    (lambda x: x.T, lambda a: a.T, True),
    (lambda x: x.mT, lambda a: a.swapaxes(-1, -2), True),
    (lambda x: x.transpose(0, -1), lambda a: a.swapaxes(0, -1), True),
    (lambda x: x.permute(1, 0), lambda a: a.transpose(1, 0), True),
    (lambda x: x.reshape(-1), lambda a: a.reshape(-1), True),
    (lambda x: x.reshape(3, 2, 4), lambda a: a.reshape(3, 2, 4), True),
    (lambda x: x.T.reshape(-1), lambda a: a.T.reshape(-1), False),
    (lambda x: x.view(8, 3), lambda a: a.reshape(8, 3), True),
    (lambda x: x.flatten(), lambda a: a.reshape(-1), True),
    (lambda x: x.unsqueeze(1), lambda a: a[:, None], True),
    (lambda x: x.unsqueeze(-1), lambda a: a[..., None], True),
    (lambda x: x[None].squeeze(), lambda a: a, True),
    (lambda x: x[None].squeeze(0), lambda a: a, True),
    (lambda x: x.expand(2, 6, 4), lambda a: np.broadcast_to(a, (2, 6, 4)), True),
    (lambda x: x[:1].expand(5, -1), lambda a: np.broadcast_to(a[:1], (5, 4)), True),
    (lambda x: x[:, ::2], lambda a: a[:, ::2], True),
    (lambda x: x.windows((2, 3)), None, True),
    (lambda x: x.flip(0), lambda a: a[::-1], False),
    (lambda x: x.clone(), lambda a: a, False),
    (lambda x: x.T.contiguous(), lambda a: a.T, False),
    (lambda x: x.pad([(1, 2)]), lambda a: np.pad(a, [(0, 0), (1, 2)]), False),
    (
        lambda x: x.pad([(1, 0), (0, 1)], value=9),
        lambda a: np.pad(a, [(1, 0), (0, 1)], constant_values=9),
        False,
    ),
]


@pytest.mark.parametrize("move, witness, is_view", MOVES)
def test_moves_equal_numpys_and_share_memory_just_when_they_say(move, witness, is_view):
    array = np.arange(24, dtype=np.float32).reshape(6, 4)
    x = dl.tensor(array)
    out = move(x)
    if witness is None:
        expected = np.lib.stride_tricks.sliding_window_view(array, (2, 3))
    else:
        expected = witness(array)
    np.testing.assert_array_equal(out.numpy(), expected)
    assert np.shares_memory(out.numpy(), x.numpy()) == is_view
    assert (out.version is x.version) == is_view


def test_a_contiguous_copy_of_a_transposed_tensor_is_contiguous():
    assert dl.zeros(3, 4).T.contiguous().stride() == (3, 1)


@pytest.mark.parametrize("value", [float("-inf"), float("nan"), 1e9, -1, True])
def test_padding_leaves_what_it_surrounds_as_it_is(value):
    x = dl.tensor([0.1, 0.2], requires_grad=True)
    y = x.pad([(1, 2)], value)
    assert y[1:3].tolist() == x.tolist()
    np.testing.assert_array_equal(y.detach().numpy()[[0, 3, 4]], np.float32(value))
    y[1:3].sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_strides_are_counted_in_elements():
    x = dl.zeros(3, 4)
    assert x.stride() == (4, 1) and x.T.stride() == (1, 4)
    assert x[1:, ::2].stride() == (4, 2) and x.expand(2, 3, 4).stride() == (0, 4, 1)
    assert x.is_contiguous() and not x.T.is_contiguous()


def test_gather_picks_along_a_dimension():
    x = dl.tensor([[1.0, 2.0], [3.0, 4.0]])
    index = dl.tensor([[0, 0], [1, 0]])
    assert x.gather(1, index).tolist() == [[1.0, 1.0], [4.0, 3.0]]
    assert x.gather(0, index).tolist() == [[1.0, 2.0], [3.0, 2.0]]


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda x: x.reshape(5, 5), r"reshape \(2, 3\).*can't take shape \(5, 5\)"),
        (lambda x: x.reshape(-1, 4), "can't be worked out"),
        (lambda x: x.reshape(-1, -1), "can't be worked out"),
        (lambda x: x.T.view(6), "use reshape"),
        (lambda x: x.permute(0, 0), "twice"),
        (lambda x: x.permute(0), "must name each of 2 dimensions once"),
        (lambda x: x.expand(4, 3), r"expand \(2, 3\).* sizes 2 and 4"),
        (lambda x: x.expand(3), "can't expand"),
        (lambda x: x[2], "index 2 of dimension 0"),
        (lambda x: x[0, 0, 0], "3 indices"),
        (lambda x: x[::-1], "use flip"),
        (lambda x: x[1.5], r"index 1.5 of \(2, 3\).*made of integers"),
        (lambda x: x["a"], "made of integers"),
        (lambda x: x[::0], "step must be positive"),
        (lambda x: x.reshape("a"), "are integers"),
        (lambda x: x.to("int3"), "neither a dtype"),
        (lambda x: (x > 0) - (x > 0), r"sub .*truth values can't be subtracted"),
        (lambda x: -(x > 0), "neg .*truth values"),
        (lambda x: x[dl.tensor([0.5])], "integer dtype"),
        (lambda x: x[dl.tensor([5])], "index"),
        (lambda x: x[None].T, "use mT"),
        (lambda x: x[0].mT, "two dimensions"),
        (lambda x: x.windows((3, 3)), r"window of \(3, 3\) doesn't fit"),
        (lambda x: x.unsqueeze(5), "out of range"),
        (lambda x: x.expand(2, 2, 3).zero_(), "clone"),
        (lambda x: x.copy_(dl.ones(4)), r"assign \(2, 3\)"),
        (lambda x: x.__setitem__(0, dl.ones(2)), "assign"),
        (lambda x: x.__setitem__(0, "text"), "can't be made a tensor"),
        (lambda x: len(x.sum()), "0-dimensional"),
        (lambda x: list(x.sum()), "0-dimensional"),
        (lambda x: x.item(), "6 elements"),
        (lambda x: x.reshape(-2, 3), "sizes are counts, or one -1"),
        (lambda x: x.flatten(1, 0), "none lie between"),
        (lambda x: x.transpose("rows", 0), "integers, got"),
        (lambda x: x.unsqueeze(0.5), "integers, got"),
        (lambda x: x[..., ...], "one ... at most"),
        (lambda x: x.windows((1, 1), 0), "must be positive"),
        (lambda x: x.pad((1, 1)), r"pair of counts \(before, after\)"),
        (lambda x: x.pad([(-1, 1)]), "pair of counts"),
        (lambda x: x.pad([(1, 1)] * 3), "at most 2"),
        (lambda x: x.gather(1, dl.tensor([0])), "index tensor of 2 dimensions"),
        (lambda x: x.gather(1, [[0]]), "index tensor of 2 dimensions"),
        (lambda x: x.gather(1, dl.tensor([[9]])), "out of bounds"),
    ],
)
def test_a_users_mistake_is_named(wrong, words):
    with pytest.raises((ValueError, TypeError, IndexError, RuntimeError), match=words):
        wrong(dl.zeros(2, 3))


def test_a_batch_of_nothing_is_flattened():
    assert dl.zeros(0, 2, 3).flatten(1).shape == (0, 6)
    assert dl.zeros(2, 0, 3).flatten(0, 1).shape == (0, 3)


def test_empty_tensors_pass_through():
    x = dl.zeros(0, 3)
    assert x.sum().item() == 0 and (x + 1).shape == (0, 3)
    assert x.reshape(3, 0).shape == (3, 0) and (x @ dl.ones(3, 2)).shape == (0, 2)
    assert dl.cat([x, dl.ones(1, 3)]).shape == (1, 3)
