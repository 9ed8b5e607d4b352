#!/usr/bin/env python3
"""Symmetric equilibrium learning of the model examples/ladder, as a PyTorch user would write it."""
import torch
from hierarchy import Decoder, turns, trunk
from modes import placed, resident, run
from steps import binary_mnist, draw, flipped, log_bernoulli, rows_of
from torch import nn


class Scores(nn.Module):
    """Computes from the image a score for z0 and a score for z1."""

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
    images = resident(binary_mnist("all").flatten(1), options)
    p, q = placed(Decoder(), options), placed(Scores(), options)

    def of_decoder():
        x = flipped(rows_of(images, options.batch), 0.001)
        with torch.no_grad():
            s0, s1 = q(x)
            z0 = draw(s0)
            z1 = draw(p.z1(z0) + s1)
        return p.log_density(z0, z1, x), ()

    def of_encoder():
        with torch.no_grad():
            z0, z1, x = p.sample(options)
            above = p.z1(z0)
        s0, s1 = q(x)
        return log_bernoulli(z0, s0) + log_bernoulli(z1, above + s1), ()

    return turns(p, q, of_decoder, of_encoder, options)


if __name__ == "__main__":
    run(model)
