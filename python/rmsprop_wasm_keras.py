"""Checkpoints of rmsprop-wasm in Keras 3, both ways, on any of its backends. Needs keras and safetensors.

    optimizer = load("run.safetensors", model)  # fills the model; gives its keras.optimizers.RMSprop, state and all
    model.compile(optimizer, ...)               # train on
    save("run.safetensors", model, optimizer)   # for `restore` or `load` of rmsprop-wasm/checkpoint

Keras has one group of parameters, and computes with epsilon inside the root, the rate inside the momentum and decoupled
weight decay: make the optimizer in JavaScript with `{ ...dialects.keras }`. Variables are found by their paths, as
"sequential/dense/kernel", or by `names`, one for each of `model.trainable_variables`. Variables that aren't trained, as
batch norm's averages and frozen layers, travel with the file.
"""

import json
import os
import shutil

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
VERSION = 1
FRESH = {"version": VERSION, "skippedSteps": 0, "isScheduled": False, "options": {}}


def load(path, model: keras.Model, names: list[str] | None = None) -> keras.optimizers.RMSprop:
    """Copies a file's parameters into the model, and makes the optimizer that goes on from its state."""
    variables = model.trainable_variables
    names = names or [variable.path for variable in variables]
    with safe_open(path, "numpy") as file:
        own, metadata = _own(file.metadata(), path)
        _refuse_foreign_runs(path, own["options"])
        if len(own["groups"]) != 1 or set(own["groups"][0]) != set(names):
            raise ValueError(f"the file has {own['groups']}, expected one group of {names}")
        values = _hyperparameters(metadata, own["groups"][0][0])  # in a group of more than a thousand, it stands for all
        optimizer = _optimizer(values, own["options"])
        optimizer.build(variables)
        optimizer.rmsprop_wasm = own
        carried = {name: file.get_tensor(name) for name in own.get("carried", {}).get("tensors", [])}
        others = _others(model)
        for name in carried.keys() & others.keys():
            others[name].assign(carried.pop(name).reshape(others[name].shape))
        optimizer.rmsprop_wasm_tensors = carried
        optimizer.rmsprop_wasm_keys = {key: values[key] for key in own.get("carried", {}).get("keys", []) if key in values}
        steps = int(file.get_tensor(f"state.{names[0]}.step"))
        if values.get("sparse") != "lazy":
            _refuse_behind(file, names, steps)
        optimizer.iterations.assign(steps)
        for kind, copies in _state(optimizer, variables).items():
            for name, copy in zip(names, copies):
                value = file.get_tensor(f"state.{name}.{kind}" if kind else name)
                copy.assign(value.reshape(copy.shape))
    return optimizer


def save(path, model: keras.Model, optimizer: keras.optimizers.RMSprop, names: list[str] | None = None) -> None:
    """Writes the file for the way back. Whoever opens the path meanwhile gets the old file or the new one."""
    if not isinstance(optimizer, keras.optimizers.RMSprop):
        raise TypeError(f"the optimizer is of {type(optimizer).__name__}, expected a keras.optimizers.RMSprop")
    variables = model.trainable_variables
    names = names or [variable.path for variable in variables]
    own = {**getattr(optimizer, "rmsprop_wasm", FRESH), "groups": [names]}
    own["options"] = {**own["options"], "globalClipNorm": optimizer.global_clipnorm}
    if optimizer.use_ema:
        own["options"]["ema"] = {"decay": optimizer.ema_momentum}
    further = getattr(optimizer, "rmsprop_wasm_keys", {})
    values = {
        **further,
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
    tensors = {**getattr(optimizer, "rmsprop_wasm_tensors", {}), **_others(model)}
    tensors = {name: keras.ops.convert_to_numpy(value) for name, value in tensors.items() if name not in names}
    own.pop("carried", None)
    if tensors or further:
        own["carried"] = {"tensors": sorted(tensors), "keys": sorted(further)}
    metadata = {"format": "pt", "rmsprop-wasm": json.dumps(own)}
    # A float32 has all whole numbers up to 2 ** 24.
    step = int(optimizer.iterations)
    step = np.float32(step) if step <= 2**24 else np.float64(step)
    for name in names:
        tensors[f"state.{name}.step"] = step
        for key, value in values.items():
            metadata[f"param_groups.{name}.{key}"] = json.dumps(value)
    for kind, copies in _state(optimizer, variables).items():
        for name, copy in zip(names, copies):
            tensors[f"state.{name}.{kind}" if kind else name] = copy.numpy()
    _write(path, {key: np.asarray(tensor, order="C") for key, tensor in tensors.items()}, metadata)


def _own(metadata: dict | None, path) -> tuple[dict, dict]:
    """What rmsprop-wasm says of its file, and all metadata."""
    if "rmsprop-wasm" not in (metadata or {}):
        raise ValueError(
            f"{path} has no metadata of rmsprop-wasm: it holds weights alone, or another program's state. Fill the "
            "model from it yourself, and make a new keras.optimizers.RMSprop"
        )
    own = json.loads(metadata["rmsprop-wasm"])
    if own["version"] != VERSION:
        raise ValueError(f"{path} is of version {own['version']}, expected {VERSION}: take the newer script beside it")
    return own, metadata


def _write(path, tensors: dict, metadata: dict) -> None:
    """Puts the file in the old one's place, with its mode; a link stays."""
    target = os.path.realpath(path)
    save_file(tensors, f"{target}.tmp", metadata)
    if os.path.exists(target):
        shutil.copymode(target, f"{target}.tmp")
    os.replace(f"{target}.tmp", target)


def _others(model: keras.Model) -> dict:
    """The variables that aren't trained, by their paths."""
    return {variable.path: variable for variable in model.non_trainable_variables}


def _state(optimizer: keras.optimizers.RMSprop, variables: list) -> dict[str, list]:
    """Lists of one variable for each parameter, by what PyTorch calls them; the parameters themselves by no name."""
    found = {kind: getattr(optimizer, attribute, []) for kind, attribute in STATE.items()}
    return {"": variables, **{kind: copies for kind, copies in found.items() if copies}}


def _refuse_foreign_runs(path, options: dict) -> None:
    """Parameters and averages of these runs mean something else than Keras would take them for."""
    if options.get("lr") == "auto":
        raise ValueError(f"{path} has a learned rate (lr: auto), which Keras doesn't have")
    if options.get("scheduleFree"):
        raise ValueError(f"{path} has scheduleFree, which Keras doesn't have: save its params after eval() as weights")


def _refuse_behind(file, names: list[str], steps: int) -> None:
    """Steps that rows have missed are made good by rmsprop-wasm alone. Lazy rows stand still, here too."""
    for name in names:
        key = f"state.{name}.row_steps"
        if key in file.keys() and int(file.get_tensor(key).min()) < steps:
            raise ValueError(f"rows of {name} have missed steps of rmsprop-wasm: call catchUp() before it saves")


def _hyperparameters(metadata: dict, name: str) -> dict:
    prefix = f"param_groups.{name}."
    values = {key.removeprefix(prefix): json.loads(text) for key, text in metadata.items() if key.startswith(prefix)}
    matters = {"decoupled_weight_decay": values["weight_decay"] > 0, "lr_in_momentum": values["momentum"] > 0}
    if values.get("rowwise_state"):
        raise ValueError(f"{name} was trained with rowwise_state, which Keras doesn't have")
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
