"""PyTorch's jobs with checkpoints, as JSON on stdin, each by the name of its function here."""

import ast
import base64
import importlib.util
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "test" / "golden")]

import inputs  # noqa: E402
import rmsprop_wasm_torch as checkpoint  # noqa: E402
import safetensors  # noqa: E402
import safetensors.torch  # noqa: E402
import torch  # noqa: E402
from torch.distributed.checkpoint import state_dict as distributed  # noqa: E402

FLATTENED = distributed.StateDictOptions(flatten_optimizer_state_dict=True)


def split(row) -> list[torch.Tensor]:
    return list(torch.tensor(row).split(list(inputs.TENSOR_SIZES)))


class Pair(torch.nn.Module):
    """The two tensors of the golden vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = map(torch.nn.Parameter, split(inputs.parameters()))


GRADIENTS = list(map(split, inputs.gradients("ordinary")))


def advance(module: Pair, optimizer: torch.optim.Optimizer, start: int, end: int) -> None:
    for step in range(start, end):
        for parameter, gradient in zip(module.parameters(), GRADIENTS[step]):
            parameter.grad = gradient.clone()
        optimizer.step()


def train(
    target: str, start: int, end: int, source: str | None = None, arguments: dict = {}, free: dict | None = None
) -> list[float] | None:
    """Steps from a checkpoint, or from the beginning, to a checkpoint; gives the averages that schedulefree evaluates with."""
    module = Pair()
    optimizer = checkpoint.load(source, module) if source else torch.optim.RMSprop(module.parameters(), **arguments)
    if free is not None and not source:
        optimizer = free_around(module, optimizer, free)
    advance(module, optimizer, start, end)
    checkpoint.save(target, module, optimizer)
    if free is None:
        return None
    optimizer.eval()
    return torch.cat([parameter.detach() for parameter in module.parameters()]).tolist()


def free_around(module: Pair, optimizer: torch.optim.RMSprop, free: dict):
    """schedulefree's wrapper. RMSprop makes its averages while it has no state, which z would be: a step of zeros goes before."""
    from schedulefree import ScheduleFreeWrapper

    for parameter in module.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    wrapper = ScheduleFreeWrapper(optimizer, **free)
    wrapper.train()
    return wrapper


def refuse_free(source: str, target: str) -> dict[str, str]:
    """What the script says to a run with scheduleFree that can't be saved as it is."""
    module = Pair()
    wrapper = checkpoint.load(source, module)
    said = {}

    def note(name: str, job) -> None:
        try:
            job()
            said[name] = "nothing"
        except ValueError as error:
            said[name] = str(error)

    note("inside", lambda: checkpoint.save(target, module, wrapper.base))
    wrapper.eval()
    note("evaluating", lambda: checkpoint.save(target, module, wrapper))
    wrapper.train()
    wrapper.param_groups[0]["weight_decay"] = 0.5
    note("decay", lambda: checkpoint.save(target, module, wrapper))
    return said


def read_table(source: str, target: str) -> str | None:
    """A file with a table `e` there and back; what the script says where it refuses it."""
    module = torch.nn.Module()
    module.e = torch.nn.Parameter(torch.zeros(5, 3))
    try:
        checkpoint.save(target, module, checkpoint.load(source, module))
    except ValueError as error:
        return str(error)
    return None


def train_by_names(source: str, target: str, start: int, end: int) -> None:
    """The same with PyTorch's own functions, which know nothing of us: the keys alone do it."""
    tensors = safetensors.torch.load_file(source)
    with safetensors.safe_open(source, "pt") as file:
        metadata = file.metadata()
    flat = {key: json.loads(text) for key, text in metadata.items() if key.startswith("param_groups.")}
    flat.update((key, tensor) for key, tensor in tensors.items() if key.startswith("state."))
    module = Pair()
    module.load_state_dict({key: tensor for key, tensor in tensors.items() if not key.startswith("state.")})
    groups = flat["param_groups.first.momentum"], flat["param_groups.first.centered"]
    optimizer = torch.optim.RMSprop(module.parameters(), momentum=groups[0], centered=groups[1])
    distributed.set_optimizer_state_dict(module, optimizer, flat, options=FLATTENED)
    advance(module, optimizer, start, end)
    flat = distributed.get_optimizer_state_dict(module, optimizer, options=FLATTENED)
    tensors = {key: value.contiguous() for key, value in flat.items() if torch.is_tensor(value)}
    metadata = {key: json.dumps(value) for key, value in flat.items() if not torch.is_tensor(value)}
    safetensors.torch.save_file({**module.state_dict(), **tensors}, target, metadata)


def lerobot() -> dict:
    """LeRobot's own functions, out of its package: to import them would take gigabytes that they don't need."""
    package = pathlib.Path(importlib.util.find_spec("lerobot").origin).parent
    wanted = {
        "optim/optimizers.py": ["_save_single_optimizer_state", "_load_single_optimizer_state"],
        "datasets/utils.py": ["flatten_dict", "unflatten_dict", "write_json"],
        "utils/io_utils.py": ["deserialize_json_into_object"],
        "utils/constants.py": ["OPTIMIZER_STATE", "OPTIMIZER_PARAM_GROUPS"],
    }
    scope = {**vars(safetensors.torch), "torch": torch, "json": json, "Path": pathlib.Path, "Any": object, "T": object}
    for path, names in wanted.items():
        tree = ast.parse((package / path).read_text())
        tree.body = [
            node
            for node in tree.body
            if getattr(node, "name", None) in names
            or (isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None) in names)
        ]
        exec(compile(tree, path, "exec"), scope)
    return scope


def train_by_lerobot(source: str, target: str, start: int, end: int, arguments: dict) -> None:
    """From LeRobot's files to LeRobot's files, in folders."""
    functions = lerobot()
    source, target = pathlib.Path(source), pathlib.Path(target)
    module = Pair()
    module.load_state_dict(safetensors.torch.load_file(source / "model.safetensors"))
    optimizer = torch.optim.RMSprop(module.parameters(), **arguments)
    functions["_load_single_optimizer_state"](optimizer, source)
    advance(module, optimizer, start, end)
    functions["_save_single_optimizer_state"](optimizer, target)
    safetensors.torch.save_file(module.state_dict(), target / "model.safetensors")


def read(source: str) -> dict:
    """What the safetensors library finds in a file."""
    with safetensors.safe_open(source, "pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}
        return {
            "metadata": file.metadata(),
            "tensors": {
                key: {
                    "dtype": str(tensor.dtype),
                    "shape": list(tensor.shape),
                    "hex": tensor.contiguous().view(torch.uint8).numpy().tobytes().hex() if tensor.dim() else None,
                    "value": None if tensor.dim() else tensor.item(),
                }
                for key, tensor in tensors.items()
            },
        }


def judge(files: list[str]) -> list:
    """What the reference makes of files: the tensors of each, or its error."""
    judged = []
    for file in files:
        try:
            tensors = safetensors.deserialize(base64.b64decode(file))
        except safetensors.SafetensorError as error:
            judged.append(str(error))
        else:
            judged.append({key: [info["dtype"], info["shape"], bytes(info["data"]).hex()] for key, info in tensors})
    return judged


class Normed(torch.nn.Module):
    """Batch norm, whose buffers no optimizer trains; a frozen layer; and a buffer that isn't saved."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Linear(3, 4)
        self.norm = torch.nn.BatchNorm1d(4)
        self.frozen = torch.nn.Linear(4, 2).requires_grad_(False)
        self.register_buffer("scratch", torch.zeros(1), persistent=False)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return self.frozen(self.norm(self.first(values)))


def train_normed(target: str, source: str | None = None, schedule: bool = False) -> dict:
    """Three steps from a file, or from the beginning; gives what the file should have brought, and what there is then."""
    torch.manual_seed(2 if source else 1)
    module = Normed()
    if source:
        optimizer = checkpoint.load(source, module)
    else:
        optimizer = torch.optim.RMSprop((p for p in module.parameters() if p.requires_grad), lr=0.01, momentum=0.9)
    if schedule:
        scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=9)
    before = _hex(module)
    for _ in range(3):
        module(torch.randn(8, 3)).square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        if schedule:
            scheduler.step()
    checkpoint.save(target, module, optimizer)
    groups = [{key: value for key, value in group.items() if key != "params"} for group in optimizer.param_groups]
    return {"before": before, "after": _hex(module), "groups": groups}


def _hex(module: torch.nn.Module) -> dict[str, str]:
    return {key: value.contiguous().numpy().tobytes().hex() for key, value in module.state_dict().items()}


def save_named(target: str, count: int) -> None:
    """An optimizer made of `named_parameters()`: its groups have lists of all their names."""
    module = torch.nn.ParameterDict({f"a_name_of_usual_length_{i}": torch.ones(1) for i in range(count)})
    checkpoint.save(target, module, torch.optim.RMSprop(module.named_parameters(), lr=0.5))


def failures(folder: str, file: str) -> dict[str, str]:
    """What the script says to bad use, and whether it left the module alone."""
    folder = pathlib.Path(folder)
    module, other = Normed(), torch.nn.Linear(3, 4)
    optimizer = torch.optim.RMSprop(module.parameters())
    safetensors.torch.save_file(module.state_dict(), folder / "weights.safetensors")
    with safetensors.safe_open(file, "pt") as opened:
        metadata = opened.metadata()
        tensors = {key: opened.get_tensor(key) for key in opened.keys()}
    newer = {**metadata, "rmsprop-wasm": json.dumps({**json.loads(metadata["rmsprop-wasm"]), "version": 2})}
    safetensors.torch.save_file(tensors, folder / "newer.safetensors", newer)
    reshaped = {**tensors, "norm.bias": torch.zeros(9)}
    safetensors.torch.save_file(reshaped, folder / "reshaped.safetensors", metadata)
    before = _hex(module)
    jobs = {
        "adam": lambda: checkpoint.save(folder / "none", module, torch.optim.Adam(module.parameters())),
        "other module": lambda: checkpoint.save(folder / "none", other, optimizer),
        "weights": lambda: checkpoint.load(folder / "weights.safetensors", module),
        "newer": lambda: checkpoint.load(folder / "newer.safetensors", module),
        "reshaped": lambda: checkpoint.load(folder / "reshaped.safetensors", module),
        "other": lambda: checkpoint.load(file, other),
    }
    said = {}
    for name, job in jobs.items():
        try:
            job()
            said[name] = "nothing"
        except Exception as error:
            said[name] = f"{type(error).__name__}: {error}"
    said["changed"] = _hex(module) != before
    return said


def write_dtypes(target: str) -> str:
    """All there is of the small types, and doubles of every size that float32 has; gives the same as float32, by PyTorch."""
    words = torch.arange(2**16, dtype=torch.int32).to(torch.uint16)
    doubles = torch.randn(2**16, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    doubles *= 2.0 ** torch.linspace(-150, 120, 2**16, dtype=torch.float64)
    tensors = {"half": words.view(torch.float16), "brain": words.view(torch.bfloat16), "double": doubles}
    state = {f"state.{name}.square_avg": tensor for name, tensor in tensors.items()}
    steps = {f"state.{name}.step": torch.tensor(3, dtype=tensor.dtype) for name, tensor in tensors.items()}
    everything = {**tensors, **state, **steps}
    safetensors.torch.save_file({key: tensor.clone() for key, tensor in everything.items()}, target)
    return torch.cat([tensor.float() for tensor in tensors.values()]).numpy().tobytes().hex()


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name, arguments in json.load(sys.stdin):
        print(json.dumps(globals()[name](**arguments)))
