"""What an exercise is to be done without earns nothing, however a submission gets at it."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import dedent, indent

import nbformat
import pytest

from birnn_course.exercises.checking import EXERCISES
from birnn_course.grading.marking import mark
from birnn_course.sandbox.outside.hosts import Way
from birnn_course.sandbox.outside.pool import Sandbox
from grading.classes import SECONDS
from grading.handed_in import SOLUTIONS, Notebook

SEED = 5
# How the course's function is found, in the name of FOUND; MODULE and NAME stand for its place.
WAYS = {
    "import": "from MODULE import NAME as FOUND",
    "offered": "from birnn_course import NAME as FOUND",
    "attribute": "import birnn_course\nFOUND = getattr(birnn_course, 'NAME')",
    "importlib": "import importlib\nFOUND = importlib.import_module('MODULE').NAME",
    "loaded": "import sys, MODULE\nFOUND = sys.modules['MODULE'].__dict__['NAME']",
    "again": """
        import importlib, sys
        sys.modules.pop('MODULE')
        importlib.invalidate_caches()
        FOUND = importlib.import_module('MODULE').NAME
    """,
    "reloaded": """
        import importlib, MODULE
        FOUND = importlib.reload(sys.modules['MODULE']).NAME
    """,
    "its source": """
        import inspect, MODULE
        space = {'__name__': 'copy'}
        exec(inspect.getsource(sys.modules['MODULE']), space)
        FOUND = space['NAME']
    """,
    "its file": """
        import MODULE
        space = {'__name__': 'copy'}
        exec(open(sys.modules['MODULE'].__file__).read(), space)
        FOUND = space['NAME']
    """,
    "its bytes": """
        import marshal, MODULE
        space = {'__name__': 'copy'}
        exec(marshal.loads(open(sys.modules['MODULE'].__cached__, 'rb').read()[16:]), space)
        FOUND = space['NAME']
    """,
    "mapped": """
        import MODULE
        path = sys.modules['MODULE'].__file__
        from pathlib import Path
        size = 3000
        data = torch.UntypedStorage.from_file(path, False, size)
        space = {'__name__': 'copy'}
        exec(bytes(data.tolist()).decode(errors='ignore').rpartition('\\n\\n\\n')[0], space)
        FOUND = space['NAME']
    """,
    "any file": """
        import os
        last = 'MODULE'.rpartition('.')[2]
        space = {'__name__': 'copy'}
        for folder, _, names in os.walk(os.path.dirname(os.path.dirname(torch.__file__))):
            for name in names:
                if name.split('.')[0] == last and 'birnn' in folder and name.endswith('.py'):
                    exec(open(os.path.join(folder, name)).read(), space)
        FOUND = space['NAME']
    """,
    "its code": """
        import gc, types
        from MODULE import NAME
        found = [o for o in gc.get_objects() if getattr(o, '__name__', '') == 'NAME']
        found += [r for o in found for r in gc.get_referents(o)]
        codes = [o for o in found if isinstance(o, types.CodeType) and o.co_name == 'NAME']
        FOUND = types.FunctionType(codes[0], sys.modules['MODULE'].__dict__) if codes else NAME
    """,
}
CALLS = {
    "words_wrong": (
        "birnn_course.word_errors",
        "word_error_rate",
        "def words_wrong(said, listed):\n    return FOUND(said, listed)",
    ),
    "phones_wrong": (
        "birnn_course.word_errors",
        "phone_error_rate",
        "def phones_wrong(said, listed):\n    return FOUND(said, listed)",
    ),
    "best_score": (
        "birnn_course.data.tasks",
        "TaggingTask",
        """
        from collections import namedtuple
        from fractions import Fraction
        Sequence = namedtuple("Sequence", "words tags probability")
        def best_score(sequences, lookahead):
            exact = [Sequence(tuple(w), tuple(t), Fraction(p)) for w, t, p in sequences]
            limit = FOUND(exact).limit("left", lookahead=lookahead, ambiguous_only=False)
            return float(limit)
        """,
    ),
    "event_scores": (
        "birnn_course.metrics",
        "Scores",
        """
        def event_scores(events, alarms):
            pairs = torch.tensor(events) * 2 + torch.tensor(alarms)
            scores = FOUND(pairs.bincount(minlength=4).reshape(2, 2))
            three = scores.precision[1], scores.recall[1], scores.f1[1]
            return [value.nan_to_num(0).item() for value in three]
        """,
    ),
}


def written(name: str, way: str) -> str:
    """A cell that finds the course's function in a way, and uses it for the exercise."""
    module, function, use = CALLS[name]
    found = dedent(WAYS[way]).strip()
    text = f"import sys, torch\ntry:\n{indent(found, '    ')}\nexcept Exception as error:\n    "
    text += f"FOUND = None\n{dedent(use).strip()}"
    return text.replace("MODULE", module).replace("NAME", function)


def solved_but_for(name: str, cell: str) -> tuple[str, Notebook]:
    """A notebook with all solutions but one of this function, which is at the end."""
    (path,) = SOLUTIONS.glob(f"{EXERCISES[name].unit}_*_exercises.ipynb")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [c for c in notebook.cells if f"def {name}(" not in c.source]
    notebook.cells.append(nbformat.v4.new_code_cell(cell))
    return path.name, notebook


def points(name: str, cell: str, way: Way = "many") -> tuple[int, int, str]:
    """Of the exercise, of all others of the notebook, and the sentence about the exercise."""
    file, notebook = solved_but_for(name, cell)
    with Sandbox(way, SECONDS) as sandbox:
        marked = mark(file, nbformat.writes(notebook).encode(), sandbox, SEED)
    earned = {m.exercise: m for m in marked.marks}
    others = sum(m.points for m in marked.marks) - earned[name].points
    return earned[name].points, others, earned[name].sentence


def all_but(name: str) -> int:
    unit = EXERCISES[name].unit
    return sum(e.points for e in EXERCISES.values() if e.unit == unit) - EXERCISES[name].points


def tried() -> Iterator[tuple[str, str]]:
    """Every way for one exercise, and the plain ones for the others."""
    yield from (("words_wrong", way) for way in WAYS)
    for name in CALLS:
        yield from ((name, way) for way in ("import", "again") if name != "words_wrong")


@pytest.mark.usefixtures("shared_host")
@pytest.mark.parametrize(("name", "way"), [*tried()], ids=lambda text: text.replace(" ", "-"))
def test_it_earns_nothing_and_the_others_earn_all(name: str, way: str) -> None:
    own, others, _ = points(name, written(name, way))
    assert (own, others) == (0, all_but(name))


@pytest.mark.usefixtures("shared_host")
@pytest.mark.parametrize("name", CALLS)
def test_the_student_is_told(name: str) -> None:
    _, _, sentence = points(name, written(name, "import"))
    assert "this exercise is to be done by hand" in sentence
    assert "it has to do without `" in sentence


@pytest.mark.usefixtures("shared_host")
@pytest.mark.parametrize("name", CALLS)
def test_it_would_earn_all_if_it_were_not_for_that(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for exercise in EXERCISES.values():
        monkeypatch.setitem(exercise.__dict__, "by_hand", ())
    own, others, _ = points(name, written(name, "import"))
    assert (own, others) == (EXERCISES[name].points, all_but(name))


def test_it_refuses_in_the_slower_ways_too() -> None:
    own, others, sentence = points("words_wrong", written("words_wrong", "import"), "unprotected")
    assert (own, others) == (0, all_but("words_wrong"))
    assert "by hand" in sentence
