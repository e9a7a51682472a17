"""learn: JupyterLab, open at the tour."""

import os
import socket
import subprocess
import sys

from .environment import ROOT, KitError

TOUR = "notebooks/00_one_training_step.ipynb"


def main(arguments):
    command = [sys.executable, "-m", "jupyterlab", TOUR]
    if arguments.no_browser:
        command.append("--no-browser")
    if arguments.port:
        refuse_taken(arguments.port)
        command += [f"--ServerApp.port={arguments.port}", "--ServerApp.port_retries=0"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # a container's only user
    print("Opening JupyterLab. Ctrl-C ends it.", flush=True)
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        return 0


def refuse_taken(port):
    with socket.socket() as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise KitError(
                f"Port {port} is taken by another program: choose another with --port, "
                "or leave it out."
            ) from None
