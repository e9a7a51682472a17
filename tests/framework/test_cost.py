"""Counts of work, by hand."""

import minidl as dl
from minidl import nn


def test_an_mlps_flops_are_those_counted_by_hand():
    model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    with dl.Ledger() as ledger:
        model(dl.ones(64, 784))
    products = 2 * 64 * (784 * 128 + 128 * 10)
    biases, relu = 64 * (128 + 10), 64 * 128
    assert ledger.flops == products + biases + relu


def test_the_weights_gradient_costs_one_product_and_the_inputs_another():
    x, w = dl.ones(8, 16), dl.ones(4, 16, requires_grad=True)
    y = nn.functional.linear(x, w).sum()
    with dl.Ledger() as ledger:
        y.backward()
    assert ledger.count()["matmul"] == 1
    x.requires_grad_()
    y = nn.functional.linear(x, w).sum()
    with dl.Ledger() as ledger:
        y.backward()
    assert ledger.count()["matmul"] == 2


def test_views_move_no_byte_and_copies_are_read_and_written():
    x = dl.ones(10, 10)
    with dl.Ledger() as ledger:
        x.T, x[2:], x.expand(3, 10, 10), x.windows((2, 2)), x.reshape(100)
    assert ledger.nbytes == 0
    with dl.Ledger() as ledger:
        x.T.reshape(100)
    assert ledger.nbytes == 2 * 400


def test_a_row_that_writes_counts_what_it_reads_and_writes():
    p, g, v = (dl.ones(10) for _ in range(3))
    with dl.Ledger() as ledger:
        dl.optim.sgd(p, g, v, lr=0.1, momentum=0.9)
    assert ledger.nbytes == (3 + 2) * 40
