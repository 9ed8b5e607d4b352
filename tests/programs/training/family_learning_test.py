"""Tests that every family of the standard library learns the parameters of its data, starting from zero."""
import math
import struct

from executable import safetensors, succeed, write

# Domain, family, its parameters, and the further arguments of the call.
FAMILIES = [
    ("binary", "Bernoulli", [0.5], ""), ("category(3)", "Categorical", [[0.8, 0.2, -1.0]], ""),
    ("real", "Normal", [1.0, 0.5], ""), ("positive", "LogNormal", [1.0, 0.5], ""),
    ("unit", "LogitNormal", [1.0, 0.5], ""), ("count", "Poisson", [1.0], ""),
    ("positive", "Exponential", [1.0], ""), ("positive", "Gamma", [1.0, 0.5], ""), ("unit", "Beta", [1.0, 0.5], ""),
    ("real", "Laplace", [1.0], ", location = 2"), ("count", "Geometric", [-1.0], ""),
    ("count", "NegativeBinomial", [-0.5], ", size = 3"), ("count", "Binomial", [1.0], ", size = 5"),
    ("angle", "VonMises", [1.0, 0.5], ""), ("simplex(3)", "Dirichlet", [[1.0, 0.5, 0.0]], ""),
    ("unit", "ContinuousBernoulli", [2.0], "")]


def test_each_recovers_its_parameters(folder, vaec):
    variables, drawn, given = [], [], []
    for i, (domain, family, values, more) in enumerate(FAMILIES):
        parameters = ["parameter([3])" if isinstance(value, list) else "parameter([])" for value in values]
        variables.append(f"var x{i} : {domain}")
        drawn.append(f"  x{i} ~ {family}({', '.join(map(str, values))}{more})")
        given.append(f"  x{i} ~ {family}({', '.join(parameters)}{more})")
    write(folder, "all.vae", "\n".join([
        *variables, "source data {", *drawn, "}", "player p {", *given, "}",
        "learn symmetric { steps = 1500; batch = 512; optimizer = adam(0.02); schedule = cosine() }", ""]))
    succeed(vaec, "run", "all.vae", "train", "--quiet", "--out", "run", cwd=folder)
    found = {name: struct.unpack(f"<{len(data) // 4}f", data)
             for name, (_, data) in safetensors(folder / "run/checkpoints/step-1500/model.safetensors").items()}
    for i, (_, family, values, _) in enumerate(FAMILIES):
        for k, value in enumerate(values):
            learned = found[f"p.x{i}.parameter{k + 1}"]
            wanted = value if isinstance(value, list) else [value]
            # The logits of a category are determined only up to a constant.
            shift = sum(learned) / 3 - sum(wanted) / 3 if family == "Categorical" else 0
            for a, b in zip(learned, wanted):
                assert abs(a - shift - b) < 0.1, f"{family}: {learned}, drawn with {values}"


# If mean^2 / variance is large, the terms of the natural parameters cancel. The learned values must stay
# accurate.
FAR = [(10000.0, 1.0), (300.0, 0.02), (2015.0, 0.1), (-40000.0, 3.0)]


def learned(folder, vaec, text, run="run"):
    write(folder, "far.vae", text)
    succeed(vaec, "run", "far.vae", "train", "--quiet", "--out", run, cwd=folder)
    return {name: struct.unpack(f"<{len(data) // 4}f", data)
            for name, (_, data) in safetensors(folder / run / "checkpoints/step-3000/model.safetensors").items()}


def expect_far(found, player):
    for i, (mean, std) in enumerate(FAR):
        centre = found[f"{player}.x{i}.parameter1"][0]
        log_std = found[f"{player}.x{i}.parameter2"][0]
        assert abs(centre - mean) < 0.05 * std + abs(mean) * 1e-7, f"{mean} is learned as {centre}"
        assert abs(math.exp(log_std) / std - 1) < 0.04, f"{std} is learned as {math.exp(log_std)}"


def far_model(player):
    return "\n".join(
        [f"var x{i} : real" for i in range(len(FAR))]
        + ["source data {"] + [f"  x{i} ~ Normal({mean}, {math.log(std)})" for i, (mean, std) in enumerate(FAR)]
        + ["}", player]
        + [f"  x{i} ~ Normal(parameter([], init = {mean + std}), parameter([], init = {math.log(std) + 0.5}))"
           for i, (mean, std) in enumerate(FAR)]
        + ["}", ""])


LEARNING = "steps = 3000; batch = 512; optimizer = adam(0.02); schedule = cosine()"


def test_a_mean_far_from_zero_costs_no_precision(folder, vaec):
    for method in ("symmetric", "supervised"):
        text = far_model("player p {") + f"learn {method} {{ {LEARNING} }}\n"
        expect_far(learned(folder, vaec, text, method), "p")


def test_nor_in_a_bound(folder, vaec):
    text = far_model("decoder p {\n  z ~ Normal(0)\n  y | z ~ Normal(z)")
    text = text.replace("source data {", "var y, z : real\nsource data {\n  y ~ Normal(0, 0.5 * log(2))") + """
encoder q { z | y ~ Normal(parameter([], init = 4) + parameter([], init = 0) * y, parameter([], init = -9)) }
learn elbo { """ + LEARNING + """ }
"""
    found = learned(folder, vaec, text)
    expect_far(found, "p")
    # The posterior is Normal(y / 2, variance 1 / 2).
    for k, wanted in enumerate([0, 0.5, -0.5 * math.log(2)]):
        assert abs(found[f"q.z.parameter{k + 1}"][0] - wanted) < 0.1, found
