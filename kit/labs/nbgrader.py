"""What nbgrader reads in a lab's cells, so that it can hand the lab out and collect it.

The cell of a part is marked as one that people grade: nbgrader keeps it, names it after
the part, and gives it no points by itself. It would give all of them for any cell that
raises nothing, so the points come from `kit grade`. (Metadata schema, version 3.)
"""

import re


def mark(notebook, parts):
    """Marks the cell of each part: the first that defines what the part is called."""
    for part in parts:
        defined = re.compile(rf"^(def|class) {part.name}\b", re.MULTILINE)
        for cell in notebook.cells:
            if cell.cell_type == "code" and defined.search(cell.source):
                cell.metadata["nbgrader"] = marks(part)
                break


def marks(part):
    return {
        "schema_version": 3,
        "grade_id": part.name,
        "grade": True,
        "solution": True,  # the student writes here
        "locked": False,
        "points": part.points,
        "task": False,
    }


def marked(notebook):
    """The marks of a notebook's cells, in order; without what nbgrader adds itself."""
    found = [cell.metadata.get("nbgrader", {}) for cell in notebook.cells]
    return [{k: v for k, v in m.items() if k != "checksum"} for m in found]
