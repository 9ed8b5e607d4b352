#!/usr/bin/env python3
"""Symmetric equilibrium learning of examples/digits as a PyTorch user would write it.

Prints one JSON object: the mean time of a step in milliseconds (after --warmup steps), and both players'
utilities (nats per row) as means over the last --window steps. Threads and BLAS are set by the environment
(OMP_NUM_THREADS, OPENBLAS_CORETYPE); tests/bench/run tries the settings that serve it best.
"""
import argparse
import gzip
import json
import os
import pathlib
import time

import torch
from torch import nn
from torch.nn import functional as F


def mnist_images(split):
    folder = pathlib.Path(os.environ["VAEC_DATA"]) / "mnist"
    with gzip.open(folder / f"{split}-images-idx3-ubyte.gz") as file:
        content = file.read()
    pixels = torch.frombuffer(bytearray(content[16:]), dtype=torch.uint8).view(-1, 784)
    return (pixels.float() / 255 > 0.4375).float()


def mlp(inputs, hidden, outputs):
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))


def log_bernoulli(x, logits):
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / x.shape[0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--warmup", type=int, default=20)
    parser.add_argument("--window", type=int, default=500)
    parser.add_argument("--flush-denormals", action="store_true")
    options = parser.parse_args()
    if options.flush_denormals:
        torch.set_flush_denormal(True)
    torch.manual_seed(options.seed)

    images = mnist_images("train")
    p, q = mlp(64, 512, 784), mlp(784, 512, 64)
    p_optimizer = torch.optim.Adam(p.parameters(), lr=1e-3)
    q_optimizer = torch.optim.Adam(q.parameters(), lr=1e-3)
    sums, counted, start = [0.0, 0.0], 0, 0.0
    for step in range(options.steps):
        if step == options.warmup:
            start = time.perf_counter()
        x = images[torch.randint(len(images), (options.batch,))]
        with torch.no_grad():
            z = torch.bernoulli(torch.sigmoid(q(x)))
        p_utility = log_bernoulli(x, p(z))
        p_optimizer.zero_grad()
        (-p_utility).backward()
        p_optimizer.step()

        z = torch.bernoulli(torch.full((options.batch, 64), 0.5))
        with torch.no_grad():
            x = torch.bernoulli(torch.sigmoid(p(z)))
        q_utility = log_bernoulli(z, q(x))
        q_optimizer.zero_grad()
        (-q_utility).backward()
        q_optimizer.step()
        if step >= options.steps - options.window:
            sums[0] += p_utility.item()
            sums[1] += q_utility.item()
            counted += 1
    elapsed = time.perf_counter() - start
    print(json.dumps({
        "milliseconds_per_step": 1000 * elapsed / max(1, options.steps - options.warmup),
        "utility": {"p": sums[0] / counted, "q": sums[1] / counted},
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }))


if __name__ == "__main__":
    main()
