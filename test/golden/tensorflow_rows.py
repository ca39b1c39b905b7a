"""
TensorFlow's sparse kernels, called directly and by tf.compat.v1.train.RMSPropOptimizer: writes rows/tensorflow.*.

The kernels apply a row that is named twice once for each time it is named, one after the other. The optimizer adds up
the gradients of such a row first, and names it once. Cases of both kinds are here.

    python tensorflow_rows.py
"""

import os
from itertools import product

os.environ.update(CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", TF_NUM_INTRAOP_THREADS="1")

import tensorflow as tf

import inputs
import rows_

PLAIN, CENTERED = "ResourceSparseApplyRMSProp", "ResourceSparseApplyCenteredRMSProp"


def all_cases() -> list[dict]:
    cases = []
    for kernel, momentum in product((PLAIN, CENTERED), (0.0, 0.9)):
        for ms, epsilon in ((1.0, 1e-10), (0.0, 1e-7)):
            given = {"lr": 0.001, "rho": 0.9, "momentum": momentum, "epsilon": epsilon, "ms": ms}
            cases.append({"call": kernel, "given": given})
        cases.append({"call": kernel, "given": {**given, "rho": 0.99, "lr": 0.01}})
    for centered, momentum in product((False, True), (0.0, 0.9)):
        given = {"learning_rate": 0.001, "momentum": momentum, "centered": centered}
        cases.append({"call": "RMSPropOptimizer", "given": given})
    return cases


def run(case: dict, precision: str) -> dict:
    call, given = case["call"], case["given"]
    variable = tf.Variable(rows_.table(precision))
    if call == "RMSPropOptimizer":
        optimizer = tf.compat.v1.train.RMSPropOptimizer(**given)
        for step in range(inputs.STEPS):
            values, rows = tf.constant(rows_.gradients(step, precision)), tf.constant(rows_.occurrences(step))
            optimizer.apply_gradients([(tf.IndexedSlices(values, rows), variable)])
        slots = {"ms": optimizer.get_slot(variable, "rms"), "mom": optimizer.get_slot(variable, "momentum")}
        if given["centered"]:
            slots["mg"] = optimizer.get_slot(variable, "mg")
    else:
        slots = {name: tf.Variable(tf.zeros_like(variable)) for name in (("mom", "mg") if call == CENTERED else ("mom",))}
        slots["ms"] = tf.Variable(tf.fill(variable.shape, tf.cast(given["ms"], precision)))
        handles = {name: slot.handle for name, slot in slots.items()}
        scalars = {name: tf.constant(given[name], precision) for name in ("lr", "rho", "momentum", "epsilon")}
        for step in range(inputs.STEPS):
            getattr(tf.raw_ops, call)(
                var=variable.handle,
                grad=rows_.gradients(step, precision),
                indices=rows_.occurrences(step),
                **scalars,
                **handles,
            )
    results = {"param": variable.numpy().ravel(), "squareAvg": slots["ms"].numpy().ravel()}
    if "mg" in slots:
        results["gradAvg"] = slots["mg"].numpy().ravel()
    return results


if __name__ == "__main__":
    rows_.write("tensorflow", {"tensorflow-cpu": tf.__version__}, all_cases(), run)
