"""schedulefree's ScheduleFreeWrapper around torch.optim.RMSprop, with torch's own clipping and warm-up in some cases."""

from importlib import metadata

import torch
from schedulefree import ScheduleFreeWrapper

import pytorch
from common import Case, first_rate, initial_tensors, join, main, training_steps


def to_options(calls: dict) -> dict:
    """Its decay is taken at y and is decoupled; RMSprop's own would be taken at z, which ours never is."""
    given = calls["ScheduleFreeWrapper"]
    decay = given.get("weight_decay_at_y", 0)
    warmup = calls.get("LinearLR")
    return {
        **pytorch.to_options(calls),
        "weightDecay": decay,
        "decoupledWeightDecay": decay > 0,
        "scheduleFree": {
            "beta": given.get("momentum", 0.9),
            "warmupSteps": warmup["total_iters"] + 1 if warmup else 0,
            "r": given.get("r", 0),
            "weightLrPower": given.get("weight_lr_power", 2),
        },
    }


def all_cases() -> list[Case]:
    cases = []

    def add(inputs: str = "ordinary", before: dict = {}, base: dict = {}, **given) -> None:
        lr = 0.001 if base.get("momentum") else 0.01
        calls = {**before, "RMSprop": {"lr": lr, **base}, "ScheduleFreeWrapper": given}
        cases.append(Case(calls, to_options(calls), inputs))

    warmup = {"LinearLR": {"start_factor": 1 / 50, "total_iters": 49}}
    add()
    for beta in (0.5, 0.98, 1.0):
        add(momentum=beta)
    add(r=1)
    add(r=2, weight_lr_power=1, momentum=0.95)
    add(before=warmup)
    add(before=warmup, r=0.5, weight_lr_power=0)
    add(base={"lr": [0.01, 0.005, 0.002]})
    add(base={"lr": [0.002, 0.01, 0.005]}, weight_lr_power=1)
    add(weight_decay_at_y=0.01)
    add(weight_decay_at_y=0.1, before=warmup, r=1)
    add(base={"momentum": 0.9})
    add(base={"momentum": 0.9, "centered": True}, weight_decay_at_y=0.01)
    add(base={"centered": True, "alpha": 0.9, "eps": 1e-3})
    add(base={"maximize": True}, momentum=0.95)
    add(before={"clip_grad_norm_": {"max_norm": 1.0}})
    add(before={"clip_grad_value_": {"clip_value": 0.5}}, r=1)
    add("long")
    add("long", base={"alpha": 0.9}, momentum=0.98, weight_decay_at_y=0.01)
    return cases


def run(case: Case, precision: str) -> dict:
    parameters = [torch.tensor(values, requires_grad=True) for values in initial_tensors(precision)]
    given = case.calls["RMSprop"]
    base = torch.optim.RMSprop(parameters, **{**given, "lr": first_rate(given["lr"])})
    # RMSprop makes its averages while its state is empty, which the wrapper has put z into by then. Gradients of zero leave
    # averages and parameters as they are.
    for parameter in parameters:
        parameter.grad = torch.zeros_like(parameter)
    base.step()
    optimizer = ScheduleFreeWrapper(base, **case.calls["ScheduleFreeWrapper"])
    warmup = case.calls.get("LinearLR")
    scheduler = torch.optim.lr_scheduler.LinearLR(base, **warmup) if warmup else None
    optimizer.train()
    for lr, gradients in training_steps(case, precision):
        for parameter, gradient in zip(parameters, gradients):
            parameter.grad = torch.tensor(gradient)
        pytorch.clip(case, parameters)
        if not scheduler:
            base.param_groups[0]["lr"] = lr
        optimizer.step()
        if scheduler:
            scheduler.step()
    state = [optimizer.state[parameter] for parameter in parameters]
    results = {
        "parameters": join(parameter.detach().clone() for parameter in parameters),
        "z": join(each["z"] for each in state),
        **pytorch.averages(state),
    }
    optimizer.eval()
    return {**results, "evaluated": join(parameter.detach() for parameter in parameters)}


if __name__ == "__main__":
    main("schedulefree", metadata.version("schedulefree"), ScheduleFreeWrapper, all_cases(), run)
