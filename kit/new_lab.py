"""new-lab: the three files of a lab, to begin from."""

from . import chapters
from .environment import ROOT, KitError
from .labs import files

SOLUTION = '''# %% [markdown]
# # Lab {number:02d}: {title}
#
# What you build, and what for. Save the notebook before you check a part.

# %% tags=["try"]
import sys

sys.path.insert(0, "..")
from kit.check import checker

check = checker({number})

# %%
import numpy as np

import minidl as dl

# %% [markdown]
# ## Part 1: double
#
# The question, an example worked by hand, the contract.

# %% tags=["picture"]
plt = dl.tools.pyplot()
plt.plot([0, 1, 2], [0, 2, 4])
_ = plt.title("What the part is about, in a sentence")


# %%
def double(x):
    """Twice `x`, an array."""
    ### BEGIN SOLUTION (about 1 line)
    return x + x
    ### END SOLUTION


# %% tags=["try"]
check("double")

# %% [markdown]
# ## Train on it

# %% tags=["try"]
train, test = dl.data.load("mnist")
'''
CHECKER = '''"""Checker of lab {number:02d}: what each part must do."""

import numpy as np

from kit.labs.parts import Part, Property, same

PARTS = [
    Part(
        "double",
        defines=("double",),
        properties=(
            Property(
                "each element is twice what it was",
                cases=lambda rng: [{{"x": np.arange(3.0)}}, {{"x": rng.random(4)}}],
                call=lambda lab, x: lab.double(x),
                judge=lambda result, x: same(np.multiply(x, 2), result),
                hint="Which operation makes 3 of 1.5?",
            ),
        ),
    )
]
'''
ANSWERS = '''"""Answers to lab {number:02d}: right ones, and mistakes."""

RIGHT = {{
    "double": [
        "def double(x):\\n    return 2 * x",
        "def double(x):\\n    return x * 2.0",
    ]
}}
WRONG = {{
    "double": [
        ("the square", "return x + x", "return x * x"),
        ("once", "return x + x", "return x + 0"),
        ("in place", "return x + x", "x += x; return None"),
        ("one number", "return x + x", "return (x + x).sum()"),
    ]
}}
'''


def main(arguments):
    """Writes the files; refuses where one is there."""
    known = {chapter["number"]: chapter for chapter in chapters.chapters()}
    if arguments.number not in known:
        raise KitError(
            f"There is no chapter {arguments.number}: the manifest has none."
        )
    chapter = known[arguments.number]
    made = {
        files.solution_path(chapter): SOLUTION,
        files.checker_path(chapter): CHECKER,
        files.answers_path(chapter): ANSWERS,
    }
    there = [str(path.relative_to(ROOT)) for path in made if path.exists()]
    if there:
        raise KitError(f"{', '.join(there)} is there already; nothing was written.")
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.format(**chapter), encoding="utf-8", newline="\n")
        print(path.relative_to(ROOT))
    print(f"Then: python3 -m kit weave {chapter['number']}, and test the gate.")
    return 0
