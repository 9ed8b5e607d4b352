#!/usr/bin/env python3
"""Symmetric equilibrium learning of the model examples/reverse, as a PyTorch user would write it."""
import torch
from hierarchy import Decoder, SkipMlp, turns, trunk
from modes import placed, resident, run
from steps import binary_mnist, draw, flipped, log_bernoulli, rows_of
from torch import nn


def model(options):
    images = resident(binary_mnist("all").flatten(1), options)
    p = placed(Decoder(), options)
    q = placed(nn.ModuleDict({"z1": nn.Sequential(trunk(), nn.Linear(600, 100)), "z0": SkipMlp(100, 600, 30, 3)}),
               options)

    def of_decoder():
        x = flipped(rows_of(images, options.batch), 0.001)
        with torch.no_grad():
            z1 = draw(q["z1"](x))
            z0 = draw(q["z0"](z1))
        return p.log_density(z0, z1, x), ()

    def of_encoder():
        with torch.no_grad():
            z0, z1, x = p.sample(options)
        return log_bernoulli(z1, q["z1"](x)) + log_bernoulli(z0, q["z0"](z1)), ()

    return turns(p, q, of_decoder, of_encoder, options)


if __name__ == "__main__":
    run(model)
