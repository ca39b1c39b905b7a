"""Checkpoints of rmsprop-wasm in PyTorch, both ways. Needs torch and safetensors.

    optimizer = load("run.safetensors", module)  # fills the module; gives its torch.optim.RMSprop, state and all
    ...                                          # train on
    save("run.safetensors", module, optimizer)   # for `restore` or `load` of rmsprop-wasm/checkpoint

Parameters are found by their names in `module.named_parameters()`. Under DistributedDataParallel hand in the module
inside it, load in every process, and save in one of them. Clipping and schedules of the learning rate are the caller's
in PyTorch: what the file says of them is kept for the way back. Running averages of the weights (`ema`) go on here.
"""

import json
import os

import torch
from safetensors import safe_open
from safetensors.torch import save_file

# What rmsprop-wasm has and torch.optim.RMSprop hasn't, as it is when both compute the same.
OURS = {
    "eps_inside_sqrt": False,
    "decoupled_weight_decay": False,
    "lr_in_momentum": False,
    "nesterov": False,
    "bias_correction": False,
    "initial_square_avg": 0.0,
    "clip_value": None,
    "clip_norm": None,
}
FRESH = {"version": 1, "skippedSteps": 0, "isScheduled": False, "options": {}}


def load(path, module: torch.nn.Module) -> torch.optim.RMSprop:
    """Copies a file's parameters into the module, and makes the optimizer that goes on from its state."""
    parameters = dict(module.named_parameters())
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
        own = json.loads(metadata["rmsprop-wasm"])
        names = [name for group in own["groups"] for name in group]
        if set(names) != set(parameters):
            raise ValueError(f"the file has {sorted(names)}, the module {sorted(parameters)}")
        optimizer = torch.optim.RMSprop(
            {"params": [parameters[name] for name in group], **_hyperparameters(metadata, group[0])}
            for group in own["groups"]
        )
        state = {index: {} for index in range(len(names))}
        for key in file.keys():
            if key in parameters:
                with torch.no_grad():
                    parameters[key].copy_(_like(parameters[key], key, file.get_tensor(key)))
            else:
                name, kind = key.removeprefix("state.").rsplit(".", 1)
                value = file.get_tensor(key)
                state[names.index(name)][kind] = value if kind == "step" else _like(parameters[name], key, value)
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    optimizer.rmsprop_wasm = own
    ema = own["options"].get("ema")
    if ema:
        optimizer.register_step_post_hook(lambda *_: _average(optimizer, ema["decay"]))
    return optimizer


def save(path, module: torch.nn.Module, optimizer: torch.optim.RMSprop) -> None:
    """Writes the file for the way back. Whoever opens the path meanwhile gets the old file or the new one."""
    own = getattr(optimizer, "rmsprop_wasm", FRESH)
    names = {parameter: name for name, parameter in module.named_parameters()}
    groups = [[names[parameter] for parameter in group["params"]] for group in optimizer.param_groups]
    metadata = {"format": "pt", "rmsprop-wasm": json.dumps({**own, "groups": groups})}
    tensors = {}
    # A parameter that never had a gradient counts no steps.
    step = max((state["step"] for state in optimizer.state.values()), default=torch.tensor(0.0))
    for group in optimizer.param_groups:
        values = {**OURS, **group}
        for parameter in values.pop("params"):
            name = names[parameter]
            tensors[name] = parameter
            tensors[f"state.{name}.step"] = step.clone()
            for kind, value in _state(parameter, optimizer.state.get(parameter, {}), values, own).items():
                tensors[f"state.{name}.{kind}"] = value
            for key, value in values.items():
                value = value.item() if torch.is_tensor(value) else value
                metadata[f"param_groups.{name}.{key}"] = json.dumps(value)
    save_file({key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}, f"{path}.tmp", metadata)
    os.replace(f"{path}.tmp", path)


def _hyperparameters(metadata: dict, name: str) -> dict:
    """What the file says of a parameter's group. PyTorch keeps what it doesn't know, for the way back."""
    prefix = f"param_groups.{name}."
    values = {key.removeprefix(prefix): json.loads(text) for key, text in metadata.items() if key.startswith(prefix)}
    values = {key: value for key, value in values.items() if "." not in key}
    matters = {"decoupled_weight_decay": values["weight_decay"] > 0, "lr_in_momentum": values["momentum"] > 0}
    for key in ("eps_inside_sqrt", "decoupled_weight_decay", "lr_in_momentum", "nesterov", "bias_correction"):
        if values[key] and matters.get(key, True):
            raise ValueError(f"{name} was trained with {key}, which torch.optim.RMSprop doesn't have")
    return values


def _like(parameter: torch.Tensor, key: str, value: torch.Tensor) -> torch.Tensor:
    """In the parameter's shape, which a tensor that was given flat doesn't have."""
    if value.shape != parameter.shape and value.shape != (parameter.numel(),):
        raise ValueError(f"{key} has shape {tuple(value.shape)}, expected {tuple(parameter.shape)}")
    return value.view_as(parameter)


def _state(parameter: torch.Tensor, state: dict, values: dict, own: dict) -> dict:
    """What the other side keeps of a parameter, whether it has had a gradient here or not."""
    fresh = {"square_avg": torch.full_like(parameter, values["initial_square_avg"])}
    if values["momentum"] > 0:
        fresh["momentum_buffer"] = torch.zeros_like(parameter)
    if values["centered"]:
        fresh["grad_avg"] = torch.zeros_like(parameter)
    if own["options"].get("ema"):
        fresh["ema"] = parameter.clone()
    return {kind: state.get(kind, value) for kind, value in fresh.items()}


@torch.no_grad()
def _average(optimizer: torch.optim.RMSprop, decay: float) -> None:
    """As rmsprop-wasm does it: the first step takes the weights themselves."""
    for parameter, state in optimizer.state.items():
        state["ema"].lerp_(parameter, 1.0 if state["step"] == 1 else 1 - decay)
