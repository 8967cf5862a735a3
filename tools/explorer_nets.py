"""Train the small networks of the reading explorer, and store them in the package.

``python tools/explorer_nets.py`` takes some minutes. The words that the explorer knows the right
answer of are learned by none of them, nor is any word of their families.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import torch

from birnn_course import SequenceTagger, batches_of_one_length, evaluate, fit, setup
from birnn_course.data.spelling import family, load_spelling
from birnn_course.explore.nets import FILE, NETS, WORDS, store

N_TRAIN = 60_000
HIDDEN, EMBEDDING = 48, 24
EPOCHS = 10


class Trained(NamedTuple):
    """A network, and the share of letters that it answers right in words it has not seen."""

    model: SequenceTagger
    right: float


def main() -> int:
    """Train all of them, print how well they do, and write the file."""
    setup()
    data = load_spelling(N_TRAIN)
    shown = {family(word) for word in WORDS}
    words = [word for word in data.train if family(word) not in shown]
    train = batches_of_one_length(data.encode(words), 128)
    test = batches_of_one_length(data.encode(data.test), 1_000)
    trained = {}
    for name, options in NETS.items():
        torch.manual_seed(0)
        model = SequenceTagger(
            26, len(data.tags), HIDDEN, cell="gru", embedding_dim=EMBEDDING, **options
        )
        fit(model, train, epochs=EPOCHS)
        trained[name] = Trained(model, evaluate(model, test))
        print(f"{name}: {100 * trained[name].right:.1f} % of the letters of unseen words")
    store({name: net.model for name, net in trained.items()}, data)
    print(f"{FILE.name}: {FILE.stat().st_size / 1024:.0f} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
