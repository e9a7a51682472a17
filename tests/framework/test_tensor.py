"""What a tensor tells of itself, its casts and copies, and writes into its memory."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minidl as dl
from minidl.framework import ops
from minidl.framework.op import is_writable


def test_it_tells_what_its_array_is():
    x = dl.zeros(2, 3, dtype="float16")
    assert (x.shape, x.dtype, x.ndim, x.dim(), len(x)) == ((2, 3), "float16", 2, 2, 2)
    assert (x.numel(), x.nbytes, x.size(), x.size(-1)) == (6, 12, (2, 3), 3)
    assert [row.shape for row in x] == [(3,), (3,)]


def test_one_element_becomes_a_python_number():
    x = dl.tensor([[2.5]])
    assert (x.item(), float(x), int(x), bool(x)) == (2.5, 2.5, 2, True)
    assert ["a", "b", "c"][dl.tensor(1)] == "b"
    with pytest.raises(TypeError, match="only an integer tensor can be an index"):
        ["a", "b", "c"][dl.tensor(1.0)]


# ---- casts and copies


def test_a_cast_copies_and_one_to_the_same_dtype_is_the_tensor_itself():
    x = dl.tensor([1.7, -1.7, 300.0])
    assert x.to("float32") is x and x.float() is x
    assert x.long().tolist() == [1, -1, 300]
    assert x.to("float64").dtype == np.float64 and x.to("bool").tolist() == [True] * 3
    assert not np.shares_memory(x.to("float64").numpy(), x.numpy())


def test_a_clone_has_memory_of_its_own_and_passes_gradients():
    x = dl.ones(2, 3, requires_grad=True)
    y = x.T.clone()
    assert y.is_contiguous() and y.version is not x.version
    (y * y).sum().backward()
    assert x.grad.tolist() == [[2.0] * 3] * 2


def test_an_array_shares_the_memory_of_its_tensor():
    x = dl.zeros(2)
    x.numpy()[0] = 5
    assert x.tolist() == [5.0, 0.0] and np.asarray(x).dtype == np.float32


# ---- writes

SHAPES = st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple)


@given(SHAPES, st.data())
def test_assignment_writes_what_broadcasts_and_counts_one_write(shape, data):
    small = tuple(data.draw(st.sampled_from([1, n])) for n in shape)
    value = np.arange(np.prod(small), dtype=np.float64).reshape(small)
    x = dl.zeros(shape)
    assert x.copy_(dl.tensor(value)) is x and x.version == [1]
    np.testing.assert_array_equal(x.numpy(), np.broadcast_to(value, shape))
    assert ops.assign(x, dl.zeros(())).version is x.version


def test_a_write_through_a_view_is_seen_by_all_that_share_the_memory():
    x = dl.arange(6).reshape(2, 3)
    column, flat = x[:, 1], x.reshape(-1)
    column += 10
    assert x.tolist() == [[0, 11, 2], [3, 14, 5]] and flat.tolist()[1] == 11
    assert x.version == column.version == flat.version == [1]


def test_writes_that_overlap_themselves_read_first():
    x = dl.arange(5)
    x[1:] = x[:-1]
    assert x.tolist() == [0, 0, 1, 2, 3]


@pytest.mark.parametrize(
    "view",
    [
        lambda x: x.expand(2, 4),
        lambda x: x[:1].expand(4),
        lambda x: x.windows((2,)),
        lambda x: x.windows((2,)).reshape(3, 2, 1)[1:],
    ],
)
def test_elements_that_share_memory_are_not_written_to(view):
    x = dl.zeros(4)
    with pytest.raises(RuntimeError, match=r"its elements share memory.*clone\(\)"):
        view(x).fill_(1)
    assert x.tolist() == [0.0] * 4 and x.version == [0]


@pytest.mark.parametrize(
    "view",
    [
        lambda x: x.T[1:, ::2],
        lambda x: x.windows((2,), stride=2),
        lambda x: x[None, :, None].permute(3, 2, 1, 0),
        lambda x: x[:0],
    ],
)
def test_elements_apart_are_written_to(view):
    x = dl.zeros(4, 4)
    view(x).fill_(1)
    assert x.sum().item() == view(x).numel()


def test_arrays_without_a_flag_for_writing_are_writable():
    class Flags:
        c_contiguous = True

    class CupyArray:
        flags = Flags()

    assert is_writable(CupyArray())


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool"])
def test_a_write_in_place_does_not_cut_fractions_off(dtype):
    x = dl.ones(2, dtype=dtype)
    for write in (lambda: x.add_(0.5), lambda: x.__itruediv__(2)):
        with pytest.raises(TypeError, match=f"write of float32 to {dtype}"):
            write()
    assert x.tolist() == [1, 1] and x.version == [0]


def test_a_wider_value_is_written_in_the_tensors_own_dtype():
    x = dl.ones(2, dtype="float32")
    x += dl.ones(2, dtype="float64")
    assert x.dtype == np.float32 and x.tolist() == [2.0, 2.0]


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda x: x.copy_(None), "NoneType can't be made a tensor"),
        (lambda x: x.fill_("a"), "str can't be made a tensor"),
        (lambda x: x.fill_([1.0, [2.0]]), "list can't be made a tensor"),
        (lambda x: x.copy_(dl.ones(5)), r"assign \(2, 3\) float32, \(5,\)"),
        (lambda x: x.add_(None), "unsupported operand"),
        (lambda x: x.to("banana"), "neither a dtype"),
        (lambda x: x.to(None), "neither a dtype"),
        (lambda x: x.to("complex64"), "neither a dtype"),
        (lambda x: x.size(2), "dimension 2"),
        (lambda x: x.long().requires_grad_(), "only floating tensors"),
    ],
)
def test_a_users_mistake_is_named(wrong, words):
    with pytest.raises((ValueError, TypeError, IndexError), match=words):
        wrong(dl.zeros(2, 3))
