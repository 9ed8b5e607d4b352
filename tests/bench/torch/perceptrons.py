"""Symmetric equilibrium learning of two perceptrons between images and 64 bits, as a PyTorch user would write it."""
import torch
from modes import Turn, adam, placed, resident
from steps import binary_mnist, coins, draw, log_bernoulli, rows_of
from torch import nn

BITS, PIXELS = 64, 784


def perceptron(inputs, width, depth, outputs):
    layers = []
    for _ in range(depth):
        layers += [nn.Linear(inputs, width), nn.ReLU()]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


def symmetric(width, depth, rate, options):
    images = resident(binary_mnist("train").flatten(1), options)
    p, q = (placed(net, options) for net in (perceptron(BITS, width, depth, PIXELS),
                                             perceptron(PIXELS, width, depth, BITS)))

    def of_decoder():
        x = rows_of(images, options.batch)
        with torch.no_grad():
            z = draw(q(x))
        return log_bernoulli(x, p(z)), ()

    def of_encoder():
        z = coins(options.batch, BITS, options.device)
        with torch.no_grad():
            x = draw(p(z))
        return log_bernoulli(z, q(x)), ()

    return [Turn("p", adam(p, rate, options), of_decoder), Turn("q", adam(q, rate, options), of_encoder)]
