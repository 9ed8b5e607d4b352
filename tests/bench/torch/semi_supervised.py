#!/usr/bin/env python3
"""Symmetric equilibrium learning of the model examples/semi_supervised, as a PyTorch user would write it. With
--batch N, a step takes N images, N codes and N / 2 labelled images."""
import torch
from modes import Turn, adam, placed, resident, run
from steps import (binary_mnist, choice, coins, draw, heads, log_bernoulli, log_categorical, mnist, numbers_below,
                   rows_of)
from torch import nn
from torch.nn import functional as F

SHARPNESS, CODE, EACH = 4.0, 16, 10


def mlp(inputs, hidden, outputs):
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))


def onehot(c):
    return F.one_hot(c, 10).float()


def moved(image, by):
    """Moves the rows of each image by `by` - 2, then exchanges rows and columns."""
    wide = F.pad(image, (0, 0, 2, 2))
    rows = (torch.arange(28, device=by.device) + by[:, None])[:, :, None].expand(-1, -1, 28)
    return wide.gather(1, rows).transpose(1, 2)


def blur(x):
    rows = len(x)
    left = heads(torch.full((rows, 1, 7, 7), 0.8, device=x.device))
    shifts = numbers_below(5, (2, rows), x.device)
    image = moved(moved(x.view(-1, 28, 28), shifts[0]), shifts[1])
    return draw(8 * (F.interpolate(left, scale_factor=4).squeeze(1) * image - 0.5))


def model(options):
    images, labels = binary_mnist("train").flatten(1), mnist("train", "label")
    few = torch.cat([(labels == c).nonzero().squeeze(1)[torch.randperm(int((labels == c).sum()))[:EACH]]
                     for c in range(10)])
    few_images, few_labels, images = (resident(table, options) for table in (images[few], labels[few], images))
    p, q = mlp(10 + CODE, 512, 784), mlp(10 + 784, 512, CODE)
    k = nn.Sequential(nn.Unflatten(1, (1, 28)), nn.Conv2d(1, 16, 4, stride=2, padding=1), nn.ReLU(),
                      nn.Conv2d(16, 32, 4, stride=2, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(32 * 49, 128),
                      nn.ReLU(), nn.Linear(128, 10))
    p, q, k = (placed(net, options) for net in (p, q, k))
    batch, known = options.batch, len(few)

    def teach(x):
        return choice(SHARPNESS * k(x.view(-1, 28, 28)))

    def code(c, x):
        return draw(q(torch.cat((onehot(c), x), 1)))

    def of_decoder():
        chosen = numbers_below(known, (batch // 2,), options.device)
        x_few, c_few = few_images[chosen], few_labels[chosen]
        x = rows_of(images, batch)
        with torch.no_grad():
            c = teach(x)
            z_few, z = code(c_few, x_few), code(c, x)
        utility = (log_bernoulli(x_few, p(torch.cat((onehot(c_few), z_few), 1))) +
                   log_bernoulli(x, p(torch.cat((onehot(c), z), 1))))
        return utility, (x_few, c_few, x, c)

    def of_coder(*real):
        c, z = numbers_below(10, (batch,), options.device), coins(batch, CODE, options.device)
        with torch.no_grad():
            x = draw(p(torch.cat((onehot(c), z), 1)))
        return 0.2 * log_bernoulli(z, q(torch.cat((onehot(c), x), 1))), (*real, x, c)

    def of_classifier(x_few, c_few, x, c, x_generated, c_generated):
        with torch.no_grad():
            y_few, y, y_generated = blur(x_few), blur(x), blur(x_generated)
        utility = (log_categorical(c_few, k(y_few)) + log_categorical(c, k(y)) +
                   0.2 * log_categorical(c_generated, k(y_generated)))
        return utility, ()

    return [Turn(player, adam(net, 1e-3, options), utility)
            for player, net, utility in (("p", p, of_decoder), ("q", q, of_coder), ("k", k, of_classifier))]


if __name__ == "__main__":
    run(model)
