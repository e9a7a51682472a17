"""Data: datasets, batches, and real images and text to learn from. (Chapter 5.)"""

from . import transforms
from .dataset import Dataset, Subset, TensorDataset, collate, random_split
from .loader import DataLoader
from .samplers import RandomSampler, SequentialSampler, WeightedRandomSampler
from .sets import load
from .text import TokenDataset
from .tokenizers import BPETokenizer, CharTokenizer

__all__ = [
    "BPETokenizer",
    "CharTokenizer",
    "DataLoader",
    "Dataset",
    "RandomSampler",
    "SequentialSampler",
    "Subset",
    "TensorDataset",
    "TokenDataset",
    "WeightedRandomSampler",
    "collate",
    "load",
    "random_split",
    "transforms",
]
