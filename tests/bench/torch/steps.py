"""What the PyTorch scripts beside this file share: data, log-densities, the loop that times steps.

A script gives `run` a function that makes its model: model(options) returns `step`, which does one training step and
returns each player's utility (nats a row, as a tensor). Printed is one JSON object: the median time of a step in
milliseconds, utilities as means over the last --window steps, peak memory. Threads and BLAS are set by the environment
(OMP_NUM_THREADS, OPENBLAS_CORETYPE); tests/bench/run tries the settings that serve each model best.
"""
import argparse
import gzip
import json
import os
import pathlib
import resource
import statistics
import time

import torch
from torch.nn import functional as F


def mnist(split, kind):
    """Images [rows, 28, 28] with values in [0, 1], or labels [rows]."""
    folder = pathlib.Path(os.environ["VAEC_DATA"]) / "mnist"
    names = {"train": ["train"], "test": ["t10k"], "all": ["train", "t10k"]}[split]
    parts = []
    for name in names:
        file = folder / (f"{name}-images-idx3-ubyte.gz" if kind == "image" else f"{name}-labels-idx1-ubyte.gz")
        content = gzip.decompress(file.read_bytes())
        bytes_ = torch.frombuffer(bytearray(content), dtype=torch.uint8)
        parts.append(bytes_[16:].view(-1, 28, 28).float() / 255 if kind == "image" else bytes_[8:].long())
    return torch.cat(parts)


def binary_mnist(split):
    return (mnist(split, "image") > 0.4375).float()


def rows_of(table, count):
    return table[torch.randint(len(table), (count,))]


def flipped(x, probability):
    return torch.where(torch.rand_like(x) < probability, 1 - x, x)


def draw(logits):
    return torch.bernoulli(torch.sigmoid(logits))


def coins(rows, bits):
    return torch.bernoulli(torch.full((rows, bits), 0.5))


def log_bernoulli(x, logits):
    """The mean over rows of log Bernoulli(x; logits)."""
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / x.shape[0]


def log_categorical(index, logits):
    """The mean over rows; classes are the second axis of the logits."""
    return -F.cross_entropy(logits, index, reduction="sum") / index.shape[0]


def climb(optimizer, utility):
    optimizer.zero_grad()
    (-utility).backward()
    optimizer.step()


def run(model):
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--depth", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--window", type=int, default=0, help="steps whose utilities are averaged")
    parser.add_argument("--flush-denormals", action="store_true")
    parser.add_argument("--channels-last", action="store_true")
    options = parser.parse_args()
    torch.set_flush_denormal(options.flush_denormals)
    torch.manual_seed(options.seed)
    step = model(options)
    times, sums = [], {}
    for number in range(options.steps):
        start = time.perf_counter()
        utilities = step()
        times.append(time.perf_counter() - start)
        if number >= options.steps - options.window:
            for player, utility in utilities.items():
                sums[player] = sums.get(player, 0.0) + utility.item() / min(options.window, options.steps)
    print(json.dumps({
        "milliseconds": 1000 * statistics.median(times[options.warmup:] or times),
        "utility": sums,
        "peak_memory_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }))
