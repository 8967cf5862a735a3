"""Errors about losses and metrics."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from birnn_course.explain.matching import Clues, Explanation, Known, known, shape, states

TABLE: list[Known] = []


@known(TABLE, r"Expected target size \D(?P<wants>[\d, ]+)\D+ got \D*(?P<got>[\d, ]+)")
def _target_size(clues: Clues) -> Explanation | None:
    wants, got = clues.sizes("wants"), clues.sizes("got")
    logits = clues.local("input")
    if not isinstance(logits, Tensor) or logits.dim() != 3 or len(got) != 2 or wants[0] != got[0]:
        return None
    n, middle, last = shape(logits)
    if middle == got[1]:
        return Explanation(
            f"Your logits are {shape(logits)}, with the {last} classes last, and the loss wants "
            f"them in the middle: logits.transpose(1, 2), which is ({n}, {last}, {middle}). Where "
            "both numbers are equal this raises nothing and is wrong.",
            ("classes-last-in-loss",),
        )
    if last < got[1]:
        return Explanation(
            f"The logits {shape(logits)} have {last} steps and the targets {got[1]}. "
            "pad_packed_sequence pads to the longest sequence of its batch: pass it "
            f"total_length={got[1]}, or cut the targets.",
            ("pad-packed-keeps-length",),
        )
    if middle < got[1]:
        return Explanation(
            f"Your logits are {shape(logits)} and the targets {got}: with classes last there are "
            f"{middle} steps instead of {got[1]}, as pad_packed_sequence without "
            f"total_length={got[1]} gives them, and the classes belong in the middle.",
            ("pad-packed-keeps-length", "classes-last-in-loss"),
        )
    return None


@known(
    TABLE, r"Expected input batch_size \((?P<rows>\d+)\) to match target batch_size \((?P<n>\d+)\)"
)
def _batch_sizes(clues: Clues) -> Explanation | None:
    rows, n = clues.number("rows"), clues.number("n")
    logits, targets = clues.local("input"), clues.local("target")
    if not isinstance(logits, Tensor) or not isinstance(targets, Tensor):
        return None
    for rnn in clues.rnns:
        if logits.dim() == 3 and shape(logits)[:2] == (states(rnn), n):
            return Explanation(
                f"The logits {shape(logits)} still have the {rows} states of h_n in front: h_n "
                "stacks layers and directions, and squeeze(0) removes only an axis of size 1. Join "
                "the directions first: torch.cat([h_n[-2], h_n[-1]], dim=1).",
                ("h-n-is-joined", "squeeze-is-harmless"),
            )
        if logits.dim() == 2 and any(
            t.dim() == 3 and shape(t)[:2] == (n, rows) for t in clues.tensors
        ):
            return Explanation(
                f"There are {rows} rows of logits for {n} targets, and a tensor here is ({n}, "
                f"{rows}, ...): {rows} looks like the number of steps. With "
                f"batch_first={rnn.batch_first} "
                + (
                    "out[-1] is the last sample, with all its steps; "
                    if rnn.batch_first
                    else f"that tensor was read as {rows} sequences of {n} steps; "
                )
                + "out[:, -1] would raise nothing here.",
                ("layout-caught-later",),
            )
    for t in clues.tensors if logits.dim() == 2 and clues.rnns else ():
        padded = t.dim() >= 2 and t.shape[0] * t.shape[1] == n
        if padded and rows < n and rows % t.shape[0] == 0:
            return Explanation(
                f"{n} targets = {t.shape[0]} x {t.shape[1]} steps, and {rows} rows of logits = "
                f"{t.shape[0]} x {rows // t.shape[0]}: pad_packed_sequence pads to the longest "
                f"sequence of its batch. Pass it total_length={t.shape[1]}.",
                ("pad-packed-keeps-length",),
            )
    return None


@known(
    TABLE,
    r"Target size \(torch\.Size\(\[(?P<target>[\d, ]*)\]\)\) must be the same as input size "
    r"\(torch\.Size\(\[(?P<got>[\d, ]*)\]\)\)",
)
@known(
    TABLE,
    r"Using a target size \(torch\.Size\(\[(?P<target>[\d, ]*)\]\)\) that is different to the "
    r"input size \(torch\.Size\(\[(?P<got>[\d, ]*)\]\)\)",
)
def _two_classes(clues: Clues) -> Explanation | None:
    target, got = clues.sizes("target"), clues.sizes("got")
    if (got, target) == ((), (1,)):
        return Explanation(
            "The predictions have no axis left, and there is 1 target: squeeze() without a number "
            "removed the batch axis of a batch of one. squeeze(-1) removes the last axis only.",
            ("squeeze-is-harmless",),
        )
    if got == (*target, 1) or target == (*got, 1):
        return Explanation(
            f"Predictions {got} and targets {target} differ by an axis of size 1. Bring both to "
            f"{min(got, target, key=len)} with squeeze(-1); MSELoss would only warn, and compare "
            "each with each.",
            ("column-targets",),
        )
    return None


@known(TABLE, r"Target (?P<label>-?\d+) is out of bounds")
def _label_out_of_range(clues: Clues) -> Explanation | None:
    logits, ignored = clues.local("input"), clues.local("ignore_index")
    if not isinstance(logits, Tensor) or logits.dim() == 0:
        return None
    n = logits.shape[1] if logits.dim() > 1 else logits.shape[0]
    return Explanation(
        f"The loss has {n} classes, 0 to {n - 1}, and met the label {clues.match['label']}. If it "
        f"stands for pads, tell the loss: ignore_index={clues.match['label']} (now {ignored}).",
        ("any-filler-works",),
    )


@known(TABLE, r"expected target dtype to be Long or Byte, but got (?P<got>\w+)")
@known(TABLE, r"expected scalar type Long but found (?P<got>\w+)")
def _class_dtype(clues: Clues) -> Explanation | None:
    if clues.function not in ("cross_entropy", "nll_loss"):
        return None
    return Explanation(
        f"Class numbers must be int64, and these are {clues.match['got']}: targets.long(). Floats "
        "are for class probabilities, in the shape of the logits.",
        ("any-target-dtype",),
    )


@known(
    TABLE,
    r"result type (?P<wants>Float|Double) can't be cast to the desired output type (?P<got>\w+)",
)
@known(TABLE, r"Found dtype (?P<got>Long|Int|Bool) but expected (?P<wants>Float|Double)")
def _binary_dtype(clues: Clues) -> Explanation | None:
    if not clues.function.startswith("binary_cross_entropy"):
        return None
    return Explanation(
        f"Binary cross-entropy compares numbers, so its targets are floats, and these are "
        f"{clues.match['got']}: targets.float(). CrossEntropyLoss is the one that wants int64.",
        ("any-target-dtype",),
    )


@known(
    TABLE,
    r"weight tensor should be defined either for all (?P<n>\d+) classes or no classes but got "
    r"weight tensor of shape: \[(?P<got>\d+)\]",
)
def _class_weights(clues: Clues) -> Explanation:
    n, got = clues.number("n"), clues.number("got")
    return Explanation(
        f"The logits have {n} classes and there are {got} weights: one for each, a pad class "
        "included. The mean is divided by the weights' sum, so they change shares, not the scale.",
        ("class-weights-scale",),
    )


@known(TABLE, r"Target is multiclass but average='binary'")
def _default_average(clues: Clues) -> Explanation:
    classes = clues.local("present_labels")
    n = f" {len(classes)}" if classes is not None else " more than two"
    return Explanation(
        f"There are{n} classes, and scikit-learn's default average is for two. Say which F1 you "
        "mean: average='macro', 'micro' or 'weighted'; torchmetrics has other defaults.",
        ("one-default-f1",),
    )


@known(
    TABLE,
    r"can't handle a mix of .*(?:multioutput|multilabel)|multiclass-multioutput is not supported",
)
def _padded_tags(clues: Clues) -> Explanation | None:
    true = clues.local("y_true")
    if true is None or np.ndim(true) != 2:
        return None
    rows, steps = np.shape(true)
    return Explanation(
        f"scikit-learn takes one list of labels, and got {rows} x {steps}, which it reads as "
        f"{steps} tasks. Keep the real tokens only: y_true[mask], y_pred[mask]. With two "
        "classes it raises nothing and counts whole rows.",
        ("padded-tags-into-sklearn",),
    )


@known(TABLE, r"If `preds` have one dimension more than `target`, `preds\.shape\[1\]` should be")
def _classes_last(clues: Clues) -> Explanation | None:
    preds, n = clues.local("preds"), clues.local("num_classes")
    if not isinstance(preds, Tensor) or preds.dim() != 3:
        return None
    moved = (preds.shape[0], preds.shape[2], preds.shape[1])
    return Explanation(
        f"The predictions are {shape(preds)} with num_classes={n}, and torchmetrics wants the "
        f"classes second: preds.transpose(1, 2), which is {moved}.",
        ("classes-last-in-torchmetrics",),
    )
