"""The parent's end of the process that runs a student's code: questions and answers.

All that comes back may be hostile. It is read within bounds of size, number and time,
as plain data; where it breaks them the process is ended.
"""

import os
import signal
import subprocess
import sys
import threading
from queue import Empty, Full, Queue
from time import monotonic

from ..environment import ROOT
from . import plain

LONGEST_LINE = 2 << 20  # bytes
MOST_BYTES = 16 << 20  # of one run
MOST_LINES = 10_000


class Here(subprocess.Popen):
    """The process without a sandbox: for one's own code."""

    def __init__(self):
        super().__init__(
            [sys.executable, "-m", "kit.labs.child"], cwd=ROOT, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def end(self):
        """Kills it with all that it has started."""
        if os.name == "posix":
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
        self.kill()
        self.wait()


class Child:
    """A process that is started when first needed, and again after it was ended."""

    def __init__(self, launch=Here, patience=1.0):
        self.launch, self.patience = launch, patience  # waits patience * seconds
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.end()

    def start(self):
        self.process = self.launch()
        self.chunks, self.stopped, self.rest = Queue(16), threading.Event(), b""
        reader = self.process.stdout, self.chunks, self.stopped
        threading.Thread(target=fill, args=reader, daemon=True).start()

    def end(self):
        """Ends the process, if there is one."""
        if self.process is None:
            return
        process, self.process = self.process, None
        self.stopped.set()
        process.end()
        try:
            process.stdin.close()
        except OSError:
            pass

    def answers(self, request):
        """Events one by one; the last is one of ended, died, timeout or flood.

        After another than ended the process is a new one for the next request.
        """
        seconds = request["seconds"] * self.patience
        try:
            if self.process is None or self.process.poll() is not None:
                self.end()
                self.start()
            deadline = monotonic() + seconds
            self.process.stdin.write(plain.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
            for event in self.events(deadline):
                yield event
                if "ended" in event:
                    return
            yield {"died": True}
        except Empty:
            yield {"timeout": True}
        except Flood:
            yield {"flood": True}
        except OSError:
            yield {"died": True}
        self.end()

    def events(self, deadline):
        """What the lines say; Empty after the deadline."""
        nbytes = lines = 0
        while (chunk := self.chunks.get(timeout=left(deadline))) is not None:
            nbytes += len(chunk)
            *whole, self.rest = (self.rest + chunk).split(b"\n")
            lines += len(whole)
            longest = max(map(len, [*whole, self.rest]))
            if longest > LONGEST_LINE or nbytes > MOST_BYTES or lines > MOST_LINES:
                raise Flood
            for line in whole:
                left(deadline)
                yield event_of(line)


class Flood(Exception):
    """More came than any honest answer has."""


def left(deadline):
    """The seconds up to a deadline; Empty where it is over."""
    seconds = deadline - monotonic()
    if seconds <= 0:
        raise Empty
    return seconds


def fill(source, chunks, stopped):
    """Puts what arrives into a queue that holds a megabyte; None at the end."""
    with source:
        while not stopped.is_set():
            chunk = os.read(source.fileno(), 1 << 16) or None
            while not stopped.is_set():
                try:
                    chunks.put(chunk, timeout=0.5)
                    break
                except Full:
                    continue
            if chunk is None:
                return


def event_of(line):
    """The dict that a line says; what can't be read counts as a wrong answer."""
    try:
        event = plain.loads(line.decode())
    except ValueError as error:
        return {"raised": f"the answer can't be read: {plain.clean(error, 200)}"}
    return event if isinstance(event, dict) else {"raised": "the answer is no event"}
