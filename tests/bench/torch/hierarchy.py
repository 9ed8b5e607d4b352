"""The networks that examples/ladder and examples/reverse have in common, in PyTorch."""
import math

from modes import Turn, adam
from steps import coins, draw, log_bernoulli
from torch import nn


class SkipMlp(nn.Module):
    """Tanh layers, plus one linear layer from the input to the output."""

    def __init__(self, inputs, hidden, outputs, layers):
        super().__init__()
        parts, width = [], inputs
        for _ in range(layers):
            parts += [nn.Linear(width, hidden), nn.Tanh()]
            width = hidden
        self.layers = nn.Sequential(*parts, nn.Linear(width, outputs))
        self.skip = nn.Linear(inputs, outputs, bias=False)

    def forward(self, x):
        return self.layers(x) + self.skip(x)


def generator():
    return nn.Sequential(
        nn.Unflatten(1, (100, 1, 1)),
        nn.ConvTranspose2d(100, 128, 4), nn.Tanh(),
        nn.ConvTranspose2d(128, 64, 3, stride=2), nn.Tanh(),
        nn.ConvTranspose2d(64, 64, 3), nn.Tanh(),
        nn.ConvTranspose2d(64, 64, 3), nn.Tanh(),
        nn.ConvTranspose2d(64, 32, 3, stride=2), nn.Tanh(),
        nn.ConvTranspose2d(32, 32, 2), nn.Tanh(),
        nn.Conv2d(32, 1, 3, padding=1), nn.Flatten())


def trunk():
    return nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)),
        nn.Conv2d(1, 32, 3, padding=1), nn.Tanh(),
        nn.Conv2d(32, 32, 2), nn.Tanh(),
        nn.Conv2d(32, 64, 3, stride=2), nn.Tanh(),
        nn.Conv2d(64, 64, 3), nn.Tanh(),
        nn.Conv2d(64, 64, 3), nn.Tanh(),
        nn.Conv2d(64, 128, 3, stride=2), nn.Tanh(),
        nn.Conv2d(128, 600, 4), nn.Tanh(), nn.Flatten())


class Decoder(nn.Module):
    """Draws uniform bits z0, then z1 given z0, then x given z1."""

    def __init__(self):
        super().__init__()
        self.z1, self.x = SkipMlp(30, 600, 100, 2), generator()

    def sample(self, options):
        z0 = coins(options.batch, 30, options.device)
        z1 = draw(self.z1(z0))
        return z0, z1, draw(self.x(z1))

    def log_density(self, z0, z1, x):
        return 30 * math.log(0.5) + log_bernoulli(z1, self.z1(z0)) + log_bernoulli(x, self.x(z1))


def turns(p, q, of_decoder, of_encoder, options):
    return [Turn("p", adam(p, 1e-4, options), of_decoder), Turn("q", adam(q, 1e-4, options), of_encoder)]
