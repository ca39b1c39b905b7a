"""PyTorch's side of the bench: reads one JSON command a line, answers each with one line of JSON."""

import ctypes
import json
import sys
import time

import torch

torch.set_num_threads(int(sys.argv[1]))


def hash32(x):
    """The same integers as `hash` of work.ts."""
    for _ in range(2):
        x = ((x ^ (x >> 16)) * 0x45D9F3B) & 0xFFFFFFFF
    return x ^ (x >> 16)


def uniform(count, offset):
    return hash32(2 * torch.arange(count) + offset).double() / 2**32 - 0.5


def clipping(params, max_norm, foreach):
    return lambda: torch.nn.utils.clip_grad_norm_(params, max_norm, foreach=foreach)


def averaging(averages, params, decay, foreach):
    """`AveragedModel` calls the same, in 20 to 90 microseconds more."""
    if foreach:
        update = torch.optim.swa_utils.get_ema_multi_avg_fn(decay)
        return lambda: update(averages, params, None)

    @torch.no_grad()
    def each():
        for average, param in zip(averages, params):
            average.lerp_(param, 1 - decay)

    return each


def clearing(grads, foreach):
    if foreach:
        return lambda: torch._foreach_zero_(grads)

    def each():
        for grad in grads:
            grad.zero_()

    return each


class Runner:
    def __init__(self, work, hasGradients, squareAvg, options):
        tensors, size = work["tensors"], work["size"]
        count = tensors * size
        self.start = uniform(count, 0).float().split(size)
        grad = uniform(count, 1)
        grad = (grad + grad.sign() / 16).float() if hasGradients else torch.zeros(count)
        self.start_grads = grad.split(size)
        self.params = [torch.zeros(size, requires_grad=True) for _ in range(tensors)]
        for param in self.params:
            param.grad = torch.zeros(size)
        self.grads = [param.grad for param in self.params]
        self.square_avg = squareAvg
        self.rewrites_gradients = work.get("rewritesGradients", False)
        self.make_parts(**options)

    def make_parts(self, globalClipNorm=None, ema=None, zeroGrad=False, weightDecay=0, **options):
        """The calls of a step, in turn. Each has two forms, tensor by tensor and for a list; the faster one is taken."""
        params, grads = self.params, self.grads
        self.averages = [torch.zeros_like(param) for param in params] if ema else []
        self.cleared = grads if zeroGrad else []
        self.optimizer = min(
            (
                torch.optim.RMSprop(params, foreach=foreach, weight_decay=weightDecay, **options)
                for foreach in (False, True)
            ),
            key=lambda optimizer: self.trial(optimizer.step),
        )
        self.parts = [self.optimizer.step]
        if globalClipNorm:
            self.parts.insert(0, self.faster(lambda foreach: clipping(params, globalClipNorm, foreach)))
        if ema:
            averages, decay = self.averages, ema["decay"]
            self.parts.append(self.faster(lambda foreach: averaging(averages, params, decay, foreach)))
        if zeroGrad:
            self.parts.append(self.faster(lambda foreach: clearing(grads, foreach)))

    def faster(self, form):
        return min((form(False), form(True)), key=self.trial)

    def trial(self, part):
        times = []
        for _ in range(6):
            self.write_gradients()
            start = time.perf_counter_ns()
            part()
            times.append(time.perf_counter_ns() - start)
        return min(times)

    def write_gradients(self):
        torch._foreach_copy_(self.grads, self.start_grads)

    def reset(self):
        self.write_gradients()
        self.averages_are_new = True
        with torch.no_grad():
            for param, part in zip(self.params, self.start):
                param.copy_(part)
                state = self.optimizer.state[param]
                state["square_avg"].fill_(self.square_avg)
                for name in ("momentum_buffer", "grad_avg"):
                    if name in state:
                        state[name].zero_()

    def time(self, steps):
        at_once = 1 if self.rewrites_gradients else steps
        nanoseconds = 0
        for _ in range(0, steps, at_once):
            if self.rewrites_gradients:
                self.write_gradients()
            nanoseconds += self.time_steps(at_once)
            if self.averages_are_new:
                self.start_averages()
        return {"nanoseconds": nanoseconds}

    def start_averages(self):
        """Starts the averages from the weights after the first step, as `AveragedModel` does. Not timed."""
        with torch.no_grad():
            for average, param in zip(self.averages, self.params):
                average.copy_(param)
        self.averages_are_new = False

    def time_steps(self, steps):
        parts = self.parts
        start = time.perf_counter_ns()
        for _ in range(steps):
            for part in parts:
                part()
        return time.perf_counter_ns() - start

    def read(self, path):
        values = torch.cat([values.detach() for values in [*self.params, *self.averages, *self.cleared]])
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
