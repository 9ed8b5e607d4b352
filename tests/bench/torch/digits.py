#!/usr/bin/env python3
"""The model examples/digits in PyTorch."""
from modes import run
from perceptrons import symmetric


def model(options):
    return symmetric(width=512, depth=1, rate=1e-3, options=options)


if __name__ == "__main__":
    run(model)
