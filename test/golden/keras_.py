"""keras.optimizers.RMSprop, on the backend named by KERAS_BACKEND: the generic path (jax) or torch's own (torch)."""

import sys
from itertools import product

import keras

from common import Case, first_rate, initial_tensors, join, main, options, training_steps

BACKEND = keras.backend.backend()


def to_options(given: dict) -> dict:
    return options(
        lr=given["learning_rate"],
        alpha=given.get("rho", 0.9),
        eps=given.get("epsilon", 1e-7),
        weightDecay=given.get("weight_decay") or 0,
        momentum=given.get("momentum", 0),
        centered=given.get("centered", False),
        epsInsideSqrt=True,
        lrInMomentum=True,
        decoupledWeightDecay=True,
        clipValue=given.get("clipvalue"),
        clipNorm=given.get("clipnorm"),
        globalClipNorm=given.get("global_clipnorm"),
        ema={"decay": given.get("ema_momentum", 0.99)} if given.get("use_ema") else None,
    )


def all_cases() -> list[Case]:
    cases = []

    def add(inputs: str = "ordinary", **given) -> None:
        given = {"learning_rate": 0.001, **given}
        cases.append(Case({"RMSprop": given}, to_options(given), inputs))

    for momentum, centered, decay in product((0, 0.9), (False, True), (None, 0.004)):
        add(momentum=momentum, centered=centered, weight_decay=decay)
    add(learning_rate=[0.001, 0.0005, 0.002], momentum=0.9)
    add(use_ema=True)
    if BACKEND == "jax":  # the other backend has the same code for what follows
        add(clipnorm=1.0)
        add(global_clipnorm=100.0, momentum=0.9)
        add(clipvalue=0.5, momentum=0.9)
        add(learning_rate=[0.001, 0.0005, 0.002], centered=True, weight_decay=0.004)
        add(rho=0.99, epsilon=1e-3, weight_decay=0.01)
        add(global_clipnorm=1.0, weight_decay=0.01, momentum=0.9)
        add(use_ema=True, ema_momentum=0.9, momentum=0.9, weight_decay=0.004)
    for rho in (0.9, 0.99, 0.999) if BACKEND == "jax" else (0.9,):
        add("long", rho=rho, centered=True)
        add("long", rho=rho, momentum=0.9, weight_decay=0.004)
    add(inputs="constant", rho=0.5, centered=True)
    add(inputs="huge", rho=0.5)
    return cases


def run(case: Case, precision: str) -> dict:
    given = case.calls["RMSprop"]
    variables = [keras.Variable(values, dtype=precision) for values in initial_tensors(precision)]
    optimizer = keras.optimizers.RMSprop(**{**given, "learning_rate": first_rate(given["learning_rate"])})
    optimizer.build(variables)
    for lr, gradients in training_steps(case, precision):
        optimizer.learning_rate = lr
        optimizer.apply([keras.ops.convert_to_tensor(gradient) for gradient in gradients])
    results = {"parameters": join(keras.ops.convert_to_numpy(variable) for variable in variables)}
    results["squareAvg"] = join(keras.ops.convert_to_numpy(average) for average in optimizer._velocities)
    if given.get("centered"):
        results["gradAvg"] = join(keras.ops.convert_to_numpy(average) for average in optimizer._average_gradients)
    if given.get("use_ema"):
        averages = [variable for variable in optimizer.variables if variable.name.endswith("_average")]
        results["ema"] = join(keras.ops.convert_to_numpy(average) for average in averages)
    return results


if __name__ == "__main__":
    precision = sys.argv[1]
    if BACKEND == "jax":
        import jax

        jax.config.update("jax_enable_x64", precision == "float64")
    keras.config.set_floatx(precision)
    main(f"keras-{BACKEND}", keras.__version__, keras.optimizers.RMSprop, all_cases(), run)
