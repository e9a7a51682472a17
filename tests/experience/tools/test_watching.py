from xml.etree import ElementTree

import pytest

import minidl as dl

SVG = "{http://www.w3.org/2000/svg}"
ACCENT = "#d9622b"


def network(x, layers):
    for w in layers:
        x = x @ w
        x = x.relu()
    return x.sum(1)


def shapes(svg):
    """(y, label below it) of what is marked; and all words, of a frame."""
    root = ElementTree.fromstring(svg)
    marked = [b for b in root.iter(f"{SVG}rect") if b.get("stroke") == ACCENT]
    return marked, [t.text for t in root.iter(f"{SVG}text")]


@pytest.fixture(scope="module")
def player():
    return dl.tools.watch_trace(network, dl.ones(2, 3), [dl.ones(3, 4), dl.ones(4, 5)])


def test_there_is_a_frame_for_each_operation_and_one_before(player):
    """By hand: two rounds of matmul and relu, and a sum."""
    wanted = [0, 1, 2, 3, 4, 5]
    counts = [
        sum(words.count(name) for name in ("matmul", "relu", "sum"))
        for _, words in map(shapes, player.frames)
    ]
    assert counts == wanted
    assert "time 2" in player.captions[3] and "matmul" in player.captions[3]


def test_the_line_that_runs_and_its_node_are_marked(player):
    lines = {1: 2, 2: 3, 3: 2, 4: 3, 5: 4}  # {frame: line of the function, from 0}
    for i, line in lines.items():
        marked, _ = shapes(player.frames[i])
        assert len(marked) == 2
        assert float(marked[0].get("y")) == 20 + 24 * line
    assert shapes(player.frames[0])[0] == []


def test_the_result_stands_in_the_last_frame_only(player):
    found = ["result" in shapes(frame)[1] for frame in player.frames]
    assert found == [False] * 5 + [True]


def helper(x):
    return x * 2


def test_a_line_of_another_function_is_marked_nowhere():
    def caller(x):
        return helper(x) + 1

    player = dl.tools.watch_trace(caller, dl.ones(2))
    assert "another function" in player.captions[1]
    assert len(shapes(player.frames[1])[0]) == 1
