"""Compiled training steps: the numbers of eager ones, whatever changes around them."""

import gc

import numpy as np
import pytest

import minidl as dl
from minidl import nn, optim

F = nn.functional


@pytest.fixture(autouse=True)
def seeded():
    dl.manual_seed(0)


def batches(shape, classes, count):
    draw = np.random.default_rng(0)
    for _ in range(count):
        x = dl.from_numpy(draw.random(shape, np.float32))
        yield x, dl.from_numpy(draw.integers(0, classes, shape[0]))


def mlp():
    return nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 5))


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(6 * 9, 5),
    )  # fmt: skip


class Reader(nn.Module):
    """An LSTM that classifies rows read as sequences."""

    def __init__(self):
        self.lstm, self.out = nn.LSTM(4, 8, batch_first=True), nn.Linear(8, 5)

    def forward(self, x):
        return self.out(self.lstm(x)[0][:, -1])


class Writer(nn.Module):
    """A GPT that classifies by its last token."""

    def __init__(self):
        self.gpt = nn.GPT(11, 8, dim=16, layers=2, heads=2)

    def forward(self, x):
        return self.gpt((x * 10).to("int64"))[:, -1, :5]


MODELS = {
    "MLP": (mlp, (16, 20), lambda p: optim.SGD(p, lr=0.05, momentum=0.9)),
    "CNN": (cnn, (8, 1, 12, 12), lambda p: optim.SGD(p, lr=0.05, momentum=0.9)),
    "LSTM": (Reader, (8, 5, 4), lambda p: optim.Adam(p, lr=1e-3)),
    "GPT": (Writer, (8, 8), lambda p: optim.AdamW(p, lr=1e-3)),
}


def made(name):
    dl.manual_seed(0)
    make, shape, optimiser = MODELS[name]
    model = make()
    return model, optimiser(model.parameters()), shape


def stepper(model, optimizer):
    def step(x, y):
        return dl.train.train_step(model, optimizer, F.cross_entropy, x, y)

    return step


def both(name):
    """(an eager step, a compiled one of an equal model, the models and optimisers)."""
    eager, compiled = made(name), made(name)
    return (
        stepper(*eager[:2]),
        dl.compile(stepper(*compiled[:2])),
        (eager[0], compiled[0]),
        (eager[1], compiled[1]),
    )


def equal_state(eager, compiled, rtol=2e-4):
    for (name, a), (_, b) in zip(eager.state(), compiled.state()):
        scale = max(np.abs(a.data).max(), 1e-3)
        np.testing.assert_allclose(
            b.data, a.data, rtol=rtol, atol=rtol * scale, err_msg=name
        )


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_losses_are_those_of_eager_to_1e_5_over_50_steps(name):
    eager, compiled, models, _ = both(name)
    for x, y in batches(MODELS[name][1], 5, 50):
        assert compiled(x, y) == pytest.approx(eager(x, y), rel=1e-5)
    if name != "GPT":  # whose key biases move by the sign of what is 0 but for rounding
        equal_state(*models)
    assert len(compiled.variants) == 1  # compiled once for all of them


def small(optimizer=None, model=None):
    model = model or mlp()
    optimizer = optimizer or optim.SGD(model.parameters(), lr=0.1)
    return model, optimizer


def test_parameters_are_written_where_they_lie_and_gradients_left():
    eager, compiled, models, _ = both("MLP")
    arrays = [p.data for p in models[1].parameters()]
    ((x, y),) = batches((16, 20), 5, 1)
    eager(x, y), compiled(x, y)
    for p, q, array in zip(models[0].parameters(), models[1].parameters(), arrays):
        assert q.data is array
        np.testing.assert_allclose(q.grad.data, p.grad.data, rtol=1e-4, atol=1e-7)


def test_a_gradient_that_somebody_holds_is_not_written_again():
    _, compiled, models, _ = both("MLP")
    (x, y), (x2, y2) = batches((16, 20), 5, 2)
    compiled(x, y)
    held = models[1].parameters()[0].grad
    before = held.data.copy()
    compiled(x2, y2)
    np.testing.assert_array_equal(held.data, before)
    assert models[1].parameters()[0].grad is not held


def test_a_result_that_somebody_holds_is_not_written_again():
    double = dl.compile(lambda x: x * 2 + 1)
    first = double(dl.ones(4))
    second = double(dl.zeros(4))
    assert first.tolist() == [3] * 4 and second.tolist() == [1] * 4


def test_another_signature_is_compiled_once_and_told(capsys):
    f = dl.compile(lambda x: (x * 2).sum())
    f(dl.ones(4)), f(dl.ones(4))
    assert capsys.readouterr().err == ""
    f(dl.ones(5)), f(dl.ones(5)), f(dl.ones(4))
    assert capsys.readouterr().err.count("compiled again: a new signature") == 1
    assert len(f.variants) == 2


def test_learning_rates_may_change_without_another_compilation(capsys):
    eager, compiled, models, optimisers = both("LSTM")
    for i, (x, y) in enumerate(batches((8, 5, 4), 5, 4)):
        for optimizer in optimisers:
            optimizer.param_groups[0]["lr"] = 1e-3 / (i + 1)
        assert compiled(x, y) == pytest.approx(eager(x, y), rel=1e-5)
    equal_state(*models)
    assert capsys.readouterr().err == ""


def test_an_optimisers_count_goes_on_where_it_was():
    eager, compiled, models, optimisers = both("LSTM")
    for x, y in batches((8, 5, 4), 5, 3):
        eager(x, y), compiled(x, y)
    counts = [s["step"] for s in optimisers[1].state.values()]
    assert counts == [3] * len(counts)
    plain = stepper(models[1], optimisers[1])  # and eager goes on from there
    for x, y in batches((8, 5, 4), 5, 2):
        assert plain(x, y) == pytest.approx(eager(x, y), rel=1e-5)


def test_dropout_draws_the_numbers_that_it_would():
    def run(wrap):
        dl.manual_seed(0)
        model = nn.Sequential(nn.Linear(20, 32), nn.Dropout(0.5), nn.Linear(32, 5))
        step = wrap(stepper(model, optim.SGD(model.parameters(), lr=0.1)))
        dl.manual_seed(1)
        return [step(x, y) for x, y in batches((16, 20), 5, 5)]

    eager, compiled = run(lambda f: f), run(dl.compile)
    np.testing.assert_allclose(compiled, eager, rtol=1e-5)
    assert len(set(compiled)) == 5


def test_batch_norms_averages_move():
    eager, compiled, models, _ = both("CNN")
    for x, y in batches((8, 1, 12, 12), 5, 3):
        eager(x, y), compiled(x, y)
    mean = [dict(m.named_buffers())["1.running_mean"].data for m in models]
    np.testing.assert_allclose(mean[1], mean[0], rtol=1e-5)
    assert np.abs(mean[0]).max() > 0


def test_train_and_eval_are_told_apart(capsys):
    model = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5))
    f = dl.compile(lambda x: model(x))
    f(dl.ones(2, 3))
    model.eval()
    out = f(dl.ones(2, 3))
    np.testing.assert_allclose(out.data, model(dl.ones(2, 3)).detach().data, rtol=1e-6)
    assert "compiled again: model" in capsys.readouterr().err


def test_gradients_add_up_where_the_step_does_not_clear_them():
    w = dl.ones(3, requires_grad=True)
    f = dl.compile(lambda x: (w * x).sum().backward())
    f(dl.ones(3)), f(dl.ones(3)), f(dl.ones(3))
    assert w.grad.tolist() == [3, 3, 3]
    w.grad = None
    f(dl.ones(3))
    assert w.grad.tolist() == [1, 1, 1]


def test_an_optimisers_step_alone_reads_the_gradients_of_now():
    model, optimizer = small()
    twin = mlp()
    twin.load_state_dict(model.state_dict())
    update = dl.compile(lambda: optimizer.step())
    other = optim.SGD(twin.parameters(), lr=0.1)
    for x, y in batches((16, 20), 5, 3):
        for m, o, step in ((model, optimizer, update), (twin, other, other.step)):
            o.zero_grad()
            F.cross_entropy(m(x), y).backward()
            step()
    equal_state(twin, model, 1e-6)


def test_loaded_and_replaced_parameters_are_seen():
    model = nn.Linear(2, 2)
    f = dl.compile(lambda x: model(x))
    f(dl.ones(1, 2))
    model.load_state_dict({"weight": dl.ones(2, 2), "bias": dl.zeros(2)})
    assert f(dl.ones(1, 2)).tolist() == [[2, 2]]
    model.weight.data = np.full((2, 2), 3, np.float32)
    assert f(dl.ones(1, 2)).tolist() == [[6, 6]]
    model.weight = nn.Parameter(dl.zeros(2, 2))
    assert f(dl.ones(1, 2)).tolist() == [[0, 0]]


def test_a_frozen_parameter_is_seen():
    model, optimizer = small()
    f = dl.compile(stepper(model, optimizer))
    (x, y), (x2, y2) = batches((16, 20), 5, 2)
    f(x, y)
    first = model.parameters()[0]
    first.requires_grad_(False)
    before = first.data.copy()
    f(x2, y2)
    np.testing.assert_array_equal(first.data, before)


def test_a_python_number_that_changes_is_seen():
    factor = 2

    def scaled(x):
        return x * factor

    f = dl.compile(scaled)
    assert f(dl.ones(2)).tolist() == [2, 2]
    factor = 5
    assert f(dl.ones(2)).tolist() == [5, 5]


def test_a_change_in_each_call_ends_in_eager_runs(capsys):
    class Counter:
        n = 0

    counter = Counter()
    counter.n = 0
    f = dl.compile(lambda x: x * counter.n)
    for n in range(12):
        counter.n = n
        assert f(dl.ones(2)).tolist() == [n, n]
    assert "runs eagerly" in capsys.readouterr().err


def test_a_decision_on_elements_names_its_line():
    def step(x):
        if x.sum() > 0:
            return x
        return -x

    with pytest.raises(
        dl.TraceError, match=r"test_compile.py:\d+: `if x.sum\(\) > 0:`"
    ):
        dl.compile(step)(dl.ones(2))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.tolist(),
        lambda x: x.numpy() + 1,
        lambda x: float(x.sum()),
        lambda x: x.sum().item() * x,
        lambda x: [row for row in np.asarray(x)],
        lambda x: x[x > 0],
        lambda x: int(x.argmax()),
        lambda x: dl.rand(int(x.sum())),
    ],
)
def test_what_needs_elements_is_refused_and_nothing_is_lost(function):
    x = dl.ones(3)
    with pytest.raises(dl.TraceError, match="test_compile.py"):
        dl.compile(function)(x)
    assert x.tolist() == [1, 1, 1]


def test_fallback_runs_as_it_is(capsys):
    f = dl.compile(lambda x: x[x > 0], fallback=True)
    assert f(dl.tensor([1.0, -1.0, 2.0])).tolist() == [1, 2]
    assert "runs eagerly" in capsys.readouterr().err
    assert "needs the elements" in repr(f.explain())


def test_a_step_that_counts_in_python_is_refused():
    class Steps:
        def __init__(self):
            self.done = 0

        def __call__(self, x):
            self.done += 1
            return x * 2

    with pytest.raises(dl.TraceError, match="done went from 0 to 1"):
        dl.compile(Steps())(dl.ones(2))


def test_writes_into_views_are_refused():
    buffer = dl.zeros(4, 2)

    def write(x):
        buffer[1] = x

    with pytest.raises(dl.TraceError, match="into a view"):
        dl.compile(write)(dl.ones(2))


def test_a_view_of_what_is_written_is_refused():
    whole = dl.zeros(4)
    part = whole[:2]

    def step(x):
        whole.copy_(x)
        return part * 1

    with pytest.raises(dl.TraceError, match="a view of it"):
        dl.compile(step)(dl.ones(4))


def test_a_tensor_that_is_written_holds_the_last_value():
    total = dl.zeros(2)

    def add(x):
        total.copy_(total + x)
        return total * 2

    f = dl.compile(add)
    assert f(dl.ones(2)).tolist() == [2, 2]
    assert f(dl.ones(2)).tolist() == [4, 4]
    assert total.tolist() == [2, 2]


def test_an_argument_that_is_written_is_the_callers():
    def grow(x):
        x.mul_(2)

    f = dl.compile(grow)
    for _ in range(2):
        x = dl.ones(3)
        f(x)
        assert x.tolist() == [2, 2, 2]


def test_two_tensors_may_swap_values():
    a, b = dl.ones(2), dl.zeros(2)

    def swap():
        kept = a.clone()
        a.copy_(b)
        b.copy_(kept)

    f = dl.compile(swap)
    f()
    assert (a.tolist(), b.tolist()) == ([0, 0], [1, 1])
    f()
    assert (a.tolist(), b.tolist()) == ([1, 1], [0, 0])


def test_results_keep_their_structure():
    f = dl.compile(lambda x: {"a": [x + 1, 3, None], "b": (x.sum().item() * 2, "c")})
    found = f(dl.ones(2))
    assert found["a"][0].tolist() == [2, 2] and found["a"][1:] == [3, None]
    assert found["b"] == (4.0, "c")


def test_an_argument_may_be_returned_and_results_do_not_share_memory():
    f = dl.compile(lambda x: (x, x + 0, x * 1))
    x = dl.ones(2)
    same, b, c = f(x)
    b.mul_(5)
    assert same is x and x.tolist() == [1, 1] and c.tolist() == [1, 1]
    y = dl.zeros(2)
    assert f(y)[0] is y


def test_gpt_kernels_come_from_few_texts():
    compiled = both("GPT")[1]
    for x, y in batches((8, 8), 5, 1):
        compiled(x, y)
    kernels = compiled.explain().kernels
    assert len({k.source for k in kernels}) < len(kernels) / 2
    assert "operations" in repr(compiled.explain())


def test_a_wrong_class_number_is_told_as_ever():
    model, optimizer = small()
    f = dl.compile(stepper(model, optimizer))
    ((x, y),) = batches((16, 20), 5, 1)
    f(x, y)
    y.data[3] = 7
    with pytest.raises(IndexError, match="5 places"):
        f(x, y)


def test_who_looks_on_sees_every_operation():
    f = dl.compile(lambda x: (x * 2).exp())
    with dl.Ledger() as ledger:
        f(dl.ones(2))
    assert ledger.count() == {"mul": 1, "exp": 1}


def test_a_compiled_function_lets_go_of_nothing_it_should_keep():
    f = dl.compile(lambda x: x @ dl.ones(2, 2))
    gc.collect()
    assert f(dl.ones(1, 2)).tolist() == [[2, 2]]
    assert f(dl.ones(1, 2)).tolist() == [[2, 2]]


def test_fit_takes_a_compiled_step():
    model, optimizer = small(model=nn.Linear(4, 2))
    data = dl.data.TensorDataset(dl.rand(64, 4), dl.tensor(np.arange(64) % 2))
    loader = dl.data.DataLoader(data, batch_size=16)
    step = dl.compile(dl.train.train_step)
    history = dl.train.fit(model, optimizer, loader, epochs=2, step=step, verbose=False)
    assert len(history) == 2 and len(step.variants) == 1
