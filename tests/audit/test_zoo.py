"""Every faulty model of the zoo is faulty and every right one right, shown without the audit."""

from __future__ import annotations

import copy

import pytest
import torch

from audit.pieces import Case
from audit.proofs import (
    Bench,
    Proof,
    alone_differs,
    each_as_if_alone,
    future_reaches,
    more_pads_reach,
    neighbour_reaches,
    never_sees_ahead,
    pads_do_not_count,
    scores_at_pads_count,
    without_effect,
)
from audit.zoo import FAULTY, RIGHT
from birnn_course.misconceptions import catalogue

PROOFS: dict[str, tuple[Proof, ...]] = {
    "tagger_without_batch_first": (neighbour_reaches, alone_differs),
    "last_step_of_both_directions": (without_effect("rnn.weight_hh_l0_reverse"),),
    "final_states_by_view": (neighbour_reaches, alone_differs),
    "packed_then_last_step": (alone_differs, more_pads_reach),
    "gather_at_the_length": (without_effect("rnn.weight_hh_l0_reverse"),),
    "padded_tagger_without_packing": (alone_differs, more_pads_reach),
    "mean_over_pads": (alone_differs, more_pads_reach),
    "attention_over_pads": (alone_differs, more_pads_reach),
    "bidirectional_language_model": (future_reaches,),
    "loss_counts_pads": (scores_at_pads_count("loss"),),
}
"""How each faulty model is convicted."""

NOT_ALONE: dict[str, tuple[Proof, ...]] = {}
"""Right models for which something else is apt than comparing with each sequence alone."""


@pytest.mark.parametrize("case", FAULTY, ids=lambda case: case.name)
def test_the_bug_is_there(case: Case) -> None:
    assert case.bugs
    for proof in PROOFS[case.name]:
        proof(Bench(case.make()))


@pytest.mark.parametrize("case", RIGHT, ids=lambda case: case.name)
def test_the_right_model_is_right(case: Case) -> None:
    assert not case.bugs
    bench = Bench(case.make())
    for proof in NOT_ALONE.get(case.name, (each_as_if_alone,)):
        proof(bench)
    if bench.told.get("causal"):
        never_sees_ahead(bench)
    for what in {"loss", "metric"} & bench.told.keys():
        pads_do_not_count(what)(bench)


def test_names_and_misconceptions() -> None:
    cases = FAULTY + RIGHT
    assert len({case.name for case in cases}) == len(cases)
    assert PROOFS.keys() == {case.name for case in FAULTY}
    known = catalogue().keys()
    for case in cases:
        assert case.bugs <= known, case.bugs - known
        assert case.make.__doc__, case.name


@pytest.mark.parametrize("case", FAULTY + RIGHT, ids=lambda case: case.name)
def test_a_batch_is_made_twice_alike_and_looks_like_a_users(case: Case) -> None:
    made, again = Bench(case.make()), Bench(case.make())
    assert torch.equal(made.inputs, again.inputs)
    assert 4 <= len(made.lengths) == len(made.inputs) <= 8
    assert made.ask().isfinite().all()
    copy.deepcopy(made.model)
