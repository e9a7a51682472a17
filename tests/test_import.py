"""What `import minidl` brings in, and that names lead somewhere."""

import subprocess
import sys

import minidl as dl


def test_import_brings_in_nothing_heavy():
    heavy = ["torch", "cupy", "numba", "matplotlib", "IPython", "tqdm", "anywidget"]
    code = f"import sys, minidl; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert out.stdout.strip() == "[]", out.stdout + out.stderr


def test_public_names_are_pytorchs():
    for name in "tensor zeros ones arange rand randn cat stack where no_grad".split():
        assert callable(getattr(dl, name))
