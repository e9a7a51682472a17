"""Kernels are built once, wherever they are asked for, and found again."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from minidl.runtime import build

SOURCE = """import numpy as np


def double(out, x):
    for i in range(x.shape[0]):
        out[i] = x[i] * np.float32({factor})
"""
SIGNATURE = "void(float32[::1], float32[::1])"
CHILD = f"""
import sys, time
from minidl.runtime import build
build.build({SOURCE.format(factor=3)!r}, "double", {SIGNATURE!r})  # wakes Numba
start = time.perf_counter()
run = build.build({SOURCE.format(factor=2)!r}, "double", {SIGNATURE!r})
print(time.perf_counter() - start, sum(run.stats.cache_hits.values()))
"""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of this test's own, with nothing in it."""
    monkeypatch.setenv("MINIDL_CACHE", str(tmp_path / "kernels"))
    monkeypatch.setattr(build, "built", {})
    build.folder.cache_clear()
    yield tmp_path / "kernels"
    build.folder.cache_clear()


def doubled(run):
    x = np.arange(5, dtype=np.float32)
    out = np.zeros_like(x)
    run(out, x)
    return out.tolist()


def child(cache):
    return subprocess.Popen(
        [sys.executable, "-c", CHILD], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env={**os.environ, "MINIDL_CACHE": str(cache)},
    )  # fmt: skip


def finished(process):
    """(seconds to build, whether it was found) as a child process says."""
    out, error = process.communicate(timeout=120)
    assert process.returncode == 0, error
    seconds, hits = out.split()
    return float(seconds), int(hits)


def test_a_kernel_is_compiled_once_in_a_process(cache):
    text = SOURCE.format(factor=2)
    first = build.build(text, "double", SIGNATURE)
    assert doubled(first) == [0, 2, 4, 6, 8]
    assert build.build(text, "double", SIGNATURE) is first


def test_another_text_is_another_kernel_and_another_file(cache):
    for factor in (2, 3):
        run = build.build(SOURCE.format(factor=factor), "double", SIGNATURE)
        assert doubled(run)[1] == factor
    assert len(list(cache.glob("double_*.py"))) == 2


def test_the_cache_holds_the_text_as_a_student_reads_it(cache):
    build.build(SOURCE.format(factor=2), "double", SIGNATURE)
    (path,) = cache.glob("double_*.py")
    assert path.read_text() == SOURCE.format(factor=2)


def test_another_process_loads_what_one_has_compiled(cache):
    for factor in (2, 3):
        build.build(SOURCE.format(factor=factor), "double", SIGNATURE)
    seconds, found = finished(child(cache))
    assert found == 1 and seconds < 0.1


def test_processes_that_build_at_once_all_succeed(cache):
    processes = [child(cache) for _ in range(3)]
    for process in processes:
        finished(process)
    assert not list(cache.glob("*.part"))
    run = build.build(SOURCE.format(factor=2), "double", SIGNATURE)
    assert doubled(run) == [0, 2, 4, 6, 8]


def test_without_a_folder_to_write_in_it_takes_a_temporary_one(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("MINIDL_CACHE", str(tmp_path / "file"))
    build.folder.cache_clear()
    try:
        assert build.folder().is_dir() and tmp_path not in build.folder().parents
    finally:
        build.folder.cache_clear()


def test_xdg_says_where_caches_are(tmp_path, monkeypatch):
    monkeypatch.delenv("MINIDL_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    build.folder.cache_clear()
    try:
        assert build.folder() == tmp_path / "minidl" / "kernels"
    finally:
        build.folder.cache_clear()


def test_importing_the_compiler_imports_no_numba():
    modules = ("runtime.build runtime.tune framework.codegen.schedule "
               "framework.codegen.python framework.codegen.cuda "
               "framework.codegen.tuning").split()  # fmt: skip
    code = "".join(f"import minidl.{m}; " for m in modules) + (
        "import sys; print({'numba', 'pycparser', 'cupy'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.stdout.strip() == "set()", found.stderr


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "kernel.py"
    build.write(path, "one")
    build.write(path, "two")
    assert path.read_text() == "two" and list(tmp_path.iterdir()) == [path]


def test_the_kernel_lets_other_threads_run(cache):
    """nogil: the main thread goes on counting while a kernel runs in another."""
    from threading import Thread

    source = (
        "def spin(x):\n    for i in range(300000000):\n"
        "        x[0] = x[0] * 1.0000001 + x[i & 1]\n"
    )
    run = build.build(source, "spin", "void(float64[::1])")
    thread = Thread(target=run, args=(np.zeros(2),))
    start, turns = time.perf_counter(), 0
    thread.start()
    while thread.is_alive():
        turns += 1
        time.sleep(0.001)
    assert turns > 5 or time.perf_counter() - start < 0.02
