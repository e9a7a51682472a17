"""Convolution and pooling rows against PyTorch, their compositions and differences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minidl as dl
from minidl.framework import convolution as conv

torch = pytest.importorskip("torch", reason="PyTorch, the witness, is not installed")


@st.composite
def cases(draw):
    """(image, weight, stride) as float64 arrays."""
    h, w = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    N, C, K = (draw(st.integers(1, 3)) for _ in range(3))
    H, W = h + draw(st.integers(0, 3)), w + draw(st.integers(0, 3))
    stride = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    return rng.standard_normal((N, C, H, W)), rng.standard_normal((K, C, h, w)), stride


def leaves(*arrays):
    ours = [dl.tensor(a, requires_grad=True) for a in arrays]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    return ours, theirs


def assert_equal(ours, theirs):
    a, b = ours.detach().numpy(), theirs.detach().numpy()
    np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


@given(cases())
def test_convolution_and_both_gradients_equal_pytorchs(case):
    x, weight, stride = case
    bias = [np.arange(len(weight)) + 0.5] if len(weight) > 1 else []
    ours, theirs = leaves(x, weight, *bias)
    out = conv.conv2d(*ours, stride=stride)
    expected = torch.nn.functional.conv2d(*theirs, stride=stride)
    assert_equal(out, expected)
    assert out.shape == conv.conv2d.shape(x.shape, weight.shape, stride=stride)
    g = np.random.default_rng(0).standard_normal(out.shape)
    out.backward(dl.tensor(g))
    expected.backward(torch.tensor(g))
    for a, b in zip(ours, theirs):
        assert_equal(a.grad, b.grad)


@given(cases())
def test_second_gradients_equal_pytorchs(case):
    x, weight, stride = case
    ours, theirs = leaves(x, weight)
    slopes = dl.grad(
        (conv.conv2d(*ours, stride=stride) ** 3).sum(), ours, create_graph=True
    )
    sum((s * s).sum() for s in slopes).backward()
    out = (torch.nn.functional.conv2d(*theirs, stride=stride) ** 3).sum()
    slopes = torch.autograd.grad(out, theirs, create_graph=True)
    sum((s * s).sum() for s in slopes).backward()
    for a, b in zip(ours, theirs):
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-8, atol=1e-9)


@given(cases())
def test_the_three_rows_agree_with_differences(case):
    x, weight, stride = case
    if x.size + weight.size > 60:
        return
    ours, _ = leaves(x, weight)
    assert dl.gradcheck(lambda *a: conv.conv2d(*a, stride=stride), ours)
    y = dl.tensor(
        np.ones(conv.conv2d.shape(x.shape, weight.shape, stride=stride)),
        requires_grad=True,
    )
    back = {"shape": x.shape, "stride": stride}
    assert dl.gradcheck(lambda y, w: conv.conv2d_image(y, w, **back), [y, ours[1]])
    back = {"shape": weight.shape, "stride": stride}
    assert dl.gradcheck(lambda y, x: conv.conv2d_weight(y, x, **back), [y, ours[0]])


@given(cases())
def test_direct_rows_equal_their_compositions(case):
    x, weight, stride = case
    x, weight = dl.tensor(x), dl.tensor(weight)
    for parts in ((x, weight), (x, weight, weight[:, 0, 0, 0])):
        assert_equal(
            conv.conv2d(*parts, stride=stride),
            conv.conv2d.composed(*parts, stride=stride),
        )
    pool = {"size": weight.shape[2:], "stride": stride}
    assert_equal(conv.max_pool2d(x, **pool), conv.max_pool2d.composed(x, **pool))


@given(cases(), st.booleans())
def test_pooling_and_its_gradients_equal_pytorchs_also_in_ties(case, ties):
    x, weight, stride = case
    x = np.maximum(np.round(x), 0) if ties else x
    size = weight.shape[2:]
    ours, theirs = leaves(x)
    out = conv.max_pool2d(*ours, size=size, stride=stride)
    expected = torch.nn.functional.max_pool2d(*theirs, size, stride)
    assert_equal(out, expected)
    g = np.random.default_rng(0).standard_normal(out.shape)
    ours = dl.grad((out * out * dl.tensor(g)).sum(), ours, create_graph=True)[0]
    theirs = torch.autograd.grad(
        (expected * expected * torch.tensor(g)).sum(), theirs, create_graph=True
    )[0]
    assert_equal(ours, theirs)


@given(cases())
def test_putting_back_is_the_transpose_of_picking(case):
    x, weight, stride = case
    pool = {"size": weight.shape[2:], "stride": stride}
    x = dl.tensor(x)
    best = conv.max_pool2d(x, **pool)
    y, u = dl.randn(*best.shape), dl.randn(*x.shape)
    y, u = y.to("float64"), u.to("float64")
    left = (conv.max_pool2d_back(y, x, best, **pool) * u).sum()
    right = (y * conv.max_pool2d_pick(u, x, best, **pool)).sum()
    assert left.item() == pytest.approx(right.item())


def test_flops_are_those_of_the_products_by_hand():
    x, weight = dl.ones(2, 3, 8, 8), dl.ones(4, 3, 3, 3, requires_grad=True)
    with dl.Ledger() as ledger:
        out = dl.functional.conv2d(x, weight)
    assert ledger.flops == 2 * (2 * 4 * 6 * 6) * (3 * 3 * 3)
    with dl.Ledger() as ledger:
        out.sum().backward()
    assert ledger.count()["conv2d_weight"] == 1 and "conv2d_image" not in ledger.count()


def test_a_users_mistake_is_named():
    with pytest.raises(ValueError, match=r"conv2d \(2, 1, 8, 8\).* with the same C"):
        dl.functional.conv2d(dl.ones(2, 1, 8, 8), dl.ones(4, 3, 3, 3))
    with pytest.raises(ValueError, match=r"a window of \(3, 3\) doesn't fit"):
        dl.functional.max_pool2d(dl.ones(1, 1, 2, 2), 3)
