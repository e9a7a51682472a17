"""Devices: what is there, and that one program serves both."""

import sys

import numpy as np
import pytest

import minidl as dl
from minidl.framework import attention, composites, convolution, ops
from minidl.hardware import cuda

GPU = cuda.probe()[0] is not None


def test_the_cpu_is_there_and_what_is_not_says_why():
    cpu, gpu = dl.devices()
    assert cpu.available and "NumPy" in cpu.note
    assert gpu.available == GPU and "CuPy" in gpu.note


@pytest.mark.skipif(GPU, reason="this machine has a GPU")
def test_asking_for_a_gpu_that_is_not_there_is_a_sentence():
    asks = [
        lambda: dl.ones(2).to("cuda"),
        lambda: dl.ones(2).cuda(),
        lambda: dl.tensor([1.0], device="cuda"),
        lambda: dl.rand(2, device="cuda"),
        lambda: dl.device("cuda"),
    ]
    for ask in asks:
        with pytest.raises(RuntimeError, match="'cuda' was asked for, but .*'cpu'"):
            ask()


@pytest.mark.parametrize(
    "found, note",
    [
        ("raise ModuleNotFoundError(name='cupy')", "CuPy is not installed"),
        ("raise ImportError('no library')", "CuPy is installed but broken"),
        ("is_available = lambda: False; __version__ = '1'", "finds no NVIDIA GPU"),
    ],
)
def test_why_there_is_no_gpu_is_told_apart(found, note, tmp_path, monkeypatch):
    (tmp_path / "cupy.py").write_text(found)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    try:
        assert note in cuda.probe.__wrapped__()[1]
    finally:
        sys.modules.pop("cupy", None)


def test_a_device_passes_through_and_moving_home_is_free():
    x = dl.ones(2)
    assert dl.device(dl.device("cpu")) is dl.device("cpu")
    assert x.to("cpu") is x and x.cpu() is x and x.device.name == "cpu"


class Recorder:
    """NumPy under another name, noting which of its functions are asked for."""

    def __init__(self):
        self.asked = set()

    def __getattr__(self, name):
        self.asked.add(name)
        return getattr(np, name)


def test_every_array_function_of_the_table_exists_in_cupy(rng):
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    xp, x, i = Recorder(), rng.random((2, 2)), np.array([0, 1])
    image, back = rng.random((1, 1, 2, 2)), {"shape": (1, 1, 2, 2), "stride": (1, 1)}
    pool = {"size": (1, 1), "stride": (1, 1)}
    keyed = {"shape": (2,), "dtype": np.dtype("float32")}
    calls = {
        "sum": ([x], {"dims": (0,), "keepdim": False}),
        "amax": ([x], {"dims": (0,), "keepdim": False}),
        "peak": ([x], {"dims": (0,), "keepdim": False}),
        "in_range": ([i], {"size": 2}),
        "argmax": ([x], {"dim": 0, "keepdim": False}),
        "reshape": ([x], {"shape": (4,)}),
        "permute": ([x], {"dims": (1, 0)}),
        "expand": ([x], {"shape": (3, 2, 2)}),
        "slice": ([x], {"index": ((0, 1, 1), (0, 2, 1))}),
        "pad": ([x], {"index": ((0, 2, 1), (0, 2, 1)), "shape": (2, 2)}),
        "flip": ([x], {"dims": (0,)}),
        "cat": ([x, x], {"dim": 0}),
        "windows": ([x], {"size": (1,), "stride": (1,)}),
        "fold": ([x[..., None]], {"shape": (2, 2), "size": (1,), "stride": (1,)}),
        "index": ([x, i], {}),
        "index_add": ([x, i], {"shape": (2, 2)}),
        "index_put": ([x, x, i], {}),
        "cast": ([x], {"dtype": np.dtype("float32")}),
        "copy": ([x], {"device": dl.device("cpu")}),
        "uniform": ([i], keyed),
        "normal": ([i], keyed),
        "where": ([x > 0, x, x], {}),
        "log_softmax": ([x], {"dim": 1}),
        "softmax": ([x], {"dim": 1}),
        "attention": ([x, x, x], {}),
        "softmax_back": ([x, x], {"dim": 1}),
        "normalise": ([x], {"eps": 1e-5}),
        "normalise_back": ([x, x], {"eps": 1e-5}),
        "linear": ([x, x, x[0]], {}),
        "cross_entropy": ([x, i], {}),
        "conv2d": ([image, image], {"stride": (1, 1)}),
        "conv2d_image": ([image[..., :1, :1], image], back),
        "conv2d_weight": ([image[..., :1, :1], image], back),
        "max_pool2d": ([image], pool),
        "max_pool2d_back": ([image, image, image], pool),
        "max_pool2d_pick": ([image, image, image], pool),
    }
    rows = {
        row.name: row
        for module in (ops, attention, composites, convolution)
        for row in vars(module).values()
        if isinstance(row, dl.Op)
    }
    for name, op in rows.items():
        arity = len(op.signature.inputs)
        inputs, attrs = calls.get(name, ([x.copy() for _ in range(arity)], {}))
        op.eval(xp, *inputs, **attrs)
    assert len(xp.asked) > 15
    missing = [name for name in xp.asked if not hasattr(cupy, name)]
    assert not missing
    assert hasattr(cupy.add, "at") and hasattr(cupy.lib.stride_tricks, "as_strided")


@pytest.mark.gpu
@pytest.mark.skipif(not GPU, reason="no GPU that CuPy finds")
def test_a_network_learns_the_same_on_the_gpu():
    losses = {}
    for name in ("cpu", "cuda"):
        dl.manual_seed(0)
        model = dl.nn.Sequential(
            dl.nn.Conv2d(1, 4, 3), dl.nn.ReLU(), dl.nn.MaxPool2d(2), dl.nn.Flatten(),
            dl.nn.Linear(4 * 13 * 13, 10),
        ).to(name)  # fmt: skip
        optimizer = dl.optim.Adam(model.parameters())
        x, y = (
            dl.rand(16, 1, 28, 28, device=name),
            dl.randint(0, 10, (16,), device=name),
        )
        step = dl.train.train_step
        losses[name] = [
            step(model, optimizer, dl.functional.cross_entropy, x, y) for _ in range(5)
        ]
    np.testing.assert_allclose(losses["cpu"], losses["cuda"], rtol=1e-3)
