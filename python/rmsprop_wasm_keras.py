"""Checkpoints of rmsprop-wasm in Keras 3, both ways, on any of its backends. Needs keras and safetensors.

    optimizer = load("run.safetensors", model)  # fills the model; gives its keras.optimizers.RMSprop, state and all
    model.compile(optimizer, ...)               # train on
    save("run.safetensors", model, optimizer)   # for `restore` or `load` of rmsprop-wasm/checkpoint

Keras has one group of parameters, and computes with epsilon inside the root, the rate inside the momentum and decoupled
weight decay: make the optimizer in JavaScript with `{ ...dialects.keras }`. Variables are found by their paths, as
"sequential/dense/kernel", or by `names`, one for each of `model.trainable_variables`.
"""

import json
import os

import keras
import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

# Where Keras keeps what PyTorch calls so.
STATE = {
    "square_avg": "_velocities",
    "momentum_buffer": "_momentums",
    "grad_avg": "_average_gradients",
    "ema": "_model_variables_moving_average",
}
# How Keras computes, in options that it doesn't have.
KERAS = {
    "eps_inside_sqrt": True,
    "decoupled_weight_decay": True,
    "lr_in_momentum": True,
    "nesterov": False,
    "bias_correction": False,
    "maximize": False,
}
FRESH = {"version": 1, "skippedSteps": 0, "isScheduled": False, "options": {}}


def load(path, model: keras.Model, names: list[str] | None = None) -> keras.optimizers.RMSprop:
    """Copies a file's parameters into the model, and makes the optimizer that goes on from its state."""
    variables = model.trainable_variables
    names = names or [variable.path for variable in variables]
    with safe_open(path, "numpy") as file:
        metadata = file.metadata()
        own = json.loads(metadata["rmsprop-wasm"])
        if len(own["groups"]) != 1 or set(own["groups"][0]) != set(names):
            raise ValueError(f"the file has {own['groups']}, expected one group of {names}")
        optimizer = _optimizer(_hyperparameters(metadata, names[0]), own["options"])
        optimizer.build(variables)
        optimizer.rmsprop_wasm = own
        optimizer.iterations.assign(int(file.get_tensor(f"state.{names[0]}.step")))
        for kind, copies in _state(optimizer, variables).items():
            for name, copy in zip(names, copies):
                value = file.get_tensor(f"state.{name}.{kind}" if kind else name)
                copy.assign(value.reshape(copy.shape))
    return optimizer


def save(path, model: keras.Model, optimizer: keras.optimizers.RMSprop, names: list[str] | None = None) -> None:
    """Writes the file for the way back. Whoever opens the path meanwhile gets the old file or the new one."""
    variables = model.trainable_variables
    names = names or [variable.path for variable in variables]
    own = {**getattr(optimizer, "rmsprop_wasm", FRESH), "groups": [names]}
    own["options"] = {**own["options"], "globalClipNorm": optimizer.global_clipnorm}
    if optimizer.use_ema:
        own["options"]["ema"] = {"decay": optimizer.ema_momentum}
    values = {
        **KERAS,
        # A float32 there: the shortest decimal that means it is what it was given.
        "lr": float(str(np.float32(keras.ops.convert_to_numpy(optimizer.learning_rate)))),
        "alpha": optimizer.rho,
        "eps": optimizer.epsilon,
        "momentum": optimizer.momentum,
        "centered": optimizer.centered,
        "weight_decay": optimizer.weight_decay or 0.0,
        "initial_square_avg": 0.0,
        "clip_value": optimizer.clipvalue,
        "clip_norm": optimizer.clipnorm,
    }
    metadata = {"format": "pt", "rmsprop-wasm": json.dumps(own)}
    tensors = {}
    for name in names:
        tensors[f"state.{name}.step"] = np.float32(int(optimizer.iterations))
        for key, value in values.items():
            metadata[f"param_groups.{name}.{key}"] = json.dumps(value)
    for kind, copies in _state(optimizer, variables).items():
        for name, copy in zip(names, copies):
            tensors[f"state.{name}.{kind}" if kind else name] = copy.numpy()
    save_file({key: np.asarray(tensor, order="C") for key, tensor in tensors.items()}, f"{path}.tmp", metadata)
    os.replace(f"{path}.tmp", path)


def _state(optimizer: keras.optimizers.RMSprop, variables: list) -> dict[str, list]:
    """Lists of one variable for each parameter, by what PyTorch calls them; the parameters themselves by no name."""
    found = {kind: getattr(optimizer, attribute, []) for kind, attribute in STATE.items()}
    return {"": variables, **{kind: copies for kind, copies in found.items() if copies}}


def _hyperparameters(metadata: dict, name: str) -> dict:
    prefix = f"param_groups.{name}."
    values = {key.removeprefix(prefix): json.loads(text) for key, text in metadata.items() if key.startswith(prefix)}
    matters = {"decoupled_weight_decay": values["weight_decay"] > 0, "lr_in_momentum": values["momentum"] > 0}
    for key, expected in KERAS.items():
        if values[key] != expected and matters.get(key, True):
            raise ValueError(f"{name} was trained with {key} {values[key]}; Keras computes with {expected}")
    return values


def _optimizer(values: dict, options: dict) -> keras.optimizers.RMSprop:
    ema = options.get("ema")
    return keras.optimizers.RMSprop(
        learning_rate=values["lr"],
        rho=values["alpha"],
        momentum=values["momentum"],
        epsilon=values["eps"],
        centered=values["centered"],
        weight_decay=values["weight_decay"] or None,
        clipvalue=values["clip_value"],
        clipnorm=values["clip_norm"],
        global_clipnorm=options.get("globalClipNorm"),
        use_ema=ema is not None,
        **({"ema_momentum": ema["decay"]} if ema else {}),
    )
