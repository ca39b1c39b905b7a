"""mlx.optimizers.RMSprop on MLX's CPU backend, the only one of its devices that has float64."""

import importlib.metadata

import mlx.core as mx
import mlx.optimizers
import numpy as np

from common import STEPS_PER_LR, Case, initial_tensors, join, main, options, training_steps


def all_cases() -> list[Case]:
    cases = []

    def add(inputs: str = "ordinary", clip: dict = {}, **given) -> None:
        given = {"learning_rate": 0.01, **given}
        ours = options(
            lr=given["learning_rate"],
            alpha=given.get("alpha", 0.99),
            eps=given.get("eps", 1e-8),
            globalClipNorm=clip.get("clip_grad_norm", {}).get("max_norm"),
        )
        cases.append(Case({**clip, "RMSprop": given}, ours, inputs))

    add()
    add(alpha=0.9)
    add(eps=1e-3)
    add(learning_rate=[0.01, 0.005, 0.02])
    add(clip={"clip_grad_norm": {"max_norm": 1.0}})
    for alpha in (0.9, 0.99, 0.999):
        add("long", alpha=alpha)
    add(inputs="huge", alpha=0.5)
    return cases


def schedule(lr):
    if not isinstance(lr, list):
        return lr
    return lambda step: mx.array(lr)[step // STEPS_PER_LR]


def as_tree(tensors, dtype) -> dict:
    return {f"tensor{index}": mx.array(values, dtype=dtype) for index, values in enumerate(tensors)}


def run(case: Case, precision: str) -> dict:
    given = case.calls["RMSprop"]
    optimizer = mlx.optimizers.RMSprop(**{**given, "learning_rate": schedule(given["learning_rate"])})
    dtype = getattr(mx, precision)
    parameters = as_tree(initial_tensors(precision), dtype)
    for _, gradients in training_steps(case, precision):
        gradients = as_tree(gradients, dtype)
        if "clip_grad_norm" in case.calls:
            gradients, _ = mlx.optimizers.clip_grad_norm(gradients, **case.calls["clip_grad_norm"])
        parameters = optimizer.apply_gradients(gradients, parameters)
        mx.eval(parameters, optimizer.state)
    return {
        "parameters": join(np.array(parameter) for parameter in parameters.values()),
        "squareAvg": join(np.array(optimizer.state[name]["v"]) for name in parameters),
    }


if __name__ == "__main__":
    mx.set_default_device(mx.cpu)
    main("mlx", importlib.metadata.version("mlx"), mlx.optimizers.RMSprop, all_cases(), run)
