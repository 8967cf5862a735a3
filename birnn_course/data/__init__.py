"""Where the course's sequences come from."""

from birnn_course.data.batches import IGNORED, Batch, batches_of_one_length, padded_batches
from birnn_course.data.rare_events import RareEvents
from birnn_course.data.speech import Speech, load_speech
from birnn_course.data.spelling import LETTERS, Spelling, load_spelling
from birnn_course.data.stress import STRESSES, Project, load_project
from birnn_course.data.tasks import Sequence, TaggingTask, cue_task, names_task

__all__ = [
    "IGNORED",
    "LETTERS",
    "STRESSES",
    "Batch",
    "Project",
    "RareEvents",
    "Sequence",
    "Speech",
    "Spelling",
    "TaggingTask",
    "batches_of_one_length",
    "cue_task",
    "load_project",
    "load_speech",
    "load_spelling",
    "names_task",
    "padded_batches",
]
