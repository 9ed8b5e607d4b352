#!/usr/bin/env python3
"""Symmetric equilibrium learning of examples/ladder as a PyTorch user would write it."""
import torch
from hierarchy import Decoder, optimizer, trunk
from steps import binary_mnist, climb, draw, flipped, log_bernoulli, rows_of, run
from torch import nn


class Scores(nn.Module):
    """From the image to a score for z0 and one for z1."""

    def __init__(self):
        super().__init__()
        self.trunk, self.lower = trunk(), nn.Linear(600, 100)
        self.upper = nn.Sequential(nn.Linear(600, 600), nn.Tanh(), nn.Linear(600, 600), nn.Tanh(), nn.Linear(600, 30))
        self.skip = nn.Linear(100, 30, bias=False)

    def forward(self, x):
        h = self.trunk(x)
        s1 = self.lower(h)
        return self.upper(h) + self.skip(s1), s1


def model(options):
    images = binary_mnist("all").flatten(1)
    p, q = Decoder(), Scores()
    p_optimizer, q_optimizer = optimizer(p, options), optimizer(q, options)

    def step():
        x = flipped(rows_of(images, options.batch), 0.001)
        with torch.no_grad():
            s0, s1 = q(x)
            z0 = draw(s0)
            z1 = draw(p.z1(z0) + s1)
        p_utility = p.log_density(z0, z1, x)
        climb(p_optimizer, p_utility)

        with torch.no_grad():
            z0, z1, x = p.sample(options.batch)
            above = p.z1(z0)
        s0, s1 = q(x)
        q_utility = log_bernoulli(z0, s0) + log_bernoulli(z1, above + s1)
        climb(q_optimizer, q_utility)
        return {"p": p_utility, "q": q_utility}

    return step


if __name__ == "__main__":
    run(model)
