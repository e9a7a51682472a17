"""A reader's rules and functions in place of the library's: where, when, for whom."""

import threading

import pytest

import minidl as dl
from minidl.framework import autodiff
from minidl.framework.op import stack
from minidl.framework.replace import REPLACEABLE, replacements


def adding(n):
    return lambda xp, x: x + n


def test_blocks_of_different_operations_nest():
    x = dl.zeros(1)
    with dl.replace(dl.ops.exp, eval=adding(1)):
        with dl.replace(dl.ops.log, eval=adding(2)):
            assert x.exp().log().item() == 3
        assert x.exp().item() == 1


def test_several_rules_are_replaced_at_once_and_the_others_stay():
    x = dl.tensor([2.0], requires_grad=True)
    with dl.replace(dl.ops.exp, eval=adding(1), vjp=lambda g: g * 5) as mine:
        y = x.exp()
        assert (mine.name, mine.shape, mine.dtype) == (
            "exp", dl.ops.exp.shape, dl.ops.exp.dtype
        )  # fmt: skip
    y.backward()
    assert y.item() == 3 and x.grad.tolist() == [5.0]


def test_a_rule_serves_the_second_gradient_that_is_taken_in_the_block():
    x = dl.tensor(0.5, dtype="float64", requires_grad=True)
    with dl.replace(dl.ops.exp, vjp=lambda g, x: g * x.exp()):
        (slope,) = dl.grad(x.exp(), x, create_graph=True)
        (curve,) = dl.grad(slope, x)
    assert curve.item() == pytest.approx(x.exp().item(), rel=1e-12)


@pytest.mark.parametrize("failing", [True, False])
def test_a_block_ends_with_an_error_as_it_does_without(failing):
    def broken(xp, x):
        raise ZeroDivisionError("mine")

    layer = dl.functional.linear
    try:
        with dl.replace(dl.ops.exp, eval=broken if failing else adding(1)):
            with dl.replace(layer, lambda *args: None):
                dl.zeros(1).exp()
    except ZeroDivisionError:
        assert failing
    assert stack.handlers == () and replacements.current == {}
    assert dl.zeros(1).exp().item() == 1


def test_an_error_in_a_rule_names_the_operation():
    with dl.replace(dl.ops.exp, eval=lambda xp, x: x.reshape(7)):
        with pytest.raises(ValueError, match=r"exp \(2,\) float32: .*reshape"):
            dl.zeros(2).exp()


def test_other_threads_keep_the_librarys_rules_and_functions():
    seen = []

    def work():
        seen.append(dl.zeros(1).exp().item())
        seen.append(replacements.current)

    with dl.replace(dl.ops.exp, eval=adding(9)):
        with dl.replace(dl.functional.linear, lambda *args: None):
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
            assert dl.zeros(1).exp().item() == 9
    assert seen == [1.0, {}]


def test_inner_functions_win_and_the_outer_ones_come_back():
    linear, x = dl.functional.linear, dl.ones(1, 2)
    layer = dl.nn.Sequential(dl.nn.Linear(2, 2), dl.nn.Sequential(dl.nn.Linear(2, 2)))
    with dl.replace(linear, lambda x, weight, bias: x + 1):
        with dl.replace(linear, lambda x, weight, bias: x + 10):
            assert layer(x).tolist() == [[21.0, 21.0]]
        assert layer(x).tolist() == [[3.0, 3.0]]


def test_a_walk_of_ones_own_runs_inside_backward():
    calls, order = [], autodiff.topological_order

    def mine(roots):
        calls.append(len(roots))
        return order.__wrapped__(roots)

    x = dl.ones(2, requires_grad=True)
    with dl.replace(order, mine):
        (x * x).sum().backward()
    assert calls == [1] and x.grad.tolist() == [2.0, 2.0]


def test_what_can_be_replaced_is_found_under_its_dotted_name():
    name = "minidl.framework.autodiff.topological_order"
    assert REPLACEABLE[name] is autodiff.topological_order
    assert autodiff.topological_order.__doc__.startswith("All that `roots` depend on")


def test_fewer_rules_than_inputs_are_refused():
    with pytest.raises(TypeError, match="mul: 2 inputs, 1 gradient rules"):
        with dl.replace(dl.ops.mul, vjp=lambda g, y: g * y):
            pass
    with pytest.raises(TypeError, match="is no function: 3"):
        with dl.replace(dl.ops.exp, vjp=3):
            pass


def test_an_input_can_not_have_the_name_of_the_gradient():
    with pytest.raises(TypeError, match="can't be called g"):
        dl.Op("twice", lambda xp, g: g * 2, vjp=lambda g: g * 2)


def test_a_replacement_may_call_what_it_replaces():
    linear, calls = dl.functional.linear, []

    def counted(*args):
        calls.append(1)
        return linear(*args)

    with dl.replace(linear, counted):
        dl.nn.Linear(3, 2)(dl.ones(4, 3))
    assert len(calls) == 1
