"""Optimisers, schedules and clipping, under PyTorch's names. (Chapter 4.)"""

from .clip import clip_grad_norm_, clip_grad_value_
from .optimizer import Optimizer
from .rules import SGD, Adagrad, Adam, AdamW, Lion, RMSprop, adam, sgd
from .scaler import GradScaler
from .schedules import LambdaLR, cosine, one_cycle, step_decay
