"""The units of the course, in order. This is the only list of them.

The ``birnn`` command, the wheel, the README check and the tests all read it. It imports nothing
outside the standard library, so that a build script can read it too.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Unit:
    """One unit: its lesson notebooks, and what a learner should know before opening them.

    Parameters
    ----------
    number : str
        Two digits; the order of the course.
    slug : str
        The rest of the notebook's name.
    title : str
        As in the notebook's first heading.
    minutes : tuple of int
        The least and the most that the core lesson takes a learner: estimated, not measured on
        learners. Where a lesson has been rebuilt, :func:`estimate` says so much.
    objectives : tuple of str
        What the learner can do afterwards; each completes "you can …".
    has_exercises : bool
        Whether there is an exercise notebook, with its master in ``solutions/``.
    has_project : bool
        Whether the lesson itself is one: a learner's copy of a master in ``solutions/``.
    has_deeper : bool
        Whether a second lesson goes on where the core ends, for those who want more.
    """

    number: str
    slug: str
    title: str
    minutes: tuple[int, int]
    objectives: tuple[str, ...]
    has_exercises: bool = False
    has_project: bool = False
    has_deeper: bool = False

    @property
    def lesson(self) -> str:
        """The file name of the core lesson."""
        return f"{self.number}_{self.slug}.ipynb"

    @property
    def lessons(self) -> tuple[str, ...]:
        """The file names of the core lesson and of the one that goes deeper, if there is one."""
        deeper = f"{self.number}_{self.slug}_deeper.ipynb"
        return (self.lesson, deeper) if self.has_deeper else (self.lesson,)

    @property
    def exercises(self) -> str:
        """The file name of the exercise notebook and of its master, if there is one."""
        return f"{self.number}_{self.slug}_exercises.ipynb"


UNITS = (
    Unit(
        "00",
        "start_here",
        "Start here",
        (5, 10),
        (
            "run the course on this computer",
            "use its exercises and your own record",
            "see what you already believe about bidirectional RNNs",
        ),
    ),
    Unit(
        "01",
        "bidirectional",
        "Reading from both ends",
        (35, 55),
        (
            "say which inputs each output of a bidirectional RNN has seen",
            "build one from two ordinary RNNs and show it equal to PyTorch's",
            "compute the best score of any model that reads left to right and answers at once, "
            "where all probabilities are known",
            "say when a bidirectional model must not be used",
        ),
        has_exercises=True,
        has_deeper=True,
    ),
    Unit(
        "02",
        "shapes",
        "Shapes and states",
        (30, 55),
        (
            "predict the shape of everything that an RNN, a GRU and an LSTM return",
            "say which layer, which direction and which step a slice of output or h_n belongs to",
            "pick the states that have read the whole sequence, and prove it",
            "find bugs that no shape gives away with a number that does",
        ),
        has_exercises=True,
        has_deeper=True,
    ),
    Unit(
        "03",
        "batch_first",
        "Which axis is the batch?",
        (95, 95),
        (
            "predict what an RNN does with a batch whose axes are not in the order it expects",
            "test in a few lines whether the samples of a batch leak into each other, "
            "for any model",
            "tell silent layout errors from loud ones, and read the messages of the loud ones "
            "axis by axis",
            "make the four places agree that have a `batch_first` of their own",
            "diagnose a broken model with five tools",
        ),
        has_exercises=True,
    ),
    Unit(
        "04",
        "packing",
        "Padding and packing",
        (90, 90),
        (
            "say which outputs padding changes, in which direction, and measure it on any model",
            "pack a batch so that every sequence comes out as if it were alone, and get it back in "
            "shape",
            "know which wrong lengths raise nothing",
            "keep padding out of losses, means and maxima",
            "say what packing is for and what length buckets are for",
        ),
        has_exercises=True,
    ),
    Unit(
        "05",
        "metrics",
        "Metrics that tell the truth",
        (90, 90),
        (
            "say for a task which metric answers your question, and what the score of doing "
            "nothing is",
            "compute precision, recall, F1 and their averages from four counts, by hand and by "
            "code",
            "keep pads, batches and thresholds from changing a number without your noticing",
            "find out whether a good score comes from a leak, from short sequences or from luck",
        ),
        has_exercises=True,
    ),
    Unit(
        "06",
        "speech",
        "Who is speaking?",
        (90, 90),
        (
            "look at a new data set, split it and scale it so that nothing leaks",
            "put a constant and a simple rival beside a recurrent network, and say what the data "
            "can teach",
            "find read-outs that hide behind a good score, by changing the amount of padding",
            "choose a model on validation data and report it once on the test set, with its spread "
            "and an interval",
        ),
        has_exercises=True,
    ),
    Unit(
        "07",
        "spelling_to_sound",
        "Spelling to sound",
        (95, 95),
        (
            "turn a pronouncing dictionary into labels for every letter, and test whether the "
            "labels can be trusted",
            "judge a tagger by letters, by words and by phones, and say why the three disagree",
            "find where reading both ways helps, where it does not, and which simpler model comes "
            "close",
            "say how much a random split flatters, and read published figures without being fooled",
        ),
        has_exercises=True,
    ),
    Unit(
        "08",
        "final_project",
        "Final project",
        (240, 240),
        (
            "solve a tagging problem on your own, from the data to the report",
            "hand in a prediction, a metric and a choice that hold when they are probed",
            "say how far your result can be trusted, and where it fails",
            "see what you have learned since unit 00",
        ),
        has_project=True,
    ),
)


PROJECT = "final_project"
"""What the final project is called in a learner's record."""

TITLES = {unit.number: unit.title for unit in UNITS}
"""The title of each unit by its number."""

SPLIT_FROM = {deeper: unit.lesson for unit in UNITS for deeper in unit.lessons[1:]}
"""The core lesson that each lesson which goes deeper was part of."""


def place(unit: str, part: str = "", *, deeper: bool = False) -> str:
    """Where something is taught, in words: the part of a lesson, or the unit where none is named.

    Empty for what is no unit of the course, as in a lecturer's own exercises.
    """
    if unit not in TITLES:
        return ""
    if not part:
        return f"unit {unit} · {TITLES[unit]}"
    return f"{part} (unit {unit}{', deeper' if deeper else ''})"


def estimate(
    *, words: int, code_lines: int, guesses: int, questions: int, explorables: int
) -> tuple[int, int]:
    """Minutes that a lesson takes, the least and the most, to the nearest five.

    Nobody has been timed. We reckon 220 to 150 words a minute, 4 to 7 seconds for a line of code,
    half a minute to one for a guess and for a question, and two to three minutes for an explorable.
    """
    least = words / 220 + code_lines * 4 / 60 + guesses / 2 + questions / 2 + explorables * 2
    most = words / 150 + code_lines * 7 / 60 + guesses + questions + explorables * 3
    low, high = 5 * round(least / 5), 5 * round(most / 5)
    return low, max(high, low + 5)


def lesson_path(notebook: str) -> str:
    """Where the page of a lesson lies in the site, without a suffix, by the notebook's name."""
    return f"lessons/{notebook.removesuffix('.ipynb')}"


def learner_notebooks() -> tuple[str, ...]:
    """File names of all notebooks a learner works in, in course order."""
    names = (
        (*unit.lessons, unit.exercises) if unit.has_exercises else unit.lessons for unit in UNITS
    )
    return tuple(name for those in names for name in those)


def masters() -> tuple[str, ...]:
    """File names in ``solutions/`` from which learners' copies are made, in course order."""
    names = (
        (unit.lesson if unit.has_project else "", unit.exercises if unit.has_exercises else "")
        for unit in UNITS
    )
    return tuple(name for pair in names for name in pair if name)


def notebooks_folder() -> Path:
    """Where the learner's notebooks lie: in the wheel, or beside the package in a clone.

    A wheel carries them inside the package as ``_notebooks``; an editable install has no such
    folder and uses the clone's own ``notebooks/``.
    """
    return _shipped("notebooks")


def solutions_folder() -> Path:
    """Where the masters of the exercise notebooks lie, likewise: ``_solutions`` in a wheel."""
    return _shipped("solutions")


def _shipped(name: str) -> Path:
    package = Path(__file__).parent
    inside = package / f"_{name}"
    return inside if inside.is_dir() else package.parent / name
