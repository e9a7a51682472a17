"""The checker itself: it passes what is right and names what is wrong."""

import pytest

import minidl as dl


def x64(*shape):
    return dl.randn(*shape, dtype="float64").requires_grad_()


def test_it_passes_right_gradients_of_orders_one_and_two():
    assert dl.gradcheck(lambda a, b: (a @ b).tanh(), [x64(2, 3), x64(3, 2)], order=2)


def test_it_passes_linear_functions_whose_second_gradient_is_zero():
    assert dl.gradcheck(lambda a: a * 3, [x64(2)], order=2)


def test_it_names_the_element_of_a_wrong_gradient():
    with dl.replace(dl.ops.tanh, vjp=lambda g, out: g * (1 - out)):
        with pytest.raises(AssertionError, match=r"input 0 at \(0,\): the rules give"):
            dl.gradcheck(lambda a: a.tanh(), [x64(2)])


def test_it_finds_a_rule_that_is_wrong_only_in_the_second_order():
    def detached(g, out):
        return g * (1 - out.detach() * out.detach())

    with dl.replace(dl.ops.tanh, vjp=detached):
        assert dl.gradcheck(lambda a: a.tanh(), [x64(2)])
        with pytest.raises(AssertionError):
            dl.gradcheck(lambda a: a.tanh(), [x64(2)], order=2)


def test_it_finds_a_missing_accumulation():
    with dl.replace(dl.ops.mul, vjp=(lambda g, y: g * y, lambda g: g * 0)):
        with pytest.raises(AssertionError):
            dl.gradcheck(lambda a: a * a, [x64(2)])


@pytest.mark.parametrize(
    "inputs, words",
    [
        ([dl.ones(2, requires_grad=True)], "float32, needs float64"),
        ([dl.ones(2)], "nothing to check"),
    ],
)
def test_it_refuses_what_it_cannot_check(inputs, words):
    with pytest.raises((TypeError, ValueError), match=words):
        dl.gradcheck(lambda a: a, inputs)


@pytest.mark.parametrize("answer", [3.0, [1, 2], None])
def test_it_names_a_function_that_returns_no_tensor(answer):
    with pytest.raises(TypeError, match="must return one tensor, not"):
        dl.gradcheck(lambda a: answer, [x64(2)])


def test_it_finds_a_history_that_was_cut():
    with pytest.raises(AssertionError, match="the rules give 0, differences give"):
        dl.gradcheck(lambda a: a.detach() * 2, [x64(2)])


def test_it_leaves_its_inputs_as_they_were():
    x = x64(3)
    before = x.tolist()
    dl.gradcheck(lambda a: a.exp(), [x])
    assert x.tolist() == before and x.grad is None
