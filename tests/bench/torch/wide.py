#!/usr/bin/env python3
"""The model tests/bench/wide.vae in PyTorch: perceptrons with --depth layers of width --width."""
from modes import run
from perceptrons import symmetric


def model(options):
    return symmetric(options.width, options.depth, rate=1e-4, options=options)


if __name__ == "__main__":
    run(model)
