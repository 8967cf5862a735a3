"""Run the demonstrations and the wrong code that pages show, and store what comes of them.

``python tools/shown.py`` writes into the package what each misconception's demonstration shows, and
what PyTorch and the course say of wrong code. Tests compare both with a fresh run.
"""

from __future__ import annotations

import json
import linecache
import sys

from raised import KNOWN, NOT_RAISED_FOR_REAL, PREAMBLE

from birnn_course.explain.matching import Known, explanation_of
from birnn_course.explain.messages import FILE, TABLES, Message, in_order, which
from birnn_course.files import write_atomic
from birnn_course.misconceptions import SHOWN, catalogue
from birnn_course.running.contrast import contrast
from birnn_course.running.snippets import execute
from birnn_course.seeding import seeded


def demonstrations() -> dict[str, list[str]]:
    """For each misconception what is shown, wrong and right; a GPU's are left out."""
    found = {}
    for known in catalogue().values():
        if known.needs != "cuda":
            namespace = execute(known.demo, known.id)
            found[known.id] = [*contrast(namespace["wrong"], namespace["right"])]
    return found


def messages() -> list[Message]:
    """What is said of each piece of wrong code."""
    known = [entry for table in TABLES.values() for entry in table]
    cases = [code for _, code, _ in (*sorted(KNOWN), *NOT_RAISED_FOR_REAL)]
    return in_order([explained(code, known) for code in cases])


def explained(code: str, known: list[Known]) -> Message:
    """What wrong code raises, and what is said of it."""
    try:
        run(code)
    except Exception as error:
        for entry in known:
            if found := explanation_of(error, [entry]):
                raised = f"{type(error).__name__}: {error}"
                shown = "" if code.startswith("raise ") else code
                explanation = found.text, found.misconceptions
                return Message(which(entry), entry.fragment, raised, shown, *explanation)
    raise SystemExit(f"nothing is known about what this raises:\n{code}")


def run(code: str) -> None:
    """Run wrong code as a notebook's cell: its source can be read, its names are the notebook's."""
    names: dict[str, object] = {"__name__": "__main__"}
    with seeded():
        for number, source in enumerate((PREAMBLE, code)):
            name = f"<cell {number}>"
            linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
            exec(compile(source, name, "exec"), names)


def main() -> int:
    """Write both files."""
    entries = [message._asdict() for message in messages()]
    for path, found in ((SHOWN, demonstrations()), (FILE, entries)):
        write_atomic(path, json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        print(f"{len(found)} in {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
