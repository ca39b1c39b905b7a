"""
optax.contrib.mechanize around optax.rmsprop: writes learned/optax.json and learned/optax.bin.

A rate is learned from an objective, so the gradient is that of a bowl with noise: 2^k·(p − target) + noise, k the element's
own, as `learned.ts` makes it too. All of it is of the run's precision.

    python mechanic_.py
"""

import hashlib
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax

import inputs
from common import pack

STEPS = 150
EARLY = 60  # steps after which elements swing about the bottom, where the last bits of the one before decide what is next
FOLDER = Path(__file__).parent / "learned"


def all_cases() -> list[dict]:
    cases = []

    def add(before: dict = {}, after: dict = {}, **given) -> None:
        calls = {**before, "rmsprop": {"learning_rate": 1.0, **given}, **after, "mechanize": {"weight_decay": 0.0}}
        cases.append({"calls": calls})

    add(bias_correction=True)
    add()
    add(eps_in_sqrt=False, decay=0.99, bias_correction=True)
    add(momentum=0.9, bias_correction=True)
    add(momentum=0.5, nesterov=True)
    add(centered=True, eps=1e-4)
    add(learning_rate=0.25, bias_correction=True)
    add(before={"clip": {"max_delta": 0.5}}, bias_correction=True)
    add(before={"clip_by_global_norm": {"max_norm": 4.0}}, bias_correction=True)
    return cases


def chain_of(calls: dict) -> optax.GradientTransformation:
    learned = optax.contrib.mechanize(optax.rmsprop(**calls["rmsprop"]), **calls["mechanize"])
    clips = [getattr(optax, name)(**given) for name, given in calls.items() if name.startswith("clip")]
    return optax.chain(*clips, learned)


def run(calls: dict, precision: str) -> dict:
    jax.config.update("jax_enable_x64", precision == "float64")
    chain = chain_of(calls)
    update = jax.jit(chain.update)
    start = inputs.parameters().astype(precision)
    element = np.arange(inputs.ELEMENTS)
    target = (np.roll(start, 7)).astype(precision)
    steep = (2.0 ** (element % 6 - 3)).astype(precision)
    noise = inputs.gradients("ordinary")
    parameters = jnp.asarray(start)
    state = chain.init(parameters)
    rates = []
    early = {}
    for step in range(STEPS):
        # Noise of 2^-13 to 2^-3: what the inputs have, brought to one size.
        some = np.clip(noise[step % len(noise)], np.float32(-0.125), np.float32(0.125)).astype(precision)
        gradient = (np.asarray(parameters) - target) * steep + some
        updates, state = update(jnp.asarray(gradient), state, parameters)
        parameters = optax.apply_updates(parameters, updates)
        rates.append(float(state[-1].s.sum()))
        square_avg = state[-1].base_optimizer_state[0].nu
        if step + 1 == EARLY:
            early = {"earlyParameters": np.asarray(parameters), "earlySquareAvg": np.asarray(square_avg)}
    return {
        "parameters": np.asarray(parameters),
        "squareAvg": np.asarray(square_avg),
        "rates": np.asarray(rates, precision),
        **early,
    }


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    cases, binary = all_cases(), bytearray()
    for case in cases:
        single, double = run(case["calls"], "float32"), run(case["calls"], "float64")
        case["results"] = {}
        for name in single:
            if (str(single[name].dtype), str(double[name].dtype)) != ("float32", "float64"):
                raise TypeError(f"{name}: {single[name].dtype} and {double[name].dtype}")
            packed = pack(single[name], double[name])
            case["results"][name] = {"offset": len(binary), "byteLength": len(packed)}
            binary += packed
        print(case["calls"], double["rates"][-1])
    manifest = {"version": optax.__version__, "steps": STEPS, "early": EARLY, "binary": hashlib.sha256(binary).hexdigest()}
    (FOLDER / "optax.bin").write_bytes(binary)
    lines = ",\n".join(json.dumps(case) for case in cases)
    head = json.dumps(manifest, indent=1).removesuffix("\n}")
    (FOLDER / "optax.json").write_text(f'{head},\n "cases": [\n{lines}\n ]\n}}\n')


if __name__ == "__main__":
    main()
