"""A run that is killed and started again ends as one that was left alone."""

import os
import signal
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minidl as dl
from minidl import nn
from minidl.experience.train.checkpoint import packed, unpacked


class Killed(Exception):
    pass


class Kill(dl.train.Callback):
    saves = True  # after the checkpoint, if given after it

    def __init__(self, at):
        self.at = at

    def on_step(self, run):
        if run.steps == self.at:
            raise Killed


def shift(images, rng):
    return images + rng.normal(0, 0.1, images.shape).astype(images.dtype)


def train(path, kill=None, every=3, epochs=3, workers=0, dtype=None):
    """The bits of a model with all that has a state: dropout, running averages, ..."""
    dl.manual_seed(5)
    data = dl.data.TensorDataset(dl.randn(40, 6), dl.randint(0, 3, (40,)))
    model = nn.Sequential(
        nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 3)
    )
    groups = [{"params": model[0].parameters(), "lr": 0.02}, {
        "params": [*model[1].parameters(), *model[3].parameters()]}]  # fmt: skip
    optimizer = dl.optim.AdamW(groups, lr=0.01)
    loader = dl.data.DataLoader(
        data, 8, shuffle=True, transform=shift, num_workers=workers
    )
    schedule = dl.optim.LambdaLR(optimizer, dl.optim.cosine(30, warmup=3))
    stopping = dl.train.EarlyStopping("loss", patience=2)
    callbacks = [dl.train.Schedule(schedule), stopping]
    if path is not None:
        callbacks = [dl.train.Checkpoint(path, every), *callbacks, Kill(kill)]
    scaler = dl.optim.GradScaler(growth_interval=2) if dtype else None
    step = dl.train.Step(dtype, accumulate=2, clip_norm=1.0, scaler=scaler)
    history = dl.train.fit(
        model, optimizer, loader, data, epochs, step=step, callbacks=callbacks,
        verbose=False,
    )  # fmt: skip
    return [x.data.tobytes() for _, x in model.state()], history


@pytest.fixture(scope="module")
def undisturbed():
    return {dtype: train(None, dtype=dtype) for dtype in (None, "float16")}


@settings(max_examples=8)
@given(
    kills=st.lists(st.integers(1, 15), max_size=3),
    every=st.sampled_from([None, 1, 2, 3, 7]),
    workers=st.sampled_from([0, 2]),
    dtype=st.sampled_from([None, "float16"]),
)
def test_a_run_killed_at_any_steps_ends_with_the_same_bits(
    undisturbed, tmp_path_factory, kills, every, workers, dtype
):
    path = tmp_path_factory.mktemp("run") / "run.safetensors"
    for at in kills:
        try:
            train(path, at, every, workers=workers, dtype=dtype)
        except Killed:
            pass
    assert train(path, None, every, workers=workers, dtype=dtype) == undisturbed[dtype]


SCRIPT = """
import sys, pathlib
sys.path.insert(0, {folder!r})
import test_checkpoint as t
bits, history = t.train(pathlib.Path(sys.argv[1]), every=1, epochs=200)
print(hash(tuple(bits)), len(history))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_a_run_killed_by_the_system_goes_on(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(folder=os.path.dirname(__file__)))
    environ = {**os.environ, "PYTHONHASHSEED": "0"}

    def start(name):
        return subprocess.Popen(
            [sys.executable, script, tmp_path / name], env=environ,
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    whole = start("a").communicate()[0].splitlines()[-1]
    for seconds in (1.5, 1.0):
        process = start("b")
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.communicate()
    assert start("b").communicate()[0].splitlines()[-1] == whole


def test_a_finished_run_is_not_run_again_and_more_epochs_go_on(tmp_path):
    path = tmp_path / "run"
    bits, history = train(path, epochs=2)
    assert train(path, epochs=2) == (bits, history)
    longer = train(path, epochs=3)
    assert longer[1][:2] == history and longer == train(None, epochs=3)


# ---- what can't be gone on from


def plain_fit(model, path, **options):
    data = dl.data.TensorDataset(dl.ones(4, 6), dl.zeros(4, dtype="int64"))
    optimizer = dl.optim.SGD(model.parameters(), 0.1)
    loader = options.pop("loader", dl.data.DataLoader(data, 2))
    callbacks = [dl.train.Checkpoint(path), *options.pop("callbacks", [])]
    dl.train.fit(model, optimizer, loader, callbacks=callbacks, verbose=False)


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    plain_fit(nn.Linear(6, 3), tmp_path / "a")
    with pytest.raises(
        ValueError, match=r"weight is \(3, 6\), the model's is \(4, 6\)"
    ):
        plain_fit(nn.Linear(6, 4), tmp_path / "a")


def test_a_checkpoint_with_other_callbacks_is_refused(tmp_path):
    plain_fit(nn.Linear(6, 3), tmp_path / "a")
    with pytest.raises(ValueError, match="give fit what it was given then"):
        plain_fit(
            nn.Linear(6, 3), tmp_path / "a", callbacks=[dl.train.EarlyStopping("loss")]
        )


def test_a_file_of_weights_is_no_checkpoint(tmp_path):
    model = nn.Linear(6, 3)
    dl.save(model.state_dict(), tmp_path / "a")
    with pytest.raises(ValueError, match="holds tensors, but no saved run"):
        plain_fit(model, tmp_path / "a")


def test_a_loader_that_can_not_say_where_it_stands_is_refused(tmp_path):
    batches = [(dl.ones(2, 6), dl.zeros(2, dtype="int64"))]
    with pytest.raises(TypeError, match="a list can't say where it stands"):
        plain_fit(nn.Linear(6, 3), tmp_path / "a", loader=batches)


def test_a_steps_count_below_one_is_refused(tmp_path):
    with pytest.raises(ValueError, match="every counts steps, got 0"):
        dl.train.Checkpoint(tmp_path / "a", every=0)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_values)
def test_packing_keeps_plain_data(value):
    assert unpacked(packed(value, {}), {}) == value


def test_packing_sets_tensors_aside_by_name():
    tensors, x = {}, dl.ones(2)
    plain = packed({"a": [1, {"b": x}], "c": (x, 2)}, tensors)
    assert set(tensors) == {"run.a.1.b", "run.c.0"}
    back = unpacked(plain, tensors)
    assert back["a"][1]["b"] is x and back["c"] == [x, 2]
