"""Faulty projects: each runs without an error, and each has one thing wrong."""

from __future__ import annotations

from typing import Any

import torch
from sklearn.metrics import f1_score
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from birnn_course import Scores, confusion_matrix

from projects import Function, Planted, models
from projects.right import highest_mean, packed, with_one_hot, with_the_course

# --- predict -------------------------------------------------------------------------------------


@torch.no_grad()
def unpacked(ids: Tensor, lengths: Tensor) -> Tensor:
    return models.reader()(ids).argmax(-1)


@torch.no_grad()
def unpacked_zeros(ids: Tensor, lengths: Tensor) -> Tensor:
    """Pads become zero vectors, and are read all the same."""
    model = models.reader()
    vectors = model.embedding(ids)
    vectors[:, lengths.min() :] *= (torch.arange(ids.shape[1]) < lengths[:, None])[
        :, lengths.min() :, None
    ]
    return model.head(model.rnn(vectors)[0]).argmax(-1)


@torch.no_grad()
def turned_by_hand(ids: Tensor, lengths: Tensor) -> Tensor:
    """The backward direction as an LSTM of its own on `ids.flip(1)`, pads first."""
    model = models.reader()
    forward, backward = (nn.LSTM(32, 24, batch_first=True) for _ in range(2))
    for lstm, suffix in ((forward, ""), (backward, "_reverse")):
        lstm.load_state_dict({k: getattr(model.rnn, k + suffix) for k in lstm.state_dict()})
    vectors = model.embedding(ids)
    halves = forward(vectors)[0], backward(vectors.flip(1))[0].flip(1)
    return model.head(torch.cat(halves, dim=-1)).argmax(-1)


@torch.no_grad()
def batch_first_forgotten(ids: Tensor, lengths: Tensor) -> Tensor:
    return models.reader(batch_first=False)(ids).argmax(-1)


@torch.no_grad()
def batchnorm_in_training_mode(ids: Tensor, lengths: Tensor) -> Tensor:
    model = models.reader(norm=True)
    model.train()
    tags = torch.zeros_like(ids)
    for n in lengths.unique().tolist():  # no pads are read
        rows = lengths == n
        tags[rows, :n] = model(ids[rows, :n]).argmax(-1) if n * rows.sum() > 1 else 0
    return tags


@torch.no_grad()
def dropout_on(ids: Tensor, lengths: Tensor) -> Tensor:
    model = models.reader(dropout=0.5)
    model.train()
    return model(ids).argmax(-1)


@torch.no_grad()
def sorted_not_unsorted(ids: Tensor, lengths: Tensor) -> Tensor:
    lengths, order = lengths.sort(descending=True)
    return models.tagger()(ids[order], lengths).argmax(-1)


@torch.no_grad()
def unsorted_twice(ids: Tensor, lengths: Tensor) -> Tensor:
    order = lengths.argsort(descending=True)
    return models.tagger()(ids, lengths).argmax(-1)[order.argsort()]


def squeezed(ids: Tensor, lengths: Tensor) -> Tensor:
    return packed(ids, lengths).squeeze()


@torch.no_grad()
def cut(ids: Tensor, lengths: Tensor) -> Tensor:
    model = models.tagger()
    vectors = pack_padded_sequence(
        model.embedding(ids), lengths, batch_first=True, enforce_sorted=False
    )
    return model.head(pad_packed_sequence(model.rnn(vectors)[0], batch_first=True)[0]).argmax(-1)


def lengths_from_ids(ids: Tensor, lengths: Tensor) -> Tensor:
    """Zero is taken for a pad, and it is the letter a."""
    ends = torch.where(ids != 0, torch.arange(1, ids.shape[1] + 1), 1).amax(1)
    return packed(ids, ends)


class Carrying:
    """Hands the state of one batch to the next of the same size."""

    def __init__(self) -> None:
        self.state: Any = None

    @torch.no_grad()
    def __call__(self, ids: Tensor, lengths: Tensor) -> Tensor:
        model = models.tagger()
        if self.state is not None and self.state[0].shape[1] != len(ids):
            self.state = None
        vectors = pack_padded_sequence(
            model.embedding(ids), lengths, batch_first=True, enforce_sorted=False
        )
        output, self.state = model.rnn(vectors, self.state)
        unpacked, _ = pad_packed_sequence(output, batch_first=True, total_length=ids.shape[1])
        return model.head(unpacked).argmax(-1)


@torch.no_grad()
def convolution_over_pads(ids: Tensor, lengths: Tensor) -> Tensor:
    return models.convolution()(ids, lengths, masked=False).argmax(-1)


def time_first(ids: Tensor, lengths: Tensor) -> Tensor:
    return packed(ids, lengths).T


# --- score ---------------------------------------------------------------------------------------


def pads_as_a_tag(pred: Tensor, gold: Tensor, lengths: Tensor) -> dict[str, Any]:
    return with_the_course(pred, gold.clamp(min=0), lengths)


def pads_into_sklearn(pred: Tensor, gold: Tensor, lengths: Tensor) -> dict[str, Any]:
    f1 = f1_score(gold.flatten(), pred.flatten(), average="macro", labels=[0, 1, 2, 3])
    return {**with_the_course(pred, gold, lengths), "macro_f1": f1}


def mean_of_batches(pred: Tensor, gold: Tensor, lengths: Tensor) -> dict[str, Any]:
    parts = zip(pred.split(32), gold.split(32), lengths.split(32), strict=True)
    means = [with_the_course(*part)["macro_f1"] for part in parts]
    return {**with_the_course(pred, gold, lengths), "macro_f1": sum(means) / len(means)}


def mean_of_words(pred: Tensor, gold: Tensor, lengths: Tensor) -> dict[str, Any]:
    parts = zip(pred.split(1), gold.split(1), lengths.split(1), strict=True)
    means = [with_the_course(*part)["macro_f1"] for part in parts]
    return {**with_the_course(pred, gold, lengths), "macro_f1": sum(means) / len(means)}


def accuracy(pred: Tensor, gold: Tensor, lengths: Tensor) -> dict[str, Any]:
    hits = (pred == gold)[gold >= 0].double().mean()
    return {**with_the_course(pred, gold, lengths), "macro_f1": hits}


def weighted(pred: Tensor, gold: Tensor, lengths: Tensor) -> dict[str, Any]:
    scores = Scores(confusion_matrix(gold, pred, 4))
    return {"macro_f1": scores.average("weighted"), "recall": scores.recall}


def swapped(pred: Tensor, gold: Tensor, lengths: Tensor) -> dict[str, Any]:
    real = gold >= 0
    scores = Scores(confusion_matrix(pred, gold, 4, mask=real))
    return {"macro_f1": scores.average(), "recall": scores.recall}


def not_a_number(pred: Tensor, gold: Tensor, lengths: Tensor) -> dict[str, Any]:
    scores = Scores(confusion_matrix(gold, pred, 4))
    f1 = 2 * scores.precision * scores.recall / (scores.precision + scores.recall)
    return {"macro_f1": f1.mean(), "recall": scores.recall}


def left_out(pred: Tensor, gold: Tensor, lengths: Tensor) -> dict[str, Any]:
    scores = Scores(confusion_matrix(gold, pred, 4))
    f1 = 2 * scores.precision * scores.recall / (scores.precision + scores.recall)
    return {"macro_f1": f1.nanmean(), "recall": scores.recall}


# --- choose --------------------------------------------------------------------------------------


def by_test(valid: Tensor, test: Tensor) -> int:
    return int(test.mean(1).argmax())


def by_both(valid: Tensor, test: Tensor) -> int:
    return int((valid.nan_to_num(0) + test).mean(1).argmax())


def best_run_on_test(valid: Tensor, test: Tensor) -> int:
    return int(test.amax(1).argmax())


def best_run(valid: Tensor, test: Tensor) -> int:
    return int(valid.nan_to_num(0).amax(1).argmax())


def nan_wins(valid: Tensor, test: Tensor) -> int:
    return int(valid.mean(1).argmax())


def tie_by_test(valid: Tensor, test: Tensor) -> int:
    mean = valid.mean(1).nan_to_num(-1)
    return int(torch.where(mean == mean.max(), test.mean(1), -1.0).argmax())


def _predicting(name: str, predict: Function, caught_by: str) -> Planted:
    return Planted(name, predict, with_the_course, highest_mean, caught_by)


def nothing(ids: Tensor, lengths: Tensor) -> Tensor:
    """Tag 0 everywhere: the fault is in another function."""
    return torch.zeros_like(ids)


def _scoring(name: str, score: Function, caught_by: str) -> Planted:
    return Planted(name, nothing, score, highest_mean, caught_by)


def _choosing(name: str, choose: Function, caught_by: str) -> Planted:
    return Planted(name, nothing, with_one_hot, choose, caught_by)


FAULTY = (
    _predicting("backward LSTM reads pads", unpacked, "packing-only-for-h-n"),
    _predicting("pads as zero vectors", unpacked_zeros, "packing-only-for-h-n"),
    _predicting("padded batch turned by hand", turned_by_hand, "packing-only-for-h-n"),
    _predicting("convolution over pads", convolution_over_pads, "packing-only-for-h-n"),
    _predicting("batch_first forgotten", batch_first_forgotten, "missing-batch-first-raises"),
    _predicting("BatchNorm training", batchnorm_in_training_mode, "batchnorm-without-eval"),
    _predicting("dropout on", dropout_on, "no-grad-is-eval"),
    _predicting("sorted, not unsorted", sorted_not_unsorted, "sort-by-hand"),
    _predicting("unsorted twice", unsorted_twice, "comes-back-sorted"),
    _predicting("squeezed", squeezed, "squeeze-is-harmless"),
    _predicting("cut to the longest word", cut, "pad-packed-keeps-length"),
    _predicting("lengths from ids", lengths_from_ids, "zeros-count-as-pads"),
    _predicting("state carried on", Carrying(), "carried-state-as-is"),
    _predicting("time first", time_first, "transposed-only-once"),
    _scoring("pads as a tag", pads_as_a_tag, "pads-in-accuracy"),
    _scoring("pads into sklearn", pads_into_sklearn, "pads-in-accuracy"),
    _scoring("mean of batches", mean_of_batches, "mean-of-batch-f1"),
    _scoring("mean of words", mean_of_words, "token-mean-is-sequence-mean"),
    _scoring("accuracy", accuracy, "accuracy-shows-skill"),
    _scoring("weighted F1", weighted, "one-default-f1"),
    _scoring("pred and gold swapped", swapped, "argument-order"),
    _scoring("nan", not_a_number, "zero-division-is-cosmetic"),
    _scoring("a tag left out", left_out, "zero-division-is-cosmetic"),
    _choosing("by the test", by_test, "choose-by-test"),
    _choosing("by both", by_both, "choose-by-test"),
    _choosing("best run on the test", best_run_on_test, "choose-by-test"),
    _choosing("best run", best_run, "best-seed-is-the-model"),
    _choosing("nan wins", nan_wins, "argmax-skips-nan"),
    _choosing("tie by the test", tie_by_test, "choose-by-test"),
)
