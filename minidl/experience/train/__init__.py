"""Training: a step, the loop around it, and what may be hung into the loop.

(Chapters 0 and 4.)
"""

from .callbacks import Callback, EarlyStopping, KeepBest, Schedule
from .checkpoint import Checkpoint
from .fit import Epoch, Run, fit
from .step import Step, evaluate, train_step
