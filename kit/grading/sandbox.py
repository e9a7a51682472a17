"""Whether there is a sandbox on this machine, and what it does, in words."""

import json
import os
import shutil
import sys

from . import seccomp
from .cage import LIMITS, TMP
from .template import launch


def state():
    """What holds inside, or a dict with "trouble": why there is no sandbox here."""
    if sys.platform != "linux":
        return {"trouble": f"there is none for {sys.platform}"}
    if shutil.which("bwrap") is None:
        return {"trouble": "bubblewrap (bwrap) is not installed"}
    try:
        fork = launch(report=True)
        with fork.stdin, fork.stdout:
            said = json.loads(fork.stdout.readline() or "{}")
        fork.end()
    except (OSError, ValueError) as error:
        return {"trouble": f"bubblewrap fails here: {error}"}
    return said or {"trouble": "bubblewrap starts nothing here"}


def report(found=None):
    """What the sandbox does on this machine, in words."""
    found = state() if found is None else found
    if "trouble" in found:
        return (
            f"No sandbox: {found['trouble']}. A submission would run with all the "
            "rights that you have: it could read and delete your files, the course and "
            "the seed, and use the network."
        )
    landlock = found["landlock"]
    return "\n".join([
        "Sandbox: bubblewrap, with namespaces of its own for processes, network, IPC, "
        f"host name and mounts; user {found['user']}; no /proc.",
        f"  network: {', '.join(found['network']) or 'none'} only; / has "
        f"{', '.join(found['root'])}, read-only but for {TMP >> 20} MB of /tmp",
        f"  limits: {LIMITS['AS'] >> 30} GB of memory a process, {LIMITS['NPROC']} "
        f"processes, {LIMITS['FSIZE'] >> 20} MB a file; time as each part says",
        f"  system calls: {len(seccomp.CALLS)} refused by a seccomp filter"
        if found["seccomp"] else
        f"  system calls: no filter on {os.uname().machine}",
        f"  Landlock: version {landlock}, on top" if landlock else
        "  Landlock: the kernel has none",
    ])  # fmt: skip
