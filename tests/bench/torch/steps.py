"""Data, draws and log-densities that the PyTorch scripts beside this file share. No function here reads a number back
from the GPU, so a CUDA graph can capture the step."""
import gzip
import os
import pathlib

import torch
from torch.nn import functional as F


def mnist(split, kind):
    """Returns images [rows, 28, 28] with values in [0, 1], or labels [rows]."""
    folder = pathlib.Path(os.environ["VAEC_DATA"]) / "mnist"
    names = {"train": ["train"], "test": ["t10k"], "all": ["train", "t10k"]}[split]
    parts = []
    for name in names:
        file = folder / (f"{name}-images-idx3-ubyte.gz" if kind == "image" else f"{name}-labels-idx1-ubyte.gz")
        content = gzip.decompress(file.read_bytes())
        bytes_ = torch.frombuffer(bytearray(content), dtype=torch.uint8)
        parts.append(bytes_[16:].view(-1, 28, 28).float() / 255 if kind == "image" else bytes_[8:].long())
    return torch.cat(parts)


def binary_mnist(split):
    return (mnist(split, "image") > 0.4375).float()


def numbers_below(limit, shape, device):
    return torch.randint(limit, shape, device=device)


def rows_of(table, count):
    return table[numbers_below(len(table), (count,), table.device)]


def flipped(x, probability):
    return torch.where(torch.rand_like(x) < probability, 1 - x, x)


def heads(probability):
    if probability.is_cuda:  # torch.compile makes one kernel of this and of the operations around it
        return (torch.rand_like(probability) < probability).float()
    return torch.bernoulli(probability)


def draw(logits):
    return heads(torch.sigmoid(logits.float()))


def coins(rows, bits, device):
    return heads(torch.full((rows, bits), 0.5, device=device))


def choice(logits):
    """Draws a class along the last axis. On a GPU it does not use Categorical, which checks its logits and so waits
    for the GPU."""
    if logits.is_cuda:
        return (logits.float() - torch.log(-torch.log(torch.rand_like(logits, dtype=torch.float)))).argmax(-1)
    return torch.distributions.Categorical(logits=logits).sample()


def log_bernoulli(x, logits):
    """The mean over rows of log Bernoulli(x; logits)."""
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / x.shape[0]


def log_categorical(index, logits):
    """The mean over rows of the log-probability of the class. The classes are the second axis of the logits."""
    return -F.cross_entropy(logits, index, reduction="sum") / index.shape[0]
