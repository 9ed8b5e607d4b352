#!/usr/bin/env python3
"""Symmetric equilibrium learning of examples/digits as a PyTorch user would write it."""
import torch
from steps import binary_mnist, climb, coins, draw, log_bernoulli, rows_of, run
from torch import nn


def mlp(inputs, hidden, outputs):
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))


def model(options):
    images = binary_mnist("train").flatten(1)
    p, q = mlp(64, 512, 784), mlp(784, 512, 64)
    p_optimizer, q_optimizer = (torch.optim.Adam(net.parameters(), lr=1e-3) for net in (p, q))

    def step():
        x = rows_of(images, options.batch)
        with torch.no_grad():
            z = draw(q(x))
        p_utility = log_bernoulli(x, p(z))
        climb(p_optimizer, p_utility)

        z = coins(options.batch, 64)
        with torch.no_grad():
            x = draw(p(z))
        q_utility = log_bernoulli(z, q(x))
        climb(q_optimizer, q_utility)
        return {"p": p_utility, "q": q_utility}

    return step


if __name__ == "__main__":
    run(model)
