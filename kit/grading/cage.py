"""The cage of a submission: what bubblewrap shows it, and how much it may use.

Inside there are the system's programs and the environment's packages, read-only;
minidl; the few files of the kit that serve a request; and a /tmp of 64 MB in memory.
There is no network, no /proc, no home, no course, no other submission's process, and
no way to write elsewhere.

As root, bubblewrap makes no user namespace, because uid 0 would be free of the limit on
processes in it; a fork gives up root itself, for a number that no one else has.
"""

import itertools
import os
import sys
import sysconfig
from pathlib import PurePath

from ..environment import ROOT

LIMITS = {  # of each process, but NPROC, which counts all of one submission's
    "AS": 2 << 30, "NPROC": 64, "NOFILE": 128, "FSIZE": 16 << 20, "CORE": 0,
    "CPU": 600, "MEMLOCK": 0, "MSGQUEUE": 0,
}  # fmt: skip
TMP = 64 << 20
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/alternatives")
KIT = (
    "kit/__init__.py", "kit/labs/__init__.py", "kit/labs/child.py",
    "kit/labs/plain.py", "kit/grading/__init__.py", "kit/grading/inside.py",
    "kit/grading/confine.py", "minidl",
)  # fmt: skip
NOWHERE = "/minidl"  # where the kit's files are inside
PACKAGES = ("/packages", "/packages64")
NOBODY = 65534
numbers = itertools.count()


def user():
    """Whom a sandbox belongs to. The limit on processes counts by user, so that as root
    each sandbox has its own."""
    if os.geteuid():
        return NOBODY
    return 1_000_000_000 + os.getpid() % (1 << 22) * 200 + next(numbers) % 200


def arguments():
    """bubblewrap's options. What the template may do, a fork gives up."""
    words = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts",
             "--unshare-cgroup-try", "--die-with-parent", "--new-session", "--clearenv",
             "--hostname", "sandbox"]  # fmt: skip
    powers = ["SYS_ADMIN", "KILL"]
    if os.geteuid():
        words += ["--unshare-user", "--uid", str(NOBODY), "--gid", str(NOBODY)]
    else:
        powers += ["SETUID", "SETGID"]
    words += ["--cap-drop", "ALL"]
    words += [word for power in powers for word in ("--cap-add", f"CAP_{power}")]
    places = dict(zip(packages(), PACKAGES)) | {n: f"{NOWHERE}/{n}" for n in KIT}
    if not sys.base_prefix.startswith("/usr"):
        places[sys.base_prefix] = sys.base_prefix
    for path in parents(places.values()):
        words += ["--perms", "0755", "--dir", path]
    for path in SYSTEM:
        words += binding(path)
    words += ["--dev", "/dev", "--tmpfs", "/tmp"]
    for path, place in places.items():
        words += ["--ro-bind", str(ROOT / path), place]
    words += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]
    for name, value in variables().items():
        words += ["--setenv", name, value]
    return words


def binding(path):
    if os.path.islink(path):
        return ["--symlink", os.readlink(path), path]
    return ["--ro-bind", path, path] if os.path.exists(path) else []


def parents(places):
    """All folders above the places: bubblewrap's own are for root alone."""
    above = {str(p) for place in [*places, *SYSTEM] for p in PurePath(place).parents}
    return sorted(above - {"/"})


def packages():
    """Where the environment's packages are: one folder, or two."""
    return list(dict.fromkeys(map(sysconfig.get_path, ("purelib", "platlib"))))


def variables():
    return {
        "PYTHONPATH": ":".join([NOWHERE, *PACKAGES]),
        "PATH": "/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TQDM_DISABLE": "1",
    }  # fmt: skip
