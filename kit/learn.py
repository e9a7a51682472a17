"""learn: JupyterLab, open at the tour."""

import os
import socket
import subprocess
import sys

from .environment import ROOT, KitError

TOUR = "notebooks/00_one_training_step.ipynb"

# JupyterLab's dependency jsonschema spends two seconds on a grammar for checking IRIs,
# if it finds it, and Jupyter has no use for that check.
START = (
    "import sys; sys.modules['rfc3987_syntax'] = None; "
    "from jupyterlab.labapp import main; sys.exit(main())"
)


def main(arguments):
    command = [sys.executable, "-c", START, TOUR]
    if arguments.no_browser:
        command.append("--no-browser")
    if arguments.port:
        refuse_taken(arguments.port)
        command += [f"--ServerApp.port={arguments.port}", "--ServerApp.port_retries=0"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # a container's only user
    print("Opening JupyterLab. Ctrl-C ends it.", flush=True)
    process = subprocess.Popen(command, cwd=ROOT)
    trust_notebooks()
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        print("JupyterLab has ended. What you saved is in notebooks/ and labs/.")
        return 0


def trust_notebooks():
    """Has Jupyter show the pictures and views that the notebooks come with.

    Of a notebook that it does not know it shows text only, until each cell is run.
    """
    import nbformat
    from nbformat.sign import NotebookNotary

    notary = NotebookNotary()
    for path in (*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("labs/*.ipynb")):
        try:
            notary.sign(nbformat.read(path, as_version=4))
        except ValueError:
            print(f"{path.name} is damaged; git checkout {path} brings it back.")
    notary.store.close()


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
