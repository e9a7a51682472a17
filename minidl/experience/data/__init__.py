"""Data: datasets, batches, and real images and text to learn from. (Chapter 5.)"""

from .loader import DataLoader, TensorDataset
from .sets import load

__all__ = ["DataLoader", "TensorDataset", "load"]
