"""Runs every framework at both precisions and writes manifest.json and golden.bin. See README.md."""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

import numpy as np

import inputs
from common import STEPS_PER_LR, pack

HERE = Path(__file__).parent
RUNS = [  # script, what it needs in the environment
    ("pytorch.py", {}),
    ("schedulefree_.py", {}),
    ("keras_.py", {"KERAS_BACKEND": "jax"}),
    ("keras_.py", {"KERAS_BACKEND": "torch"}),
    ("optax_.py", {}),
    ("tensorflow_.py", {}),
    ("timm_.py", {}),
    ("mlx_.py", {}),
]
ENVIRONMENT = {
    "ATEN_CPU_CAPABILITY": "avx2",  # the same bits as AVX-512; the build without either rounds differently
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "JAX_PLATFORMS": "cpu",
    "CUDA_VISIBLE_DEVICES": "",
}
RESULTS = ("parameters", "ema", "z", "evaluated", "squareAvg", "gradAvg")
PRINT_DIGESTS = """
import { createHash } from "node:crypto";
const digest = (kind) => createHash("sha256").update(inputBytes(kind)).digest("hex");
console.log(JSON.stringify(Object.fromEntries(process.argv.slice(2).map((kind) => [kind, digest(kind)]))));
"""


def check_versions() -> dict[str, str]:
    """The pinned versions, once it is certain that they are the installed ones."""
    lines = (HERE / "requirements.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    for name, version in pinned.items():
        installed = metadata.version(name).split("+")[0]
        if installed != version:
            raise SystemExit(f"{name} {installed} is installed, requirements.txt asks for {version}")
    return pinned


def check_inputs() -> dict[str, str]:
    """The digests of the inputs, once it is certain that inputs.ts makes the same bits as inputs.py."""
    ours = {kind: hashlib.sha256(inputs.input_bytes(kind)).hexdigest() for kind in inputs.KINDS}
    esbuild = HERE.parents[1] / "node_modules" / "esbuild" / "bin" / "esbuild"
    compile_command = [esbuild, HERE / "inputs.ts", "--format=esm"]
    script = subprocess.run(compile_command, check=True, capture_output=True, text=True).stdout
    node = ["node", "--input-type=module", "-", *inputs.KINDS]
    printed = subprocess.run(node, input=script + PRINT_DIGESTS, check=True, capture_output=True, text=True).stdout
    if json.loads(printed) != ours:
        raise SystemExit(f"inputs.ts and inputs.py differ: {printed.strip()} against {ours}")
    return ours


def run(script: str, environment: dict[str, str], precision: str, directory: str) -> tuple[dict, dict]:
    """One framework at one precision, in a process of its own: what it says of itself, and the arrays."""
    output = Path(directory) / f"{precision}.npz"
    command = [sys.executable, str(HERE / script), precision, str(output)]
    subprocess.run(command, env={**os.environ, **ENVIRONMENT, **environment}, check=True)
    with np.load(output) as results:
        arrays = {name: results[name] for name in results.files}
    return json.loads(str(arrays.pop("description"))), arrays


def main() -> None:
    requirements = check_versions()
    digests = check_inputs()
    frameworks, cases, binary = {}, [], bytearray()
    for script, environment in RUNS:
        with tempfile.TemporaryDirectory() as directory:
            described, singles = run(script, environment, "float32", directory)
            _, doubles = run(script, environment, "float64", directory)
        frameworks[described["framework"]] = {name: described[name] for name in ("version", "defaults")}
        for index, case in enumerate(described["cases"]):
            case["results"] = {}
            for name in RESULTS:
                if f"{index}/{name}" not in singles:
                    continue
                single, double = singles[f"{index}/{name}"], doubles[f"{index}/{name}"]
                packed = pack(single, double)
                case["results"][name] = {"offset": len(binary), "byteLength": len(packed)}
                binary += packed
            case["expectNaN"] = {
                "float32": int(np.isnan(singles[f"{index}/parameters"]).sum()),
                "float64": int(np.isnan(doubles[f"{index}/parameters"]).sum()),
            }
            cases.append(case)
        print(f"{described['framework']} {described['version']}: {len(described['cases'])} cases")
    manifest = {
        "elements": inputs.ELEMENTS,
        "tensorSizes": list(inputs.TENSOR_SIZES),
        "steps": inputs.STEPS,
        "longSteps": inputs.LONG_STEPS,
        "stepsPerLr": STEPS_PER_LR,
        "inputs": {"seed": inputs.SEED, "specialElements": inputs.SPECIAL_ELEMENTS, "sha256": digests},
        "binary": {"byteLength": len(binary), "sha256": hashlib.sha256(binary).hexdigest()},
        "requirements": requirements,
        "frameworks": frameworks,
    }
    (HERE / "golden.bin").write_bytes(binary)
    # A case is a line, so that a difference can be read.
    lines = ",\n".join(json.dumps(case) for case in cases)
    head = json.dumps(manifest, indent=1).removesuffix("\n}")
    (HERE / "manifest.json").write_text(f'{head},\n "cases": [\n{lines}\n ]\n}}\n')
    print(f"{len(cases)} cases, {len(binary)} bytes")


if __name__ == "__main__":
    main()
