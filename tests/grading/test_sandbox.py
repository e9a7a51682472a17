"""The sandbox: what a submission can't see, reach, write or use up."""

import json
import os
import platform
import subprocess
import sys

import pytest
from smalllab import needs_sandbox

from kit.environment import ROOT
from kit.grading import sandbox, seccomp, template
from kit.labs import plain
from kit.labs.run import Child


@pytest.fixture(scope="module")
def child():
    with Child(sandbox.launch) as process:
        yield process


def told(child, code, seconds=5):
    """What `code` assigns to `out`, run as a submission's cell; or how it ended."""
    cell = f"def f():\n    out = None\n{indented(code)}\n    return out"
    request = {
        "cells": [[1, cell]], "defines": [], "source": "", "inputs": [[0, {}]],
        "calls": ["lambda lab: lab.f()"], "seconds": seconds,
    }  # fmt: skip
    events = list(child.answers(request))
    return next((e for e in events if "result" in e or "raised" in e), events[-1])


def indented(code):
    return "\n".join(f"    {line}" for line in code.splitlines())


def attempt(child, code, seconds=5):
    """The result of `code`, or the words of its error."""
    event = told(child, code, seconds)
    return event.get("result", event.get("raised", event))


@needs_sandbox
def test_the_report_is_what_the_kernel_says_inside():
    found = sandbox.state()
    assert found["user"] not in (0, os.getuid()) or os.getuid() != 0
    assert found["network"] == ["lo"] and found["pid"] == 1 and found["tmp"] == []
    assert not {"work", "home", "proc", "var", "srv", "mnt"} & set(found["root"])
    assert "bubblewrap" in sandbox.report(found)
    if platform.machine() in seccomp.MACHINES:
        assert found["seccomp"]


@needs_sandbox
@pytest.mark.parametrize("path", [
    str(ROOT / "tests"), str(ROOT / "solutions"), str(ROOT / "kit/check.py"),
    "/minidl/kit/labs/examine.py", "/minidl/kit/labs/parts.py", "/minidl/solutions",
    "/minidl/tests", "/proc/1", "/proc/self", "/etc/passwd", "/home", "/var/tmp",
])  # fmt: skip
def test_it_has_no_view_of(child, path):
    assert attempt(child, f"import os; out = os.path.exists({path!r})") is False


@needs_sandbox
@pytest.mark.parametrize("path", [
    "/x", "/minidl/x", "/minidl/kit/labs/child.py", "/packages/x", "/usr/x", "/dev/x",
    "/dev/shm/x", "/minidl/minidl/__init__.py", "/root/x", "/etc/x",
])  # fmt: skip
def test_it_can_write_nowhere_but_in_its_tmp(child, path):
    words = attempt(child, f"out = open({path!r}, 'a')")
    assert "Error" in words
    assert attempt(child, "out = open('/tmp/x', 'w').write('abc')") == 3


@needs_sandbox
def test_its_tmp_is_its_own_and_bounded(child):
    assert not os.path.exists("/tmp/x-of-a-submission")
    attempt(child, "open('/tmp/x-of-a-submission', 'w').close()")
    assert not os.path.exists("/tmp/x-of-a-submission")
    fill = ("try:\n    for i in range(99):\n        open(f'/tmp/{i}', 'wb').write("
            "b'0' * (4 << 20))\nexcept OSError as error:\n    out = [i, str(error)]\n"
            "import glob, os\n[os.remove(p) for p in glob.glob('/tmp/*')]")  # fmt: skip
    number, words = attempt(child, fill)
    assert number <= 16 and "No space" in words
    with Child(sandbox.launch) as other:
        assert attempt(other, "import os; out = os.listdir('/tmp')") == []


@needs_sandbox
@pytest.mark.parametrize(
    "code, words",
    [
        ("import socket; socket.create_connection(('1.1.1.1', 53), 1)", "Error"),
        ("import socket; socket.create_connection(('127.0.0.1', 22), 1)", "Error"),
        ("import os; os.setuid(0)", "PermissionError"),
        ("import os; os.chroot('/tmp')", "PermissionError"),
        ("import os; os.sched_setscheduler(0, 1, os.sched_param(9))", "Permission"),
        ("import resource as r; r.setrlimit(r.RLIMIT_NPROC, (999, 999))", "ValueError"),
        ("out = bytearray(3 << 30)", "MemoryError"),
        ("out = [open('/dev/null') for _ in range(999)]", "Too many open files"),
        ("import os\nout = [os.fork() or os._exit(0) for _ in range(999)]",
         "BlockingIOError"),
        ("import threading, time\nfor _ in range(999):\n"
         "    threading.Thread(target=time.sleep, args=(3,), daemon=True).start()",
         "can't start new thread"),
    ],
)  # fmt: skip
def test_it_is_refused(code, words):
    with Child(sandbox.launch) as fresh:
        assert words in str(attempt(fresh, code))


@needs_sandbox
@pytest.mark.skipif(platform.machine() not in seccomp.MACHINES, reason="no filter here")
@pytest.mark.parametrize("name", [
    "ptrace", "mount", "unshare", "setns", "keyctl", "bpf", "userfaultfd", "shmget",
    "io_uring_setup", "process_vm_readv", "perf_event_open", "kexec_load",
])  # fmt: skip
def test_the_filter_refuses_the_call(child, name):
    column = seccomp.MACHINES[platform.machine()][0]
    number = seccomp.CALLS[name][column]
    code = (
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        f"out = [libc.syscall({number}, 0, 0, 0, 0, 0), ctypes.get_errno()]"
    )
    assert attempt(child, code) == [-1, 1]  # EPERM


@needs_sandbox
@pytest.mark.skipif(platform.machine() not in seccomp.MACHINES, reason="no filter here")
def test_no_new_namespace_by_clone_either(child):
    column = seccomp.MACHINES[platform.machine()][0]
    code = ("import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
            f"out = [libc.syscall({seccomp.CLONE[column]}, 0x10000011, 0, 0, 0, 0), "
            f"ctypes.get_errno(), libc.syscall({seccomp.CLONE3[column]}, 0, 0), "
            "ctypes.get_errno()]")  # fmt: skip
    assert attempt(child, code) == [-1, 1, -1, 38]


def test_the_filter_is_known_for_both_machines_and_no_other():
    sizes = {m: len(seccomp.program(m)) for m in seccomp.MACHINES}
    assert all(size % 8 == 0 and size // 8 < 4096 for size in sizes.values())
    assert seccomp.program("riscv64") is None


@needs_sandbox
def test_what_it_knows_of_this_machine_is_not_the_courses_place(child):
    code = "import os, sys\nout = [sys.argv, dict(os.environ), sys.path, os.getcwd()]"
    assert str(ROOT) not in plain.dumps(attempt(child, code))


@needs_sandbox
def test_nothing_outlives_it():
    with Child(sandbox.launch) as process:
        assert attempt(process, "out = 1") == 1
        outer = template.own.template.process.pid
        few = children_of(outer)
        code = (
            "import os, time\nfor _ in range(9):\n    if os.fork() == 0:\n"
            "        os.setsid(); time.sleep(99); os._exit(0)\n"
        )
        attempt(process, code)
        assert len(children_of(outer)) == len(few) + 9
    assert len(children_of(outer)) == len(few) - 1


@needs_sandbox
def test_nothing_is_left_for_the_next_submission():
    """Neither in memory, nor in files, nor in what the kernel keeps by name."""
    with Child(sandbox.launch) as first:
        attempt(first, "import numpy, os, sys, minidl\nnumpy.mine = sys.mine = 1\n"
                       "minidl.mine = 1\nopen('/tmp/mine', 'w').close()\n"
                       "os.environ['MINE'] = '1'")  # fmt: skip
        with Child(sandbox.launch) as second:
            code = ("import numpy, os, sys, minidl\nout = [hasattr(m, 'mine') for m in "
                    "(numpy, sys, minidl)] + ['MINE' in os.environ, os.getpid(), "
                    "os.listdir('/tmp')]")  # fmt: skip
            assert attempt(second, code) == [False] * 4 + [2, []]
            try_all = """
import os
out = []
for pid in range(1, 3000):
    try:
        os.kill(pid, 0)
        out.append(pid)
    except ProcessLookupError:
        pass
    except PermissionError:
        out.append(pid)"""
            seen = attempt(second, try_all)
            assert set(seen) <= {1, 2, 3, 4}
        assert attempt(first, "import os; out = os.listdir('/tmp')") == ["mine"]


def children_of(pid):
    """The processes below one, by the kernel's lists."""
    found, waiting = [], [pid]
    while waiting:
        pid = waiting.pop()
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as file:
                below = file.read().split()
            found += below
            waiting += below
    return found


@needs_sandbox
def test_a_flood_of_output_is_cut_and_costs_no_memory(child):
    flood = "import os\nwhile True:\n    os.write(3, b'x' * 65536)"
    request_end = told(child, f"for fd in range(3, 9):\n    try: os.write(fd, b'')\n"
                              f"    except OSError: continue\n{flood}")  # fmt: skip
    assert request_end  # whatever descriptor it is, the run has ended
    lines = (
        "import os\nwhile True:\n    for fd in range(3, 9):\n        try:\n"
        "            os.write(fd, b'{}\\n' * 1000)\n        except OSError: pass"
    )
    assert told(child, lines) in ({"flood": True}, {"timeout": True})


# ---- where there is none


def test_without_bubblewrap_it_says_that_it_isolates_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    assert "No sandbox: bubblewrap (bwrap) is not installed" in sandbox.report()
    monkeypatch.setattr(sandbox.sys, "platform", "darwin")
    assert "none for darwin" in sandbox.report()


def test_grade_without_a_sandbox_refuses(tmp_path):
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada/lab02_autodiff.ipynb").write_text("{}")
    environ = {**os.environ, "PATH": "/nowhere"}
    command = [sys.executable, "-m", "kit", "--here", "grade", str(tmp_path / "ada")]
    command += ["--out", str(tmp_path / "out"), "--seed-file", str(tmp_path / "seed")]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True,
                           env=environ)  # fmt: skip
    assert found.returncode == 1 and "Nothing was graded" in found.stderr
    assert "could read and delete your files" in found.stdout
    found = subprocess.run([*command, "--unsafe"], cwd=ROOT, capture_output=True,
                           text=True, env=environ)  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert json.loads((tmp_path / "out/timings.json").read_text()) == {}
