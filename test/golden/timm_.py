"""timm's RMSpropTF. Its `caution` and `corrected_weight_decay` have no counterpart among our options."""

import importlib
import importlib.metadata
import importlib.util
import sys
import types

from common import Case, main, options
from pytorch import train

# Importing timm runs its __init__, which pulls in its models and torchvision; the optimizer needs none of that.
for name in ("timm", "timm.optim"):
    package = types.ModuleType(name)
    package.__path__ = importlib.util.find_spec(name).submodule_search_locations
    sys.modules[name] = package
RMSpropTF = importlib.import_module("timm.optim.rmsprop_tf").RMSpropTF


def to_options(given: dict) -> dict:
    return options(
        lr=given["lr"],
        alpha=given.get("alpha", 0.9),
        eps=given.get("eps", 1e-10),
        weightDecay=given.get("weight_decay", 0),
        momentum=given.get("momentum", 0),
        centered=given.get("centered", False),
        epsInsideSqrt=True,
        lrInMomentum=given.get("lr_in_momentum", True),
        decoupledWeightDecay=given.get("decoupled_decay", False),
        initialSquareAvg=1,
    )


def all_cases() -> list[Case]:
    cases = []

    def add(inputs: str = "ordinary", **given) -> None:
        given = {"lr": 0.001 if given.get("momentum") else 0.01, **given}
        cases.append(Case({"RMSpropTF": given}, to_options(given), inputs))

    for momentum in ({}, {"momentum": 0.9}, {"momentum": 0.9, "lr_in_momentum": False}):
        add(**momentum)
        add(**momentum, centered=True)
        add(**momentum, weight_decay=0.01)
        add(**momentum, weight_decay=0.01, decoupled_decay=True)
    # With alpha 0.9 a centered run would not forget fast enough: see the README on weight decay and centering.
    add(alpha=0.99, centered=True, weight_decay=0.01)
    add(centered=True, weight_decay=0.01, decoupled_decay=True)
    add(alpha=0.99, eps=1e-3, foreach=False)
    # Beside a mean square that starts at 1, the default eps of 1e-10 is lost: these show where it stands.
    add(lr=[0.001, 0.0005, 0.00025], momentum=0.9, eps=1e-3)
    add(lr=[0.001, 0.0005, 0.00025], momentum=0.9, lr_in_momentum=False, eps=1e-3)
    for alpha in (0.9, 0.99, 0.999):
        add("long", alpha=alpha, centered=True)
        add("long", alpha=alpha, momentum=0.9, weight_decay=0.01, decoupled_decay=True)
    add(inputs="constant", alpha=0.5, centered=True)
    add(inputs="huge", alpha=0.5)
    return cases


if __name__ == "__main__":
    main(
        "timm",
        importlib.metadata.version("timm"),
        RMSpropTF,
        all_cases(),
        lambda case, precision: train(RMSpropTF, "RMSpropTF", case, precision),
    )
