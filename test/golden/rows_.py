"""Shared by the scripts that run optimizers over rows of a table: the rows of each step, and how results are handed over."""

import hashlib
import json
from pathlib import Path

import numpy as np

import inputs
from common import pack

WIDTH = 8
ROWS = inputs.ELEMENTS // WIDTH
OCCURRENCES = 40  # of rows in a step, in no order: some five of them are repetitions
_FIRST_STREAM = 10_000  # far behind those of the gradients


def table(precision: str) -> np.ndarray:
    return inputs.parameters().astype(precision).reshape(ROWS, WIDTH)


def occurrences(step: int) -> np.ndarray:
    """The rows of a step's batch, in its order."""
    return (inputs.draw(_FIRST_STREAM + step)[:OCCURRENCES] >> np.uint32(8)).astype(np.int64) % ROWS


def gradients(step: int, precision: str) -> np.ndarray:
    """One for each occurrence. A repetition adds as much as all before it, so that no sum is rounded, in any order."""
    rows = inputs.gradients("ordinary")[step].reshape(ROWS, WIDTH)
    given, seen = np.empty((OCCURRENCES, WIDTH), np.float32), {}
    for i, row in enumerate(occurrences(step)):
        given[i] = rows[row] * np.float32(2 ** max(0, seen.get(row, 0) - 1))
        seen[row] = seen.get(row, 0) + 1
    return given.astype(precision)


def write(name: str, versions: dict[str, str], cases: list[dict], run) -> None:
    """Runs each case at both precisions, and writes rows/<name>.json and rows/<name>.bin. README.md has the format."""
    folder = Path(__file__).parent / "rows"
    folder.mkdir(exist_ok=True)
    binary = bytearray()
    for case in cases:
        single, double = run(case, "float32"), run(case, "float64")
        case["results"] = {}
        for key in single:
            if (str(single[key].dtype), str(double[key].dtype)) != ("float32", "float64"):
                raise TypeError(f"{key} of {case}: {single[key].dtype} and {double[key].dtype}")
            packed = pack(single[key], double[key])
            case["results"][key] = {"offset": len(binary), "byteLength": len(packed)}
            binary += packed
    lists = b"".join(occurrences(step).astype("<u4").tobytes() for step in range(inputs.STEPS))
    manifest = {
        "versions": versions,
        "steps": inputs.STEPS,
        "lists": hashlib.sha256(lists).hexdigest(),
        "binary": hashlib.sha256(binary).hexdigest(),
    }
    (folder / f"{name}.bin").write_bytes(binary)
    lines = ",\n".join(json.dumps(case) for case in cases)
    head = json.dumps(manifest, indent=1).removesuffix("\n}")
    (folder / f"{name}.json").write_text(f'{head},\n "cases": [\n{lines}\n ]\n}}\n')
    print(f"{len(cases)} cases, {len(binary)} bytes")
