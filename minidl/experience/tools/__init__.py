"""Tools that show: the stack, a strided view, a recorded graph, frames to step."""

from .figures import images, pyplot
from .graph import draw_graph
from .layered import layered_svg
from .player import player
from .stack import stack
from .strides import explore

__all__ = [
    "draw_graph",
    "explore",
    "images",
    "layered_svg",
    "player",
    "pyplot",
    "stack",
]
