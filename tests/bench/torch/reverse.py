#!/usr/bin/env python3
"""Symmetric equilibrium learning of examples/reverse as a PyTorch user would write it."""
import torch
from hierarchy import Decoder, SkipMlp, optimizer, trunk
from steps import binary_mnist, climb, draw, flipped, log_bernoulli, rows_of, run
from torch import nn


def model(options):
    images = binary_mnist("all").flatten(1)
    p = Decoder()
    q = nn.ModuleDict({"z1": nn.Sequential(trunk(), nn.Linear(600, 100)), "z0": SkipMlp(100, 600, 30, 3)})
    p_optimizer, q_optimizer = optimizer(p, options), optimizer(q, options)

    def step():
        x = flipped(rows_of(images, options.batch), 0.001)
        with torch.no_grad():
            z1 = draw(q["z1"](x))
            z0 = draw(q["z0"](z1))
        p_utility = p.log_density(z0, z1, x)
        climb(p_optimizer, p_utility)

        with torch.no_grad():
            z0, z1, x = p.sample(options.batch)
        q_utility = log_bernoulli(z1, q["z1"](x)) + log_bernoulli(z0, q["z0"](z1))
        climb(q_optimizer, q_utility)
        return {"p": p_utility, "q": q_utility}

    return step


if __name__ == "__main__":
    run(model)
