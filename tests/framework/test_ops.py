"""Each row of the table against PyTorch and, its gradients, against differences."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minidl as dl
from minidl.experience import optim
from minidl.framework import ops

torch = pytest.importorskip("torch", reason="PyTorch, the witness, is not installed")

TOLERANCE = {"bfloat16": 6e-2, "float16": 2e-2, "float32": 2e-5, "float64": 1e-11}
HALVES = ("bfloat16", "float16")
WHOLE = ("int64", "int32", "int8", "uint8")


def shapes(least=0, most=3, smallest=0):
    """Shapes of 0 to 3 dimensions, among them some that hold no element."""
    sizes = st.integers(smallest, 4)
    return st.lists(sizes, min_size=least, max_size=most).map(tuple)


def values(shape, seed, low=-2.0, high=2.0):
    """Float64 values of which no two are equal: no ties in maxima."""
    draw = np.random.default_rng(seed)
    n = int(np.prod(shape))
    spread = (draw.permutation(n) + draw.uniform(0.2, 0.8, n)) / max(n, 1)
    return (low + (high - low) * spread).reshape(shape)


@st.composite
def broadcast_pair(draw):
    """Two shapes that broadcast: sizes dropped at the left, or made 1."""
    shape = draw(shapes())
    pair = []
    for _ in range(2):
        ones = draw(st.lists(st.booleans(), min_size=len(shape), max_size=len(shape)))
        kept = tuple(1 if one else n for one, n in zip(ones, shape))
        pair.append(kept[draw(st.integers(0, len(shape))) :])
    return pair


@st.composite
def dims_of(draw, shape):
    return tuple(sorted(draw(st.sets(st.integers(0, len(shape) - 1), min_size=1))))


# ---- how to draw a call of each row: (inputs, float64 or integers; attributes)


def unary(low=-2.0, high=2.0):
    @st.composite
    def call(draw):
        return [values(draw(shapes()), draw(st.integers(0, 99)), low, high)], {}

    return call()


def binary(low=-2.0, high=2.0):
    @st.composite
    def call(draw):
        pair, seed = draw(broadcast_pair()), draw(st.integers(0, 99))
        return [values(s, seed + i, low, high) for i, s in enumerate(pair)], {}

    return call()


@st.composite
def truths(draw):
    return [array > 0 for array in draw(binary())[0]], {}


@st.composite
def where_call(draw):
    (a, b), seed = draw(broadcast_pair()), draw(st.integers(0, 99))
    return [values(a, seed) > 0, values(a, seed + 1), values(b, seed + 2)], {}


@st.composite
def reduction(draw, smallest=0):
    shape = draw(shapes(1, smallest=smallest))
    attrs = {"dims": draw(dims_of(shape)), "keepdim": draw(st.booleans())}
    return [values(shape, draw(st.integers(0, 99)))], attrs


@st.composite
def argument(draw):
    shape = draw(shapes(1, smallest=1))
    attrs = {
        "dim": draw(st.integers(0, len(shape) - 1)),
        "keepdim": draw(st.booleans()),
    }
    return [values(shape, draw(st.integers(0, 99)))], attrs


@st.composite
def reshaping(draw):
    shape = draw(shapes())
    parts = list(shape)
    if len(parts) > 1 and draw(st.booleans()):
        parts[:2] = [parts[0] * parts[1]]
    return [values(shape, 1)], {"shape": (*parts, 1)}


@st.composite
def permuting(draw):
    shape = draw(shapes())
    return [values(shape, 1)], {"dims": tuple(draw(st.permutations(range(len(shape)))))}


@st.composite
def expanding(draw):
    shape = draw(shapes(1))
    small = tuple(draw(st.sampled_from([1, n])) for n in shape)
    return [values(small, 1)], {"shape": (draw(st.integers(1, 3)), *shape)}


@st.composite
def slicing(draw):
    shape = draw(shapes(1, smallest=1))
    index = []
    for n in shape:
        start = draw(st.integers(0, n - 1))
        index.append((start, draw(st.integers(start, n)), draw(st.integers(1, 3))))
    return [values(shape, 1)], {"index": tuple(index)}


@st.composite
def padding(draw):
    [x], attrs = draw(slicing())
    view = x[tuple(slice(*bounds) for bounds in attrs["index"])]
    return [values(view.shape, 2)], {**attrs, "shape": x.shape}


@st.composite
def flipping(draw):
    shape = draw(shapes(1))
    return [values(shape, 1)], {"dims": draw(dims_of(shape))}


@st.composite
def joining(draw):
    shape = draw(shapes(1))
    dim = draw(st.integers(0, len(shape) - 1))
    sizes = draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))
    parts = [(*shape[:dim], n, *shape[dim + 1 :]) for n in sizes]
    return [values(s, i) for i, s in enumerate(parts)], {"dim": dim}


@st.composite
def windowing(draw):
    size, stride = [
        (draw(st.integers(1, 3)), draw(st.integers(1, 3))) for _ in range(2)
    ]
    shape = (draw(st.integers(1, 2)), *(n + draw(st.integers(0, 3)) for n in size))
    return [values(shape, 1)], {"size": size, "stride": stride}


@st.composite
def folding(draw):
    [x], attrs = draw(windowing())
    windows = ops.windows.shape(x.shape, **attrs)
    return [values(windows, 2)], {**attrs, "shape": x.shape}


@st.composite
def indexing(draw):
    shape = draw(shapes(1, smallest=1))
    n, lead = draw(st.integers(0, 5)), draw(st.integers(1, len(shape)))
    seed = np.random.default_rng(draw(st.integers(0, 99)))
    return [values(shape, 1), *(seed.integers(0, m, n) for m in shape[:lead])], {}


@st.composite
def scattering(draw):
    [x, *idx], _ = draw(indexing())
    return [values(x[tuple(idx)].shape, 2), *idx], {"shape": x.shape}


@st.composite
def putting(draw):
    [x, *idx], _ = draw(indexing())
    places = np.unique(np.stack(idx), axis=1)  # a place written twice has no one answer
    idx = list(places)
    return [x, values(x[tuple(idx)].shape, 2), *idx], {}


@st.composite
def multiplying(draw):
    (a, b), (m, k, n) = (
        draw(broadcast_pair()),
        [draw(st.integers(0, 4)) for _ in range(3)],
    )
    return [values((*a, m, k), 1), values((*b, k, n), 2)], {}


@st.composite
def affine(draw):
    N, inner, outer = [draw(st.integers(1, 4)) for _ in range(3)]
    return [values((N, inner), 1), values((outer, inner), 2), values((outer,), 3)], {}


@st.composite
def normalising(draw):
    shape = draw(shapes(1, smallest=1))
    return [values(shape, 1, -8, 8)], {"dim": draw(st.integers(0, len(shape) - 1))}


@st.composite
def slope_of_softmax(draw):
    [x], attrs = draw(normalising())
    p = np.exp(x) / np.exp(x).sum(attrs["dim"], keepdims=True)
    return [values(x.shape, 2), p], attrs


@st.composite
def slope_of_gelu(draw):
    [x], attrs = draw(unary())
    return [values(x.shape, 2), x], attrs


@st.composite
def standardising(draw):
    shape = (*draw(shapes(0, 2)), draw(st.integers(3, 5)))
    return [values(shape, draw(st.integers(0, 99)))], {"eps": 1e-3}


@st.composite
def slope_of_normalise(draw):
    [x], attrs = draw(standardising())
    return [values(x.shape, 2), x], attrs


def torch_gelu(x):
    return torch.nn.functional.gelu(x, approximate="tanh")


def torch_normalise(x, eps):
    return torch.nn.functional.layer_norm(x, x.shape[-1:], eps=eps)


def torch_slope(function, y, x):
    """The gradient of `function` at `x`, given `y`; itself differentiable."""
    x = x if x.requires_grad else x.requires_grad_()
    return torch.autograd.grad(function(x), x, y, create_graph=True)[0]


def torch_normalise_back(y, x, eps):
    return torch_slope(lambda x: torch_normalise(x, eps), y, x)


@st.composite
def masked(draw, calls):
    """`calls`, some of them with a mask that leaves something of each row."""
    [x], attrs = draw(calls)
    if draw(st.booleans()):
        return [x], attrs
    mask = values(x.shape, 3) > 0
    return [x, mask | (x == x.max(attrs["dim"], keepdims=True))], attrs


def torch_softmax(x, *mask, dim):
    for m in mask:
        x = x.masked_fill(~m, float("-inf"))
    return torch.softmax(x, dim)


@st.composite
def attending(draw):
    B, T, S, d, e = (draw(st.integers(1, 3)) for _ in range(5))
    arrays = [values(s, i) for i, s in enumerate([(B, T, d), (B, S, d), (B, S, e)])]
    if draw(st.booleans()):
        return arrays, {}
    mask = values((T, S), 5) > 0
    mask[:, 0] = True  # each query sees something
    return [*arrays, mask], {}


def torch_attention(q, k, v, *mask):
    scores = q @ k.mT / q.shape[-1] ** 0.5
    return torch_softmax(scores, *mask, dim=-1) @ v


def torch_softmax_back(y, p, dim):
    return p * (y - (y * p).sum(dim, keepdim=True))


@st.composite
def classified(draw):
    N, C = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    return [values((N, C), 1, -8, 8), np.random.default_rng(0).integers(0, C, N)], {}


def torch_sum(x, dims, keepdim):
    return x.sum(dims, keepdim=keepdim)


def torch_unfold(x, size, stride):
    return x.unfold(1, size[0], stride[0]).unfold(2, size[1], stride[1])


def torch_fold(x, shape, size, stride):
    out = torch.zeros(shape, dtype=x.dtype)
    out = out + 0 * x.sum()
    for i in range(x.shape[1]):
        for j in range(x.shape[2]):
            spot = torch.zeros(shape, dtype=x.dtype)
            rows = slice(i * stride[0], i * stride[0] + size[0])
            columns = slice(j * stride[1], j * stride[1] + size[1])
            spot = spot.index_put(
                torch.meshgrid(
                    torch.arange(shape[0]),
                    torch.arange(shape[1])[rows],
                    torch.arange(shape[2])[columns],
                    indexing="ij",
                ),
                x[:, i, j],
            )
            out = out + spot
    return out


def torch_pad(x, index, shape):
    grid = [torch.arange(n)[slice(*bounds)] for n, bounds in zip(shape, index)]
    return torch.zeros(shape, dtype=x.dtype).index_put(
        torch.meshgrid(*grid, indexing="ij"), x
    )


WITNESS = {
    "neg": (unary(), torch.neg),
    "exp": (unary(), torch.exp),
    "log": (unary(0.1, 4), torch.log),
    "sqrt": (unary(0.1, 4), torch.sqrt),
    "sin": (unary(), torch.sin),
    "cos": (unary(), torch.cos),
    "tanh": (unary(), torch.tanh),
    "sigmoid": (unary(-9, 9), torch.sigmoid),
    "relu": (unary(), torch.relu),
    "abs": (unary(), torch.abs),
    "sign": (unary(), torch.sign),
    "add": (binary(), torch.add),
    "sub": (binary(), torch.sub),
    "mul": (binary(), torch.mul),
    "div": (binary(0.5, 3), torch.div),
    "pow": (binary(0.2, 3), torch.pow),
    "maximum": (binary(), torch.maximum),
    "gate": (binary(), lambda x, y: torch.where(y > 0, x, 0 * x)),
    "eq": (binary(), torch.eq),
    "lt": (binary(), torch.lt),
    "le": (binary(), torch.le),
    "logical_not": (truths().map(lambda call: (call[0][:1], {})), torch.logical_not),
    "logical_and": (truths(), torch.logical_and),
    "where": (where_call(), torch.where),
    "sum": (reduction(), torch_sum),
    "amax": (
        reduction(smallest=1),
        lambda x, dims, keepdim: torch.amax(x, dims, keepdim),
    ),
    "argmax": (argument(), torch.argmax),
    "reshape": (reshaping(), lambda x, shape: x.reshape(shape)),
    "permute": (permuting(), lambda x, dims: x.permute(dims)),
    "expand": (expanding(), lambda x, shape: x.expand(shape)),
    "slice": (slicing(), lambda x, index: x[tuple(slice(*b) for b in index)]),
    "pad": (padding(), torch_pad),
    "flip": (flipping(), lambda x, dims: x.flip(dims)),
    "cat": (joining(), lambda *xs, dim: torch.cat(xs, dim)),
    "windows": (windowing(), torch_unfold),
    "fold": (folding(), torch_fold),
    "index": (indexing(), lambda x, *idx: x[idx]),
    "index_add": (
        scattering(),
        lambda v, *idx, shape: torch.zeros(shape, dtype=v.dtype).index_put(
            idx, v, accumulate=True
        ),
    ),
    "index_put": (putting(), lambda x, v, *idx: x.index_put(idx, v)),
    "matmul": (multiplying(), torch.matmul),
    "linear": (affine(), torch.nn.functional.linear),
    "log_softmax": (normalising(), torch.log_softmax),
    "softmax": (masked(normalising()), torch_softmax),
    "attention": (attending(), torch_attention),
    "softmax_back": (slope_of_softmax(), torch_softmax_back),
    "gelu": (unary(), torch_gelu),
    "gelu_back": (slope_of_gelu(), lambda y, x: torch_slope(torch_gelu, y, x)),
    "normalise": (standardising(), torch_normalise),
    "normalise_back": (slope_of_normalise(), torch_normalise_back),
    "cross_entropy": (classified(), torch.nn.functional.cross_entropy),
}
# Rows with claims of their own, tested where named.
ELSEWHERE = {
    "cast": "test_arithmetic",
    "copy": "test_tensor",
    "assign": "test_tensor",
    "uniform": "test_create",
    "normal": "test_create",
    "sgd": "test_ops",
    "adam": "test_ops",
    **dict.fromkeys(["cond", "while_loop", "scan", "item"], "test_control"),
    **dict.fromkeys(
        ["conv2d", "conv2d_image", "conv2d_weight"]
        + ["max_pool2d", "max_pool2d_back", "max_pool2d_pick"],
        "test_convolution",
    ),
    **dict.fromkeys(["input", "constant", "fused"], "passes/test_fuse"),
    **dict.fromkeys(["in_range", "contiguous", "peak"], "codegen/test_lower"),
    **dict.fromkeys(
        ["conv_last", "conv_last_weight", "pool_last", "pool_last_back"],
        "codegen/test_convolve",
    ),
}
ROWS = {
    row.name: row
    for name, module in list(sys.modules.items())
    if name.startswith("minidl.")
    for row in vars(module).values()
    if isinstance(row, dl.Op)
}


def test_every_row_has_a_witness():
    assert set(ROWS) == set(WITNESS) | set(ELSEWHERE)


def pair_of(array, dtype):
    """The same leaf in minidl and in PyTorch; floats require a gradient.

    Where ours has 16 bits, theirs computes on the rounded values in float64.
    """
    ours, theirs = dl.tensor(array), torch.tensor(array)
    if array.dtype.kind == "f":
        ours, theirs = ours.to(dtype), theirs.to(getattr(torch, dtype))
        theirs = theirs.double() if dtype in HALVES else theirs
        ours.requires_grad_()
        theirs.requires_grad_()
    return ours, theirs


def assert_close(ours, theirs, dtype):
    np.testing.assert_allclose(
        ours.detach().to("float64").numpy(),
        theirs.detach().to(torch.float64).numpy(),
        rtol=TOLERANCE[dtype],
        atol=TOLERANCE[dtype],
    )


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", WITNESS)
def test_value_and_gradient_equal_pytorch(name, dtype):
    strategy, function = WITNESS[name]
    op = ROWS[name]

    @given(strategy)
    def check(call):
        arrays, attrs = call
        pairs = [pair_of(array, dtype) for array in arrays]
        ours = op(*[pair[0] for pair in pairs], **attrs)
        theirs = function(*[pair[1] for pair in pairs], **attrs)
        assert_close(ours, theirs, dtype)
        assert ours.shape == tuple(op.shape(*[a.shape for a in arrays], **attrs))
        assert ours.dtype == op.dtype(*[pair[0].dtype for pair in pairs], **attrs)
        if dtype not in HALVES:
            assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")
        if not theirs.requires_grad:
            assert not ours.requires_grad
            return
        if dtype in HALVES and name.endswith("_back"):
            return  # here more digits cancel than 16 bits have
        g, other = pair_of(values(ours.shape, 7), dtype)
        ours.backward(g.detach())
        theirs.backward(other.detach())
        for x, t in pairs:
            if t.grad is not None:
                assert_close(x.grad, t.grad, dtype)

    check()


def accepted(op, dtypes, attrs):
    """Whether the dtype rule of `op` takes inputs of these dtypes."""
    try:
        op.dtype(*dtypes, **attrs)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("dtype", WHOLE)
@pytest.mark.parametrize("name", WITNESS)
def test_integers_give_pytorchs_integers(name, dtype):
    strategy, function = WITNESS[name]
    op = ROWS[name]

    @settings(max_examples=12)
    @given(strategy)
    def check(call):
        arrays, attrs = call
        arrays = [np.round(a * 3).astype(dtype) if a.dtype.kind == "f" else a
                  for a in arrays]  # fmt: skip
        if not accepted(op, [a.dtype for a in arrays], attrs):
            return
        ours = op(*map(dl.tensor, arrays), **attrs)
        theirs = function(*map(torch.tensor, arrays), **attrs)
        assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")
        assert ours.tolist() == theirs.tolist()
        assert ours.dtype == op.dtype(*[a.dtype for a in arrays], **attrs)

    check()


DIFFERENTIABLE = [name for name in WITNESS if ROWS[name].vjp and name != "sign"]


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_first_and_second_gradients_equal_differences(name):
    strategy, _ = WITNESS[name]
    op = ROWS[name]

    @given(strategy.filter(lambda call: sum(a.size for a in call[0]) <= 24))
    def check(call):
        arrays, attrs = call
        inputs = [pair_of(array, "float64")[0] for array in arrays]
        assert dl.gradcheck(lambda *xs: op(*xs, **attrs), inputs, order=2)

    check()


@pytest.mark.parametrize(
    "op", [op for op in ROWS.values() if op.composed and op.name in WITNESS], ids=str
)
def test_composites_equal_their_compositions(op):
    strategy, _ = WITNESS[op.name]

    @given(strategy)
    def check(call):
        arrays, attrs = call
        answers = []
        for run in (op, op.composed):
            inputs = [pair_of(array, "float64")[0] for array in arrays]
            out = run(*inputs, **attrs)
            out.backward(dl.tensor(values(out.shape, 3)))
            answers.append([out, *(x.grad for x in inputs if x.requires_grad)])
        for direct, composed in zip(*answers):
            np.testing.assert_allclose(
                direct.detach().numpy(),
                composed.detach().numpy(),
                rtol=1e-9,
                atol=1e-11,
            )

    check()


@pytest.mark.parametrize("row", [optim.sgd, optim.adam], ids=str)
def test_update_rows_equal_their_compositions(row, rng):
    rates = {
        "sgd": {"lr": 0.1, "momentum": 0.9},
        "adam": {"lr": 0.1, "beta1": 0.9, "beta2": 0.99, "eps": 1e-8, "step": 3},
    }[row.name]
    n = 1 + len(row.writes)
    arrays = [rng.random((3, 4)) + 0.5 for _ in range(n)]
    direct, composed = [[dl.tensor(a) for a in arrays] for _ in range(2)]
    row(*direct, **rates)
    row.composed(*composed, **rates)
    for a, b in zip(direct, composed):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-13)


def test_reductions_of_a_single_number_and_over_no_dimension_change_nothing():
    for x in (dl.tensor(3.0, requires_grad=True), dl.ones(2, 3, requires_grad=True)):
        for op in (ops.sum, ops.amax):
            x.grad = None
            out = op(x, dims=(), keepdim=False)
            out.backward(dl.ones(*x.shape))
            assert out.tolist() == x.tolist()
            assert x.grad.tolist() == dl.ones(*x.shape).tolist()


def test_ties_share_the_gradient_of_a_maximum():
    x = dl.tensor([1.0, 3.0, 3.0], requires_grad=True)
    x.amax().backward()
    assert x.grad.tolist() == [0.0, 0.5, 0.5]


def test_gradients_at_the_edges_are_pytorchs():
    for name, at in (("relu", 0.0), ("abs", 0.0), ("sigmoid", -200.0), ("tanh", 99.0)):
        ours, theirs = pair_of(np.array([at]), "float32")
        ROWS[name](ours).sum().backward()
        getattr(torch, name)(theirs).sum().backward()
        assert ours.grad.tolist() == theirs.grad.tolist(), name


@pytest.mark.parametrize("x, y", [(0.0, 0.0), (0.0, 2.0), (2.0, 0.0), (-2.0, 2.0)])
def test_powers_at_zero_have_pytorchs_gradients(x, y):
    ours = [dl.tensor(v, requires_grad=True) for v in (x, y)]
    theirs = [torch.tensor(v, requires_grad=True) for v in (x, y)]
    (ours[0] ** ours[1]).backward()
    (theirs[0] ** theirs[1]).backward()
    for a, b in zip(ours, theirs):
        np.testing.assert_equal(a.grad.item(), b.grad.item())


GPU = dl.hardware.cuda.probe()[0] is not None


@pytest.mark.gpu
@pytest.mark.skipif(not GPU, reason="no GPU that CuPy finds")
@pytest.mark.parametrize("name", WITNESS)
def test_the_gpu_gives_the_cpus_values_and_gradients(name):
    strategy, _ = WITNESS[name]
    op = ROWS[name]

    @given(strategy)
    def check(call):
        arrays, attrs = call
        answers = []
        for device in ("cpu", "cuda"):
            inputs = [dl.tensor(array, device=device) for array in arrays]
            for x in inputs:
                x.requires_grad_(x.dtype == np.float64)
            out = op(*inputs, **attrs)
            if out.requires_grad:
                out.backward(dl.tensor(values(out.shape, 3), device=device))
            found = [out.detach(), *(x.grad for x in inputs if x.grad is not None)]
            answers.append([x.cpu().numpy() for x in found])
        for cpu, cuda in zip(*answers, strict=True):
            np.testing.assert_allclose(cuda, cpu, rtol=1e-10, atol=1e-12)

    check()


@pytest.mark.parametrize("target", [-1, 3, 99])
def test_a_target_that_is_no_class_is_refused(target):
    with pytest.raises(ValueError, match=r"cross_entropy \(2, 3\).* 0 to 2"):
        dl.functional.cross_entropy(dl.zeros(2, 3), dl.tensor([0, target]))


def test_ieee_results_raise_no_warning():
    zero = dl.zeros(1)
    assert (1 / zero).item() == float("inf")
    assert np.isnan((zero / zero).item())
    assert (dl.tensor([1000.0]).exp()).item() == float("inf")


def test_a_place_named_from_both_ends_gets_both_gradients():
    table, rows = np.arange(10.0).reshape(5, 2), [4, -1, 0, -5, 4]
    ours, theirs = dl.tensor(table, requires_grad=True), torch.tensor(table)
    theirs.requires_grad_()
    g = np.arange(10.0).reshape(5, 2) + 1
    ours[dl.tensor(rows)].backward(dl.tensor(g))
    theirs[torch.tensor(rows)].backward(torch.tensor(g))
    assert ours.grad.tolist() == theirs.grad.tolist()
    with pytest.raises(IndexError):
        ops.index_add(dl.tensor(g), dl.tensor([0, 1, 2, 3, -6]), shape=(5, 2))
