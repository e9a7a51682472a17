"""Recurrent layers: one step applied along time, its state handed on.

T steps, N sequences, `batch_first` puts N before T. Weights are laid out as PyTorch's:
the rows of all gates below each other.
"""

from ...framework.create import stack, zeros
from . import functional as F
from .layers import uniform
from .module import Module


class Recurrent(Module):
    """Layers of a cell; a subclass says how many gates it has and how it steps."""

    gates = 1

    def __init__(self, input_size, hidden_size, num_layers=1, batch_first=False):
        self.hidden_size, self.num_layers = hidden_size, num_layers
        self.batch_first = batch_first
        rows = self.gates * hidden_size
        for layer in range(num_layers):
            inputs = hidden_size if layer else input_size
            shapes = {"weight_ih": (rows, inputs), "weight_hh": (rows, hidden_size)}
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
            for name, shape in shapes.items():
                setattr(self, f"{name}_l{layer}", uniform(shape, hidden_size))

    def forward(self, x, state=None, lengths=None):
        """(T, N, input) to ((T, N, hidden), last state, (layers, N, hidden)).

        With `lengths`, (N,) integers, a sequence ends after that many steps: from
        there on its results are 0, and its state stays as it was.
        """
        x = x.transpose(0, 1) if self.batch_first else x
        lengths = lengths if lengths is None else x.operand(lengths)
        if lengths is not None and lengths.shape != x.shape[1:2]:
            raise ValueError(
                f"{type(self).__name__}: lengths {tuple(lengths.shape)} of "
                f"{x.shape[1]} sequences"
            )
        states = self.start(x) if state is None else self.split(state)
        last = []
        for layer in range(self.num_layers):
            x, final = self.run(x, states[layer], layer, lengths)
            last.append(final)
        x = x.transpose(0, 1) if self.batch_first else x
        return x, self.join(last)

    def run(self, x, state, layer, lengths):
        """One layer along time. The inputs' products are made for all steps at once."""
        w_ih, w_hh, b_ih, b_hh = [
            getattr(self, f"{name}_l{layer}")
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        ]
        inputs, outputs = F.linear(x, w_ih, b_ih), []
        for t in range(len(x)):
            new = self.step(inputs[t], state, w_hh, b_hh)
            out = new[0] if isinstance(new, tuple) else new
            if lengths is not None:
                goes_on = (lengths > t)[:, None]
                new, out = chosen(goes_on, new, state), out.where(goes_on, 0.0)
            state = new
            outputs.append(out)
        return stack(outputs), state

    def start(self, x):
        shape = (x.shape[1], self.hidden_size)
        kept = {"dtype": self.weight_hh_l0.dtype, "device": x.device}
        return [zeros(shape, **kept) for _ in range(self.num_layers)]

    def split(self, state):
        return [state[i] for i in range(self.num_layers)]

    def join(self, last):
        return stack(last)


def chosen(condition, new, old):
    """A state, `new` in the rows where `condition` holds and `old` elsewhere."""
    if isinstance(new, tuple):
        return tuple(chosen(condition, a, b) for a, b in zip(new, old))
    return new.where(condition, old)


class RNN(Recurrent):
    """h = tanh(W x + b + V h + c)."""

    def step(self, x, h, w_hh, b_hh):
        return (x + F.linear(h, w_hh, b_hh)).tanh()


class GRU(Recurrent):
    """A gate r for how much of the past to use, and z for how much to keep."""

    gates = 3

    def step(self, x, h, w_hh, b_hh):
        n = self.hidden_size
        past = F.linear(h, w_hh, b_hh)
        r, z = [(x[:, i : i + n] + past[:, i : i + n]).sigmoid() for i in (0, n)]
        new = (x[:, 2 * n :] + r * past[:, 2 * n :]).tanh()
        return new + z * (h - new)


class LSTM(Recurrent):
    """A cell c beside the output h, and gates to write it, forget it and show it."""

    gates = 4

    def step(self, x, state, w_hh, b_hh):
        h, c = state
        n = self.hidden_size
        sums = x + F.linear(h, w_hh, b_hh)
        write, forget, new, show = [sums[:, i * n : (i + 1) * n] for i in range(4)]
        c = forget.sigmoid() * c + write.sigmoid() * new.tanh()
        return show.sigmoid() * c.tanh(), c

    def start(self, x):
        return [(h, h) for h in super().start(x)]

    def split(self, state):
        return [(state[0][i], state[1][i]) for i in range(self.num_layers)]

    def join(self, last):
        return tuple(stack([state[i] for state in last]) for i in (0, 1))
