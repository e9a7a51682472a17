"""Tools that show: the stack, a view, a recorded graph, frames, a loss surface,
which thread touches which address, and a trace under way.
"""

from .access import access
from .descent import descend
from .dials import dials
from .figures import images, label_ends, pyplot
from .graph import draw_graph
from .graphs import draw_rewrite
from .layered import layered_svg
from .plane import plane, principal_directions, random_directions, snapshot
from .player import player
from .stack import stack
from .strides import explore
from .surface import surface
from .watching import watch_trace

__all__ = [
    "access",
    "descend",
    "dials",
    "draw_graph",
    "draw_rewrite",
    "explore",
    "images",
    "label_ends",
    "layered_svg",
    "plane",
    "player",
    "principal_directions",
    "pyplot",
    "random_directions",
    "snapshot",
    "stack",
    "surface",
    "watch_trace",
]
