"""Module: a piece of a model, with the parameters it learns.

A module finds its parameters by looking through its own attributes, those that are
modules included, in the order they were set.
"""

from ...framework.tensor import Tensor


class Parameter(Tensor):
    """A leaf tensor that a module learns: it shares the array of `x`."""

    def __init__(self, x):
        super().__init__(x.data, x.version)
        self.requires_grad_()

    def __repr__(self):
        return "Parameter containing:\n" + super().__repr__()


class Module:
    training = True

    def forward(self, *inputs):
        raise NotImplementedError(
            f"{type(self).__name__} has no forward(self, ...) method"
        )

    def __call__(self, *inputs, **options):
        return self.forward(*inputs, **options)

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
            if isinstance(value, Tensor) and not isinstance(value, Parameter):
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

    def to(self, device):
        """Moves parameters and buffers to `device`, in place; returns self."""
        for _, tensor in self.state():
            tensor.data = tensor.detach().to(device).data
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
