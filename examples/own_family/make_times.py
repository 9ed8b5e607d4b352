#!/usr/bin/env python3
"""Writes train.csv and test.csv: how long a noisy walk takes to reach its barrier.

The walk gains drift * dt + noise of variance dt a step, from 0 to a barrier. Its drift grows with `contrast`, its barrier with
`caution`. No formula of the passage time is used: between two points below the barrier a Brownian path has crossed it with
probability exp(-2 (barrier - a) (barrier - b) / dt), and a step that crosses ends at a random time within it.
"""
import math
import pathlib
import random

STEP = 0.004


def passage(drift, barrier, draw):
    at, time = 0.0, 0.0
    while True:
        to = at + drift * STEP + math.sqrt(STEP) * draw.gauss(0, 1)
        if to >= barrier or draw.random() < math.exp(-2 * (barrier - at) * (barrier - to) / STEP):
            return time + STEP * draw.random()
        at, time = to, time + STEP


def write(path, rows, seed):
    draw = random.Random(seed)
    lines = ["contrast,caution,seconds"]
    for _ in range(rows):
        contrast, caution = round(draw.uniform(-1, 1), 3), round(draw.uniform(-1, 1), 3)
        drift, barrier = math.exp(0.6 * contrast), math.exp(0.6 * caution - 0.3)
        lines.append(f"{contrast},{caution},{passage(drift, barrier, draw):.4f}")
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    here = pathlib.Path(__file__).parent
    write(here / "train.csv", 3000, 1)
    write(here / "test.csv", 3000, 2)
