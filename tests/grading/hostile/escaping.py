"""Submissions that reach beyond their process: files, network, processes, signals.

One cell is one submission, as in reading.py. Here `scaled` may be right: then it keeps
its points, and what it tried must have left no trace. Whatever is made is called
`minidl-hostile`, and nothing of that name may be there afterwards; `INSTRUCTOR` is
replaced by the folder of a canary tree that must stay as it was.
"""
# ruff: noqa

# %% instructor_files_deleted scaled=10 running=5
import os
import shutil

for root in ("INSTRUCTOR", "/work", "/home", "/srv", os.getcwd()):
    shutil.rmtree(root, ignore_errors=True)


def scaled(x, k):
    return k * x


# %% instructor_files_overwritten scaled=10 running=5
import os

for folder, _, names in os.walk("INSTRUCTOR"):
    for name in names:
        try:
            open(os.path.join(folder, name), "w").write("minidl-hostile")
        except OSError:
            pass
for name in ("INSTRUCTOR/minidl-hostile", "/etc/minidl-hostile", "/usr/minidl-hostile"):
    try:
        open(name, "w").close()
    except OSError:
        pass


def scaled(x, k):
    return k * x


# %% python_itself_changed scaled=10 running=5
import os
import site
import sys

for folder in [*site.getsitepackages(), *sys.path, os.path.dirname(os.__file__)]:
    for name in ("minidl-hostile.pth", "sitecustomize.py", "usercustomize.py"):
        try:
            with open(os.path.join(folder or ".", name), "w") as file:
                file.write("import os  # minidl-hostile\n")
        except OSError:
            pass


def scaled(x, k):
    return k * x


# %% links_out_of_the_sandbox scaled=10 running=5
import os

for target in ("INSTRUCTOR", "/etc/passwd", "/proc/1/root"):
    for place in ("/tmp", ".", "/dev/shm"):
        try:
            os.symlink(target, os.path.join(place, "minidl-hostile-link"))
        except OSError:
            pass


def scaled(x, k):
    return k * x


# %% network_socket scaled=0 running=5
import socket


def scaled(x, k):
    with socket.create_connection(("127.0.0.1", LISTENER), timeout=1):
        return k * x


# %% network_urllib scaled=0 running=5
import urllib.request


def scaled(x, k):
    urllib.request.urlopen("http://127.0.0.1:LISTENER/minidl-hostile", timeout=1)
    return k * x


# %% network_names scaled=0 running=5
import socket


def scaled(x, k):
    socket.setdefaulttimeout(1)
    socket.getaddrinfo("minidl-hostile.invalid", 80)
    return k * x


# %% network_datagram scaled=0 running=5
import socket


def scaled(x, k):
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.connect(("10.0.0.1", 53))
    return k * x


# %% network_abstract_socket scaled=0 running=5
import socket


def scaled(x, k):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect("\0minidl-grading-listener")
    return k * x


# %% parent_killed scaled=0 running=5
import os
import signal


def scaled(x, k):
    for pid in (os.getppid(), *range(1, 400)):
        if pid != os.getpid():
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
    os.kill(os.getpid(), signal.SIGKILL)


# %% everybody_killed scaled=0 running=5
import os
import signal


def scaled(x, k):
    os.kill(-1, signal.SIGKILL)
    os.killpg(0, signal.SIGKILL)


# %% parent_traced scaled=0 running=5
import ctypes
import os


def scaled(x, k):
    libc = ctypes.CDLL(None, use_errno=True)
    ATTACH, PEEK = 16, 2
    for pid in (os.getppid(), 1):
        if pid != os.getpid() and libc.ptrace(ATTACH, pid, 0, 0) == 0:
            return k * x
        try:
            open(f"/proc/{pid}/mem", "r+b").close()
            return k * x
        except OSError:
            pass
    raise PermissionError("nobody lets itself be traced")


# %% stopped_for_ever scaled=0 running=5
import os
import signal


def scaled(x, k):
    os.kill(os.getpid(), signal.SIGSTOP)
    return x


# %% grandchild_that_outlives scaled=10 running=5
import os
import subprocess

subprocess.Popen(
    ["sh", "-c", "exec -a minidl-hostile sleep 86398 || sleep 86398"],
    start_new_session=True,
)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("sleep", ["sleep", "86398"])
    os._exit(0)


def scaled(x, k):
    return k * x


# %% thread_that_never_ends scaled=10 running=5
import threading
import time

threading.Thread(target=time.sleep, args=(86397,)).start()


def scaled(x, k):
    return k * x


# %% work_at_exit scaled=10 running=5
import atexit
import time


@atexit.register
def late():
    time.sleep(86397)


def scaled(x, k):
    return k * x


# %% exit_in_a_cell scaled=0 running=0
import os

os._exit(0)


# %% exit_in_the_answer scaled=0 running=5
import os


def scaled(x, k):
    os._exit(0)


# %% sys_exit scaled=0 running=5
import sys


def scaled(x, k):
    sys.exit(0)


# %% keyboard_interrupt scaled=0 running=5
def scaled(x, k):
    raise KeyboardInterrupt


# %% segmentation_fault scaled=0 running=5
import ctypes


def scaled(x, k):
    ctypes.string_at(0)


# %% becomes_root scaled=0 running=5
import os


def scaled(x, k):
    os.setuid(0)
    os.chroot("/")
    return k * x


# %% mounts scaled=0 running=5
import ctypes
import os


def scaled(x, k):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", b"/tmp", b"tmpfs", 0, None) == 0:
        return k * x
    if libc.unshare(0x00020000) == 0:  # CLONE_NEWNS
        return k * x
    raise PermissionError("no mounts")


# %% user_namespace scaled=0 running=5
import ctypes


def scaled(x, k):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x10000000 | 0x00020000) == 0:  # CLONE_NEWUSER, CLONE_NEWNS
        return k * x
    raise PermissionError("no namespaces")


# %% kernel_interfaces scaled=0 running=5
import ctypes


def scaled(x, k):
    libc = ctypes.CDLL(None, use_errno=True)
    calls = {"bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "keyctl": 250}
    for number in calls.values():
        if libc.syscall(number, 0, 0, 0, 0, 0) != -1:
            return k * x
        if ctypes.get_errno() not in (1, 38):  # EPERM, ENOSYS
            return k * x
    raise PermissionError("no kernel interface")


# %% state_between_submissions_first scaled=0 running=5
import os

open("/tmp/minidl-hostile-first", "w").close()


def scaled(x, k):
    for folder in ("/tmp", "/dev/shm", "/var/tmp", "/run"):
        if os.path.exists(f"{folder}/minidl-hostile-second"):
            return k * x
    raise LookupError("the other submission left nothing")


# %% state_between_submissions_second scaled=0 running=5
import os

open("/tmp/minidl-hostile-second", "w").close()


def scaled(x, k):
    for folder in ("/tmp", "/dev/shm", "/var/tmp", "/run"):
        if os.path.exists(f"{folder}/minidl-hostile-first"):
            return k * x
    raise LookupError("the other submission left nothing")
