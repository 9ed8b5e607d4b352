#!/usr/bin/env python3
"""Writes train.csv and test.csv: the times that a noisy walk takes to reach its barrier.

The walk starts at 0. In each step it gains drift * dt and normal noise of variance dt, until it reaches the barrier.
The drift grows with `contrast`, and the barrier grows with `caution`. No formula of the passage time is used. A
Brownian path between two points a and b below the barrier may have crossed it. The probability of that is
exp(-2 (barrier - a) (barrier - b) / dt). If the walk crosses in a step, it ends at a random time within that step.
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
