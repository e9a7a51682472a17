# %% [markdown]
# # Lab 07: Graphs and front ends
#
# Chapter 07 showed how `dl.script` reads Python and keeps its `while`. Here you compile
# a small language of your own to the same graphs. It has assignments, a `while` that
# tests first, and a `repeat ... until` that tests last. You find out which variables a
# loop has to hand on, build its two graphs, and settle which types they have. In the
# end a whole training, until it converges, is one node.
#
# Fill in the three cells that say "write your code here". Save the notebook before you
# check: what is saved is checked.

# %% tags=["try"]
import sys

sys.path.insert(0, "..")
from kit.check import checker

check = checker(7)

# %%
import ast
from dataclasses import dataclass

import numpy as np

import minidl as dl
from minidl.framework.control.loop import loop as WHILE
from minidl.framework.graph import ITEM, Graph, input_node, make, type_text
from minidl.framework.trace.recorder import record

# %% [markdown]
# ## The language
#
# A program is text. Its tree has three kinds of statement. Expressions stay text, which
# Python reads for us.


# %%
@dataclass(frozen=True)
class Set:
    name: str
    value: str  # an expression


@dataclass(frozen=True)
class While:
    test: str
    body: tuple


@dataclass(frozen=True)
class Until:
    body: tuple
    test: str  # after each round; the loop ends where it holds


def parse(text):
    """The statements of a program, as a tuple."""
    lines = [line for line in text.splitlines() if line.strip()]
    depths = [len(line) - len(line.lstrip()) for line in lines]
    return block([(d, line.strip()) for d, line in zip(depths, lines)], depths[0])


def block(lines, depth):
    """The statements that begin at this depth; their lines are taken away."""
    statements = []
    while lines and lines[0][0] == depth and not lines[0][1].startswith("until "):
        words = lines.pop(0)[1]
        if words.startswith("while "):
            statements.append(While(words[6:-1], block(lines, depth + 4)))
        elif words == "repeat:":
            body = block(lines, depth + 4)
            statements.append(Until(body, lines.pop(0)[1][6:]))
        else:
            statements.append(Set(*words.split(" = ", 1)))
    return tuple(statements)


# %% [markdown]
# Two questions about a program, and the value of an expression as a node. A variable is
# an expression too: `node_of("x", names)` is the node of `x`, or an error that names
# it.

# %%
FUNCTIONS = {
    "exp": lambda x: x.exp(), "abs": abs, "sum": lambda x: x.sum(),
    "largest": lambda x: x.max(), "softmax": lambda x: dl.functional.softmax(x, 1),
    "turned": lambda x: x.T, "no": lambda x: ~x,
}  # fmt: skip


def reads(expression):
    """The variables that an expression reads, as a set."""
    names = {n.id for n in ast.walk(ast.parse(expression)) if isinstance(n, ast.Name)}
    return names - set(FUNCTIONS)


def sets(statements):
    """The variables that a block sets, in its loops too."""
    found = set()
    for s in statements:
        found |= {s.name} if isinstance(s, Set) else sets(s.body)
    return found


def node_of(expression, names):
    """The Node of an expression, from {variable: Node}; ValueError where one lacks."""
    used = sorted(reads(expression))
    for name in used:
        if name not in names:
            raise ValueError(f"`{name}` may be read before it is set")

    def value(*tensors):
        found = eval(expression, dict(FUNCTIONS), dict(zip(used, tensors)))
        return found if isinstance(found, dl.Tensor) else dl.tensor(found)

    return record(value, [names[name] for name in used])[0]


# %% [markdown]
# ## The compiler
#
# A table again: for each kind of statement a function that takes {variable: Node} and
# gives it back as it is afterwards. `after` are the variables that are read later on.
# `lower_while`, `settled` and `live_before` are yours. An `until` needs nothing new:
# its first round stands in front, and what is left tests first.


# %%
def lower(statements, names, after):
    """{variable: Node} once the block is done."""
    for i, s in enumerate(statements):
        names = RULES[type(s)](s, names, live_before(statements[i + 1 :], after))
    return names


def lower_set(s, names, after):
    if s.name not in after:
        return names  # nobody reads it
    return {**names, s.name: node_of(s.value, names)}


def lower_until(loop, names, after):
    again = (While(f"no({loop.test})", loop.body),)
    names = lower(loop.body, names, live_before(again, after))
    return lower(again, names, after)


RULES = {
    Set: lower_set,
    While: lambda s, names, after: lower_while(s, settled(s, names, after), after),
    Until: lower_until,
}


def compiled(text, results, **inputs):
    """The Graph of a program that reads arrays of the types of `inputs`."""
    names = {k: input_node(k, np.shape(x), x.dtype) for k, x in inputs.items()}
    found = lower(parse(text), names, set(results))
    return Graph(tuple(names.values()), tuple(node_of(r, found) for r in results))


# %% [markdown]
# ## 1. What is read later
#
# A variable is **live** at a place if its value there may still matter: on some way
# that the program may take, a test reads it, or a line that sets something live. Only
# what is live has to be kept, and a line that sets nothing live can be left out.
#
# Liveness is found from the end. **By hand**, for a block without loops. After it, `z`
# is read:
#
# | line | live before it |
# |---|---|
# | `y = x + 1` | x |
# | `x = y * 2` | y |
# | `z = x + y` | x, y |
# | `x = w` | z |
# | (the end) | z |
#
# The last line sets `x`, which nobody reads any more: so `w` is not live. What the
# other lines set was not live before them, unless they read it. The order of those two
# steps matters: what is live before `x = x + 1`, if `x` is read later?
#
# Now a loop: the way from its end leads back to its head. What is live at the head is
# what the test reads, what is read after the loop, and what is live before the body,
# with *the head itself* behind the body. So the answer is on both sides of the
# equation. Start with what you know, and go round until nothing is added.
#
# ```
# while n < 9:
#     a = b
#     b = c
#     n = n + 1
# ```
#
# **Predict**: afterwards `a` is read. How many times must you go round?

# %% tags=["picture"]
plt = dl.tools.pyplot()
rounds = [{"a", "n"}, {"a", "b", "n"}, {"a", "b", "c", "n"}]
names = ["a", "b", "c", "n"]
live = np.array([[name in found for found in rounds] for name in names])
_, ax = plt.subplots(figsize=(5.2, 2.4))
ax.imshow(live, cmap="Blues", vmax=2, aspect="auto")
ax.set_xticks(range(3), ["known at first", "once round", "twice round"])
ax.set_yticks(range(4), names)
for (i, j), there in np.ndenumerate(live):
    ax.text(j, i, "live" if there else "", ha="center", va="center")
_ = ax.set_title("Each time round, liveness goes back one assignment")

# %% [markdown]
# `repeat ... until` runs its body at least once. So what the body sets before it reads
# it is not live before the loop, even if it is read later. **By hand**: what is live
# before each of these, if `y` is read afterwards?
#
# ```
# while x > 1:                 repeat:
#     y = x                        y = x
#     x = x / 2                    x = x / 2
#                              until x < 1
# ```
#
# `x` and `y` at the left, since there may be no round, and `x` at the right.


# %%
def live_before(statements, after):
    """The variables that are live before a block, as a set.

    `statements` is a tuple of Set, While and Until; `after` are the variables that are
    live behind it. A loop may be left after any number of rounds, an Until after one at
    least; what its test reads is live there in any case. Doesn't change `after`.
    """
    ### BEGIN SOLUTION (about 15 lines)
    live = set(after)
    for s in reversed(statements):
        if isinstance(s, Set):
            if s.name in live:
                live = live - {s.name} | reads(s.value)
            continue
        tested = live | reads(s.test)
        while True:
            start = live_before(s.body, tested)
            if start <= tested:
                break
            tested = tested | start
        live = tested if isinstance(s, While) else start
    return live
    ### END SOLUTION


# %% tags=["try"]
check("live_before")

# %% [markdown]
# ## 2. A loop as a node
#
# `while_loop(*state, *fixed; test, body)` takes the state, and then what all rounds
# share. Both graphs have inputs for all of that, in the same order. `test` gives one
# truth value, `body` the next state. The node has a result for each variable of the
# state, and an `item` node picks one.
#
# The chapter's `direction` went through `while` with `w` in its state: the library
# hands on all that a body sets and that had a value before. Here it is, for a program
# in which `w` has one:


# %% tags=["picture"]
def shrinks(x, scale):
    w = x
    while x > 1:
        w = x / 3
        x = w + scale
    return x


graph = dl.script(shrinks).graph_for(dl.tensor(9.0), dl.tensor(0.5))
(node,) = [n for n in graph.nodes if n.op is WHILE]
body = node.attrs["body"]
state = body.inputs[: len(body.outputs)]
print("the library's state:", [x.attrs["name"] for x in state])
dl.tools.draw_graph(body)

# %% [markdown]
# **By hand**: only `x` is read afterwards. What is live at the head of the loop? What
# of that does the body set? Your state has one variable: `x`. `w` is set in each round
# before it is read. `scale` is read and never set, so it is fixed.
#
# - The **state** are the variables that are live at the head and that the body sets.
# - **Fixed** is what else is live before the body if only the state is live behind it,
#   and what else the test reads. What is live for the sake of what comes after the loop
#   passes by.
# - Give all inputs their variables' names: `input_node(name, shape, dtype)`. The state
#   in alphabetical order, then what is fixed.
# - What may not have been set is refused with a ValueError that names it. `node_of`
#   does so.
#
# `make(WHILE, nodes, {"test": test, "body": body, "max_steps": None})` makes the node
# and checks its types; `make(ITEM, [node], {"index": 0})` picks its first result.


# %%
def lower_while(loop, names, after):
    """{variable: Node} after a While, for {variable: Node} before it.

    `after` are the variables that are live behind the loop. The node has as state what
    the next round or what comes after may read, and no more; its graphs are made once
    each. Raises ValueError where a variable may be read that was never set.
    """
    ### BEGIN SOLUTION (about 13 lines)
    live = live_before((loop,), after)
    state = sorted(live & sets(loop.body))
    needed = live_before(loop.body, set(state)) | reads(loop.test)
    fixed = sorted(needed - set(state))
    given = {n: node_of(n, names) for n in (*state, *fixed)}
    inputs = {n: input_node(n, x.shape, x.dtype) for n, x in given.items()}
    end = lower(loop.body, inputs, set(state))
    parts = {
        "test": Graph(tuple(inputs.values()), (node_of(loop.test, inputs),)),
        "body": Graph(tuple(inputs.values()), tuple(end[n] for n in state)),
    }
    node = make(WHILE, tuple(given.values()), {**parts, "max_steps": None})
    items = {n: make(ITEM, (node,), {"index": i}) for i, n in enumerate(state)}
    return {**names, **items}
    ### END SOLUTION


# %% tags=["try"]
check("lower_while")

# %% [markdown]
# ## 3. The types that stay
#
# ```
# total = 0
# while n < 4:
#     total = total + 0.5
#     n = n + 1
# ```
#
# In Python `total` is an integer before the first round, and a float after it. A graph
# has one body, and one type for each input. So `total` must be a float from the start:
# where a round gives a wider dtype than it took, we widen what goes in.
#
# Widening one variable may widen another. **Predict**, from this: how many passes over
# the body, before nothing changes any more?
#
# ```
# while n < 4:
#     a = b
#     b = c
#     c = c + 0.5
#     n = n + 1
# ```

# %% tags=["picture"]
plt = dl.tools.pyplot()
passes = {
    "a": ["int64", "int64", "int64", "float32"],
    "b": ["int64", "int64", "float32", "float32"],
    "c": ["int64", "float32", "float32", "float32"],
    "n": ["int64", "int64", "int64", "int64"],
}
wide = np.array([[kind == "float32" for kind in row] for row in passes.values()])
_, ax = plt.subplots(figsize=(5.6, 2.4))
ax.imshow(wide, cmap="Blues", vmax=2, aspect="auto")
ax.set_xticks(range(4), ["before", "pass 1", "pass 2", "pass 3"])
ax.set_yticks(range(4), list(passes))
for (i, j), _kind in np.ndenumerate(wide):
    ax.text(j, i, list(passes.values())[i][j], ha="center", va="center")
_ = ax.set_title("A wider type travels along the assignments")

# %% [markdown]
# Three passes change something, and a fourth finds that nothing does. There is an end
# to it, because a type only ever gets wider and there are four of them. Shapes don't
# widen: a sum over what was stretched would be another sum. A shape that changes is
# refused.


# %%
WIDTHS = [np.dtype(name) for name in ("bool", "int64", "float32", "float64")]


def wider(p, q):
    """The wider of two dtypes."""
    return max(p, q, key=WIDTHS.index)


def as_dtype(node, dtype):
    """`node` in another dtype: itself where it has that."""
    return node if node.dtype == dtype else record(lambda x: x.cast(dtype), [node])[0]


# %% [markdown]
# `lower` on stand-ins, input nodes of the types at hand, shows what a round does. Its
# nodes are thrown away; only their types are looked at.


# %%
def settled(loop, names, after):
    """`names`, with the state of a While in the dtypes that it has in all rounds.

    A variable of its state (live at its head, and set in its body) is cast where a
    round makes it wider, over one round or many; all other variables keep their nodes.
    Raises ValueError that names a variable whose shape a round changes.
    """
    ### BEGIN SOLUTION (about 12 lines)
    live = live_before((loop,), after)
    state = [n for n in sorted(live & sets(loop.body)) if n in names]
    while True:
        inputs = {n: input_node(n, x.shape, x.dtype) for n, x in names.items()}
        end, wide = lower(loop.body, inputs, live), dict(names)
        for n in state:
            x, y = names[n], end[n]
            if x.shape != y.shape:
                raise ValueError(f"`{n}` goes from {type_text(x)} to {type_text(y)}")
            wide[n] = as_dtype(x, wider(x.dtype, y.dtype))
        if wide == names:
            return names
        names = wide
    ### END SOLUTION


# %% tags=["try"]
check("settled")

# %% [markdown]
# ## Train on it
#
# Softmax regression on 500 digits, as a program. It stops when no weight moves by more
# than `tolerance`. How many steps that takes, no graph can know.

# %% tags=["try"]
training = """
weight = start
change = 1
steps = 0
while change > tolerance:
    error = softmax(x @ turned(weight)) - y
    slope = turned(error) @ x / 500
    weight = weight - rate * slope
    change = largest(abs(rate * slope))
    steps = steps + 1
"""
train, test = dl.data.load("mnist")
x, labels = (part.numpy() for part in train[:500])
given = {
    "x": x.reshape(500, 784), "y": np.eye(10, dtype="float32")[labels],
    "start": np.zeros((10, 784), "float32"),
    "rate": np.float32(0.5), "tolerance": np.float32(0.01),
}  # fmt: skip
graph = compiled(training, ["weight", "steps"], **given)
print(graph)

# %% [markdown]
# Four variables are set in the body besides the counter. **Predict** the state before
# you look at the inputs of `body`. Which variable was widened?
#
# Then train to three tolerances. It is the same graph each time.

# %% tags=["try"]
images, right = test.tensors[0].flatten(1).numpy(), test.tensors[1].numpy()
for tolerance in (0.02, 0.005, 0.001):
    weight, steps = graph(*{**given, "tolerance": np.float32(tolerance)}.values())
    accuracy = ((images @ weight.T).argmax(1) == right).mean()
    print(f"trained to {tolerance}: {steps} steps, accuracy {accuracy:.3f}")

# %% [markdown]
# ## What to look at next
#
# `lower_until` writes its body twice, and a loop in a loop in a loop eight times. Can
# you do with one, by a truth value in the state? What would then have to be known of
# the variables that the body sets first? And a bounded `for`: which counter would you
# put into the state, and what would the bound buy (`max_steps`, and the chapter's
# section on gradients)?
