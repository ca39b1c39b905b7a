"""The part of a bench process in Python that all frameworks share: commands, inputs and results."""

import json
import sys

import numpy


def hash32(x):
    """The same integers as `hash` of work.ts."""
    for _ in range(2):
        x = ((x ^ (x >> 16)) * 0x45D9F3B) & 0xFFFFFFFF
    return x ^ (x >> 16)


def uniform(count, offset):
    return hash32(2 * numpy.arange(count, dtype=numpy.int64) + offset).astype(numpy.float64) / 2**32 - 0.5


def inputs_of(work, has_gradients):
    """The parameters and gradients that a work starts from, as one array each."""
    count = work["tensors"] * work["size"]
    grad = uniform(count, 1)
    grad = grad + numpy.sign(grad) / 16 if has_gradients else numpy.zeros(count)
    elements = elements_of(work)
    return uniform(count, 0).astype(elements), grad.astype(elements)


def elements_of(work):
    return work.get("elements", "float32")


def obey(runner_of):
    """Reads one JSON command a line, answers each with one line of JSON."""
    runners = {}
    for line in sys.stdin:
        command = json.loads(line)
        name, runner = command.pop("do"), command.pop("runner")
        answer = None
        if name == "prepare":
            runners[runner] = runner_of(**command)
        elif name == "dispose":
            del runners[runner]
        else:
            answer = getattr(runners[runner], name)(**command)
        print(json.dumps(answer or {}), flush=True)


def write_floats(path, values):
    with open(path, "wb") as file:
        file.write(numpy.ascontiguousarray(values).tobytes())
