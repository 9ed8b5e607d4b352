#!/usr/bin/env python3
"""Symmetric equilibrium learning of examples/semi_supervised as a PyTorch user would write it. --batch N takes N images
and N codes, and N / 2 labelled images."""
import torch
from steps import binary_mnist, climb, coins, draw, log_bernoulli, log_categorical, mnist, rows_of, run
from torch import nn
from torch.nn import functional as F

SHARPNESS, CODE, EACH = 4.0, 16, 10


def mlp(inputs, hidden, outputs):
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))


def onehot(c):
    return F.one_hot(c, 10).float()


def moved(image, by):
    """Rows moved by `by` - 2; rows and columns change places."""
    wide = F.pad(image, (0, 0, 2, 2))
    rows = (torch.arange(28) + by[:, None])[:, :, None].expand(-1, -1, 28)
    return wide.gather(1, rows).transpose(1, 2)


def blur(x):
    rows = len(x)
    left = torch.bernoulli(torch.full((rows, 1, 7, 7), 0.8))
    shifts = torch.randint(5, (2, rows))
    image = moved(moved(x.view(-1, 28, 28), shifts[0]), shifts[1])
    return draw(8 * (F.interpolate(left, scale_factor=4).squeeze(1) * image - 0.5))


def model(options):
    images, labels = binary_mnist("train").flatten(1), mnist("train", "label")
    few = torch.cat([(labels == c).nonzero().squeeze(1)[torch.randperm(int((labels == c).sum()))[:EACH]]
                     for c in range(10)])
    few_images, few_labels = images[few], labels[few]
    p, q = mlp(10 + CODE, 512, 784), mlp(10 + 784, 512, CODE)
    k = nn.Sequential(nn.Unflatten(1, (1, 28)), nn.Conv2d(1, 16, 4, stride=2, padding=1), nn.ReLU(),
                      nn.Conv2d(16, 32, 4, stride=2, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(32 * 49, 128),
                      nn.ReLU(), nn.Linear(128, 10))
    optimizers = {name: torch.optim.Adam(net.parameters(), lr=1e-3) for name, net in (("p", p), ("q", q), ("k", k))}
    batch = options.batch

    def teach(x):
        return torch.distributions.Categorical(logits=SHARPNESS * k(x.view(-1, 28, 28))).sample()

    def code(c, x):
        return draw(q(torch.cat((onehot(c), x), 1)))

    def step():
        chosen = torch.randint(len(few), (batch // 2,))
        x_few, c_few = few_images[chosen], few_labels[chosen]
        x = rows_of(images, batch)
        with torch.no_grad():
            c = teach(x)
            z_few, z = code(c_few, x_few), code(c, x)
        utilities = {"p": log_bernoulli(x_few, p(torch.cat((onehot(c_few), z_few), 1))) +
                          log_bernoulli(x, p(torch.cat((onehot(c), z), 1)))}
        climb(optimizers["p"], utilities["p"])

        c_dreamt, z_dreamt = torch.randint(10, (batch,)), coins(batch, CODE)
        with torch.no_grad():
            x_dreamt = draw(p(torch.cat((onehot(c_dreamt), z_dreamt), 1)))
        utilities["q"] = 0.2 * log_bernoulli(z_dreamt, q(torch.cat((onehot(c_dreamt), x_dreamt), 1)))
        climb(optimizers["q"], utilities["q"])

        with torch.no_grad():
            y_few, y, y_dreamt = blur(x_few), blur(x), blur(x_dreamt)
        utilities["k"] = (log_categorical(c_few, k(y_few)) + log_categorical(c, k(y)) +
                          0.2 * log_categorical(c_dreamt, k(y_dreamt)))
        climb(optimizers["k"], utilities["k"])
        return utilities

    return step


if __name__ == "__main__":
    run(model)
