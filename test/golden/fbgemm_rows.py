"""
FBGEMM's row-wise RMSprop on its CPU kernels, by the module that trainers of recommenders use: writes rows/fbgemm.*.

It has no float64. The run that stands for the exact result is `exactly` below: the formula, in float64. The module adds up
the gradients of a row that a batch names twice. `ar_alpha` of 0 is its default, under which rows that a batch doesn't name
stand still. It wants a PyTorch of its own: requirements-fbgemm.txt.
"""

from importlib import metadata
from itertools import product

import numpy as np
import torch
from fbgemm_gpu.split_embedding_configs import EmbOptimType, SparseType
from fbgemm_gpu.split_table_batched_embeddings_ops_common import PoolingMode
from fbgemm_gpu.split_table_batched_embeddings_ops_training import (
    ComputeDevice,
    EmbeddingLocation,
    SplitTableBatchedEmbeddingBagsCodegen,
)

import inputs
import rows_

CASES = [
    {"call": "ROWWISE_RMSPROP_AR", "given": {"learning_rate": lr, "eps": eps, "ema_beta": beta}}
    for (lr, beta), eps in product(((0.001, 0.99), (0.01, 0.9)), (1e-8, 1e-3))
]


def run(case: dict, precision: str) -> dict:
    return exactly(**case["given"]) if precision == "float64" else by_fbgemm(case["given"])


def by_fbgemm(given: dict) -> dict:
    module = SplitTableBatchedEmbeddingBagsCodegen(
        [(rows_.ROWS, rows_.WIDTH, EmbeddingLocation.HOST, ComputeDevice.CPU)],
        optimizer=EmbOptimType.ROWWISE_RMSPROP_AR,
        pooling_mode=PoolingMode.NONE,
        weights_precision=SparseType.FP32,
        output_dtype=SparseType.FP32,
        **given,
    )
    (weights,) = module.split_embedding_weights()
    weights.data.copy_(torch.from_numpy(rows_.table("float32")))
    for step in range(inputs.STEPS):
        rows = torch.from_numpy(rows_.occurrences(step))
        module(rows, torch.tensor([0, len(rows)])).backward(torch.from_numpy(rows_.gradients(step, "float32")))
    ((square_avg, _),) = module.split_optimizer_states()
    (weights,) = module.split_embedding_weights()
    return {"param": weights.detach().numpy().ravel().copy(), "squareAvg": square_avg.numpy().copy()}


def exactly(learning_rate: float, eps: float, ema_beta: float) -> dict:
    param, square_avg = rows_.table("float64"), np.zeros(rows_.ROWS)
    for step in range(inputs.STEPS):
        total = np.zeros_like(param)
        np.add.at(total, rows_.occurrences(step), rows_.gradients(step, "float64"))
        rows = np.unique(rows_.occurrences(step))
        square_avg[rows] = ema_beta * square_avg[rows] + (1 - ema_beta) * (total[rows] ** 2).mean(1)
        param[rows] -= learning_rate * total[rows] / (np.sqrt(square_avg[rows]) + eps)[:, None]
    return {"param": param.ravel(), "squareAvg": square_avg}


if __name__ == "__main__":
    torch.set_num_threads(1)
    versions = {name: metadata.version(name).split("+")[0] for name in ("fbgemm-gpu-cpu", "torch", "numpy")}
    rows_.write("fbgemm", versions, CASES, run)
