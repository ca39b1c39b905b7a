"""PyTorch's jobs with checkpoints, as JSON on stdin, each by the name of its function here."""

import ast
import importlib.util
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "test" / "golden")]

import inputs  # noqa: E402
import rmsprop_wasm_torch as checkpoint  # noqa: E402
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


def train(target: str, start: int, end: int, source: str | None = None, arguments: dict = {}) -> None:
    """Steps from a checkpoint, or from the beginning, to a checkpoint."""
    module = Pair()
    optimizer = checkpoint.load(source, module) if source else torch.optim.RMSprop(module.parameters(), **arguments)
    advance(module, optimizer, start, end)
    checkpoint.save(target, module, optimizer)


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


def write_dtypes(target: str) -> str:
    """All there is of the small types, and doubles of every size; gives the same as float32, by PyTorch."""
    words = torch.arange(2**16, dtype=torch.int32).to(torch.uint16)
    doubles = torch.randn(2**16, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    doubles *= 2.0 ** torch.linspace(-150, 130, 2**16, dtype=torch.float64)
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
