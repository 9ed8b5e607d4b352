#!/usr/bin/env python3
"""The model tests/bench/unet.vae in PyTorch: images of digits, and the class of each pixel."""
import math

import torch
from modes import Turn, adam, placed, resident, run
from steps import choice, log_categorical, mnist, numbers_below, rows_of
from torch import nn
from torch.nn import functional as F

WIDTH, CLASSES, NOISE = 16, 11, 0.15


class Unet(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.down = nn.ModuleList([nn.Conv2d(inputs, WIDTH, 3, padding=1), nn.Conv2d(WIDTH, 2 * WIDTH, 3, padding=1),
                                   nn.Conv2d(2 * WIDTH, 4 * WIDTH, 3, padding=1)])
        self.up = nn.ModuleList([nn.Conv2d(6 * WIDTH, 2 * WIDTH, 3, padding=1),
                                 nn.Conv2d(3 * WIDTH, WIDTH, 3, padding=1), nn.Conv2d(WIDTH, outputs, 3, padding=1)])

    def forward(self, image):
        a = F.relu(self.down[0](image))
        b = F.relu(self.down[1](F.avg_pool2d(a, 2)))
        c = F.relu(self.down[2](F.avg_pool2d(b, 2)))
        b = F.relu(self.up[0](torch.cat((F.interpolate(c, scale_factor=2), b), 1)))
        a = F.relu(self.up[1](torch.cat((F.interpolate(b, scale_factor=2), a), 1)))
        return self.up[2](a)


class Painter(nn.Module):
    def __init__(self):
        super().__init__()
        self.mean, self.log_std = Unet(CLASSES, 1), nn.Parameter(torch.tensor(-1.0))

    def forward(self, s):
        return self.mean(F.one_hot(s, CLASSES).permute(0, 3, 1, 2).float())

    def log_density(self, x, s):
        squares = ((x - self(s)) * torch.exp(-self.log_std)).square().sum() / len(x)
        return -0.5 * squares - 784 * (self.log_std + 0.5 * math.log(2 * math.pi))

    def sample(self, s):
        mean = self(s)
        return mean + torch.exp(self.log_std) * torch.randn_like(mean)


def model(options):
    images, labels = mnist("train", "image"), mnist("train", "label")
    masks = resident(((images > 0.4375) * (labels[:, None, None] + 1)).long(), options)
    images = resident(images[:, None], options)
    known = 200
    p, k = placed(Painter(), options), placed(Unet(1, CLASSES), options)

    def noisy(x):
        return x + NOISE * torch.randn_like(x)

    def of_painter():
        chosen = numbers_below(known, (options.batch,), options.device)
        x_known, s_known = noisy(images[chosen]), masks[chosen]
        x = noisy(rows_of(images, options.batch))
        with torch.no_grad():
            s = choice(k(x).permute(0, 2, 3, 1))
        return p.log_density(x_known, s_known) + p.log_density(x, s), (x_known, s_known)

    def of_segmenter(x_known, s_known):
        s = rows_of(masks, options.batch)
        with torch.no_grad():
            x = p.sample(s)
        return log_categorical(s_known, k(x_known)) + log_categorical(s, k(x)), ()

    return [Turn("p", adam(p, 2e-3, options), of_painter), Turn("k", adam(k, 2e-3, options), of_segmenter)]


if __name__ == "__main__":
    run(model)
