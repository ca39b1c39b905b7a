"""Keras' jobs with checkpoints, as JSON on stdin, each by the name of its function here."""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "test" / "golden")]

import inputs  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
import rmsprop_wasm_keras as checkpoint  # noqa: E402

NAMES = ["first", "second"]


def split(row: np.ndarray) -> list[np.ndarray]:
    return np.split(row, np.cumsum(inputs.TENSOR_SIZES)[:-1])


class Pair(keras.Model):
    """The two tensors of the golden vectors."""

    def __init__(self) -> None:
        super().__init__()
        for name, values in zip(NAMES, split(inputs.parameters())):
            self.add_weight(shape=values.shape, name=name).assign(values)
        self.built = True


GRADIENTS = list(map(split, inputs.gradients("ordinary")))


def train(target: str, start: int, end: int, source: str | None = None, arguments: dict = {}) -> None:
    """Steps from a checkpoint, or from the beginning, to a checkpoint."""
    model = Pair()
    optimizer = checkpoint.load(source, model, NAMES) if source else keras.optimizers.RMSprop(**arguments)
    for step in range(start, end):
        gradients = [keras.ops.convert_to_tensor(gradient) for gradient in GRADIENTS[step]]
        optimizer.apply(gradients, model.trainable_variables)
    checkpoint.save(target, model, optimizer, NAMES)


def read_back(source: str, target: str) -> list[str]:
    """Straight through, by the paths of the variables."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="dense")], name="net")
    optimizer = checkpoint.load(source, model)
    checkpoint.save(target, model, optimizer)
    return [variable.path for variable in model.trainable_variables]


def refusal(source: str) -> str | None:
    """What the script says of a file that it refuses."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="dense")], name="net")
    try:
        checkpoint.load(source, model)
    except ValueError as error:
        return str(error)
    return None


def train_normed(target: str, source: str | None = None) -> dict:
    """Three steps of a model with batch norm, from a file or the beginning; gives what the file brought, and what is then."""
    keras.utils.set_random_seed(2 if source else 1)
    layers = [keras.layers.Dense(4, name="dense"), keras.layers.BatchNormalization(name="norm")]
    model = keras.Sequential([keras.Input((3,)), *layers, keras.layers.Dense(1, name="head")], name="net")
    optimizer = checkpoint.load(source, model) if source else keras.optimizers.RMSprop(0.01)
    before = _hex(model)
    model.compile(optimizer, "mse")
    model.fit(np.random.rand(24, 3), np.random.rand(24, 1), batch_size=8, verbose=0)
    checkpoint.save(target, model, optimizer)
    return {"before": before, "after": _hex(model)}


def _hex(model: keras.Model) -> dict[str, str]:
    return {variable.path: keras.ops.convert_to_numpy(variable).tobytes().hex() for variable in model.variables}


def failures(weights: str, target: str) -> list[str]:
    """What the script says of another optimizer, and of weights alone."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="dense")], name="net")
    jobs = [lambda: checkpoint.save(target, model, keras.optimizers.Adam()), lambda: checkpoint.load(weights, model)]
    said = []
    for job in jobs:
        try:
            job()
        except Exception as error:
            said.append(f"{type(error).__name__}: {error}")
    return said


if __name__ == "__main__":
    for name, arguments in json.load(sys.stdin):
        print(json.dumps(globals()[name](**arguments)))
