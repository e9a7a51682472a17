"""Module: a piece of a model, with the parameters it learns.

A module finds its parameters by looking through its own attributes, those that are
modules included, in the order they were set.
"""

from ...framework.dtypes import is_float
from ...framework.tape import no_grad
from ...framework.tensor import Tensor


class Parameter(Tensor):
    """A leaf tensor that a module learns: it shares the array of `x`."""

    def __init__(self, x):
        super().__init__(x.data, x.version)
        self.requires_grad_()

    def __repr__(self):
        return "Parameter containing:\n" + super().__repr__()


class Module:
    """A piece of a model: a subclass sets its parts and gives `forward`."""

    training = True
    hooks = pre_hooks = ()  # functions to call around forward

    def forward(self, *inputs):
        raise NotImplementedError(
            f"{type(self).__name__} has no forward(self, ...) method"
        )

    def __call__(self, *inputs, **options):
        for hook in self.pre_hooks:
            hook(self, inputs)
        out = self.forward(*inputs, **options)
        for hook in self.hooks:
            answer = hook(self, inputs, out)
            out = out if answer is None else answer
        return out

    def register_forward_pre_hook(self, hook):
        """Calls hook(module, inputs) before forward; returns what takes it off."""
        return self._register("pre_hooks", hook)

    def register_forward_hook(self, hook):
        """Calls hook(module, inputs, out) after forward; an answer replaces `out`.

        Returns a function that takes the hook off again.
        """
        return self._register("hooks", hook)

    def _register(self, kind, hook):
        setattr(self, kind, (*getattr(self, kind), hook))

        def remove():
            left = tuple(other for other in getattr(self, kind) if other is not hook)
            setattr(self, kind, left)

        return remove

    def named_children(self):
        """(attribute name, module) for each module right below this one."""
        return [(k, v) for k, v in vars(self).items() if isinstance(v, Module)]

    def modules(self):
        """This module and all below it."""
        yield self
        for _, child in self.named_children():
            yield from child.modules()

    def named_parameters(self, prefix=""):
        """(dotted name, parameter), each parameter once, own ones first."""
        seen = set()
        for name, parameter in self._all_parameters(prefix):
            if id(parameter) not in seen:
                seen.add(id(parameter))
                yield name, parameter

    def _all_parameters(self, prefix):
        for name, value in vars(self).items():
            if isinstance(value, Parameter):
                yield prefix + name, value
        for name, child in self.named_children():
            yield from child._all_parameters(f"{prefix}{name}.")

    def named_buffers(self, prefix=""):
        """(dotted name, tensor) for what a module keeps but doesn't learn."""
        for name, value in vars(self).items():
            learned = isinstance(value, Parameter)
            # What forward computed and kept has a history, and is no buffer.
            if isinstance(value, Tensor) and not learned and value.node is None:
                yield prefix + name, value
        for name, child in self.named_children():
            yield from child.named_buffers(f"{prefix}{name}.")

    def state(self):
        """(dotted name, tensor) of parameters and buffers: all that must be saved."""
        yield from self.named_parameters()
        yield from self.named_buffers()

    def parameters(self):
        return [parameter for _, parameter in self.named_parameters()]

    def train(self, mode=True):
        """Tells layers that behave differently in training; returns self."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self):
        return self.train(False)

    def zero_grad(self):
        for parameter in self.parameters():
            parameter.grad = None

    def to(self, target):
        """Moves parameters and buffers to a device or, floating ones, to a dtype.

        In place; returns self.
        """
        for _, tensor in self.state():
            moved = tensor.detach().to(target)
            if is_float(tensor.dtype) or moved.dtype == tensor.dtype:
                tensor.data = moved.data
        return self

    def state_dict(self):
        """{dotted name: tensor} of parameters and buffers, which share their memory."""
        return {name: tensor.detach() for name, tensor in self.state()}

    def load_state_dict(self, saved, strict=True):
        """Copies `saved`, {dotted name: tensor or array}, into this model.

        ValueError that names the keys missing or unknown (not so with strict=False) or
        the shapes that differ; then nothing has been changed.
        """
        mine = dict(self.state())
        wrong = list(misfits(mine, saved, strict))
        if wrong:
            more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
            raise ValueError(f"load_state_dict: {'; '.join(wrong[:5])}{more}")
        with no_grad():
            for name in saved:
                if name in mine:
                    mine[name].copy_(saved[name])
        return self

    def extra_repr(self):
        """What its line says between the brackets when the module is printed."""
        return ""

    def __repr__(self):
        lines = [f"({name}): {child!r}" for name, child in self.named_children()]
        if not lines:
            return f"{type(self).__name__}({self.extra_repr()})"
        body = "\n".join(lines).replace("\n", "\n  ")
        return f"{type(self).__name__}(\n  {body}\n)"


def misfits(mine, saved, strict):
    """What keeps `saved` from being loaded into `mine`: some words for each name."""
    for name in mine:
        if name not in saved and strict:
            yield f"{name} is missing"
        elif name in saved and tuple(saved[name].shape) != mine[name].shape:
            found, wanted = tuple(saved[name].shape), mine[name].shape
            yield f"{name} is {found}, the model's is {wanted}"
    if strict:
        yield from (f"{name} is not in the model" for name in saved if name not in mine)


class ModuleList(Module):
    """Modules in a row, to loop over."""

    def __init__(self, modules=()):
        for i, module in enumerate(modules):
            setattr(self, str(i), module)

    def __iter__(self):
        return (module for _, module in self.named_children())

    def __len__(self):
        return len(self.named_children())

    def __getitem__(self, i):
        return self.named_children()[i][1]
