"""A notebook meets one of 16 sets of hidden cases, the same for the same code and seed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from birnn_course.errors import CourseError
from birnn_course.exercises.checking import EXERCISES
from birnn_course.exercises.proving import indistinct
from birnn_course.exercises.spec import Exercise
from birnn_course.grading import assignments, case_sets, marking
from birnn_course.grading.case_sets import SETS, chosen, hidden
from birnn_course.grading.marking import mark
from birnn_course.grading.notebooks import digest_of_code
from birnn_course.grading.submissions import Submission
from birnn_course.running.calling import Outcome
from birnn_course.sandbox.outside.pool import Job, Ran
from grading.classes import NAMES, NOTEBOOKS, Notebook

SEED = 11


@pytest.fixture
def fresh() -> Iterator[None]:
    """Nothing is kept of the sets, before or after."""
    case_sets._hidden.cache_clear()
    yield
    case_sets._hidden.cache_clear()


def test_the_digest_is_of_the_code_without_comments() -> None:
    one = ["x = 1\n\n# a comment\ny = '# no comment'  # but this", "z = '''\n# nor\n\nthis'''"]
    same = [
        "x = 1  # other words",
        "y = '# no comment'\n",
        "",
        "# alone",
        "z = '''\n# nor\n\nthis'''",
    ]
    assert digest_of_code(one) == digest_of_code(same)
    for other in (
        ["x = 2", *one[1:]],
        [one[0].replace("no comment", "a comment"), one[1]],
        [one[0], one[1].replace("# nor", "# NOR")],
        [one[0].replace("y =", " y ="), one[1]],
    ):
        assert digest_of_code(one) != digest_of_code(other)
    assert digest_of_code(["print('\ud83d')"]) != digest_of_code(["print('\ud83e')"])


def test_the_seed_and_the_code_choose_among_all_sets() -> None:
    codes = [digest_of_code([f"x = {n}"]) for n in range(640)]
    times = Counter(chosen(SEED, code) for code in codes)
    assert set(times) == set(range(SETS)) and max(times.values()) < 100
    assert [chosen(SEED, code) for code in codes] == [chosen(SEED, code) for code in codes]
    assert [chosen(SEED, code) for code in codes] != [chosen(SEED + 1, code) for code in codes]


def test_the_sets_differ_and_are_made_once(fresh: None) -> None:
    made = [hidden("turn_around", SEED, number, None) for number in range(SETS)]
    inputs = {tuple(answers.cases[0][0].flatten().tolist()) for answers in made}
    assert len(inputs) == SETS
    assert hidden("turn_around", SEED, 3, None) is made[3]
    assert case_sets._hidden.cache_info().misses == SETS


class Noting:
    """Stands for a sandbox; keeps what it was asked to call, and nothing is right."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def run(self, job: Job) -> Ran:
        self.jobs.append(job)
        return Ran({name: [Outcome("returned", 0)] * len(of) for name, of in job.calls.items()})


def first_input(sandbox: Noting) -> tuple[float, ...]:
    return tuple(sandbox.jobs[0].calls["turn_around"][0][0].flatten().tolist())


def met_by(notebook: Notebook) -> tuple[float, ...]:
    sandbox = Noting()
    mark(f"{NOTEBOOKS['04']}.ipynb", notebook.encoded(), sandbox, SEED)  # type: ignore[arg-type]
    return first_input(sandbox)


def test_a_notebook_meets_the_set_of_its_code() -> None:
    met = {met_by(Notebook("04").first(f"x = {n}")) for n in range(6)}
    assert len(met) > 2
    assert met_by(Notebook("04").first("x = 1")) == met_by(Notebook("04").first("x = 1  # mine"))


def test_every_mistake_is_told_from_the_rest_on_each_set_that_is_used() -> None:
    for name in NAMES["04"]:
        assert indistinct(EXERCISES[name], hidden(name, SEED, 5, None)) == []


def blind(exercise: Exercise, times: int) -> Exercise:
    """The exercise, whose first draws of hidden cases show no mistake."""
    drawn = []

    def cases(generator: torch.Generator, is_hidden: bool) -> list[tuple[object, ...]]:
        made = exercise.cases(generator, is_hidden)
        drawn.append(made)
        x, lengths = made[0]
        nothing = (torch.zeros_like(x), torch.ones_like(lengths))
        return [nothing] * len(made) if len(drawn) <= times else made

    return replace(exercise, cases=cases)


@pytest.mark.parametrize("times", [0, 1, 5])
def test_cases_that_cannot_judge_are_drawn_anew(
    times: int, fresh: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    exercise = blind(EXERCISES["turn_around"], times)
    monkeypatch.setattr(assignments, "by_name", lambda bank: {"turn_around": exercise})
    answers = hidden("turn_around", SEED, 0, None)
    assert indistinct(exercise, answers) == []


def test_an_exercise_that_never_judges_is_one_sentence(
    fresh: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    exercise = blind(EXERCISES["turn_around"], 10**6)
    monkeypatch.setattr(assignments, "by_name", lambda bank: {"turn_around": exercise})
    with pytest.raises(CourseError, match="turn_around cannot judge"):
        hidden("turn_around", SEED, 0, None)


def test_a_reference_that_cannot_run_is_one_sentence(
    fresh: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leaves(*_: object) -> None:
        raise SystemExit("bye")

    exercise = replace(EXERCISES["turn_around"], reference=leaves)
    monkeypatch.setattr(assignments, "by_name", lambda bank: {"turn_around": exercise})
    with pytest.raises(CourseError) as caught:
        hidden("turn_around", SEED, 0, None)
    assert re.fullmatch(
        r"turn_around cannot be computed for its hidden cases with seed \d+ \(SystemExit: bye\); "
        r"mend it and try again\.",
        str(caught.value),
    )


def test_what_was_prepared_is_not_understood_again(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    understood = marking.code_cells

    def noted(data: bytes) -> list[str]:
        seen.append(data)
        return understood(data)

    monkeypatch.setattr(marking, "code_cells", noted)
    data, name = Notebook("04").first("x = 1").encoded(), f"{NOTEBOOKS['04']}.ipynb"
    marking.prepare(Submission("Ada", name, lambda: data), SEED, None)
    sandbox = Noting()
    first = mark(name, bytes(bytearray(data)), sandbox, SEED)  # type: ignore[arg-type]
    assert seen == [data] and marking._prepared == {}
    assert mark(name, data, sandbox, SEED) == first  # type: ignore[arg-type]
    assert seen == [data, data]
