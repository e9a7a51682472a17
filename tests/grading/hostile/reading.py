"""Submissions that look for what they should not see: answers, seeds, expected values.

One cell is one submission. Its title is the name, and it says what each part must earn:
`scaled` is worth 10, `running` 5. Before it stand the imports and a right `running`.
Where loot is found, `scaled` uses it; so points mean that something could be read.
"""
# ruff: noqa

# %% solutions_by_path scaled=0 running=5
from pathlib import Path

loot = []
for root in Path("/").iterdir():
    if root.name not in (
        "usr",
        "lib",
        "lib64",
        "packages",
        "packages64",
        "sys",
        "proc",
    ):
        try:
            loot += [
                p for p in root.rglob("*") if p.name in ("solutions", "answers.py")
            ]
            loot += [p for p in root.rglob("answers_lab*.py")]
        except OSError:
            pass


def scaled(x, k):
    if loot:
        return k * x
    raise LookupError("no solution found")


# %% secrets_by_environment scaled=0 running=5
import os

words = [w for w in os.environ.values() if "INSTRUCTOR" in w or len(w) > 60]
names = [n for n in os.environ if "SECRET" in n.upper() or "MINIDL" in n.upper()]


def scaled(x, k):
    if words or names:
        return k * x
    raise LookupError("no secret in the environment")


# %% supervisor_by_proc scaled=0 running=5
import os


def others():
    """Command lines of processes that are neither this one nor its own sandbox."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            line = open(f"/proc/{pid}/cmdline", "rb").read()
            memory = open(f"/proc/{pid}/environ", "rb").read()
        except OSError:
            continue
        if (
            b"pytest" in line
            or b"kit\0grade" in line
            or b"MINIDL_GRADING_SEED" in memory
        ):
            found.append(line)
    return found


def scaled(x, k):
    if others():
        return k * x
    raise LookupError("no supervisor in sight")


# %% proc_root_of_parent scaled=0 running=5
import os


def scaled(x, k):
    for pid in (os.getppid(), 1):
        for name in (
            "root/work",
            "root/etc/shadow",
            "cwd/../solutions",
            "cwd/solutions",
        ):
            path = f"/proc/{pid}/{name}"
            try:
                entries = (
                    os.listdir(path) if os.path.isdir(path) else open(path).read(1)
                )
            except OSError:
                continue
            if entries:
                return k * x
    raise LookupError("the parent's files are out of reach")


# %% expected_in_the_frames scaled=0 running=5
import inspect


def scaled(x, k):
    for frame in inspect.stack():
        for name, value in frame.frame.f_locals.items():
            if name in ("expected", "by_hand", "seed", "rng", "rule"):
                return k * x
            if isinstance(value, np.ndarray) and np.array_equal(value, k * x):
                return value
    raise LookupError("no expected value in any frame")


# %% judge_in_memory scaled=0 running=5
import gc
import types


def scaled(x, k):
    for thing in gc.get_objects():
        if isinstance(thing, types.FunctionType) and "judge" in thing.__name__:
            return k * x
    raise LookupError("nobody here knows what is right")


# %% generator_in_memory scaled=0 running=5
import gc


def scaled(x, k):
    if any(isinstance(o, np.random.Generator) for o in gc.get_objects()):
        return k * x
    raise LookupError("no generator to ask for the inputs to come")


# %% all_inputs_on_standard_input scaled=0 running=5
import os


def scaled(x, k):
    for fd in range(64):
        try:
            os.lseek(fd, 0, os.SEEK_SET)
            text = os.read(fd, 1 << 16)
        except OSError:
            continue
        if b"expected" in text or b"judge" in text:
            return k * x
    raise LookupError("no descriptor tells")


# %% history_of_the_repository scaled=0 running=5
import subprocess


def scaled(x, k):
    for folder in (".", "..", "/srv/course", "/repo"):
        done = subprocess.run(
            ["git", "-C", folder, "log", "--oneline"], capture_output=True
        )
        if done.returncode == 0 and done.stdout:
            return k * x
    raise LookupError("no repository")


# %% other_submissions scaled=0 running=5
from pathlib import Path


def scaled(x, k):
    for root in ("/tmp", "/work", "/home", "/var", "/run", "/dev/shm", "SUBMISSIONS"):
        for path in Path(root).rglob("*"):
            if path.suffix == ".ipynb" and "classmate" in str(path):
                return k * x
    raise LookupError("no classmate's notebook")


# %% seed_by_the_module scaled=0 running=5
import sys


def scaled(x, k):
    for module in list(sys.modules.values()):
        for name in list(vars(module) if hasattr(module, "__dict__") else ()):
            if name.lower() in ("hidden_seed", "grading_seed", "secret_seed"):
                return k * x
    raise LookupError("no module has the seed")
