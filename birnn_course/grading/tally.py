"""What a class got right and wrong, counted over all students."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from birnn_course.exercises.spec import EQUALS
from birnn_course.grading.marks import Mark
from birnn_course.misconceptions import Misconception, catalogue
from birnn_course.misconceptions.lessons import Section, sections

WORDS = {
    "right": "right",
    "not attempted": "not attempted",
    "unreadable": "could not be read",
    "stopped": "had to be stopped",
    "callable": "stops with an error",
    "type": "returns another type",
    "shape": "has another shape or length",
    "direction": "right numbers at wrong places",
    "padding": "wrong because of padding",
    "value": "wrong values",
}
"""Every verdict as it is written in pages."""
NO_ANSWER = ("not attempted", "unreadable")
_MOST = 3  # of what the report names first: more is no longer a choice


@dataclass
class ExerciseTally:
    """An exercise over the whole class.

    Attributes
    ----------
    verdicts : Counter
        How often each.
    mistakes : Counter
        How often each known mistake was made, in words.
    others : Counter
        The verdicts of wrong results that equal no known mistake.
    """

    name: str
    unit: str
    title: str
    max_points: int
    verdicts: Counter[str] = field(default_factory=Counter)
    mistakes: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)

    @property
    def handed_in(self) -> int:
        """How many students handed in its notebook."""
        return self.verdicts.total()

    @property
    def right(self) -> int:
        """How many are right."""
        return self.verdicts["right"]

    @property
    def missing(self) -> int:
        """How many have no answer."""
        return sum(self.verdicts[verdict] for verdict in NO_ANSWER)

    @property
    def wrong(self) -> int:
        """How many are wrong."""
        return self.handed_in - self.right - self.missing

    def share(self, number: int) -> float:
        """In percent of those who handed it in."""
        return 100 * number / max(1, self.handed_in)


@dataclass
class Belief:
    """A misconception over the whole class.

    Attributes
    ----------
    misconception : Misconception or None
        None for an id of a lecturer's own.
    students : set of str
        Who showed it.
    units : set of str
        Where it was seen.
    exercises : Counter
        How often in each exercise.
    named : Counter
        How often each mistake behind it was named, by exercise and sentence.
    """

    id: str
    misconception: Misconception | None
    section: Section | None
    students: set[str] = field(default_factory=set)
    units: set[str] = field(default_factory=set)
    exercises: Counter[str] = field(default_factory=Counter)
    named: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def is_common(self) -> bool:
        """Whether several students show it."""
        return len(self.students) > 1

    @property
    def when(self) -> str:
        """The mistake that was made most often, in its author's words."""
        (_, named), _ = self.named.most_common(1)[0]
        return _when(named)


@dataclass
class Topic:
    """A section of a lesson about which a class shows several misconceptions."""

    section: Section
    beliefs: list[Belief]

    @property
    def students(self) -> set[str]:
        """Who shows at least one of them."""
        return {student for belief in self.beliefs for student in belief.students}

    @property
    def units(self) -> set[str]:
        """Where they were seen."""
        return {unit for belief in self.beliefs for unit in belief.units}


class Tally:
    """Counts marks; then says what stands out.

    Attributes
    ----------
    exercises : dict of ExerciseTally
        By name, in the order in which they were met.
    """

    def __init__(self) -> None:
        self.exercises: dict[str, ExerciseTally] = {}
        self._beliefs: dict[str, Belief] = {}
        self._who: defaultdict[str, set[str]] = defaultdict(set)
        self._answered: defaultdict[str, set[str]] = defaultdict(set)

    def count(self, student: str, mark: Mark) -> None:
        """Take in what one student got for one exercise."""
        exercise = self.exercises.setdefault(
            mark.exercise, ExerciseTally(mark.exercise, mark.unit, mark.title, mark.max_points)
        )
        exercise.verdicts[mark.verdict] += 1
        self._who[mark.unit].add(student)
        if mark.verdict not in NO_ANSWER:
            self._answered[mark.unit].add(student)
        if id_ := mark.misconception:
            exercise.mistakes[_when(mark.named)] += 1
            belief = self._beliefs.setdefault(
                id_, Belief(id_, catalogue().get(id_), sections().get(id_))
            )
            belief.students.add(student)
            belief.units.add(mark.unit)
            belief.exercises[mark.exercise] += 1
            belief.named[mark.exercise, mark.named] += 1
        elif mark.verdict not in ("right", *NO_ANSWER):
            exercise.others[mark.verdict] += 1

    @property
    def handed_in(self) -> dict[str, int]:
        """The points of each unit that anybody handed in, in order."""
        points: Counter[str] = Counter()
        for exercise in self.exercises.values():
            points[exercise.unit] += exercise.max_points
        return dict(sorted(points.items()))

    def counting(self, chosen: Collection[str] = ()) -> dict[str, int]:
        """The points of each unit that counts, in order.

        Those that are chosen; without a choice those that a fifth of the students answered, and two
        of them where there are more than two. What nobody answered, as an untouched notebook, does
        not make a unit count.
        """
        units = self.handed_in
        if chosen:
            return {unit: points for unit, points in units.items() if unit in chosen}
        answered = {unit: self._answered[unit] for unit in units}
        everybody = set().union(*answered.values())
        least = max(2 if len(everybody) > 2 else 1, len(everybody) / 5)
        return {u: points for u, points in units.items() if len(answered[u]) >= least} or units

    def who(self, units: Iterable[str]) -> int:
        """How many students handed in at least one of these units."""
        return len(set().union(*(self._who[unit] for unit in units)))

    @property
    def by_unit(self) -> list[ExerciseTally]:
        """All exercises in the order of the course."""
        return sorted(self.exercises.values(), key=lambda exercise: exercise.unit)

    @property
    def beliefs(self) -> list[Belief]:
        """The most frequent first; of those that are as frequent the one of the earlier unit."""
        return sorted(self._beliefs.values(), key=lambda b: (-len(b.students), min(b.units), b.id))

    @property
    def again(self) -> tuple[list[Belief], int]:
        """What to teach again, and how many more are as frequent as the last of it."""
        common = [belief for belief in self.beliefs if belief.is_common]
        chosen, rest = common[:_MOST], common[_MOST:]
        return chosen, sum(len(b.students) == len(chosen[-1].students) for b in rest)

    @property
    def topics(self) -> list[Topic]:
        """Sections about which more students believe something than any one misconception shows."""
        of: defaultdict[Section, list[Belief]] = defaultdict(list)
        for belief in self.beliefs:
            if belief.section is not None:
                of[belief.section].append(belief)
        found = [Topic(section, beliefs) for section, beliefs in of.items()]
        found = [t for t in found if len(t.students) > max(len(b.students) for b in t.beliefs)]
        return sorted(found, key=lambda t: (-len(t.students), t.section.unit, t.section.heading))[
            :_MOST
        ]

    @property
    def hardest(self) -> list[ExerciseTally]:
        """With the fewest right of those that were answered."""
        wrong = [exercise for exercise in self.by_unit if exercise.wrong]
        return sorted(wrong, key=lambda e: e.right / (e.right + e.wrong))[:_MOST]

    @property
    def left_out(self) -> list[ExerciseTally]:
        """Those that several students did not attempt, the most of them first."""
        several = [e for e in self.by_unit if e.verdicts["not attempted"] > 1]
        return sorted(several, key=lambda e: -e.share(e.verdicts["not attempted"]))[:_MOST]

    @property
    def wrong(self) -> int:
        """How many results are wrong."""
        return sum(exercise.wrong for exercise in self.exercises.values())

    @property
    def explained(self) -> int:
        """How many wrong results equal a known mistake."""
        return sum(exercise.mistakes.total() for exercise in self.exercises.values())

    @property
    def mistaken(self) -> set[str]:
        """The students whose results these are."""
        return {student for belief in self._beliefs.values() for student in belief.students}


def _when(named: str) -> str:
    return named.removeprefix(EQUALS).removesuffix(".")
