"""apply and its handlers, rows and their replacement."""

import threading

import pytest

import minidl as dl
from minidl.framework import autodiff
from minidl.framework.op import stack


def noting(log, word):
    def handler(op, inputs, attrs):
        log.append(f"{word} {op.name}")
        return dl.apply(op, *inputs, **attrs)

    return handler


def test_handlers_run_from_the_innermost_block_outwards():
    log = []
    with dl.handling(noting(log, "outer")), dl.handling(noting(log, "inner")):
        dl.ones(2) + dl.ones(2)
    assert log == ["inner add", "outer add"]


def test_what_a_handler_computes_is_seen_only_below_it():
    log = []

    def doubling(op, inputs, attrs):
        out = dl.apply(op, *inputs, **attrs)
        return out * 2 if op.name == "add" else out

    with dl.handling(noting(log, "below")), dl.handling(doubling):
        out = dl.ones(2) + dl.ones(2)
    assert out.tolist() == [4.0, 4.0] and log == ["below add", "below mul"]


def test_a_handler_sees_the_backward_pass_and_its_work_is_recorded():
    x, log = dl.ones(2, requires_grad=True), []
    with dl.handling(noting(log, "saw")):
        (x * x).sum().backward()
    assert log[:2] == ["saw mul", "saw sum"] and log.count("saw mul") == 3


def test_an_error_restores_the_stack():
    def failing(op, inputs, attrs):
        raise KeyError("mine")

    with pytest.raises(KeyError):
        with dl.handling(failing):
            dl.ones(2) + 1
    assert stack.handlers == () and (dl.ones(2) + 1).tolist() == [2.0, 2.0]


def test_a_handler_may_take_over():
    def refusing(op, inputs, attrs):
        return inputs[0] if op.name == "exp" else dl.apply(op, *inputs, **attrs)

    x = dl.ones(2)
    with dl.handling(refusing):
        assert x.exp() is x and (x + x).tolist() == [2.0, 2.0]
    assert x.exp() is not x


def test_a_handler_is_off_while_it_works_and_on_again_after():
    depth = []

    def counting(op, inputs, attrs):
        depth.append(len(stack.handlers))
        return dl.apply(op, *inputs, **attrs)

    with dl.handling(counting), dl.handling(counting):
        dl.ones(1) + dl.ones(1)
        dl.ones(1) * dl.ones(1)
    assert depth == [1, 0, 1, 0]


def test_an_error_below_a_handler_leaves_its_block_in_force():
    log = []
    with dl.handling(noting(log, "saw")):
        with pytest.raises(ValueError):
            dl.ones(2) + dl.ones(3)
        dl.ones(2) * dl.ones(2)
    assert log == ["saw add", "saw mul"]


def test_other_threads_do_not_see_a_handler():
    log = []
    with dl.handling(noting(log, "saw")):
        thread = threading.Thread(target=lambda: dl.ones(2) + dl.ones(2))
        thread.start()
        thread.join()
    assert log == []


def test_composed_expands_compositions_to_the_end():
    log, x = [], dl.ones(2, 3)
    with dl.handling(noting(log, "ran")), dl.composed():
        dl.functional.cross_entropy(x, dl.tensor([0, 1]))
    assert "ran cross_entropy" not in log and "ran log_softmax" not in log
    assert "ran exp" in log


def test_a_rule_may_ask_only_for_what_there_is():
    with pytest.raises(TypeError, match="rule of half asks for z; .* may ask for"):
        dl.Op("half", lambda xp, x: x / 2, vjp=lambda g, z: g)


def test_a_row_of_ones_own_runs_and_differentiates():
    cube = dl.Op("cube", lambda xp, x: x**3, vjp=lambda g, x: g * 3 * x * x)
    x = dl.tensor([2.0], dtype="float64", requires_grad=True)
    assert dl.gradcheck(cube, [x], order=2) and cube(x).tolist() == [8.0]


def test_mixed_devices_are_named():
    class Elsewhere:
        data, shape, dtype, wrap = object(), (2,), "float32", None

    with pytest.raises((ValueError, RuntimeError), match="cuda"):
        dl.apply(dl.ops.add, dl.ones(2), Elsewhere())


# ---- replace


def test_a_replaced_rule_holds_for_the_block_and_below_layers():
    layer = dl.nn.ReLU()
    with dl.replace(dl.ops.relu, eval=lambda xp, x: xp.maximum(x, -1)):
        assert layer(dl.tensor([-5.0, 2.0])).tolist() == [-1.0, 2.0]
    assert layer(dl.tensor([-5.0, 2.0])).tolist() == [0.0, 2.0]


def test_a_replaced_gradient_serves_a_later_backward():
    x = dl.ones(1, requires_grad=True)
    with dl.replace(dl.ops.exp, vjp=lambda g: g * 100):
        y = x.exp()
    y.backward()
    assert x.grad.tolist() == [100.0]


def test_inner_replacements_win():
    exp = dl.ops.exp
    with dl.replace(exp, eval=lambda xp, x: x + 1):
        with dl.replace(exp, eval=lambda xp, x: x + 2):
            assert dl.zeros(1).exp().item() == 2
        assert dl.zeros(1).exp().item() == 1


def test_a_replaced_function_runs_inside_the_stack_and_may_call_the_librarys():
    linear, calls = dl.functional.linear, []

    def mine(x, weight, bias=None):
        calls.append(x.shape)
        return linear.__wrapped__(x, weight, bias)

    with dl.replace(linear, mine):
        dl.nn.Linear(3, 2)(dl.ones(4, 3))
    dl.nn.Linear(3, 2)(dl.ones(4, 3))
    assert calls == [(4, 3)]


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda: dl.replace(dl.ops.exp, slope=1), r"exp has no rule \['slope'\]"),
        (lambda: dl.replace(dl.ops.exp), "name some of"),
        (lambda: dl.replace(print, print), "topological_order"),
        (lambda: dl.replace(autodiff.topological_order), "needs a function"),
    ],
)
def test_a_wrong_replacement_is_named(wrong, words):
    with pytest.raises(TypeError, match=words):
        with wrong():
            pass
