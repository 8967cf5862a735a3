# What `from birnn_course import …` offers; lazy_loader reads this file at import.
from .data import Spelling as Spelling
from .data import TaggingTask as TaggingTask
from .data import batches_of_one_length as batches_of_one_length
from .data import cue_task as cue_task
from .data import load_spelling as load_spelling
from .data import names_task as names_task
from .data import padded_batches as padded_batches
from .device import setup as setup
from .exercises import check as check
from .exercises import hint as hint
from .explore import dependence_explorer as dependence_explorer
from .models import SequenceTagger as SequenceTagger
from .models import count_parameters as count_parameters
from .plots import plot_bars as plot_bars
from .plots import plot_dependence as plot_dependence
from .plots import plot_lines as plot_lines
from .probes import batch_dependence as batch_dependence
from .probes import dependence_map as dependence_map
from .questions.widget import diagnostic as diagnostic
from .questions.widget import quiz as quiz
from .review import warm_up as warm_up
from .summary import my_route as my_route
from .training import evaluate as evaluate
from .training import fit as fit
from .training import predict as predict

__version__: str
