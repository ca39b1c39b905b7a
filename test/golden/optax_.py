"""optax.rmsprop, alone and in chains with weight decay and clipping. A case's calls are the chain, in order."""

import sys
from itertools import product

import jax
import jax.numpy as jnp
import optax

from common import STEPS_PER_LR, Case, initial_tensors, join, main, options, training_steps

CLIPPING = {"clip": ("clipValue", "max_delta"), "clip_by_global_norm": ("globalClipNorm", "max_norm")}


def to_options(calls: dict) -> dict:
    names = list(calls)
    scaling = next(name for name in names if name in ("rmsprop", "scale_by_rms", "scale_by_stddev"))
    given, trace = calls[scaling], calls.get("trace")
    # In a chain spelt out, decay and lr follow the momentum; inside rmsprop itself lr precedes it.
    momentum = trace["decay"] if trace else given.get("momentum") or 0
    lr = given["learning_rate"] if scaling == "rmsprop" else calls["scale_by_learning_rate"]["learning_rate"]
    decays = "add_decayed_weights" in calls
    clipping = {ours: calls[name][argument] for name, (ours, argument) in CLIPPING.items() if name in calls}
    return options(
        lr=lr,
        alpha=given.get("decay", 0.9),
        eps=given.get("eps", 1e-8),
        weightDecay=calls["add_decayed_weights"]["weight_decay"] if decays else 0,
        momentum=momentum,
        centered=given.get("centered", scaling == "scale_by_stddev"),
        epsInsideSqrt=given.get("eps_in_sqrt", True),
        lrInMomentum=trace is None,
        nesterov=(trace or given).get("nesterov", False),
        decoupledWeightDecay=decays and names.index("add_decayed_weights") > names.index(scaling),
        scheduleFree=averaging(calls),
        initialSquareAvg=given.get("initial_scale", 0),
        biasCorrection=given.get("bias_correction", False),
        **clipping,
    )


def averaging(calls: dict) -> dict | None:
    """Optax' weights have no power of the step's number, and its schedules start with the warm-up that we have by name."""
    if "schedule_free" not in calls:
        return None
    given, warmup = calls["schedule_free"], calls.get("linear_schedule")
    return {
        "beta": given.get("b1", 0.9),
        "warmupSteps": warmup["transition_steps"] + 1 if warmup else 0,
        "r": 0,
        "weightLrPower": given.get("weight_lr_power", 2),
    }


def all_cases() -> list[Case]:
    cases = []

    def add_chain(inputs: str = "ordinary", **calls) -> None:
        cases.append(Case(calls, to_options(calls), inputs))

    def rmsprop(**given) -> dict:
        # With momentum a step is some ten times as long: a smaller rate keeps the parameters where training keeps them.
        return {"learning_rate": 0.001 if given.get("momentum") else 0.01, **given}

    def add(inputs: str = "ordinary", **given) -> None:
        add_chain(inputs, rmsprop=rmsprop(**given))

    momenta = ({}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True})
    for inside, centered, momentum in product((True, False), (False, True), momenta):
        add(eps_in_sqrt=inside, centered=centered, **momentum)
    for inside, momentum in product((True, False), momenta):
        add(eps_in_sqrt=inside, bias_correction=True, **momentum)
    # Centered and bias-corrected, the first step's variance is zero: these need an eps or a start that is not small,
    # and clipped gradients to measure it by. Clipping makes them alike, which asks for a longer memory.
    corrected = {"decay": 0.99, "centered": True, "bias_correction": True}
    add_chain(clip={"max_delta": 0.5}, rmsprop=rmsprop(**corrected, eps=0.1))
    add_chain(
        clip={"max_delta": 0.5},
        rmsprop=rmsprop(**corrected, eps_in_sqrt=False, initial_scale=1.0, momentum=0.9),
    )
    add(decay=0.99, bias_correction=True)
    add(decay=0.999, bias_correction=True, eps_in_sqrt=False, momentum=0.9)
    add(initial_scale=1.0)
    add(initial_scale=0.1, centered=True, momentum=0.9)
    add(learning_rate=[0.001, 0.0005, 0.002], momentum=0.9)
    add(learning_rate=[0.001, 0.0005, 0.002], momentum=0.9, nesterov=True)

    add_chain(add_decayed_weights={"weight_decay": 0.01}, rmsprop=rmsprop())
    add_chain(add_decayed_weights={"weight_decay": 0.01}, rmsprop=rmsprop(momentum=0.9, nesterov=True))
    add_chain(clip={"max_delta": 0.5}, rmsprop=rmsprop())
    add_chain(clip_by_global_norm={"max_norm": 1.0}, rmsprop=rmsprop(momentum=0.9))
    for trace in ({}, {"trace": {"decay": 0.9}}, {"trace": {"decay": 0.9, "nesterov": True}}):
        add_chain(
            scale_by_rms={"decay": 0.9},
            **trace,
            add_decayed_weights={"weight_decay": 0.01},
            scale_by_learning_rate={"learning_rate": 0.001 if trace else 0.01},
        )
    for decay in (0.9, 0.99, 0.999):
        add("long", decay=decay, centered=True)
        add("long", decay=decay, momentum=0.9)
    for decay in (0.9, 0.999):
        add_chain(
            "long",
            scale_by_rms={"decay": decay},
            add_decayed_weights={"weight_decay": 0.01},
            scale_by_learning_rate={"learning_rate": 0.01},
        )
    add("constant", decay=0.5, centered=True)
    add("huge", decay=0.5)

    def add_free(inputs: str = "ordinary", free: dict = {}, before: dict = {}, **given) -> None:
        add_chain(inputs, **before, rmsprop=rmsprop(**given), schedule_free=free)

    add_free()
    for b1 in (0.5, 0.98):
        add_free(free={"b1": b1})
    add_free(free={"weight_lr_power": 1}, learning_rate=[0.01, 0.005, 0.002])
    add_free(learning_rate=[0.002, 0.01, 0.005])
    add_free(before={"linear_schedule": {"init_value": 0.01 / 50, "end_value": 0.01, "transition_steps": 49}})
    add_free(momentum=0.9)
    add_free(momentum=0.9, nesterov=True, free={"b1": 0.5})
    add_free(bias_correction=True, eps_in_sqrt=False)
    add_free(before={"add_decayed_weights": {"weight_decay": 0.01}}, decay=0.99, centered=True)
    add_free(before={"clip": {"max_delta": 0.5}, "add_decayed_weights": {"weight_decay": 0.1}})
    add_free(before={"clip_by_global_norm": {"max_norm": 1.0}})
    add_chain(
        scale_by_rms={"decay": 0.9},
        add_decayed_weights={"weight_decay": 0.01},
        scale_by_learning_rate={"learning_rate": 0.01},
        schedule_free={},
    )
    add_free("long")
    add_free("long", decay=0.99, free={"b1": 0.98})
    return cases


def schedule(lr):
    if not isinstance(lr, list):
        return lr
    return lambda count: jnp.asarray(lr)[count // STEPS_PER_LR]


def transformation(name: str, given: dict) -> optax.GradientTransformation:
    if "learning_rate" in given:
        given = {**given, "learning_rate": schedule(given["learning_rate"])}
    return getattr(optax, name)(**given)


def chain_of(case: Case) -> optax.GradientTransformation:
    calls = dict(case.calls)
    free, warmup = calls.pop("schedule_free", None), calls.pop("linear_schedule", None)
    if warmup:
        calls["rmsprop"] = {**calls["rmsprop"], "learning_rate": optax.linear_schedule(**warmup)}
    chain = optax.chain(*(transformation(name, given) for name, given in calls.items()))
    if free is None:
        return chain
    scaling = calls.get("rmsprop") or calls["scale_by_learning_rate"]
    rate = schedule(scaling["learning_rate"])
    # It counts from 1, the optimizer inside from 0.
    shifted = (lambda count: rate(count - 1)) if callable(rate) else rate
    return optax.contrib.schedule_free(chain, shifted, **free)


def run(case: Case, precision: str) -> dict:
    chain = chain_of(case)
    parameters = [jnp.asarray(values) for values in initial_tensors(precision)]
    state = chain.init(parameters)
    for _, gradients in training_steps(case, precision):
        updates, state = chain.update([jnp.asarray(gradient) for gradient in gradients], state, parameters)
        parameters = optax.apply_updates(parameters, updates)
    results = {"parameters": join(parameters)}
    for part in jax.tree.leaves(state, is_leaf=lambda part: hasattr(part, "nu")):
        for ours, theirs in (("squareAvg", "nu"), ("gradAvg", "mu")):
            if hasattr(part, theirs):
                results[ours] = join(getattr(part, theirs))
    if "schedule_free" in case.calls:
        results["z"] = join(state.z)
        results["evaluated"] = join(optax.contrib.schedule_free_eval_params(state, parameters))
    return results


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", sys.argv[1] == "float64")
    main("optax", optax.__version__, optax.rmsprop, all_cases(), run)
