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


if __name__ == "__main__":
    for name, arguments in json.load(sys.stdin):
        print(json.dumps(globals()[name](**arguments)))
