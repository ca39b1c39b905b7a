"""PyTorch's side of the bench: reads one JSON command a line, answers each with one line of JSON."""

import ctypes
import json
import sys
import time

import torch

torch.set_num_threads(1)


def hash32(x):
    """The same integers as `hash` of work.ts."""
    for _ in range(2):
        x = ((x ^ (x >> 16)) * 0x45D9F3B) & 0xFFFFFFFF
    return x ^ (x >> 16)


def uniform(count, offset):
    return hash32(2 * torch.arange(count) + offset).double() / 2**32 - 0.5


class Runner:
    def __init__(self, work, hasGradients, squareAvg, hyperparameters):
        tensors, size = work["tensors"], work["size"]
        count = tensors * size
        self.start = uniform(count, 0).float()
        grad = uniform(count, 1)
        grad = (grad + grad.sign() / 16).float() if hasGradients else torch.zeros(count)
        self.params = [torch.zeros(size, requires_grad=True) for _ in range(tensors)]
        for param, part in zip(self.params, grad.split(size)):
            param.grad = part.clone()
        self.size = size
        self.square_avg = squareAvg
        self.options = {"weight_decay": hyperparameters.pop("weightDecay"), **hyperparameters}
        self.optimizer = min((self.make(foreach) for foreach in (False, True)), key=self.trial)

    def make(self, foreach):
        return torch.optim.RMSprop(self.params, foreach=foreach, **self.options)

    def trial(self, optimizer):
        optimizer.step()
        times = []
        for _ in range(5):
            start = time.perf_counter_ns()
            optimizer.step()
            times.append(time.perf_counter_ns() - start)
        return min(times)

    def reset(self):
        with torch.no_grad():
            for param, part in zip(self.params, self.start.split(self.size)):
                param.copy_(part)
                state = self.optimizer.state[param]
                state["square_avg"].fill_(self.square_avg)
                for name in ("momentum_buffer", "grad_avg"):
                    if name in state:
                        state[name].zero_()

    def time(self, steps):
        step = self.optimizer.step
        start = time.perf_counter_ns()
        for _ in range(steps):
            step()
        return {"nanoseconds": time.perf_counter_ns() - start}

    def read(self, path):
        values = torch.cat([param.detach() for param in self.params])
        with open(path, "wb") as file:
            file.write(ctypes.string_at(values.data_ptr(), values.numel() * 4))


runners = {}
for line in sys.stdin:
    command = json.loads(line)
    name, runner = command.pop("do"), command.pop("runner")
    answer = None
    if name == "prepare":
        runners[runner] = Runner(**command)
    elif name == "dispose":
        del runners[runner]
    else:
        answer = getattr(runners[runner], name)(**command)
    print(json.dumps(answer or {}), flush=True)
