"""The fit loop's callbacks: when they are called, and what they decide."""

import pytest

import minidl as dl
from minidl import nn


def fit(epochs=3, callbacks=(), **options):
    data = dl.data.TensorDataset(dl.randn(8, 4), dl.randint(0, 2, (8,)))
    model = nn.Linear(4, 2)
    optimizer = dl.optim.SGD(model.parameters(), lr=0.1)
    loader = dl.data.DataLoader(data, 4)
    options.setdefault("test", data)
    history = dl.train.fit(
        model, optimizer, loader, epochs=epochs, callbacks=callbacks, verbose=False,
        **options,
    )  # fmt: skip
    return model, history


class Diary(dl.train.Callback):
    def __init__(self):
        self.events = []

    def on_start(self, run):
        self.events.append("start")

    def on_step(self, run):
        self.events.append(run.steps)

    def on_epoch(self, run):
        self.events.append(f"epoch {run.history[-1].number}")


def test_callbacks_are_called_in_order():
    diary = Diary()
    fit(2, [diary])
    assert diary.events == ["start", 1, 2, "epoch 1", 3, 4, "epoch 2"]


def scores(values):
    """Metrics that give `values`, one an epoch."""
    left = iter(values)
    return {"score": lambda model, test: next(left)}


@pytest.mark.parametrize(
    "values, patience, mode, epochs",
    [
        ([0.5, 0.4, 0.3, 0.9], 2, None, 3),  # twice no better: the third is the last
        ([0.5, 0.4, 0.6, 0.5, 0.5, 0.9], 2, None, 5),  # a better one starts anew
        ([0.5, 0.5, 0.9], 1, None, 2),  # equal is not better
        ([0.5, 0.4, 0.3, 0.4], 1, "min", 4),
        ([float("nan"), 0.5, 0.4, 0.9], 1, None, 1),
    ],
)
def test_early_stopping_waits_for_a_better_value(values, patience, mode, epochs):
    stopping = dl.train.EarlyStopping("score", patience, mode)
    _, history = fit(len(values), [stopping], metrics=scores(values))
    assert len(history) == epochs


def test_early_stopping_goes_on_waiting_after_an_interruption():
    first, second = (dl.train.EarlyStopping("score", patience=2) for _ in range(2))
    fit(2, [first], metrics=scores([0.5, 0.4]))
    second.load_state_dict(first.state_dict())
    assert len(fit(9, [second], metrics=scores([0.4, 0.9]))[1]) == 1


def test_the_best_weights_are_kept_not_the_last(tmp_path):
    weights = []

    class Remember(dl.train.Callback):
        def on_epoch(self, run):
            weights.append(run.model.weight.tolist())

    keep = dl.train.KeepBest(tmp_path / "best", "score")
    fit(3, [keep, Remember()], metrics=scores([0.2, 0.8, 0.5]))
    assert dl.load(tmp_path / "best")["weight"].tolist() == weights[1] != weights[2]


def test_a_schedule_moves_after_each_step():
    p = dl.ones(1, requires_grad=True)
    optimizer = dl.optim.SGD([p], lr=1.0)
    schedule = dl.optim.LambdaLR(optimizer, lambda step: 1 / (1 + step))
    fit(2, [dl.train.Schedule(schedule)])
    assert optimizer.param_groups[0]["lr"] == pytest.approx(1 / 5)


def test_metrics_are_measured_on_the_held_out_data_and_printed(capsys):
    _, history = fit(1, metrics={"size": lambda model, test: len(test)}, test=[1, 2, 3])
    assert history[0].metrics == {"size": 3.0}
    assert repr(history[0]).endswith("size 3.000")


@pytest.mark.parametrize(
    "wrong, error, words",
    [
        (lambda: fit(callbacks=[print]), TypeError, "a callback is a train.Callback"),
        (
            lambda: fit(callbacks=[dl.train.EarlyStopping("f1")]),
            ValueError,
            "watches 'f1', but fit measures loss, accuracy",
        ),
        (lambda: dl.train.KeepBest("x", mode="best"), ValueError, "got 'best'"),
    ],
)
def test_a_users_mistake_is_named(wrong, error, words):
    with pytest.raises(error, match=words):
        wrong()


def test_metrics_leave_running_averages_alone():
    data = dl.data.TensorDataset(dl.zeros(8, 4), dl.zeros(8, dtype="int64"))
    model = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 2))
    far = dl.ones(8, 4) * 100
    dl.train.fit(
        model, dl.optim.SGD(model.parameters()), dl.data.DataLoader(data, 4), far,
        metrics={"mean": lambda model, test: model(test).sum().item()}, verbose=False,
    )  # fmt: skip
    assert model[0].running_mean.tolist() == [0] * 4


def test_an_empty_test_set_is_named_before_the_training():
    with pytest.raises(ValueError, match="the test set is empty"):
        fit(test=dl.data.TensorDataset(dl.zeros(0, 4), dl.zeros(0, dtype="int64")))
