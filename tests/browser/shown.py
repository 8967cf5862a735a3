"""Everything that the course shows in a notebook, each by one cell."""

from __future__ import annotations

from birnn_course.questions.bank import Question, bank


def first_of_each_kind() -> dict[str, Question]:
    """A question of each kind, of the first core lesson that asks one."""
    asked = (q for q in reversed(bank().values()) if not q.form and not q.deeper)
    return {question.kind: question for question in asked}


_LAST_STEP = """
class Last(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = torch.nn.GRU(4, 8, batch_first=True, bidirectional=True)
        self.head = torch.nn.Linear(16, 3)

    def forward(self, x):
        return self.head(self.rnn(x)[0][:, -1])
"""
_PROJECT = """
from birnn_course.findings import Finding
from birnn_course.project.report import Part, ProjectReport
good = Finding("a", "ok", "No.", question="Does `score` count pads?")
bad = Finding("b", "problem", "By `0.3`.", "mean-over-pads", question="Does it see the padding?")
report = ProjectReport((Part("`predict`", 3, 6, (good, bad)), Part("`choose`", 0, 2)), 0.5)
"""
_QUIZ = """
from birnn_course.questions.bank import bank
from birnn_course.questions.widget import Quiz
"""

QUIZZES = {f"quiz:{kind}": question for kind, question in first_of_each_kind().items()}
"""A quiz of one question of each kind."""

SHOWN = {
    **{name: f"{_QUIZ}Quiz([bank()[{q.id!r}]])" for name, q in QUIZZES.items()},
    "quiz": "quiz('01')",
    "diagnostic": "diagnostic('A')",
    "warm_up": "warm_up('03')",
    "mixed_test": "mixed_test(1, n=2, minutes=60)",
    "packing_explorer": "packing_explorer()",
    "shape_explorer": "shape_explorer()",
    "threshold_explorer": "threshold_explorer()",
    "spelling_explorer": "from birnn_course.data.spelling import Spelling\n"
    "words = {'cat': ('K', 'AE', 'T'), 'ate': ('EY', 'T', '_')}\n"
    "data = Spelling(words, {}, tuple(words), (), ())\n"
    "model = SequenceTagger(26, len(data.tags), 8, bidirectional=True)\n"
    "spelling_explorer(model, data, word='cat')",
    "guess": "guess('01-a', 'How many percent?', low=0, high=100, unit='%')",
    "measured": "measured('01-a', 80.2, unit='%', low=0, high=100)",
    "guess:curve": "guess('01-b', 'How good?', at=[0, 1, 6], low=0, high=100, unit='%')",
    "guess:drawn": "guess('01-c', 'Which?', choices={'up': [1, 2], 'down': [2, 1]})",
    "measured:curve": "measured('01-b', [60, 60, 100], unit='%')",
    "reading_explorer": "reading_explorer()",
    "draw_reading": "draw_reading(torch.nn.GRU(4, 16, bidirectional=True, batch_first=True),\n"
    "             torch.randn(4, 4), 'city', at=1)",
    "draw_output": "draw_output(torch.rand(2, 4, 8), torch.rand(2, 2, 4))",
    "draw_slice": "draw_slice(torch.nn.GRU(4, 8, bidirectional=True, batch_first=True),\n"
    "           torch.randn(2, 4, 4), 'output[:, -1]')",
    "draw_shapes": "draw_shapes({'ids': torch.ones(2, 3).long(), 'output': torch.rand(2, 3, 4)})",
    "draw_memory": "draw_memory(torch.arange(6).view(2, 3), 'ab', {})",
    "draw_padded": "draw_padded(['cat', 'a'])",
    "draw_packed": "draw_packed(['cat', 'a'])",
    "check": "def read_both_ways(x, f, b):\n"
    "    print('<b>bold</b>'); return torch.zeros(len(x), x.shape[1], 99)\n"
    "check(read_both_ways)",
    "hint": "hint('summarise')",
    "audit": f"{_LAST_STEP}audit(Last(), torch.randn(6, 9, 4), [9, 4, 7, 2, 9, 5])",
    "check_project": f"{_PROJECT}report",
    "plot_bars": "plot_bars({'a': {'left to right': 60.0, 'both ways': 99.0}}, alt='b is more',\n"
    "          limits={'limit': 60.0})",
    "plot_lines": "plot_lines({'a': [1, 2], 'b': [2, 1]}, alt='a rises, b falls', xlabel='x',\n"
    "           ylabel='y')",
    "plot_curves": "plot_curves({'a': ([0, 1], [1, 0])}, alt='a falls', xlabel='x', ylabel='y')",
    "plot_grids": "plot_grids({'a': torch.eye(3)}, alt='a diagonal', xlabel='x', ylabel='y',\n"
    "           numbers=True)",
    "plot_dependence": "plot_dependence({'a': torch.ones(3, 3).tril()})",
    "plot_points": "plot_points({'a': {'left to right': [60.0, 61.0], 'both ways': 99.0}},\n"
    "            alt='b is more', limits={'limit': 60.0})",
    "limit_explorer": "limit_explorer()",
    "fit": "from birnn_course.draw.race import Race\n"
    "going_on = Race().lane('both ways').watching(2, 10, stays=False)\n"
    "learned = going_on.__enter__()  # a training that has made its first step\n"
    "learned(torch.zeros(2, 3), torch.zeros(2, 3).long(), torch.rand(2, 3, 4), torch.tensor(1.0))",
}
"""The function that shows it, to a cell that calls it, or makes what it returns."""


def cell(name: str) -> str:
    """The cell of one entry, with the imports that all of them need."""
    return f"import torch\nfrom birnn_course import *\n{SHOWN[name]}"
