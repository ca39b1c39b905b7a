"""
A model trained in Python, for the drop-in for tf.js to continue: writes tfjs-layers/.

Keras trains for 20 steps, the TensorFlow.js converter writes the model as it does for everybody, and Keras trains on
for 20 more. The converter leaves the optimizer out, so it is added as tf.js's `LayersModel.save` does it, by the
converter's writer of weights.

The converter wants the Keras of TensorFlow 2 (tf_keras): tf.js 4.22 can't read what Keras 3 saves. Beside the
requirements of generate.py: pip install --no-deps tf_keras==2.21.0 tensorflowjs==4.22.0
"""

import json
import os
import shutil
import sys
import types
from pathlib import Path

os.environ.update(CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0")
for name in ("tensorflow_decision_forests", "tensorflow_hub"):  # imported by the converter, for other models
    sys.modules[name] = types.ModuleType(name)

import numpy as np
import tensorflowjs as tfjs
import tf_keras as keras
from tensorflowjs.write_weights import write_weights

assert (keras.__version__, tfjs.__version__) == ("2.21.0", "4.22.0")

FOLDER = Path(__file__).parent / "tfjs-layers"
STEPS = 20
OPTIONS = {"learning_rate": 0.01, "momentum": 0.5, "centered": True}
# tf.js's names of the planes, in its order, and Keras's.
PLANES = {"rms": "velocity", "momentum": "momentum", "mg": "average_gradient"}


def main():
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Dense(5, activation="tanh", input_shape=(3,)), keras.layers.Dense(2)]
    model = keras.Sequential(layers)
    model.compile(optimizer=keras.optimizers.RMSprop(**OPTIONS), loss="mse")
    inputs = np.random.default_rng(1).uniform(-1, 1, (2 * STEPS, 8, 3)).astype(np.float32)
    targets = np.stack([inputs.sum(2), inputs.prod(2)], 2)

    for step in range(STEPS):
        model.train_on_batch(inputs[step], targets[step])
    shutil.rmtree(FOLDER, ignore_errors=True)
    tfjs.converters.save_keras_model(model, FOLDER)
    save_optimizer(model)
    for step in range(STEPS, 2 * STEPS):
        model.train_on_batch(inputs[step], targets[step])

    continued = {
        "inputs": inputs[STEPS:].tolist(),
        "targets": targets[STEPS:].tolist(),
        "weights": [weight.tolist() for weight in model.get_weights()],
    }
    (FOLDER / "continued.json").write_text(json.dumps(continued) + "\n")


def save_optimizer(model):
    """Adds to the model what `LayersModel.save` writes with `includeOptimizer`."""
    variables = {variable.name: variable.numpy() for variable in model.optimizer.variables}
    names = [weight.name.removesuffix(":0") for weight in model.trainable_weights]
    weights = [{"name": "iter", "data": np.array(variables["iteration:0"], np.int32)}]
    for suffix, plane in PLANES.items():
        for name in names:
            weights.append({"name": f"{name}/{suffix}", "data": variables[f"RMSprop/{plane}/{name}:0"]})
    (FOLDER / "optimizer").mkdir()
    [group] = write_weights([weights], FOLDER / "optimizer", write_manifest=False)

    config = model.optimizer.get_config()
    path = FOLDER / "model.json"
    artifacts = json.loads(path.read_text())
    artifacts["weightsManifest"].append(
        {
            "paths": [f"optimizer/{name}" for name in group["paths"]],
            "weights": [{**spec, "group": "optimizer"} for spec in group["weights"]],
        }
    )
    artifacts["trainingConfig"] = {
        "loss": "mean_squared_error",
        "metrics": [],
        "optimizer_config": {
            "class_name": "RMSProp",
            "config": {
                "learningRate": OPTIONS["learning_rate"],
                "decay": config["rho"],
                "momentum": config["momentum"],
                "epsilon": config["epsilon"],
                "centered": config["centered"],
            },
        },
    }
    path.write_text(json.dumps(artifacts) + "\n")


main()
