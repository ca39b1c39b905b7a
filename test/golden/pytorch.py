"""torch.optim.RMSprop, with torch's own gradient clipping before it in some cases."""

from itertools import product

import torch

from common import Case, first_rate, initial_tensors, join, main, options, training_steps

CLIPPING = {
    "clip_grad_norm_": ("globalClipNorm", "max_norm", torch.nn.utils.clip_grad_norm_),
    "clip_grad_value_": ("clipValue", "clip_value", torch.nn.utils.clip_grad_value_),
}


def to_options(calls: dict) -> dict:
    given = calls["RMSprop"]
    clipping = {
        ours: calls[name][argument] for name, (ours, argument, _) in CLIPPING.items() if name in calls
    }
    return options(
        lr=given["lr"],
        alpha=given.get("alpha", 0.99),
        eps=given.get("eps", 1e-8),
        weightDecay=given.get("weight_decay", 0),
        momentum=given.get("momentum", 0),
        centered=given.get("centered", False),
        maximize=given.get("maximize", False),
        **clipping,
    )


def all_cases() -> list[Case]:
    cases = []

    def add(inputs: str = "ordinary", clipping: dict = {}, **given) -> None:
        # With momentum a step is some ten times as long: a smaller rate keeps the parameters where training keeps them.
        lr = 0.001 if given.get("momentum") else 0.01
        calls = {**clipping, "RMSprop": {"lr": lr, **given}}
        cases.append(Case(calls, to_options(calls), inputs))

    for momentum, centered, decay in product((0, 0.9), (False, True), (0, 0.01)):
        add(momentum=momentum, centered=centered, weight_decay=decay, foreach=False)
    add(foreach=True)
    add(momentum=0.9, centered=True, weight_decay=0.01, foreach=True)
    add(maximize=True)
    add(maximize=True, weight_decay=0.01, momentum=0.9)
    for centered in (False, True):
        add(lr=[0.01, 0.005, 0.0025], centered=centered)
        add(lr=[0.001, 0.0005, 0.00025], centered=centered, momentum=0.9)
    add(alpha=0.9, eps=1e-3)
    add(alpha=0.999, momentum=0.5)
    add(clipping={"clip_grad_norm_": {"max_norm": 1.0}}, momentum=0.9)
    add(clipping={"clip_grad_value_": {"clip_value": 0.5}}, centered=True)
    for alpha in (0.9, 0.99, 0.999):
        add("long", alpha=alpha, centered=True)
        add("long", alpha=alpha, momentum=0.9)
    add(inputs="constant", alpha=0.5, centered=True)
    add(inputs="huge", alpha=0.5)
    return cases


def train(optimizer_class, name: str, case: Case, precision: str) -> dict:
    """Any optimizer of torch's kind, made with the arguments that the case has under this name."""
    parameters = [torch.tensor(values, requires_grad=True) for values in initial_tensors(precision)]
    given = case.calls[name]
    optimizer = optimizer_class(parameters, **{**given, "lr": first_rate(given["lr"])})
    for lr, gradients in training_steps(case, precision):
        for parameter, gradient in zip(parameters, gradients):
            parameter.grad = torch.tensor(gradient)
        clip(case, parameters)
        optimizer.param_groups[0]["lr"] = lr
        optimizer.step()
    state = [optimizer.state[parameter] for parameter in parameters]
    return {"parameters": join(parameter.detach() for parameter in parameters), **averages(state)}


def clip(case: Case, parameters: list[torch.Tensor]) -> None:
    for clipper, (_, _, function) in CLIPPING.items():
        if clipper in case.calls:
            function(parameters, **case.calls[clipper])


def averages(state: list[dict]) -> dict:
    names = (("squareAvg", "square_avg"), ("gradAvg", "grad_avg"))
    return {ours: join(each[theirs] for each in state) for ours, theirs in names if theirs in state[0]}


if __name__ == "__main__":
    main(
        "pytorch",
        torch.__version__.split("+")[0],
        torch.optim.RMSprop,
        all_cases(),
        lambda case, precision: train(torch.optim.RMSprop, "RMSprop", case, precision),
    )
