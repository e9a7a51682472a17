"""The tables of the performance page, from the files that `kit bench --json` wrote."""

import json

from ..environment import ROOT, KitError

RESULTS = ROOT / "benchmarks" / "results"
HEAD = """| | ours | peer | unit | times better | bar | against |
|---|--:|--:|---|--:|--:|---|"""


def tables():
    """All of them in Markdown; KitError where nothing was measured."""
    reports = sorted(RESULTS.glob("*.json"))
    if not reports:
        raise KitError(
            "benchmarks/results has no measurements: python3 -m kit bench eager --json "
            "benchmarks/results/eager.json makes the first."
        )
    return "\n\n".join(map(table, reports)) + "\n"


def table(path):
    """One benchmark: the command, the machine, a row for each measurement."""
    report = json.loads(path.read_text(encoding="utf-8"))
    rows = "\n".join(map(row, report["rows"]))
    return (
        f"### {report['benchmark'].capitalize()}\n\n```\n{report['command']}\n```\n\n"
        f"On {report['machine']}.\n\n{HEAD}\n{rows}{words(report.get('table'))}"
    )


def words(table):
    """What a benchmark found that is no number, as a table below its rows."""
    if not table:
        return ""
    lines = [table["head"], ["---"] * len(table["head"]), *table["rows"]]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"\n\n{body}\n\n{table['note']}"


def row(r):
    bar = f"{r['bar']:.2f}" if r["met"] else f"{r['bar']:.2f} (missed)"
    cells = r["name"], f"{r['ours']:.4g}", f"{r['peer']:.4g}", r["unit"]
    return f"| {' | '.join(cells)} | {r['ratio']:.2f} | {bar} | {r['peer_name']} |"
