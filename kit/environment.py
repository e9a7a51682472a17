"""The environment in .venv: made when missing, mended when broken, kept when fresh.

A stamp in it says for which project file, Python and extras it was installed; where
that still holds, nothing is done. pip's whole output goes to .venv/install.log.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
CPU_TORCH = "https://download.pytorch.org/whl/cpu"
FAILURES = (  # what pip's output says, and the sentence for it
    (
        r"No space left on device|Errno 28|not enough space",
        "The disk is full: minidl's environment takes about 3 GB in {venv}. Free some "
        "space and start again; what is done is kept.",
    ),
    (
        r"NewConnectionError|ConnectTimeout|ReadTimeout|name resolution|"
        r"Connection (refused|reset|aborted)|Network is unreachable|Max retries|"
        r"RemoteDisconnected|ProxyError|from versions: none",
        "The packages could not be fetched: this machine reaches no package index. "
        "Check the network (or pip's proxy settings) and start again; what is done is "
        "kept.",
    ),
    (
        r"ensurepip is not|No module named '?ensurepip",
        "This Python can't make environments: install its venv module (on Debian and "
        "Ubuntu: sudo apt install python3-venv) and start again.",
    ),
)


class KitError(Exception):
    """A failure that the user is told in one sentence."""


def ready(extras):
    """The path of the environment's Python, with `extras` installed."""
    try:
        python = usable()
        if python is None or (installed() is None and not has_pip(python)):
            python = make()
        wanted = fingerprint(extras)
        if installed() != wanted:
            install(python, extras)
            stamp().write_text(json.dumps(wanted), encoding="utf-8")
    except OSError as error:
        raise KitError(sentence_for(str(error)) or f"{error}") from None
    return str(python)


def python_path():
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def stamp():
    return VENV / "minidl.json"


def fingerprint(extras):
    """What the environment must have been installed for, to need nothing."""
    project = (ROOT / "pyproject.toml").read_bytes()
    return {
        "project": hashlib.sha256(project).hexdigest(),
        "python": sys.version.split()[0],
        "extras": sorted({*extras, *(installed() or {}).get("extras", ())}),
        "root": str(ROOT),
    }


def installed():
    try:
        return json.loads(stamp().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def usable():
    """The environment's Python if it runs and is of this version, else None."""
    if not python_path().exists():
        return None
    found = subprocess.run(
        [python_path(), "-S", "-c", "import sys; print(sys.version.split()[0])"],
        capture_output=True,
        text=True,
    )
    same = found.returncode == 0 and found.stdout.strip() == sys.version.split()[0]
    return python_path() if same else None


def has_pip(python):
    """Whether making the environment got as far as pip before an interrupt."""
    return not subprocess.run(
        [python, "-c", "import pip"], capture_output=True
    ).returncode


def make():
    """A new environment, in place of a broken one if there is one."""
    if VENV.exists():
        if any(VENV.iterdir()) and not (VENV / "pyvenv.cfg").exists():
            raise KitError(
                f"{VENV} exists and is not a Python environment: move it away and "
                "start again."
            )
        print("The environment in .venv does not run (any more); making it anew.")
        shutil.rmtree(VENV)
    else:
        print("Making an environment in .venv")
    made = subprocess.run(
        [sys.executable, "-m", "venv", VENV], capture_output=True, text=True
    )
    if made.returncode:
        output = made.stdout + made.stderr
        shutil.rmtree(VENV, ignore_errors=True)
        last = (output.strip().splitlines() or ["no reason given"])[-1]
        raise KitError(
            sentence_for(output) or f"The environment could not be made: {last}"
        )
    return python_path()


def install(python, extras):
    """Installs the project in place, with `extras`; tests bring PyTorch if they can."""
    extras = sorted({*extras, *(installed() or {}).get("extras", ())})
    if "test" in extras and install_torch(python):
        extras.append("witness")
    pip(python, "-e", f".[{','.join(extras)}]", "--upgrade-strategy=only-if-needed")


def install_torch(python):
    """Whether PyTorch is there: its CPU build, never gigabytes of CUDA by accident."""
    have = [python, "-c", "import importlib.util as u; exit(not u.find_spec('torch'))"]
    if subprocess.run(have).returncode == 0:
        return True
    tries = [("--no-index",), ("--index-url", CPU_TORCH, "--retries=1", "--timeout=15")]
    if sys.platform != "linux":  # there the default build is the CPU's
        tries = [()]
    for options in tries:
        try:
            pip(python, "--no-deps", *options, "torch>=2.5")
            return True
        except KitError as error:
            if "disk is full" in str(error):
                raise
    print("PyTorch's CPU build can't be had here: tests against it will be skipped.")
    return False


def pip(python, *arguments):
    """Runs pip install; shows one line of progress; KitError if it fails."""
    command = [python, "-m", "pip", "install", "--progress-bar=off", *arguments]
    environ = {**os.environ, "PYTHONUNBUFFERED": "1", "PIP_NO_INPUT": "1"}
    log = VENV / "install.log"
    with (
        log.open("a", encoding="utf-8") as file,
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        start = file.tell()
        show(echoed(process.stdout, file))
    if process.returncode:
        output = log.read_text(encoding="utf-8", errors="replace")[start:]
        errors = re.findall(r"^ERROR: (.*)$", output, re.MULTILINE) or [
            "no reason given"
        ]
        raise KitError(
            sentence_for(output)
            or f"Installing failed: {errors[0]} (all of pip's words: {log})"
        )


def echoed(lines, file):
    """`lines`, each written to `file` as it passes."""
    for line in lines:
        file.write(line)
        file.flush()
        yield line


def show(lines):
    """pip's steps on one line that changes; a line each where there is no terminal."""
    start, live = time.monotonic(), sys.stdout.isatty()
    for line in lines:
        step = re.match(
            r"\s*(Downloading|Building wheel|Installing collected) ?(.*)", line
        )
        if not step:
            continue
        words = f"{step[1]} {step[2]}".replace(
            "Installing collected packages:", "Installing"
        )
        text = f"[{time.monotonic() - start:4.0f} s] {words}"[:78]
        print(f"\r{text:<78}" if live else text, end="" if live else "\n", flush=True)
    if live:
        print(f"\r{'':<78}\r", end="", flush=True)


def sentence_for(output):
    """The sentence for a known failure in `output`, or None."""
    for pattern, sentence in FAILURES:
        if re.search(pattern, output):
            return sentence.format(venv=VENV)
    return None
