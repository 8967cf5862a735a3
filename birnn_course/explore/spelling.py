"""The error browser of unit 07: type a word, see each letter's sound and what it hangs on."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from birnn_course.data.alignment import spoken
from birnn_course.data.spelling import LETTERS, Spelling
from birnn_course.explore.panel import Panel, View, Word
from birnn_course.explore.replacing import replace_each

LONGEST = 24
STRONG = 10
"""From how many points on a letter is marked as one that matters."""


def spelling_explorer(model: nn.Module, data: Spelling, word: str = "phone") -> Panel:
    """A viewer that sounds out any word, letter by letter, with a trained model.

    For each letter it shows the sound that the model chooses with its probability, and the second
    choice. The columns to the right say what the choice hangs on, by :func:`letter_influence`.
    Every change of the word runs the model again.

    Parameters
    ----------
    model : nn.Module
        Maps letter ids ``(batch, seq_len)``, a = 0, to scores ``(batch, seq_len, n_tags)`` of
        ``data.tags``. It is left in eval mode, as :func:`birnn_course.predict` leaves it.
    data : Spelling
        Says what is listed for a word, and whether the model was trained on it.
    word : str
        Shown first.
    """
    parts = {"training": data.train, "development": data.dev, "test": data.test}
    part_of = {listed: part for part, words in parts.items() for listed in words}
    return Panel(
        "spelling",
        "How does the net read this word?",
        [Word("word", "Word", LONGEST)],
        {"word": word},
        partial(_draw, model, data, part_of),
    )


@torch.no_grad()
def letter_influence(model: nn.Module, ids: Tensor) -> tuple[Tensor, Tensor]:
    """What a model says for each letter of a word, and how much it hangs on each letter.

    Each letter is replaced by all others in turn, and the model is run on every such word. This
    says what the trained model does with real letters, where a gradient speaks of changes that
    are too small to be a letter. Two letters that matter only together may both look harmless.

    Parameters
    ----------
    model : nn.Module
        Maps ids ``(batch, seq_len)`` below 26 to scores ``(batch, seq_len, n_tags)``.
    ids : Tensor
        ``(seq_len,)``: one word.

    Returns
    -------
    Tensor
        Probabilities of the tags, ``(seq_len, n_tags)``, on the CPU.
    Tensor
        ``(seq_len, seq_len)``: entry ``[t, s]`` is by how much the probability of the tag chosen
        for letter ``t`` falls when letter ``s`` is replaced, as a mean over the 25 other letters.
        Negative where it grows.
    """
    model.eval()
    original, kept = replace_each(model, ids)
    steps = torch.arange(len(ids), device=ids.device)
    chosen = original.argmax(-1)
    # the original is among the 26, and falls by nothing
    fall = (original[steps, chosen] - kept).sum(1) / (len(LETTERS) - 1)
    return original.cpu(), fall.T.cpu()


def _draw(model: nn.Module, data: Spelling, part_of: dict[str, str], word: str) -> View:
    word = word.strip().lower()
    device = next(model.parameters()).device
    ids = torch.tensor([LETTERS.index(letter) for letter in word], device=device)
    probability, fall = letter_influence(model, ids)
    best, second = probability.topk(2).indices.T.tolist()
    tags = [data.tags[tag] for tag in best]
    return View(
        _table(word, data, probability, (best, second), fall), _sentence(word, data, tags, part_of)
    )


def _sentence(word: str, data: Spelling, tags: list[str], part_of: dict[str, str]) -> str:
    phones = spoken(tags)
    spelled = " ".join(phones) or "nothing"
    if word not in data.sounds:
        return f"The net says {spelled}. The dictionary does not list {word}."
    listed = data.readings(word)
    verdict = "right" if phones in listed else "wrong"
    rights = " or ".join(" ".join(reading) for reading in listed)
    part = part_of.get(word)
    where = f"It is a {part} word." if part else "It is in none of the three sets."
    return f"The net says {spelled}: {verdict}. Listed for {word}: {rights}. {where}"


def _table(
    word: str,
    data: Spelling,
    probability: Tensor,
    choices: tuple[list[int], list[int]],
    fall: Tensor,
) -> str:
    cell = "padding:.15em .5em;text-align:right;"
    letter = "padding:.15em .5em;text-align:center;"
    heads = "".join(f'<th scope="col" style="{letter}">{c}</th>' for c in word)
    rows = []
    for t, c in enumerate(word):
        chosen = "".join(
            f'<td style="{cell}{"font-weight:bold" if rank == 0 else ""}">{data.tags[tags[t]]}</td>'
            f'<td style="{cell}">{_percent(float(probability[t, tags[t]]))}</td>'
            for rank, tags in enumerate(choices)
        )
        cells = "".join(_points(float(value), letter) for value in fall[t])
        rows.append(f'<tr><th scope="row" style="{letter}">{c}</th>{chosen}{cells}</tr>')
    return (
        '<table style="border-collapse:collapse">'
        "<caption>For each letter: its sound (_ is silent) and the second choice, in %. To the "
        "right: by how many points the sound's probability falls when the letter on top is "
        f"replaced; bold from {STRONG} on, · below 1.</caption>"
        f'<thead><tr><th scope="col" style="{letter}">letter</th>'
        f'<th scope="col" style="{cell}">sound</th><th scope="col" style="{cell}">%</th>'
        f'<th scope="col" style="{cell}">second</th><th scope="col" style="{cell}">%</th>'
        f"{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _percent(share: float) -> str:
    return "&lt; 1" if share < 0.005 else f"{100 * share:.0f}"


def _points(fall: float, style: str) -> str:
    points = round(100 * fall)
    if points < 1:
        return f'<td style="{style}">·</td>'
    strong = "font-weight:bold;border:1px solid" if points >= STRONG else ""
    return f'<td style="{style}{strong}">{points}</td>'
