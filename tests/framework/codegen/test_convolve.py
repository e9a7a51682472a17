"""Loops of convolution, pooling and padding against the rows that they compute.

The generated text runs as plain Python on small shapes, and compiled on a few. The
rows with images last are held against those of chapter 3.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minidl.framework import convolution as images_first
from minidl.framework import images_last as rows
from minidl.framework import ops
from minidl.framework.codegen import convolve, python
from minidl.framework.codegen.rows import LOOPS
from minidl.framework.graph import input_node, make
from minidl.runtime.build import build

FIRST, LAST = (3, 0, 1, 2), (1, 2, 3, 0)
numbers = st.integers


def arrays(seed, *shapes, dtype=np.float64):
    draw = np.random.default_rng(seed)
    return [draw.standard_normal(shape).astype(dtype) for shape in shapes]


def kernel_of(op, inputs, attrs):
    nodes = [input_node(f"x{i}", x.shape, x.dtype) for i, x in enumerate(inputs)]
    return LOOPS[op.name](make(op, nodes, attrs))


def interpreted(kernel):
    """The kernel's text as Python; the intrinsic maximum is known to Numba alone."""
    names = {}
    exec(python.source(kernel), names)
    names["maximum"] = np.maximum
    return names[kernel.name]


def compiled(kernel):
    return build(python.source(kernel), kernel.name, python.signature(kernel))


def result(op, inputs, how=interpreted, parts=2, **attrs):
    """What the loops give, in `parts` as several threads would; nan if not written."""
    kernel = kernel_of(op, inputs, attrs)
    out = np.full(kernel.outputs[0].shape, np.nan, kernel.outputs[0].dtype)
    held = [x.reshape(b.shape) for x, b in zip(inputs, kernel.inputs)]
    function, rows_ = how(kernel), kernel.body[0].extent
    cuts = np.linspace(0, rows_, parts + 1).astype(int)
    for start, stop in zip(cuts, cuts[1:]):
        function(out, *held, int(start), int(stop))
    return out.reshape(op.shape(*[x.shape for x in inputs], **attrs))


def check(op, inputs, rtol=1e-10, **more):
    attrs = {k: v for k, v in more.items() if k not in ("how", "parts")}
    expected = op.eval(np, *inputs, **attrs)
    np.testing.assert_allclose(
        result(op, inputs, **more),
        expected,
        rtol=rtol,
        atol=rtol * np.sqrt(expected.size),
    )


@st.composite
def convolutions(draw):
    """Shapes (C, H, W, N) of an image and (K, C, h, w) of a weight."""
    h, w, C, N = (draw(numbers(1, 4)) for _ in range(4))
    H, W, K = h + draw(numbers(0, 3)), w + draw(numbers(0, 5)), draw(numbers(1, 5))
    return (C, H, W, N), (K, C, h, w)


@settings(deadline=None, max_examples=40)
@given(convolutions(), numbers(1, 20), numbers(0, 99))
def test_convolution_of_any_size_in_blocks_of_any_size(shapes, block, seed):
    image, weight = shapes
    x, w = arrays(seed, image, weight)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convolve, "BLOCK", block)
        check(rows.conv_last, [x, w])
        check(rows.conv_last, [x, np.ascontiguousarray(w.swapaxes(0, 1))], turned=True)


@settings(deadline=None, max_examples=40)
@given(convolutions(), numbers(0, 99))
def test_gradient_of_the_weight_of_any_size(shapes, seed):
    image, weight = shapes
    y = rows.conv_last.shape(image, weight)
    check(rows.conv_last_weight, arrays(seed, y, image), shape=weight)


@st.composite
def poolings(draw):
    """An image of few numbers, so that windows have ties; size and stride."""
    size, stride = (tuple(draw(numbers(1, 3)) for _ in range(2)) for _ in range(2))
    shape = (draw(numbers(1, 3)), *(k + draw(numbers(0, 4)) for k in size), 3)
    rng = np.random.default_rng(draw(numbers(0, 99)))
    return rng.integers(-2, 3, shape).astype(float), {"size": size, "stride": stride}


@settings(deadline=None, max_examples=60)
@given(poolings())
def test_pooling_and_its_gradient_with_ties_overlaps_and_gaps(case):
    x, attrs = case
    check(rows.pool_last, [x], **attrs)
    best = rows.pool_last.eval(np, x, **attrs)
    y = np.arange(1.0, best.size + 1).reshape(best.shape)
    check(rows.pool_last_back, [y, x, np.ascontiguousarray(best)], **attrs)


def test_a_nan_in_a_window_is_its_best():
    x = np.ones((1, 2, 4, 1))
    x[0, 1, 0] = np.nan
    best = result(rows.pool_last, [x], size=(2, 2), stride=(2, 2))
    np.testing.assert_array_equal(best.ravel(), [np.nan, 1])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(numbers(0, 2), numbers(1, 3), numbers(0, 2)), min_size=1,
                max_size=4))  # fmt: skip
def test_padding_writes_every_element(spans):
    source = tuple(n for _, n, _ in spans)
    attrs = {"index": tuple((a, a + n, 1) for a, n, _ in spans), "shape":
             tuple(map(sum, spans))}  # fmt: skip
    (x,) = arrays(0, source)
    kernel = kernel_of(ops.pad, [x], attrs)
    out = np.full(kernel.outputs[0].shape, np.nan)
    bounds = [0, kernel.body[0].extent] * python.splits(kernel)
    interpreted(kernel)(out, x.reshape(kernel.inputs[0].shape), *bounds)
    expected = ops.pad.eval(np, x, **attrs)
    np.testing.assert_array_equal(out.reshape(expected.shape), expected)


def test_padding_between_the_elements_has_no_loops():
    node = input_node("x", (2, 3), np.float64)
    attrs = {"index": ((0, 4, 2), (0, 3, 1)), "shape": (4, 3)}
    assert LOOPS["pad"](make(ops.pad, [node], attrs)) is None


@settings(deadline=None, max_examples=40)
@given(convolutions(), numbers(0, 99))
def test_the_rows_with_images_last_equal_those_with_images_first(shapes, seed):
    image, weight = shapes
    x, w = arrays(seed, image, weight)
    y = rows.conv_last.eval(np, x, w)
    first = [np.ascontiguousarray(v.transpose(FIRST)) for v in (x, y)]
    expected = images_first.conv2d.eval(np, first[0], w, stride=(1, 1))
    np.testing.assert_allclose(y, expected.transpose(LAST), rtol=1e-10, atol=1e-12)
    back = {"shape": weight, "stride": (1, 1)}
    np.testing.assert_allclose(
        rows.conv_last_weight.eval(np, y, x, shape=weight),
        images_first.conv2d_weight.eval(np, first[1], first[0], **back),
        rtol=1e-10, atol=1e-10,
    )  # fmt: skip


def test_a_turned_weight_takes_a_gradient_back_to_the_image():
    y, w = arrays(0, (3, 4, 5, 8), (3, 2, 2, 3))
    wide = np.pad(y, ((0, 0), (1, 1), (2, 2), (0, 0)))
    back = {"shape": (8, 2, 5, 7), "stride": (1, 1)}
    expected = images_first.conv2d_image.eval(np, y.transpose(FIRST), w, **back)
    answer = rows.conv_last.eval(np, wide, w, turned=True)
    np.testing.assert_allclose(answer, expected.transpose(LAST), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("dtype, rtol", [(np.float32, 1e-4), (np.float64, 1e-11)])
def test_compiled_kernels_equal_their_rows_to_rounding(dtype, rtol):
    image, weight = (3, 9, 21, 64), (6, 3, 3, 3)
    x, w, y = arrays(0, image, weight, (6, 7, 19, 64), dtype=dtype)
    more = {"how": compiled, "parts": 3, "rtol": rtol}
    check(rows.conv_last, [x, w], **more)
    check(rows.conv_last_weight, [y, x], shape=weight, **more)
    pool = {"size": (3, 3), "stride": (2, 2)}
    best = rows.pool_last.eval(np, x, **pool).copy()
    check(rows.pool_last, [x], **pool, **more)
    check(rows.pool_last_back, [best * 2, x, best], **pool, **more)
