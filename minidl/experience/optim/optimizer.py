"""Optimizer: parameters in groups, a state for each, and one step for all of them.

What a rule remembers of a parameter is plain data: tensors and numbers by name.
"""

from ...framework.create import zeros_like
from ...framework.tape import no_grad
from ...framework.tensor import Tensor
from ...framework.trace.variables import variables


class Optimizer:
    """Moves parameters by a rule, which a subclass gives in `update`."""

    def __init__(self, params, **defaults):
        self.param_groups = [{**defaults, **group} for group in groups_of(params)]
        self.state = {p: {} for group in self.param_groups for p in group["params"]}
        if not self.state:
            raise ValueError(f"{type(self).__name__} got no parameters")
        for group in self.param_groups:
            if not group["lr"] > 0:
                raise ValueError(f"the learning rate must be positive: {group['lr']}")

    def update(self, p, g, state, group):
        raise NotImplementedError(f"{type(self).__name__} has no update(...) method")

    @no_grad()
    def step(self):
        """Moves each parameter that has a gradient by one step of the rule."""
        if all(p.grad is None for p in self.state):
            raise RuntimeError(
                f"{type(self).__name__}.step(): none of the {len(self.state)} "
                "parameters has a gradient; call loss.backward() first"
            )
        for group in self.param_groups:
            settings = variables(group)
            for p in group["params"]:
                if p.grad is not None:
                    self.update(p, p.grad, variables(self.state[p]), settings)

    def zero_grad(self):
        for p in self.state:
            p.grad = None

    def state_dict(self):
        """Settings and states, parameters in their order, to save and load again."""
        numbers = {p: i for i, p in enumerate(self.state)}
        groups = [
            {**group, "params": [numbers[p] for p in group["params"]]}
            for group in self.param_groups
        ]
        copies = [copied(state) for state in self.state.values()]
        return {"state": copies, "param_groups": groups}

    def load_state_dict(self, saved):
        """Takes up where `saved` was; ValueError where its groups don't match."""
        mine = [len(group["params"]) for group in self.param_groups]
        theirs = [len(group["params"]) for group in saved["param_groups"]]
        if mine != theirs:
            raise ValueError(
                f"groups of {theirs} parameters were saved, here are {mine}"
            )
        for group, other in zip(self.param_groups, saved["param_groups"]):
            group.update({k: v for k, v in other.items() if k != "params"})
        for p, state in zip(self.state, saved["state"]):
            self.state[p] = copied(state)


def groups_of(params):
    """`params` as groups: dicts with "params" and their own settings, or one of all."""
    params = list(params)
    if not any(isinstance(p, dict) for p in params):
        return [{"params": params}] if params else []
    return [{**group, "params": list(group["params"])} for group in params]


def copied(state):
    return {k: v.clone() if isinstance(v, Tensor) else v for k, v in state.items()}


def zeros(state, p, *names):
    """The tensors called `names` in `state`, zeros like `p` at first."""
    for name in names:
        if name not in state:
            state[name] = zeros_like(p)
    return [state[name] for name in names]
