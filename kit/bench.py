"""bench: runs the scripts of benchmarks/ and prints, or writes, their rows."""

import importlib
import json
import os
import platform
import sys

from .environment import ROOT, KitError

HEADER = f"{'':<28}{'ours':>10}{'peer':>10}  {'unit':<5}{'ratio':>9}{'bar':>7}  against"


def main(arguments):
    """Prints a table a script, writes it with --json; 0 if all bars are met."""
    folder = ROOT / "benchmarks"
    sys.path.append(str(folder))  # a script's worker processes can import it, too
    # What the scripts share stands in files that start with an underscore.
    scripts = sorted(path.stem for path in folder.glob("[!_]*.py"))
    unknown = set(arguments.names) - set(scripts)
    if unknown:
        raise KitError(
            f"No benchmark {', '.join(unknown)}; there are: {', '.join(scripts)}"
        )
    reports = [report(name) for name in arguments.names or scripts]
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(reports if len(reports) > 1 else reports[0], file, indent=1)
    return 0 if all(row["met"] for report in reports for row in report["rows"]) else 1


def report(name):
    """The report of one benchmark, printed on the way."""
    print(f"\n{name}\n{HEADER}", flush=True)
    script = importlib.import_module(name)
    rows = script.main()
    for row in rows:
        print(
            f"{row['name']:<28}{row['ours']:>10.4g}{row['peer']:>10.4g}  "
            f"{row['unit']:<5}{row['ratio']:>9.2f}{row['bar']:>7g}  "
            f"{row['peer_name']}{'' if row['met'] else '  (missed)'}",
            flush=True,
        )
    return {
        "benchmark": name,
        "machine": machine(),
        "command": f"python3 -m kit bench {name}",
        "rows": rows,
        # What is no number: a table of words, with its head and a note.
        **({"table": script.TABLE} if hasattr(script, "TABLE") else {}),
    }


def machine():
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {sys.version.split()[0]}"
    )
