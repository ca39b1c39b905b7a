"""tf.compat.v1.train.RMSPropOptimizer, and the kernels behind it called directly, with starts of our choice."""

from itertools import product

import tensorflow as tf

from common import Case, initial_tensors, join, main, options, training_steps

PLAIN, CENTERED = "ResourceApplyRMSProp", "ResourceApplyCenteredRMSProp"
OPTIMIZER = tf.compat.v1.train.RMSPropOptimizer


def all_cases() -> list[Case]:
    cases = []

    def add_optimizer(**given) -> None:
        ours = options(
            lr=given["learning_rate"],
            alpha=0.9,
            eps=1e-10,
            momentum=given.get("momentum", 0),
            centered=given.get("centered", False),
            epsInsideSqrt=True,
            lrInMomentum=True,
            initialSquareAvg=1,
        )
        cases.append(Case({"RMSPropOptimizer": given}, ours))

    def add(kernel: str, inputs: str = "ordinary", **given) -> None:
        # `ms` stands for the value the caller fills that slot with: ones in TF1's optimizer, zeros in Keras' of old.
        given = {"lr": 0.001, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-10, "ms": 1.0, **given}
        ours = options(
            lr=given["lr"],
            alpha=given["rho"],
            eps=given["epsilon"],
            momentum=given["momentum"],
            centered=kernel == CENTERED,
            epsInsideSqrt=True,
            lrInMomentum=True,
            initialSquareAvg=given["ms"],
        )
        cases.append(Case({kernel: given}, ours, inputs))

    add_optimizer(learning_rate=0.001)
    add_optimizer(learning_rate=0.001, momentum=0.9, centered=True)
    for kernel, momentum in product((PLAIN, CENTERED), (0.0, 0.9)):
        add(kernel, momentum=momentum)
        add(kernel, momentum=momentum, ms=0.0, epsilon=1e-7)
    for kernel in (PLAIN, CENTERED):
        add(kernel, momentum=0.9, lr=[0.001, 0.0005, 0.002], epsilon=1e-3)  # 1e-10 is lost beside an ms of 1
    add(PLAIN, rho=0.99, momentum=0.9)
    add(CENTERED, lr=1e-4, rho=0.95, epsilon=1e-4, momentum=0.9, ms=0.0)  # Graves 2013
    add(CENTERED, lr=2.5e-4, rho=0.95, epsilon=0.01, ms=0.0)  # DQN
    for rho in (0.9, 0.99, 0.999):
        add(CENTERED, "long", rho=rho, ms=0.0, epsilon=1e-7)
        add(PLAIN, "long", rho=rho, momentum=0.9)
    add(CENTERED, "constant", rho=0.5, ms=0.0)
    add(PLAIN, "huge", rho=0.5)
    return cases


def run(case: Case, precision: str) -> dict:
    ((name, given),) = case.calls.items()
    variables = [tf.Variable(values) for values in initial_tensors(precision)]
    if name == "RMSPropOptimizer":
        optimizer = OPTIMIZER(**given)
        for _, gradients in training_steps(case, precision):
            optimizer.apply_gradients(zip(map(tf.constant, gradients), variables))
        names = {"rms": "ms", "mg": "mg"}
        slots = [
            {names[name]: optimizer.get_slot(variable, name) for name in names if name in optimizer.get_slot_names()}
            for variable in variables
        ]
    else:
        slots = run_kernel(name, given, case, precision, variables)
    results = {"parameters": join(variable.numpy() for variable in variables)}
    for ours, theirs in (("squareAvg", "ms"), ("gradAvg", "mg")):
        if theirs in slots[0]:
            results[ours] = join(slot[theirs].numpy() for slot in slots)
    return results


def run_kernel(kernel: str, given: dict, case: Case, precision: str, variables: list[tf.Variable]) -> list[dict]:
    slots = []
    for variable in variables:
        slot = {"ms": tf.Variable(tf.fill(variable.shape, tf.cast(given["ms"], precision)))}
        for name in ("mom", "mg") if kernel == CENTERED else ("mom",):
            slot[name] = tf.Variable(tf.zeros_like(variable))
        slots.append(slot)
    constants = {name: tf.constant(given[name], precision) for name in ("rho", "momentum", "epsilon")}
    for lr, gradients in training_steps(case, precision):
        for variable, slot, gradient in zip(variables, slots, gradients):
            handles = {name: slot_variable.handle for name, slot_variable in slot.items()}
            apply = getattr(tf.raw_ops, kernel)
            apply(var=variable.handle, lr=tf.constant(lr, precision), grad=gradient, **constants, **handles)
    return slots


if __name__ == "__main__":
    main("tensorflow", tf.__version__, OPTIMIZER, all_cases(), run)
