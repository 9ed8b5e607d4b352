#!/usr/bin/env python3
"""tests/bench/wide.vae: perceptrons of --depth layers of --width, in PyTorch."""
from perceptrons import symmetric
from steps import run


def model(options):
    return symmetric(options.width, options.depth, rate=1e-4, batch=options.batch)


if __name__ == "__main__":
    run(model)
