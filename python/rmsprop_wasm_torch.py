"""Checkpoints of rmsprop-wasm in PyTorch, both ways. Needs torch and safetensors.

    optimizer = load("run.safetensors", module)  # fills the module; gives its torch.optim.RMSprop, state and all
    ...                                          # train on
    save("run.safetensors", module, optimizer)   # for `restore` or `load` of rmsprop-wasm/checkpoint

Parameters are found by their names in `module.named_parameters()`. Under DistributedDataParallel hand in the module
inside it, load in every process, and save in one of them. Clipping and schedules of the learning rate are the caller's
in PyTorch: what the file says of them is kept for the way back. Running averages of the weights (`ema`) go on here.
A run with `scheduleFree` goes on in schedulefree's ScheduleFreeWrapper, in train mode, which `load` gives then and `save`
takes, also one that began here; decoupled weight decay is its `weight_decay_at_y`, and its warm-up is the caller's. Buffers, as
batch norm's, and parameters that the optimizer doesn't train travel with the file.
"""

import json
import os
import shutil

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
# The keys of a group that both sides know. Schedulers and users add more.
KEYS = {
    *OURS,
    *("k", "weight_sum", "lr_max"),
    *("lr", "momentum", "alpha", "eps", "centered", "weight_decay", "maximize", "capturable", "foreach", "differentiable"),
    "sparse",
}
# The settings of scheduleFree, and the wrapper's names for them.
AVERAGING = {"beta": "momentum", "r": "r", "weightLrPower": "weight_lr_power"}
VERSION = 1
FRESH = {"version": VERSION, "skippedSteps": 0, "isScheduled": False, "options": {}}


def load(path, module: torch.nn.Module) -> torch.optim.RMSprop:
    """Copies a file's parameters and buffers into the module, and makes the optimizer that goes on from its state."""
    with safe_open(path, "pt") as file:
        own, metadata = _own(file.metadata(), path)
        if own["options"].get("lr") == "auto":
            raise ValueError(f"{path} has a learned rate (lr: auto), which torch.optim.RMSprop doesn't have")
        names = [name for group in own["groups"] for name in group]
        carried = set(own.get("carried", {}).get("tensors", []))
        parameters = dict(module.named_parameters())
        targets = _all_tensors(module)
        _refuse_others("the file trains parameters that the module lacks", set(names) - set(parameters))
        _refuse_others("the module has parameters that the file lacks", set(parameters) - set(names) - carried)
        free = own["options"].get("scheduleFree")
        hyperparameters = [_hyperparameters(metadata, group[0], bool(free)) for group in own["groups"]]
        decay_at_y = _decay_at_y(hyperparameters) if free else 0.0
        optimizer = torch.optim.RMSprop(
            {"params": [parameters[name] for name in group], **values}
            for group, values in zip(own["groups"], hyperparameters)
        )
        values = {key: file.get_tensor(key) for key in file.keys()}
    state = {index: {} for index in range(len(names))}
    indices = {name: index for index, name in enumerate(names)}
    tensors, unclaimed = {}, {}
    for key, value in values.items():
        if key in indices or key in carried:
            if key in targets:
                tensors[key] = _like(targets[key], key, value)
            else:
                unclaimed[key] = value
        else:
            name, kind = key.removeprefix("state.").rsplit(".", 1)
            if kind == "row_steps":
                _refuse_behind(name, value, values[f"state.{name}.step"], metadata)
                continue
            state[indices[name]][kind] = value if kind == "step" else _like(parameters[name], key, value)
    # All shapes fit: nothing was changed before.
    with torch.no_grad():
        for key, value in tensors.items():
            targets[key].copy_(value)
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    optimizer.rmsprop_wasm = own
    optimizer.rmsprop_wasm_tensors = unclaimed
    ema = own["options"].get("ema")
    if ema:
        optimizer.register_step_post_hook(lambda *_: _average(optimizer, ema["decay"]))
    return _wrapped(optimizer, free, decay_at_y) if free else optimizer


def _wrapped(optimizer: torch.optim.RMSprop, free: dict, decay_at_y: float):
    """The wrapper of the package schedulefree, whose state is that of the optimizer inside: z, k, weight_sum and lr_max."""
    from schedulefree import ScheduleFreeWrapper

    settings = {argument: free[name] for name, argument in AVERAGING.items()}
    wrapper = ScheduleFreeWrapper(optimizer, weight_decay_at_y=decay_at_y, **settings)
    # The file's parameters are y: train() would take them for the averages.
    wrapper.train_mode = True
    return wrapper


def _decay_at_y(groups: list[dict]) -> float:
    """Takes the decoupled decay out of the groups, for the wrapper, which has one for all of them."""
    if any(values["weight_decay"] > 0 and not values["decoupled_weight_decay"] for values in groups):
        raise ValueError("schedulefree takes the coupled weight decay of the optimizer inside at z, rmsprop-wasm at y")
    decays = {values["weight_decay"] for values in groups}
    if len(decays) > 1:
        raise ValueError(f"schedulefree has one weight decay for all groups, the file {sorted(decays)}")
    for values in groups:
        values["weight_decay"] = 0.0
    return decays.pop()


def save(path, module: torch.nn.Module, optimizer: torch.optim.RMSprop) -> None:
    """Writes the file for the way back. Whoever opens the path meanwhile gets the old file or the new one."""
    if not getattr(optimizer, "train_mode", True):
        raise ValueError("the averages stand in for the parameters: call optimizer.train() first")
    wrapper = optimizer if hasattr(optimizer, "weight_decay_at_y") else None
    optimizer = wrapper.base if wrapper else optimizer
    if not isinstance(optimizer, torch.optim.RMSprop):
        raise TypeError(f"the optimizer is of {type(optimizer).__name__}, expected a torch.optim.RMSprop")
    own = getattr(optimizer, "rmsprop_wasm", FRESH)
    if wrapper:
        free = {"warmupSteps": 0, **own["options"].get("scheduleFree", {})}
        free.update((name, getattr(wrapper, argument)) for name, argument in AVERAGING.items())
        own = {**own, "options": {**own["options"], "scheduleFree": free}}
    elif own["options"].get("scheduleFree"):
        raise ValueError("the file had scheduleFree: hand in the ScheduleFreeWrapper that load gave, not the optimizer inside")
    names = {parameter: name for name, parameter in module.named_parameters()}
    for parameter in (parameter for group in optimizer.param_groups for parameter in group["params"]):
        if parameter not in names:
            shape = tuple(parameter.shape)
            raise ValueError(f"the optimizer trains a tensor of shape {shape} that isn't a parameter of the module")
    groups = [[names[parameter] for parameter in group["params"]] for group in optimizer.param_groups]
    metadata = {"format": "pt"}
    tensors = {}
    further = set()
    # A parameter that never had a gradient counts no steps.
    step = max((state["step"] for state in optimizer.state.values()), default=torch.tensor(0.0))
    for group in optimizer.param_groups:
        values = {**OURS, **group}
        if wrapper:
            if values["weight_decay"] > 0:
                raise ValueError("schedulefree takes the weight decay inside at z, rmsprop-wasm at y: use weight_decay_at_y")
            decay = wrapper.weight_decay_at_y
            values = {"weight_sum": 0.0, "lr_max": 0.0, "k": 0, **values}
            values.update(weight_decay=decay, decoupled_weight_decay=decay > 0)
            # Steps that the optimizer took before it was wrapped aren't any of the averages'.
            step = torch.tensor(float(values["k"]))
        # The names stand in the keys; with each of them, all of them would make a header that grows by the square.
        values.pop("param_names", None)
        parameters = values.pop("params")
        further.update(set(values) - KEYS)
        for parameter in parameters:
            name = names[parameter]
            tensors[name] = parameter
            tensors[f"state.{name}.step"] = step.clone()
            for kind, value in _state(parameter, optimizer.state.get(parameter, {}), values, own).items():
                tensors[f"state.{name}.{kind}"] = value
            for key, value in values.items():
                value = value.item() if torch.is_tensor(value) else value
                metadata[f"param_groups.{name}.{key}"] = json.dumps(value)
    carried = {name: value for name, value in _all_tensors(module).items() if name not in tensors}
    carried = {**getattr(optimizer, "rmsprop_wasm_tensors", {}), **carried}
    own = {key: value for key, value in own.items() if key != "carried"} | {"groups": groups}
    if carried or further:
        own["carried"] = {"tensors": sorted(carried), "keys": sorted(further)}
    metadata["rmsprop-wasm"] = json.dumps(own)
    tensors.update(carried)
    _write(path, {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}, metadata)


def _own(metadata: dict | None, path) -> tuple[dict, dict]:
    """What rmsprop-wasm says of its file, and all metadata."""
    if "rmsprop-wasm" not in (metadata or {}):
        raise ValueError(
            f"{path} has no metadata of rmsprop-wasm: it holds weights alone, or another program's state. Load it by "
            "safetensors.torch.load_model, and make a new torch.optim.RMSprop"
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


def _buffers(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The buffers that a state dict has: some are marked as not to be saved."""
    kept = module.state_dict().keys()
    return {name: buffer for name, buffer in module.named_buffers() if name in kept}


def _all_tensors(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {**dict(module.named_parameters()), **_buffers(module)}


def _refuse_others(what: str, names: set[str]) -> None:
    if names:
        shown = sorted(names)[:8] + (["…"] if len(names) > 8 else [])
        raise ValueError(f"{what}: {', '.join(shown)} ({len(names)} in all)")


def _hyperparameters(metadata: dict, name: str, is_free: bool) -> dict:
    """What the file says of a parameter's group. PyTorch keeps what it doesn't know, for the way back."""
    prefix = f"param_groups.{name}."
    values = {key.removeprefix(prefix): json.loads(text) for key, text in metadata.items() if key.startswith(prefix)}
    values = {key: value for key, value in values.items() if "." not in key}
    if values.get("rowwise_state"):
        raise ValueError(f"{name} was trained with rowwise_state, which torch.optim.RMSprop doesn't have")
    matters = {"decoupled_weight_decay": values["weight_decay"] > 0 and not is_free, "lr_in_momentum": values["momentum"] > 0}
    for key in ("eps_inside_sqrt", "decoupled_weight_decay", "lr_in_momentum", "nesterov", "bias_correction"):
        if values[key] and matters.get(key, True):
            raise ValueError(f"{name} was trained with {key}, which torch.optim.RMSprop doesn't have")
    return values


def _refuse_behind(name: str, row_steps: torch.Tensor, step: torch.Tensor, metadata: dict) -> None:
    """Steps that rows have missed are made good by rmsprop-wasm alone. Lazy rows stand still, here too."""
    # In a group of more than a thousand, the first one may stand for all.
    group = next(names for names in json.loads(metadata["rmsprop-wasm"])["groups"] if name in names)
    is_lazy = metadata.get(f"param_groups.{group[0]}.sparse") == '"lazy"'
    if not is_lazy and int(row_steps.to(torch.int64).min()) < int(step):
        raise ValueError(f"rows of {name} have missed steps of rmsprop-wasm: call catchUp() before it saves")


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
    if own["options"].get("scheduleFree"):
        fresh["z"] = parameter.clone()
    return {kind: state.get(kind, value) for kind, value in fresh.items()}


@torch.no_grad()
def _average(optimizer: torch.optim.RMSprop, decay: float) -> None:
    """As rmsprop-wasm does it: the first step takes the weights themselves."""
    for parameter, state in optimizer.state.items():
        state["ema"].lerp_(parameter, 1.0 if state["step"] == 1 else 1 - decay)
