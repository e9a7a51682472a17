"""The outer end of the sandbox: a template in bubblewrap and its forks; see inside.py.

A worker has one template, that has imported everything: importing costs more than
grading does. For each submission it forks, which takes 6 ms.
"""

import atexit
import json
import os
import socket
import subprocess
import sys
import threading

from . import seccomp
from .cage import LIMITS, TMP, arguments, user


class Template:
    """A process in bubblewrap that forks for each submission."""

    def __init__(self):
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        words = memory_file(b"".join(w.encode() + b"\0" for w in arguments()))
        # The interpreter itself, not the environment's link to it, which isn't inside.
        python = os.path.realpath(sys.executable)
        rules = (seccomp.program() or b"").hex()
        command = ["bwrap", "--args", str(words), "--", python, "-S", "-P", "-m",
                   "kit.grading.inside", rules]  # fmt: skip
        self.errors = os.fdopen(memory_file(b""), "rb")
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=self.errors, stderr=self.errors,
            pass_fds=[words], cwd="/", start_new_session=True,
        )  # fmt: skip
        os.close(words)
        theirs.close()
        atexit.register(self.close)

    def ask(self, files=(), **message):
        """The template's answer; OSError with its last words where it has ended."""
        try:
            socket.send_fds(self.socket, [json.dumps(message).encode()], files)
            said = self.socket.recv(1 << 16)
        except OSError:
            said = b""
        if not said:
            raise OSError(self.last_words())
        return json.loads(said)

    def last_words(self):
        self.process.wait()
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it ended without a word"

    def close(self):
        atexit.unregister(self.close)
        self.socket.close()
        self.process.kill()
        self.process.wait()
        self.errors.close()


class Fork:
    """One submission's processes, seen from outside: two pipes and an end."""

    def __init__(self, template, report, warm):
        questions, self.stdin = pipe("wb", theirs=0)
        answers, self.stdout = pipe("rb", theirs=1)
        try:
            settings = {"limits": LIMITS, "tmp": TMP, "report": report, "warm": warm}
            said = template.ask([questions, answers], user=user(), **settings)
            self.pid = said["pid"]
        finally:
            os.close(questions)
            os.close(answers)
        self.template = template

    def poll(self):
        """None: its first process, by which it lives, no submission can end."""

    def end(self):
        self.template.ask(end=self.pid)


def pipe(mode, theirs):
    """(the other's end, our own as a file) of a pipe; `theirs` is 0 to read, 1 to
    write."""
    ends = os.pipe()
    return ends[theirs], os.fdopen(ends[1 - theirs], mode)


own = threading.local()


def launch(report=False, warm=False):
    """A Fork of this thread's template, which is made where there is none alive.

    `warm`: the simulated GPU will be needed, and is compiled before the fork.
    """
    for _ in range(2):
        template = getattr(own, "template", None)
        if template is None or template.process.poll() is not None:
            template = own.template = Template()
        try:
            return Fork(template, report, warm)
        except OSError as error:
            trouble = error
            template.close()
    raise trouble


def memory_file(content):
    """A file descriptor from which `content` is read; it has no name anywhere."""
    file = os.memfd_create("minidl")
    os.write(file, content)
    os.lseek(file, 0, os.SEEK_SET)
    return file
