"""How does a network read a word from both ends? An explorable that runs in the browser."""

from __future__ import annotations

import html
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from birnn_course.draw.reading import draw_reading
from birnn_course.errors import CourseError
from birnn_course.explore.nets import rebuilt, stored
from birnn_course.explore.presets import PresetExplorer
from birnn_course.models import SequenceTagger
from birnn_course.widgets import script, style

_JS = Path(__file__).with_name("js")
SCRIPTS = tuple(
    _JS / f"{name}.js"
    for name in (
        "forward", "tagger", "explorer", "packing", "sounds", "sentences", "squares", "reading",
    )
)  # fmt: skip
"""What draws it, for a page without a kernel; the last one defines ``render``."""

_CHOICES = {
    "reads": ("The network reads", ("both ways", "left to right")),
    "summary": ("A summary of the word", ("none", "output[:, -1]", "h_n[-1]", "both ends")),
    "layers": ("Layers", ("1", "2")),
    "pads": ("The word in a batch", ("alone", "padded", "packed")),
}
_FIRST = {"reads": "both ways", "summary": "none", "layers": "1", "pads": "alone"}
_LONGEST = 10


class Preset(NamedTuple):
    """What one place of the course asks of the explorer."""

    heading: str
    controls: tuple[str, ...]


PRESETS = {
    "readers": Preset("How does a network read a word from both ends?", ("reads",)),
    "summary": Preset("Which states sum up the whole word?", ("summary",)),
    "layers": Preset("What does a second layer read?", ("layers",)),
    "pads": Preset("What does the backward reader start with?", ("pads", "summary")),
    "free": Preset("Explore freely: how a network reads a word", tuple(_CHOICES)),
}


class ReadingExplorer(PresetExplorer):
    """A word, its readers and their states; see :func:`reading_explorer`."""

    known_as = "reading"
    _esm = script(*SCRIPTS)
    _css = style(_JS / "explorer.css", _JS / "reading.css")

    def without_kernel(self) -> tuple[str, str]:
        """What the network says, letter by letter; of one layer without pads also a drawing."""
        net = self._net()
        answers = [_respelled(tag) for tag in self._answers_of(net)]
        sentence = f"{self.values['word']}: {', '.join(answers)}."
        note = f"<p>{html.escape(sentence)} <em>Run this cell to explore.</em></p>"
        title = f"<p><strong>{html.escape(self.heading)}</strong></p>"
        return (
            f"[{self.heading} {sentence} Run this cell to explore.]",
            f"{title}{self._drawn(net, answers)}{note}",
        )

    def answers(self) -> list[str]:
        """The tag of each letter, as the network that is chosen says it."""
        return self._answers_of(self._net())

    def _answers_of(self, net: SequenceTagger) -> list[str]:
        with torch.no_grad():
            best = net(self._ids())[0].argmax(-1).tolist()
        return [stored()["tags"][tag] for tag in best]

    def _drawn(self, net: SequenceTagger, answers: list[str]) -> str:
        word, at = self.values["word"], self.values["at"]
        if self.values["layers"] != "1" or self.values["pads"] == "padded":
            return ""  # a drawing has one layer, and no pads
        letters = net.embedding(self._ids())[0].detach()
        drawing = draw_reading(net.rnn, letters, word, at=at, answers=answers)
        return str(drawing._repr_mimebundle_()["text/html"])

    def _net(self) -> SequenceTagger:
        return rebuilt(
            self.values["reads"] + (", 2 layers" if self.values["layers"] == "2" else "")
        )

    def _ids(self) -> Tensor:
        return torch.tensor([[ord(letter) - ord("a") for letter in self.values["word"]]])


def _respelled(tag: str) -> str:
    """A sound in letters that everybody reads, as the page writes it."""
    return "–" if tag == "_" else "".join(_plain().get(sound, sound) for sound in tag.split("+"))


@cache
def _plain() -> dict[str, str]:
    """Each sound of the dictionary, respelled; the page has the table."""
    table = (_JS / "sounds.js").read_text(encoding="utf-8").partition("};")[0]
    return dict(re.findall(r'(\w+): "(\w+)"', table))


def reading_explorer(preset: str = "readers", word: str = "city", **values: str) -> ReadingExplorer:
    """Watch a network read a word: its readers, their states, and what each output has seen.

    The network is a small tagger that was trained to say the sound of each letter. It runs in the
    browser. It has 48 units per direction; 16 of each state are shown.

    Parameters
    ----------
    preset : {"readers", "summary", "layers", "pads", "free"}
        Which controls stand above the picture; its button *Explore freely* brings the others.
    word : str
        1 to 10 letters from a to z.
    **values : str
        First values of the controls: ``reads``, ``summary``, ``layers``, ``pads``.

    Raises
    ------
    CourseError
        If there is no such preset or value, or the word is none.
    """
    if preset not in PRESETS:
        raise CourseError(f"There is no preset {preset!r}; choose one of {', '.join(PRESETS)}.")
    if not (word.isascii() and word.isalpha() and word.islower() and len(word) <= _LONGEST):
        raise CourseError(f"The word needs 1 to {_LONGEST} letters from a to z, not {word!r}.")
    for name, value in values.items():
        if name not in _CHOICES or value not in _CHOICES[name][1]:
            known = "; ".join(f"{n}: {', '.join(v)}" for n, (_, v) in _CHOICES.items())
            raise CourseError(f"There is no {name}={value!r}. The explorer knows {known}.")
    heading, controls = PRESETS[preset]
    first = {**_FIRST, **values}
    return ReadingExplorer(
        preset,
        heading=heading,
        note="16 of the network's 48 units per reader are shown. A square is as large as its "
        "number, and filled if the number is positive.",
        controls=[
            {"name": name, "label": label, "options": options}
            for name, (label, options) in _CHOICES.items()
        ],
        preset=controls,
        first=first,
        values={"word": word, "at": 0, **first},
        library=stored(),
    )
