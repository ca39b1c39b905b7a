"""PyTorch's side of the bench. Arguments: the number of threads, and whether `torch.compile` compiles the step."""

import sys
import time

import torch
from commands import elements_of, inputs_of, obey, write_floats

torch.set_num_threads(int(sys.argv[1]))
COMPILES = sys.argv[2] == "compiled"


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
        param, grad = (torch.from_numpy(values) for values in inputs_of(work, hasGradients))
        self.start = param.split(size)
        self.start_grads = grad.split(size)
        dtype = getattr(torch, elements_of(work))
        self.params = [torch.zeros(size, dtype=dtype, requires_grad=True) for _ in range(tensors)]
        for param in self.params:
            param.grad = torch.zeros_like(param)
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
        # Without this, the ninth piece of work of a process would be one recompilation too many, and its steps eager.
        torch.compiler.reset()
        self.parts = [torch.compile(self.optimizer.step) if COMPILES else self.optimizer.step]
        if COMPILES:
            self.trial(self.parts[0])  # compiles
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
        write_floats(path, values.numpy())


obey(Runner)
