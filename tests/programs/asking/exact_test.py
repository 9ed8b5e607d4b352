#!/usr/bin/env python3
"""Tests exact sums over discrete variables in `evaluate` and `infer`. They are compared with sums computed here from
the parameters of the run."""
import json
import math
import struct

from executable import build, call, safetensors, succeed, write
from oracle_test import write_npy

TEXT = """
var c : category(3)
var x : binary[4]
var y : real
source rows { x = npy("x.npy") }
source codes { c ~ Categorical(0) }
decoder p { c ~ Categorical(parameter([3])); x | c ~ Bernoulli(dense(c, 4)); y | c ~ Normal(dense(c, 1), 0) }
encoder q { c | x ~ Categorical(dense(x, 3)) }
learn elbo { estimator = {c: enumerate}; sources = [rows]; steps = 60; batch = 20; optimizer = adam(0.05)
  every = {log: 60, sample: 0, checkpoint: 60, evaluate: 0} }
"""
ROWS = [[0, 0, 1, 1], [1, 0, 1, 0], [1, 1, 1, 1], [0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 1, 0]]


def log_softmax(logits):
    top = max(logits)
    total = top + math.log(sum(math.exp(value - top) for value in logits))
    return [value - total for value in logits]


def log_bernoulli(x, logit):
    return x * logit - max(logit, 0) - math.log1p(math.exp(-abs(logit)))


class Tables:
    """The conditionals of the model, computed from the parameters of a run."""

    def __init__(self, run):
        tensors = safetensors(run / "checkpoints/step-60/model.safetensors")
        self.values = {name: struct.unpack(f"<{len(content) // 4}f", content)
                       for name, (_, content) in tensors.items()}

    def layer(self, name, x, outputs):
        weight, bias = self.values[name + ".weight"], self.values[name + ".bias"]
        return [sum(weight[i * len(x) + k] * x[k] for k in range(len(x))) + bias[i] for i in range(outputs)]

    def prior(self):
        return log_softmax(self.values["p.c.parameter1"])

    def of_x(self, x, c):
        logits = self.layer("p.x.dense1", [float(k == c) for k in range(3)], 4)
        return sum(log_bernoulli(*pair) for pair in zip(x, logits))

    def of_y(self, c):
        return self.layer("p.y.dense1", [float(k == c) for k in range(3)], 1)[0]

    def posterior(self, x):
        return log_softmax(self.layer("q.c.dense1", x, 3))


def trained(folder, vaec):
    write_npy(folder / "x.npy", ROWS)
    exe = build(vaec, write(folder, "tables.vae", TEXT), folder)
    succeed(exe, "train", "--quiet", "--threads", "1", "--out", "run", cwd=folder)
    return exe, Tables(folder / "run")


def measured(exe, folder, *flags):
    said = succeed(exe, "evaluate", "--run", "run", "--metrics", "loglik,elbo,kl", "--json", *flags, cwd=folder)
    return {(result["source"], result["metric"]): result for result in json.loads(said.stdout)["results"]}


def test_likelihood_and_bound_are_the_sums(folder, vaec):
    exe, tables = trained(folder, vaec)
    likelihood = bound = divergence = 0
    for x in ROWS:
        joint = [p + tables.of_x(x, c) for c, p in enumerate(tables.prior())]
        likelihood += math.log(sum(map(math.exp, joint))) / len(ROWS)
        q = tables.posterior(x)
        bound += sum(math.exp(q[c]) * (joint[c] - q[c]) for c in range(3)) / len(ROWS)
        divergence += sum(math.exp(q[c]) * (q[c] - tables.prior()[c]) for c in range(3)) / len(ROWS)
    found = measured(exe, folder)
    for metric, value in (("loglik", likelihood), ("elbo", bound), ("kl", divergence)):
        result = found["rows", metric]
        assert abs(result["mean"] - value) < 2e-5, (metric, result, value)
        assert result["exact"] and result["samples"] == 0 and result["summed"] == "c", result
    assert found["rows", "loglik"]["mean"] > found["rows", "elbo"]["mean"]
    drawn = measured(exe, folder, "--draw", "c", "--samples", "2000")["rows", "loglik"]
    assert not drawn["exact"] and drawn["samples"] == 2000 and "summed" not in drawn, drawn
    assert abs(drawn["mean"] - likelihood) < 0.05
    text = succeed(exe, "evaluate", "--run", "run", "--metrics", "loglik", cwd=folder).stdout
    assert "exact" in text, text


def test_means_of_infer_are_the_sums(folder, vaec):
    exe, tables = trained(folder, vaec)
    write_npy(folder / "given.npy", ROWS[:2])

    def infer(*flags):
        said = succeed(exe, "infer", "y | x", "--run", "run", "--given", "x=given.npy", "--out", "y.csv", *flags,
                       cwd=folder)
        return said.stdout, [float(line.split(",")[-1]) for line in (folder / "y.csv").read_text().splitlines()[1:]]

    text, means = infer()
    assert "exact, summed over c" in text, text
    for x, mean in zip(ROWS, means):
        expected = sum(math.exp(q) * tables.of_y(c) for c, q in enumerate(tables.posterior(x)))
        assert abs(mean - expected) < 1e-5, (mean, expected)
    text, drawn = infer("--draw", "c")
    assert "summed" not in text and drawn != means, text


def test_draw_names_variables(folder, vaec):
    exe, _ = trained(folder, vaec)
    wrong = call(exe, "evaluate", "--run", "run", "--draw", "d", cwd=folder)
    assert wrong.returncode == 64 and "--draw d: there is no such variable" in wrong.stderr, wrong
