"""Every faulty model of the zoo is faulty and every right one right, shown without the audit."""

from __future__ import annotations

import copy

import pytest
import torch

from audit.pieces import ENDS, Case
from audit.proofs import (
    Bench,
    Proof,
    alone_differs,
    answers_vary,
    as_if_alone_by,
    blind,
    cell_state_is_read,
    data_beyond_the_length_unread,
    each_as_if_alone,
    first_tag_does_not_count,
    future_reaches,
    last_input_unread,
    more_pads_reach,
    neighbour_reaches,
    never_sees_ahead,
    order_counts,
    pad_content_reaches,
    pads_do_not_count,
    perfect_scores_are_punished,
    scores_at_pads_count,
    state_is_carried,
    width_counts,
    without_effect,
)
from audit.zoo import FAULTY, RIGHT
from birnn_course.misconceptions import catalogue

pytestmark = pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")

UNREAD_BACKWARD = without_effect("rnn.weight_hh_l0_reverse")
PROOFS: dict[str, tuple[Proof, ...]] = {
    "tagger_without_batch_first": (neighbour_reaches, alone_differs),
    "time_first_batch_into_batch_first_tagger": (neighbour_reaches, alone_differs),
    "classifier_without_batch_first": (neighbour_reaches, alone_differs),
    "square_batch_hides_the_layout": (neighbour_reaches, alone_differs),
    "pack_without_batch_first": (neighbour_reaches,),
    "unpack_without_batch_first": (neighbour_reaches, alone_differs),
    "turned_to_time_first_and_not_back": (neighbour_reaches, alone_differs),
    "axes_swapped_by_view": (neighbour_reaches, alone_differs),
    "series_read_as_features": (neighbour_reaches, alone_differs),
    "probabilities_over_the_batch": (neighbour_reaches, alone_differs),
    "statistics_of_all_samples": (neighbour_reaches, alone_differs, more_pads_reach),
    "batch_norm_without_running_statistics": (neighbour_reaches, alone_differs, more_pads_reach),
    "mask_over_features": (pad_content_reaches,),
    "last_step_of_both_directions": (UNREAD_BACKWARD,),
    "last_step_time_first": (UNREAD_BACKWARD,),
    "final_states_by_view": (neighbour_reaches, alone_differs),
    "packed_then_last_step": (alone_differs, more_pads_reach),
    "gather_at_the_length": (UNREAD_BACKWARD,),
    "halves_read_at_the_wrong_ends": (blind(to=4), UNREAD_BACKWARD),
    "last_state_only": (without_effect("rnn.weight_ih_l0"),),
    "first_states_of_two_layers": (without_effect("rnn.weight_ih_l1", "rnn.weight_ih_l1_reverse"),),
    "states_viewed_directions_first": (without_effect("rnn.weight_ih_l1"),),
    "cell_state_for_hidden_state": (cell_state_is_read,),
    "gru_unpacked_like_an_lstm": (without_effect("rnn.weight_ih_l0_reverse"),),
    "gather_one_step_too_late": (alone_differs, more_pads_reach),
    "unsorted_a_second_time": (neighbour_reaches, alone_differs),
    "sorted_and_left_so": (neighbour_reaches, alone_differs),
    "tagger_sorted_and_left_so": (neighbour_reaches, alone_differs),
    "packed_sequence_rebuilt": (neighbour_reaches, alone_differs),
    "padded_tagger_without_packing": (alone_differs, more_pads_reach),
    "unpacked_tagger_of_frames": (alone_differs, more_pads_reach),
    "unpacked_final_states": (alone_differs, more_pads_reach),
    "left_to_right_last_step_over_pads": (alone_differs, more_pads_reach),
    "cut_to_the_longest": (alone_differs,),
    "mean_over_pads": (alone_differs, more_pads_reach),
    "max_over_pads": (alone_differs,),
    "attention_over_pads": (alone_differs, more_pads_reach),
    "attention_masked_after_the_softmax": (alone_differs, more_pads_reach),
    "lengths_one_too_small": (last_input_unread,),
    "lengths_clamped": (last_input_unread,),
    "relative_lengths_rounded_down": (last_input_unread, alone_differs),
    "zeros_counted_as_pads": (last_input_unread,),
    "left_padded_batch": (data_beyond_the_length_unread,),
    "width_restored_on_the_wrong_side": (alone_differs, more_pads_reach),
    "flipped_with_its_pads": (alone_differs, more_pads_reach),
    "reversed_from_one_step_too_late": (alone_differs, pad_content_reaches),
    "backward_states_left_reversed": (blind(to=5, at=0),),
    "backward_reader_reads_forward": (blind(to=8, at=4),),
    "pads_leak_through_convolutions": (alone_differs, more_pads_reach),
    "instance_norm_over_pads": (alone_differs, more_pads_reach),
    "bag_of_embeddings_over_pads": (alone_differs, more_pads_reach),
    "transformer_without_mask": (alone_differs, more_pads_reach),
    "bidirectional_language_model": (future_reaches,),
    "inputs_shifted_the_wrong_way": (future_reaches,),
    "bidirectional_stream_in_chunks": (future_reaches,),
    "state_kept_by_accident": (answers_vary,),
    "random_initial_state": (answers_vary,),
    "dropout_that_knows_no_mode": (answers_vary,),
    "initial_state_batch_first": (neighbour_reaches,),
    "initial_state_by_view": (neighbour_reaches, alone_differs),
    "loss_counts_pads": (scores_at_pads_count("loss"), width_counts("loss")),
    "masked_loss_divided_by_all": (width_counts("loss"),),
    "ignored_zero_is_a_tag": (first_tag_does_not_count,),
    "accuracy_counts_pads": (scores_at_pads_count("metric"),),
    "accuracy_divided_by_all": (width_counts("metric"),),
    "accuracy_as_mean_of_batches": (order_counts,),
    "loss_takes_steps_for_classes": (perfect_scores_are_punished, scores_at_pads_count("loss")),
    "classes_moved_by_view": (perfect_scores_are_punished, scores_at_pads_count("loss")),
    "time_first_scores_batch_first_tags": (perfect_scores_are_punished,),
}
"""How each faulty model is convicted."""

NOT_ALONE: dict[str, Proof] = {
    "stateful_by_design": state_is_carried,
    "lengths_found_inside": as_if_alone_by(ENDS),
}
"""Right models for which something else is apt than comparing with each sequence alone."""


@pytest.mark.parametrize("case", FAULTY, ids=lambda case: case.name)
def test_the_bug_is_there(case: Case) -> None:
    assert case.bugs
    for proof in PROOFS[case.name]:
        proof(Bench(case.make()))


@pytest.mark.parametrize("name", ["packed_tagger", "packed_final_states_of_one_layer"])
@pytest.mark.parametrize(
    "proof",
    [
        alone_differs,
        neighbour_reaches,
        more_pads_reach,
        pad_content_reaches,
        answers_vary,
        last_input_unread,
        blind(to=4),
        UNREAD_BACKWARD,
    ],
)
def test_a_proof_convicts_no_right_model(proof: Proof, name: str) -> None:
    (case,) = [case for case in RIGHT if case.name == name]
    with pytest.raises(AssertionError):
        proof(Bench(case.make()))


@pytest.mark.parametrize("case", RIGHT, ids=lambda case: case.name)
def test_the_right_model_is_right(case: Case) -> None:
    assert not case.bugs
    bench = Bench(case.make())
    NOT_ALONE.get(case.name, each_as_if_alone)(bench)
    if bench.options.get("causal"):
        never_sees_ahead(bench)
    per_step = bench.ask().dim() == 3
    for what in {"loss", "metric"} & bench.options.keys() if per_step else ():
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
