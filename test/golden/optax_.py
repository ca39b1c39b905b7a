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
        initialSquareAvg=given.get("initial_scale", 0),
        biasCorrection=given.get("bias_correction", False),
        **clipping,
    )


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
    return cases


def schedule(lr):
    if not isinstance(lr, list):
        return lr
    return lambda count: jnp.asarray(lr)[count // STEPS_PER_LR]


def transformation(name: str, given: dict) -> optax.GradientTransformation:
    if "learning_rate" in given:
        given = {**given, "learning_rate": schedule(given["learning_rate"])}
    return getattr(optax, name)(**given)


def run(case: Case, precision: str) -> dict:
    chain = optax.chain(*(transformation(name, given) for name, given in case.calls.items()))
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
    return results


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", sys.argv[1] == "float64")
    main("optax", optax.__version__, optax.rmsprop, all_cases(), run)
