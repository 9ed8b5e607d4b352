"""Symmetric equilibrium learning of two perceptrons, images and 64 bits, as a PyTorch user would write it."""
import torch
from steps import binary_mnist, climb, coins, draw, log_bernoulli, rows_of
from torch import nn

BITS, PIXELS = 64, 784


def perceptron(inputs, width, depth, outputs):
    layers = []
    for _ in range(depth):
        layers += [nn.Linear(inputs, width), nn.ReLU()]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


def symmetric(width, depth, rate, batch):
    images = binary_mnist("train").flatten(1)
    p, q = perceptron(BITS, width, depth, PIXELS), perceptron(PIXELS, width, depth, BITS)
    p_optimizer, q_optimizer = (torch.optim.Adam(net.parameters(), lr=rate) for net in (p, q))

    def step():
        x = rows_of(images, batch)
        with torch.no_grad():
            z = draw(q(x))
        p_utility = log_bernoulli(x, p(z))
        climb(p_optimizer, p_utility)

        z = coins(batch, BITS)
        with torch.no_grad():
            x = draw(p(z))
        q_utility = log_bernoulli(z, q(x))
        climb(q_optimizer, q_utility)
        return {"p": p_utility, "q": q_utility}

    return step
