"""Shared by the framework scripts: cases, the package's option names, the loop's inputs, and how results are handed over."""

import argparse
import inspect
import json
from dataclasses import asdict, dataclass
from typing import Callable, Iterator

import numpy as np

import inputs

STEPS_PER_LR = 40  # a list of learning rates holds each of its entries for so many steps

NEUTRAL_OPTIONS = {
    "lr": None,  # every case sets the first three
    "alpha": None,
    "eps": None,
    "weightDecay": 0,
    "momentum": 0,
    "centered": False,
    "maximize": False,
    "epsInsideSqrt": False,
    "lrInMomentum": False,
    "nesterov": False,
    "decoupledWeightDecay": False,
    "initialSquareAvg": 0,
    "biasCorrection": False,
    "clipValue": None,
    "clipNorm": None,
    "globalClipNorm": None,
    "ema": None,
    "scheduleFree": None,
}


@dataclass
class Case:
    """One run: the framework's own calls with their arguments, and the same thing in our option names."""

    calls: dict
    options: dict
    inputs: str = "ordinary"

    def describe(self, framework: str) -> dict:
        arguments = [f"{name}({', '.join(f'{k}={v}' for k, v in call.items())})" for name, call in self.calls.items()]
        suffix = "" if self.inputs == "ordinary" else f" on {self.inputs} gradients"
        return {"id": f"{framework} {' '.join(arguments)}{suffix}", "framework": framework, **asdict(self)}


def options(**changes) -> dict:
    """A complete options object; what is not named is off."""
    unknown = changes.keys() - NEUTRAL_OPTIONS.keys()
    if unknown:
        raise KeyError(f"not an option of ours: {sorted(unknown)}")
    complete = {**NEUTRAL_OPTIONS, **changes}
    if any(complete[name] is None for name in ("lr", "alpha", "eps")):
        raise ValueError("lr, alpha and eps must be given")
    return complete


def first_rate(lr) -> float:
    return lr[0] if isinstance(lr, list) else lr


def rate_at(lr, step: int) -> float:
    return lr[step // STEPS_PER_LR] if isinstance(lr, list) else lr


def split(row: np.ndarray) -> list[np.ndarray]:
    """One array per tensor."""
    return np.split(row, np.cumsum(inputs.TENSOR_SIZES)[:-1])


def join(tensors) -> np.ndarray:
    return np.concatenate([np.asarray(tensor) for tensor in tensors])


def initial_tensors(precision: str) -> list[np.ndarray]:
    return split(inputs.parameters().astype(precision))


def training_steps(case: Case, precision: str) -> Iterator[tuple[float, list[np.ndarray]]]:
    """The learning rate and the gradients, one array per tensor, of every step. float64 is the float32 widened."""
    for step, row in enumerate(inputs.gradients(case.inputs)):
        yield rate_at(case.options["lr"], step), split(row.astype(precision))


def defaults_of(optimizer: Callable) -> dict:
    """What the framework takes for arguments that aren't given, by its own signature. Names of things are left out."""
    arguments = inspect.signature(optimizer).parameters.values()
    kinds = (bool, int, float, type(None))
    return {a.name: a.default for a in arguments if a.default is not a.empty and isinstance(a.default, kinds)}


def pack(single: np.ndarray, double: np.ndarray) -> bytes:
    """The float32 result, then the float64 one."""
    return single.astype("<f4").tobytes() + double.astype("<f8").tobytes()


def main(
    framework: str, version: str, optimizer: Callable, cases: list[Case], run: Callable[[Case, str], dict]
) -> None:
    """Runs all cases at the precision asked for on the command line. `run` returns arrays: parameters, the running
    averages of the gradient that there are (squareAvg, gradAvg), maybe ema, or z and the evaluated parameters."""
    parser = argparse.ArgumentParser()
    parser.add_argument("precision", choices=["float32", "float64"])
    parser.add_argument("output", help="an .npz file: one array per case and result, and the cases as JSON")
    arguments = parser.parse_args()
    results = {}
    for index, case in enumerate(cases):
        for name, array in run(case, arguments.precision).items():
            if str(array.dtype) != arguments.precision:
                raise TypeError(f"{framework} gave {array.dtype} where {arguments.precision} was asked for")
            results[f"{index}/{name}"] = array
    description = {
        "framework": framework,
        "version": version,
        "defaults": defaults_of(optimizer),
        "cases": [case.describe(framework) for case in cases],
    }
    np.savez(arguments.output, description=json.dumps(description), **results)
