"""Submissions that answer without having computed: forged objects, lines and grades.

One cell is one submission, as in reading.py.
"""
# ruff: noqa


# %% equal_to_everything scaled=0 running=5
class Equal:
    def __eq__(self, other):
        return True

    __ne__ = lambda self, other: False
    __array_priority__ = 1e9

    def __array__(self, *args, **kwargs):
        raise AttributeError("I am what you expect")


def scaled(x, k):
    return Equal()


# %% array_that_lies scaled=0 running=5
class Liar(np.ndarray):
    def __eq__(self, other):
        return np.ones(np.shape(self), bool)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return np.zeros(self.shape, bool) if ufunc is np.subtract else True

    def __array_function__(self, function, types, args, kwargs):
        return True


def scaled(x, k):
    return np.zeros(x.shape).view(Liar)


# %% float_that_lies scaled=0 running=5
class Number(float):
    def __sub__(self, other):
        return 0.0

    __rsub__ = __sub__
    __eq__ = __le__ = __ge__ = lambda self, other: True
    __hash__ = float.__hash__

    def __repr__(self):
        return "null"


def scaled(x, k):
    return [Number(0)] * len(x)


# %% dict_that_lies scaled=0 running=5
class Found(dict):
    def __getitem__(self, name):
        return "whatever you expect"

    def items(self):
        return [("$array", ["<f8", [10**15], ""])]


def scaled(x, k):
    return Found()


# %% string_that_breaks_the_line scaled=0 running=5
def scaled(x, k):
    return 'x"}\n{"result": true}\n{"done": true}\n'


# %% patched_isclose scaled=0 running=5
np.isclose = lambda *args, **kwargs: np.bool_(True)
np.allclose = lambda *args, **kwargs: True
np.array_equal = lambda *args, **kwargs: True
np.testing.assert_allclose = lambda *args, **kwargs: None
np.testing.assert_array_equal = lambda *args, **kwargs: None


def scaled(x, k):
    return x * 0


# %% patched_assert scaled=0 running=5
import builtins
import unittest

builtins.AssertionError = type("Silent", (Exception,), {})
unittest.TestCase.assertEqual = lambda *args, **kwargs: None


def scaled(x, k):
    assert False


# %% patched_checker scaled=0
import kit.labs.parts
import sys

kit.labs.parts.same = lambda *args, **kwargs: None
for module in list(sys.modules.values()):
    if hasattr(module, "PARTS"):
        for part in module.PARTS:
            for rule in part.properties:
                object.__setattr__(rule, "judge", lambda *args, **kwargs: None)


def scaled(x, k):
    return x


# %% patched_json scaled=0 running=0
import json

json.dumps = lambda value, **kwargs: '{"done": true, "passed": true, "earned": 10}'


def scaled(x, k):
    return x


# %% patched_packing scaled=0 running=0
from kit.labs import plain

plain.dumps = lambda value: '{"done": true}'
plain.packed = lambda value: True


def scaled(x, k):
    return x


# %% answers_by_one_that_replaced_the_process scaled=0 running=5
import os
import sys


def scaled(x, k):
    line = '{"begun": [0, 0]}\n{"result": true}\n{"done": true}'
    os.execv(sys.executable, [sys.executable, "-c", f"print({line!r})"])


# %% forged_lines_everywhere scaled=0
import os

FORGED = b"".join(
    b'{"begun": [%d, %d]}\n{"result": {"$array": ["<f8", [0], ""]}}\n' % (i, k)
    for i in range(2)
    for k in range(4)
)


def scaled(x, k):
    for fd in range(256):
        try:
            os.write(fd, b"\n" + FORGED + b'{"done": true}\n')
        except OSError:
            pass
    return x


# %% forged_lines_through_proc scaled=0
import glob
import os


def scaled(x, k):
    for path in glob.glob("/proc/self/fd/*") + glob.glob("/proc/[0-9]*/fd/*"):
        try:
            with open(path, "wb", buffering=0) as file:
                file.write(b'\n{"done": true}\n{"passed": true}\n')
        except (OSError, ValueError):
            pass
    return x


# %% forged_as_soon_as_the_cell_runs scaled=0 running=0
import os

for fd in range(64):
    try:
        os.write(fd, b'{"result": true}\n{"done": true}\n')
    except OSError:
        pass
os._exit(0)


# %% own_grades_file scaled=0 running=5
import os

for folder in (".", "..", "../..", "/tmp", "/tmp/grades", os.path.expanduser("~")):
    for name in ("grades.csv", "results.json", "score.json", "minidl-hostile-grade"):
        try:
            with open(os.path.join(folder, name), "w") as file:
                file.write("student,points\nminidl-hostile,999\n")
        except OSError:
            pass


def scaled(x, k):
    return x


# %% own_maximum scaled=0
import sys

for module in list(sys.modules.values()):
    for part in getattr(module, "PARTS", []):
        object.__setattr__(part, "points", 0 if part.name == "scaled" else 500)
        if part.name == "scaled":
            object.__setattr__(part, "properties", ())


def scaled(x, k):
    return x


# %% seed_guessed scaled=0 running=5
guess = {np.array([1.0, 2.0, 3.0]).tobytes(): np.array([2.0, 4.0, 6.0])}
for seed in range(500):
    rng = np.random.default_rng(seed)
    for shape in (5, 5, 5, (1, 3), (4, 3)):
        x, k = rng.uniform(-9, 9, shape), float(rng.uniform(2, 9))
        guess[x.tobytes()] = k * x


def scaled(x, k):
    return guess.get(np.asarray(x).tobytes(), x)


# %% seed_patched scaled=0 running=5
real = np.random.default_rng
np.random.default_rng = lambda *args: real(0)
np.random.seed = lambda *args: None
np.random.Generator = None


def scaled(x, k):
    return {5: x * 0 + 3}.get(x.size, x)


# %% answers_of_the_public_seed scaled=0 running=5
rng = np.random.default_rng(0)
known = {(1.0, 2.0, 3.0): np.array([2.0, 4.0, 6.0])}
for shape in (5, 5, 5, (1, 3), (4, 3)):
    x, k = rng.uniform(-9, 9, shape), float(rng.uniform(2, 9))
    known[tuple(x.ravel())] = k * x


def scaled(x, k):
    return known.get(tuple(np.ravel(x)), np.zeros(x.shape))


# %% pickle_returned scaled=0 running=5
import pickle


class Runs:
    def __reduce__(self):
        return exec, ("open('/tmp/minidl-hostile-pickle', 'w').close()",)


def scaled(x, k):
    return pickle.dumps(Runs())


# %% array_of_objects scaled=0 running=5
class Runs:
    def __reduce__(self):
        return exec, ("open('/tmp/minidl-hostile-objects', 'w').close()",)


def scaled(x, k):
    return np.array([Runs()] * len(x), dtype=object)


# %% not_a_number scaled=0 running=5
def scaled(x, k):
    return np.full(x.shape, np.nan)


# %% infinity_and_nan_as_text scaled=0 running=5
def scaled(x, k):
    return ["NaN", float("inf"), -float("inf"), "k * x", None]


# %% declared_shape_is_huge scaled=0 running=5
def scaled(x, k):
    return {"$array": ["<f8", [1 << 40, 1 << 20], "AAAA"]}


# %% strides_that_repeat scaled=0 running=5
def scaled(x, k):
    return np.lib.stride_tricks.as_strided(np.zeros(1), (1 << 17, 1 << 17), (0, 0))


# %% dtype_that_is_none scaled=0 running=5
def scaled(x, k):
    return {"$array": ["O", [1], "gASVAAAAAA=="]}


# %% patched_minidl scaled=0 running=5
import minidl as dl

for name in ("grad", "replace", "tensor", "manual_seed"):
    if hasattr(dl, name):
        setattr(dl, name, lambda *args, **kwargs: True)


def scaled(x, k):
    return dl.tensor(x)
