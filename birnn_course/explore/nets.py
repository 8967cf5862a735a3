"""The small networks that the explorers run in the browser, and the words they are asked for."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from birnn_course.data.spelling import Spelling
from birnn_course.models import SequenceTagger

FILE = Path(__file__).with_name("nets.json")

NETS: dict[str, dict[str, Any]] = {
    "left to right": {"bidirectional": False, "num_layers": 1},
    "both ways": {"bidirectional": True, "num_layers": 1},
    "left to right, 2 layers": {"bidirectional": False, "num_layers": 2},
    "both ways, 2 layers": {"bidirectional": True, "num_layers": 2},
}
"""Name of each network to the options of :class:`birnn_course.SequenceTagger`."""

WORDS = tuple(Path(__file__).with_name("words.txt").read_text(encoding="utf-8").split())
"""Words whose right answer the explorers know, and which no network has learned."""


def store(models: Mapping[str, SequenceTagger], data: Spelling) -> None:
    """Write networks, tags and the right answers of :data:`WORDS` as the explorers read them."""
    kept = {
        "tags": data.tags,
        "nets": {name: exported(model) for name, model in models.items()},
        "answers": {word: " ".join(data.sounds[word]) for word in WORDS if word in data.sounds},
    }
    FILE.write_text(json.dumps(kept, separators=(",", ":")), encoding="utf-8")


def exported(model: SequenceTagger | nn.RNNBase) -> dict[str, Any]:
    """A tagger or a module as JSON: its cell and layers, and each weight as :func:`packed`."""
    rnn = model if isinstance(model, nn.RNNBase) else model.rnn
    return {
        "cell": rnn.mode.lower().split("_")[0],
        "layers": rnn.num_layers,
        "bidirectional": rnn.bidirectional,
        "weights": {
            name.removeprefix("rnn."): packed(weight) for name, weight in model.state_dict().items()
        },
    }


def packed(numbers: Tensor) -> list[Any]:
    """Shape, and the numbers as 16-bit floats: little-endian, in the order of memory, in base64."""
    halves = numbers.cpu().half().numpy().astype("<f2").tobytes()
    return [list(numbers.shape), base64.b64encode(halves).decode()]


@cache
def stored() -> dict[str, Any]:
    """What :func:`store` has written: ``tags``, ``nets`` and ``answers``."""
    kept: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return kept


def rebuilt(name: str) -> SequenceTagger:
    """A stored network in PyTorch, with the weights that the browser has."""
    net = stored()["nets"][name]
    weights = {
        key: torch.frombuffer(bytearray(base64.b64decode(data)), dtype=torch.float16)
        .reshape(shape)
        .float()
        for key, (shape, data) in net["weights"].items()
    }
    n_tags, width = weights["head.weight"].shape
    n_symbols, embedding_dim = weights["embedding.weight"].shape
    model = SequenceTagger(
        n_symbols,
        n_tags,
        width // (2 if net["bidirectional"] else 1),
        cell=net["cell"],
        embedding_dim=embedding_dim,
        **NETS[name],
    )
    own = ("embedding.", "head.")
    model.load_state_dict(
        {key if key.startswith(own) else f"rnn.{key}": weight for key, weight in weights.items()}
    )
    return model.eval()
