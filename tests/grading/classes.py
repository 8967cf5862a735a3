"""A class that never was: what its students handed in, and what each of it is worth.

All notebooks are made from the learner's copies, so that they look as real ones do.
"""

from __future__ import annotations

import ast
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from textwrap import indent
from typing import Any

from birnn_course.exercises.checking import EXERCISES, assess
from birnn_course.grading import case_sets
from birnn_course.grading.notebooks import code_cells, digest_of_code
from birnn_course.running.calling import Outcome
from grading.wrong import WRONG

from conftest import ROOT

NOTEBOOKS = {
    "01": "01_bidirectional_exercises",
    "02": "02_shapes_exercises",
    "04": "04_packing_exercises",
}
SEED = 11
"""Of the hidden cases for which the rows hold; which level a mistake fails at depends on them."""
NAMES = {unit: [e.name for e in EXERCISES.values() if e.unit == unit] for unit in NOTEBOOKS}
SECONDS = 12.0
"""For one notebook: 4 s for a cell, 2 s for a call. Enough for all but what never ends."""

Row = tuple[str, str, str, int, int, str, str]
"""As in ``grades.csv``."""
Verdict = tuple[str, str]
"""And misconception."""
RIGHT, OPEN = ("right", ""), ("not attempted", "")
STUB = "..."
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"


@cache
def _master(folder: str, unit: str) -> str:
    return (ROOT / folder / f"{NOTEBOOKS[unit]}.ipynb").read_text(encoding="utf-8")


@cache
def solution(name: str) -> str:
    """What stands between the marks in the worked solution of an exercise, not indented."""
    exercise = EXERCISES[name]
    for cell in json.loads(_master("solutions", exercise.unit))["cells"]:
        source = "".join(cell["source"])
        if f"def {name}(" in source and BEGIN in source:
            inside = source.partition(BEGIN)[2].partition(END)[0].split("\n")[1:-1]
            return "\n".join(line[4:] for line in inside)
    raise AssertionError(f"there is no solution of {name}")


class Notebook:
    """A learner's copy of the exercises of a unit, filled in.

    Parameters
    ----------
    unit : str
    answers : dict
        For the names of exercises a body in the place of the stub. Exercises that are not in it
        are solved.
    """

    def __init__(self, unit: str, answers: Mapping[str, str] | None = None) -> None:
        self.unit = unit
        self.data: dict[str, Any] = json.loads(_master("notebooks", unit))
        for cell in self.cells:
            cell["source"] = "".join(cell["source"])
        for name in NAMES[unit]:
            body = (answers or {}).get(name, solution(name))
            cell = self.cells[self.of(name)]
            assert cell["source"].endswith(f"\n    {STUB}"), name
            cell["source"] = cell["source"][: -len(STUB) - 4] + indent(body, "    ")

    @property
    def cells(self) -> list[dict[str, Any]]:
        """All of them, in order."""
        found: list[dict[str, Any]] = self.data["cells"]
        return found

    def of(self, name: str) -> int:
        """Which cell defines an exercise's function."""
        found = [i for i, c in enumerate(self.cells) if f"def {name}(" in "".join(c["source"])]
        return found[-1]

    def source(self, name: str) -> str:
        """Of the cell that defines an exercise's function."""
        text: str = self.cells[self.of(name)]["source"]
        return text

    def write(self, name: str, source: str) -> Notebook:
        """Put another source into the cell that defines an exercise's function."""
        self.cells[self.of(name)]["source"] = source
        return self

    def before(self, name: str, *sources: str) -> Notebook:
        """Insert code cells above the one that defines an exercise's function."""
        at = self.of(name)
        self.cells[at:at] = map(code, sources)
        return self

    def after(self, name: str, *sources: str) -> Notebook:
        """Insert code cells below the one that defines an exercise's function."""
        at = self.of(name) + 1
        self.cells[at:at] = map(code, sources)
        return self

    def first(self, *sources: str) -> Notebook:
        """Insert code cells above all others."""
        self.cells[:0] = map(code, sources)
        return self

    def last(self, *sources: str) -> Notebook:
        """Add code cells below all others."""
        self.cells.extend(map(code, sources))
        return self

    def keep(self, wanted: Callable[[str], bool]) -> Notebook:
        """Delete code cells whose source is not wanted."""
        self.data["cells"] = [
            c for c in self.cells if c["cell_type"] != "code" or wanted(c["source"])
        ]
        return self

    def encoded(self) -> bytes:
        """The bytes of the file."""
        return json.dumps(self.data, indent=1, ensure_ascii=False).encode()


def code(source: str) -> dict[str, Any]:
    """A code cell."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": source,
    }


@dataclass(frozen=True)
class HandedIn:
    """One file of one student.

    Parameters
    ----------
    student, name : str
    data : bytes or None
        None if the file is inside another one.
    rows : dict
        For each exercise for which this file counts its verdict and misconception.
    """

    student: str
    name: str
    data: bytes | None
    rows: dict[str, Verdict] = field(default_factory=dict)


def expected(handed_in: Iterable[HandedIn]) -> list[Row]:
    """What ``grades.csv`` must hold, in its order."""
    rows: list[Row] = []
    for each in sorted(handed_in, key=lambda h: (h.student, h.name)):
        for name, (verdict, misconception) in each.rows.items():
            most = EXERCISES[name].points if name else 0
            points = most if verdict == "right" else 0
            rows.append((each.student, each.name, name, points, most, verdict, misconception))
    return rows


def lay_out(handed_in: Iterable[HandedIn], folder: Path) -> Path:
    """Write one folder for each student."""
    for each in handed_in:
        if each.data is not None:
            path = folder / each.student / each.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(each.data)
    return folder


def small_class() -> list[HandedIn]:
    """A few students of each kind, for what has to be graded several times.

    Each notebook takes half a second, so that a run can be stopped in its middle.
    """
    chosen = ("Ada", "李 雷", "wrong-01-1", "wrong-02-8", "wrong-04-4", "stub-none")
    return [replace(h, data=_slower(h.data)) for h in the_class() if h.student in chosen]


def _slower(data: bytes | None) -> bytes:
    notebook = json.loads(data or b"")
    notebook["cells"].insert(0, code("import time\ntime.sleep(1)"))
    return json.dumps(notebook, ensure_ascii=False).encode()


def as_nbgrader(handed_in: Iterable[HandedIn], folder: Path) -> tuple[Path, list[HandedIn]]:
    """``submitted/<student>/<assignment>/<notebook>``, and how it should be read."""
    read = [replace(h, name=f"{Path(h.name).stem}/{h.name}") for h in handed_in]
    return lay_out(read, folder / "submitted"), read


def as_zip(
    handed_in: Iterable[HandedIn],
    path: Path,
    place: Callable[[HandedIn, int], str],
    student: Callable[[HandedIn, int], str],
) -> tuple[Path, list[HandedIn]]:
    """A zip with each file where ``place`` says, and how it should be read.

    ``place`` and ``student`` get the file and a number of its student's.
    """
    read: list[HandedIn] = []
    numbers: dict[str, int] = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in handed_in:
            number = numbers.setdefault(each.student, 1_200_345 + 7 * len(numbers))
            archive.writestr(place(each, number), each.data or b"")
            read.append(replace(each, student=student(each, number)))
    return path, read


def as_moodle_folders(handed_in: Iterable[HandedIn], path: Path) -> tuple[Path, list[HandedIn]]:
    """As Moodle exports it, a folder for each student."""
    return as_zip(
        handed_in,
        path,
        lambda h, n: f"{h.student}_{n}_assignsubmission_file_/{h.name}",
        lambda h, n: f"{h.student}_{n}",
    )


def as_moodle_flat(handed_in: Iterable[HandedIn], path: Path) -> tuple[Path, list[HandedIn]]:
    """As Moodle exports it without folders."""
    return as_zip(
        handed_in,
        path,
        lambda h, n: f"{h.student}_{n}_assignsubmission_file_{h.name}",
        lambda h, n: f"{h.student}_{n}",
    )


def as_canvas(handed_in: Iterable[HandedIn], path: Path) -> tuple[Path, list[HandedIn]]:
    """As Canvas exports it; every second student is late."""

    def name(each: HandedIn) -> str:
        return each.student.lower().replace(" ", "").replace("_", "")

    return as_zip(
        handed_in,
        path,
        lambda h, n: f"{name(h)}{'_LATE' * (n % 2)}_{n}_{n + 999}_{h.name}",
        lambda h, n: f"{name(h)}_{n}",
    )


# ── the class ───────────────────────────────────────────────────────────────────────────────────


@cache
def the_class() -> list[HandedIn]:
    """At least 60 students over three units, in every state that is normal."""
    return [
        *_full(),
        *_partial(),
        *_mistaken(),
        *_not_attempted(),
        *_copied_and_renamed(),
        *_moved_about(),
        *_with_magics_and_pictures(),
        *_written_in_another_way(),
        *_failing(),
        *_endless(),
        *_of_other_types(),
        *_other_files(),
    ]


def _hand(
    student: str,
    notebook: Notebook,
    *,
    name: str = "",
    counts: bool = True,
    **verdicts: str | Verdict,
) -> HandedIn:
    """All exercises of the notebook are right but for those named."""
    rows: dict[str, Verdict] = {}
    for exercise in NAMES[notebook.unit] if counts else ():
        verdict = verdicts.get(exercise, RIGHT)
        rows[exercise] = (verdict, "") if isinstance(verdict, str) else verdict
    assert verdicts.keys() <= set(NAMES[notebook.unit])
    name = name or f"{NOTEBOOKS[notebook.unit]}.ipynb"
    return HandedIn(student, name, notebook.encoded(), rows)


def _stubs(unit: str, *names: str, stub: str = STUB) -> Notebook:
    """A notebook in which these exercises are not done; all, if none is named."""
    return Notebook(unit, dict.fromkeys(names or NAMES[unit], stub))


def _all_open(unit: str) -> dict[str, Verdict]:
    return dict.fromkeys(NAMES[unit], OPEN)


def _full() -> Iterator[HandedIn]:
    for student in ("Ada", "Grace Hopper", "Ünal Özgür"):
        for unit in NOTEBOOKS:
            yield _hand(student, Notebook(unit))


def _partial() -> Iterator[HandedIn]:
    for k, student in enumerate(("李 雷", "Kim", "kim")):
        for unit in ("01", "02", "04")[k:]:
            todo = NAMES[unit][1 + k :]
            yield _hand(student, _stubs(unit, *todo), **dict.fromkeys(todo, OPEN))


def _mistaken() -> Iterator[HandedIn]:
    """For each mistake of each exercise a notebook that makes it; others may be made beside it."""
    for unit, names in NAMES.items():
        for k in range(max(len(EXERCISES[name].mistakes) for name in names)):
            making = [name for name in names if k < len(WRONG[name])]
            notebook = Notebook(unit, {name: WRONG[name][k] for name in making})
            verdicts = {name: verdict_of(name, k, notebook) for name in making}
            yield _hand(f"wrong-{unit}-{k}", notebook, **verdicts)


def verdict_of(name: str, k: int, notebook: Notebook | None = None) -> Verdict:
    """What the course's own version of an exercise's k-th mistake is worth in this notebook."""
    cells = code_cells(notebook.encoded()) if notebook else []
    return _verdict_of(name, k, case_sets.chosen(SEED, digest_of_code(cells)))


@cache
def _verdict_of(name: str, k: int, number: int) -> Verdict:
    exercise, answers = EXERCISES[name], case_sets.hidden(name, SEED, number, None)
    mistake, results = answers.wrong[k]
    outcomes = [Outcome("returned", value) for value in results]
    report = assess(exercise, answers.cases, answers, outcomes)
    assert report.level is not None and report.misconception == mistake.misconception
    return report.level, mistake.misconception


def _not_attempted() -> Iterator[HandedIn]:
    for unit in NOTEBOOKS:
        yield _hand("untouched", _stubs(unit), **_all_open(unit))
    for student, stub in (
        ("stub-pass", "pass"),
        ("stub-none", "return None"),
        ("stub-raises", "raise NotImplementedError"),
        ("stub-comment", "# I did not understand this one\n..."),
    ):
        yield _hand(student, _stubs("04", stub=stub), **_all_open("04"))
    empty = Notebook("01")
    empty.data["cells"] = []
    yield _hand("no-cells", empty, **_all_open("01"))


def _copied_and_renamed() -> Iterator[HandedIn]:
    copied = f"{NOTEBOOKS['01']}-Copy1.ipynb"
    yield _hand("copy-alone", Notebook("01"), name=copied)
    yield _hand("copy-is-better", _stubs("01"), counts=False)
    yield _hand("copy-is-better", Notebook("01"), name=copied)
    yield _hand("copy-is-worse", Notebook("01"))
    yield _hand("copy-is-worse", _stubs("01"), name=copied, counts=False)
    yield _hand("renamed", Notebook("04"), name="final FINAL (2) – ready.ipynb")
    yield _hand("capitals", Notebook("02"), name=f"{NOTEBOOKS['02'].upper()}.IPYNB")
    yield _hand("deep", Notebook("04"), name=f"week 4/mine/{NOTEBOOKS['04']}.ipynb")
    old = HandedIn("deep", ".ipynb_checkpoints/old-checkpoint.ipynb", _stubs("04").encoded())
    yield old
    kernel = Notebook("01")
    kernel.data["metadata"] = {
        "kernelspec": {"display_name": "my env", "language": "R", "name": "conda-env-x"},
        "language_info": {"name": "python", "version": "3.8.10"},
        "colab": {"provenance": []},
    }
    yield _hand("other-kernel", kernel)
    bare = Notebook("02")
    bare.data["metadata"] = {}
    yield _hand("no-metadata", bare)
    without_ids = Notebook("04")
    without_ids.data["nbformat_minor"] = 2
    for cell in without_ids.cells:
        cell.pop("id", None)
    yield _hand("without-ids", without_ids)
    lines = Notebook("02")
    for cell in lines.cells:
        cell["source"] = cell["source"].splitlines(keepends=True)
    yield _hand("lists-of-lines", lines)
    for student, change in (
        ("crlf", lambda data: data.replace(b"\n", b"\r\n").replace(b"\\n", b"\\r\\n")),
        ("bom", lambda data: b"\xef\xbb\xbf" + data),
    ):
        yield HandedIn(
            student,
            f"{NOTEBOOKS['04']}.ipynb",
            change(Notebook("04").encoded()),
            dict.fromkeys(NAMES["04"], RIGHT),
        )


def _moved_about() -> Iterator[HandedIn]:
    split = Notebook("01")
    pieces = []
    for cell in split.cells:
        if cell["cell_type"] != "code":
            pieces.append(cell)
            continue
        lines = cell["source"].split("\n")
        tops = [node.lineno - 1 for node in ast.parse(cell["source"]).body]
        for start, end in zip(tops, [*tops[1:], len(lines)], strict=True):
            pieces.append(code("\n".join(lines[start:end])))
    split.data["cells"] = pieces
    yield _hand("split", split)

    for unit in NOTEBOOKS:
        turned = Notebook(unit)
        turned.cells.reverse()
        yield _hand("from-the-end", turned)

    merged = Notebook("02")
    source = "\n\n".join(c["source"] for c in merged.cells if c["cell_type"] == "code")
    merged.data["cells"] = [code(source)]
    yield _hand("one-cell", merged)

    # Without `build` only those functions work that do not need it.
    deleted = Notebook("02").keep(lambda source: "def build" not in source)
    needing = ("summarise", "translate", "gesture_probabilities")
    yield _hand("deleted", deleted, **dict.fromkeys(needing, "callable"))

    gone = Notebook("04").keep(lambda source: "def pool" not in source)
    yield _hand("deleted-answer", gone, pool=OPEN)

    helper = Notebook("04", {"turn_around": "return turned(x, lengths)"})
    helper.last(
        "def turned(x, lengths):\n"
        "    rows = zip(x, lengths)\n"
        "    return torch.stack([torch.cat([row[:n].flip(0), row[n:]]) for row, n in rows])"
    )
    yield _hand("helper-below", helper)

    below = _stubs("01", "stream", "best_score")
    below.after("stream", Notebook("01").source("stream"))
    below.last(Notebook("01").source("best_score"))
    yield _hand("new-cell-below", below)

    above = _stubs("04")
    for name in NAMES["04"]:
        above.before(name, Notebook("04").source(name))
    yield _hand("new-cell-above", above)

    # What is defined last counts, right or wrong; a check of it in between does not matter.
    twice = Notebook("01").after(
        "fair_hidden_size",
        "def fair_hidden_size(cell, input_size, hidden_size, num_layers):\n"
        "    return hidden_size // 2",
    )
    yield _hand("second-thoughts", twice, fair_hidden_size=verdict_of("fair_hidden_size", 0, twice))

    overwritten = Notebook("04").last(
        "pool = pool(torch.zeros(1, 2, 4), torch.tensor([2]))", "del turn_around"
    )
    yield _hand("name-used-again", overwritten)


def _with_magics_and_pictures() -> Iterator[HandedIn]:
    magics = Notebook("01").first(
        "%matplotlib inline\n%load_ext autoreload\n%autoreload 2",
        "%pip install birnn-course\n!pip install torch > /dev/null",
        "files = !ls\nprint(files)",
        "!nvidia-smi",
        "%%bash\necho hello",
        "%%html\n<b>mine</b>",
        "%cd ..",
        "read_both_ways?",
        "%who_ls",
        "%env",
        "%%writefile helper.py\nx = 1",
        "%nonsense",
    )
    magics.write("stream", "%%time\n" + magics.source("stream"))
    magics.write("best_score", "%%capture out\n" + magics.source("best_score"))
    magics.after("stream", "%timeit -n1 -r1 stream(torch.randn(1, 4, 2), example, 2)")
    magics.after("best_score", "%time best_score(world, 0)", "%prun -q best_score(world, 0)")
    yield _hand("magics", magics)

    asks = Notebook("02").first('name = input("Your name? ")', 'age = int(input("Age? "))')
    asks.before("translate", "import getpass\npassword = getpass.getpass()")
    yield _hand("asks", asks)

    plots = Notebook("01").first("import matplotlib.pyplot as plt\nimport matplotlib")
    plots.after(
        "stream",
        "plt.plot([1, 2, 3]); plt.title('$x$ — é'); plt.show()",
        "fig, ax = plt.subplots()\nax.imshow(torch.rand(9, 9))\nfig.savefig('mine.png')\nfig",
        "plt.close('all')\nfrom birnn_course import plot_dependence\n"
        "plot_dependence({'mine': torch.eye(4)})",
    )
    yield _hand("plots", plots)

    widgets = Notebook("02").last(
        "import ipywidgets as w\nfrom ipywidgets import interact\n"
        "@interact(n=(1, 10))\ndef show(n=3):\n    print(n)",
        "display(w.HBox([w.IntSlider(), w.Button(description='go')]))",
        "from birnn_course import shape_explorer\nshape_explorer()",
        "from tqdm.auto import tqdm\nfor i in tqdm(range(3)): pass",
    )
    yield _hand("widgets", widgets)

    checks = Notebook("04").last(
        "from birnn_course import quiz, check, hint, audit",
        'quiz("04")',
        "hint(pool)",
        'hint("pool")',
        "check(pool)\ncheck(pool)",
        "assert check(pool).passed",
        "print(check(pool).points, 'points')",
        "check(turn_around).sentence",
        "%load_ext birnn_course",
        "from birnn_course.exercises import EXERCISES\nEXERCISES['pool'].reference",
    )
    yield _hand("checks", checks)

    settings = Notebook("02").first(
        "import warnings, random, os\nimport numpy as np\nwarnings.simplefilter('error')",
        "seed = 42\nrandom.seed(seed); np.random.seed(seed)\nimport torch\ntorch.manual_seed(seed)",
        "torch.set_num_threads(8)\ntorch.set_printoptions(precision=2)",
        "device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        "os.makedirs('data', exist_ok=True)\nopen('data/mine.txt', 'w').write('x')",
    )
    yield _hand("settings", settings)

    loud = Notebook("04", {"pool": f"for _ in range(200): print('x' * 9999)\n{solution('pool')}"})
    loud.first("for i in range(500): print('x' * 999)", "import sys\nprint('!', file=sys.stderr)")
    yield _hand("loud", loud)


def _written_in_another_way() -> Iterator[HandedIn]:
    by_lambda = _stubs("04", "turn_around").after(
        "turn_around",
        "turn_around = lambda x, lengths: torch.stack(\n"
        "    [torch.cat([row[:n].flip(0), row[n:]]) for row, n in zip(x, lengths)])",
    )
    yield _hand("by-lambda", by_lambda)

    partly = _stubs("01", "fair_hidden_size")
    name, body = "fair_hidden_size", indent(solution("fair_hidden_size"), "    ")
    partly.after(
        name,
        "from functools import partial, wraps, lru_cache",
        f"def general(step, cell, input_size, hidden_size, num_layers):\n{body}",
        f"{name} = partial(general, 1)",
    )
    partly.write("best_score", f"{partly.source('best_score')}\n\nbest_score = [best_score][0]")
    yield _hand("by-partial", partly)

    decorated = Notebook("02").first(
        "import torch, functools, time\n"
        "def timed(function):\n"
        "    @functools.wraps(function)\n"
        "    def wrapper(*args, **kwargs):\n"
        "        start = time.perf_counter()\n"
        "        result = function(*args, **kwargs)\n"
        "        print(time.perf_counter() - start)\n"
        "        return result\n"
        "    return wrapper"
    )
    for name, line in (
        ("summarise", "@timed"),
        ("tagging_loss", "@torch.no_grad()"),
        ("predict_shapes", "@functools.lru_cache"),
    ):
        decorated.write(name, f"{line}\n{decorated.source(name)}")
    yield _hand("decorated", decorated)

    as_object = _stubs("04", "pool").after(
        "pool",
        "class Pool(nn.Module):\n    def forward(self, output, lengths):\n"
        f"{indent(solution('pool'), '        ')}",
        "pool = Pool()",
    )
    yield _hand("by-a-module", as_object)

    awaits = Notebook("01").first("import asyncio\nawait asyncio.sleep(0)")
    awaits.write("stream", f"await asyncio.sleep(0.01)\n{awaits.source('stream')}")
    yield _hand("awaits", awaits)

    typed = Notebook("04")
    typed.first("from __future__ import annotations\nfrom typing import *")
    head = "def turn_around(x: Tensor, lengths: Tensor, *args, verbose: bool = False) -> Tensor:"
    typed.write("turn_around", f"{head}\n{indent(solution('turn_around'), '    ')}")
    yield _hand("typed", typed)

    changes = Notebook(
        "04",
        {
            "turn_around": "for row, n in zip(x, lengths):\n    row[:n] = row[:n].flip(0).clone()\n"
            "lengths.zero_()\nreturn x",
            "from_the_left": f"{solution('from_the_left').replace('return', 'result =')}\n"
            "ids.fill_(7); is_real.logical_not_()\nreturn result",
        },
    )
    yield _hand("changes-its-arguments", changes)

    chance = Notebook(
        "04",
        {
            "pool": "torch.manual_seed(torch.seed() % 1000)\n" + solution("pool"),
            "turn_around": solution("turn_around").replace(
                "return ", "return torch.rand(1) * 0.5 + "
            ),
        },
    )
    yield _hand("by-chance", chance, turn_around="value")


def _failing() -> Iterator[HandedIn]:
    raising = Notebook("01").first("1 / 0", "raise RuntimeError('stop here')", "import seaborns")
    raising.write("stream", f"import pandas_of_mine\n{raising.source('stream')}")
    raising.after("best_score", "undefined_name", "assert best_score(world, 0) == 7")
    yield _hand("cells-raise", raising, stream=OPEN)

    syntax = Notebook("02")
    syntax.write("translate", syntax.source("translate").replace("return output", "return output)"))
    syntax.before("from_output", "for i in range(3)\n    print(i)", "\tx = 1", "def f(:")
    yield _hand("syntax", syntax, translate=OPEN)

    functions = Notebook(
        "04",
        {
            "read_packed": "return rnn(x, lengths)",
            "turn_around": "return turn_around(x, lengths)",
            "pool": "return (output, length)",
            "masked_tagging_loss": 'raise ValueError("<script>alert(1)</script>")',
            "from_the_left": "exit()",
        },
    )
    raised = ("read_packed", "turn_around", "pool", "masked_tagging_loss")
    yield _hand(
        "functions-raise",
        functions,
        **dict.fromkeys(raised, "callable"),
        from_the_left="callable",
    )

    signature = Notebook("02")
    signature.write("from_output", "def from_output(output):\n    return output[:, 0]")
    signature.write("tagging_loss", "Tagging_loss = lambda logits, tags: 0")
    yield _hand("other-parameters", signature, from_output="callable", tagging_loss=OPEN)

    leaves = Notebook("01").first("exit()", "quit()", "import sys; sys.exit(0)", "raise SystemExit")
    leaves.after("stream", "raise KeyboardInterrupt")
    yield _hand("exits", leaves)

    data = Notebook("02").first(
        "scores = open('/home/me/scores.csv').read()",
        "import urllib.request\nurllib.request.urlopen('http://localhost:9')",
        "import subprocess\nsubprocess.run(['ls'])",
        "import os; os.system('ls')",
        "from torch.utils.data import DataLoader\nlist(DataLoader([1, 2], num_workers=2))",
        "torch.zeros(1).cuda()",
    )
    yield _hand("other-machine", data)

    later = Notebook("04", {"pool": f"assert SECRET\n{solution('pool')}"})
    yield _hand("restart-and-run-all", later, pool="callable")


def _endless() -> Iterator[HandedIn]:
    loops = Notebook("04", {"turn_around": "while lengths.sum() > 0:\n    x = x + 1\nreturn x"})
    yield _hand("loops", loops, turn_around="stopped")

    cell = Notebook("02").before("predict_shapes", "while True:\n    pass")
    yield _hand("loops-in-a-cell", cell)

    deep = Notebook(
        "01",
        {"best_score": "import os\nos._exit(0)\nreturn 1.0"},
    )
    yield _hand("ends-the-process", deep, best_score="stopped")


def _of_other_types() -> Iterator[HandedIn]:
    def turned(name: str, change: str) -> str:
        """The solution, with something done to what it returns."""
        return f"def right():\n{indent(solution(name), '    ')}\nresult = right()\nreturn {change}"

    numbers = Notebook(
        "01",
        {
            "best_score": "import numpy as np\n" + turned("best_score", "np.float64(result)"),
            "fair_hidden_size": "import numpy as np\n"
            + turned("fair_hidden_size", "np.int64(result)"),
            "seen_by": turned("seen_by", "tuple(result)"),
            "leaking_steps": "import numpy as np\n" + turned("leaking_steps", "np.array(result)"),
            "stream": turned("stream", "result.double().requires_grad_()"),
        },
    )
    yield _hand("kinds-of-numbers", numbers)

    types = Notebook(
        "04",
        {
            "read_packed": turned("read_packed", "nn.Parameter(result)"),
            "packed_final_states": turned("packed_final_states", "result.detach().numpy()"),
            "turn_around": turned("turn_around", "(row for row in result)"),
            "pool": turned("pool", "result.long()"),
            "masked_tagging_loss": turned("masked_tagging_loss", "torch.tensor(result)"),
            "from_the_left": turned("from_the_left", "tuple(result.values())"),
        },
    )
    yield _hand("other-types", types, **dict.fromkeys(NAMES["04"], "type"))

    shapes = Notebook(
        "04",
        {
            "read_packed": turned("read_packed", "result.transpose(0, 1)"),
            "packed_final_states": turned("packed_final_states", "result[:, None]"),
            "turn_around": turned("turn_around", "result * float('nan')"),
            "pool": turned("pool", "result + float('inf')"),
            "masked_tagging_loss": turned("masked_tagging_loss", "round(result, 1)"),
            "from_the_left": turned("from_the_left", "result | {'Lengths': []}"),
        },
    )
    values = dict.fromkeys(("turn_around", "pool", "masked_tagging_loss"), "value")
    others = dict.fromkeys(("read_packed", "packed_final_states", "from_the_left"), "shape")
    yield _hand("other-shapes", shapes, **values, **others)

    later = Notebook("02").write("tagging_loss", "async " + Notebook("02").source("tagging_loss"))
    later.write("from_output", Notebook("02").source("from_output").replace("return ", "yield "))
    yield _hand("coroutine", later, tagging_loss="type", from_output="type")

    # The words of the task, read in a way that gives whole numbers where they are allowed.
    ints = Notebook("01", {"best_score": "return 1"})
    yield _hand("int-for-float", ints, best_score="value")


def _other_files() -> Iterator[HandedIn]:
    def unread(unit: str) -> dict[str, Verdict]:
        return dict.fromkeys(NAMES[unit], ("unreadable", ""))

    old = Notebook("04").data
    worksheet = {"cells": [{**c, "input": c["source"]} for c in old["cells"]]}
    version_3 = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [worksheet]}
    name = f"{NOTEBOOKS['04']}.ipynb"
    yield HandedIn("version-3", name, json.dumps(version_3).encode(), unread("04"))
    half = Notebook("04").encoded()
    yield HandedIn("half-a-file", name, half[: len(half) // 2], unread("04"))
    yield HandedIn("empty-file", name, b"", unread("04"))
    yield HandedIn("word-document", name, b"PK\x03\x04 word", unread("04"))
    yield HandedIn("utf-16", name, half.decode().encode("utf-16"), unread("04"))
    # An unreadable copy takes nothing from the one that can be read.
    yield _hand("half-a-copy", Notebook("02"))
    yield HandedIn("half-a-copy", f"{NOTEBOOKS['02']}-Copy2.ipynb", b"{")

    lesson = (ROOT / "notebooks" / "01_bidirectional.ipynb").read_bytes()
    yield HandedIn("lesson", "01_bidirectional.ipynb", lesson, {"": ("no exercise", "")})

    large = Notebook("02")
    picture = {"image/png": "A" * 3_000_000}
    large.cells[1]["outputs"] = [
        {"output_type": "display_data", "metadata": {}, "data": picture},
        {"output_type": "error", "ename": "E", "evalue": "x", "traceback": ["x"] * 99},
    ]
    large.cells.append({"cell_type": "raw", "metadata": {}, "source": "while True: pass"})
    yield _hand("large-outputs", large)

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"homework/{NOTEBOOKS['01']}.ipynb", Notebook("01").encoded())
        archive.writestr("__MACOSX/homework/._x.ipynb", b"\0")
    rows = dict.fromkeys(NAMES["01"], RIGHT)
    inside = f"homework/{NOTEBOOKS['01']}.ipynb"
    yield HandedIn("zipped", "all.zip", packed.getvalue())
    yield HandedIn("zipped", inside, None, rows)
