#!/usr/bin/env python3
"""tests/bench/wide.vae: perceptrons of --depth layers of --width, in PyTorch."""
from modes import run
from perceptrons import symmetric


def model(options):
    return symmetric(options.width, options.depth, rate=1e-4, options=options)


if __name__ == "__main__":
    run(model)
