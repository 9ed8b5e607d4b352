#!/usr/bin/env python3
"""examples/digits in PyTorch."""
from perceptrons import symmetric
from steps import run


def model(options):
    return symmetric(width=512, depth=1, rate=1e-3, batch=options.batch)


if __name__ == "__main__":
    run(model)
