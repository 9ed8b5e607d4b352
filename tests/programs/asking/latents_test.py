#!/usr/bin/env python3
"""Tests `evaluate --metrics elbo,kl,gap,mi,active_units` on models whose results have a closed form."""
import json
import math

from distances_test import normal_rows, trained
from executable import build, call, succeed, write

METRICS = "loglik,elbo,kl,gap"


def measured(exe, folder, names, *flags):
    result = succeed(exe, "evaluate", "--run", "run", "--metrics", names, "--json", *flags, cwd=folder)
    return json.loads(result.stdout)["results"]


# x ~ N(1, 2) in each of three coordinates. The encoder is the exact posterior N((x - 1) / 2, 1 / 2).
def test_bounds_of_the_exact_posterior(folder, vaec):
    exe = trained(folder, vaec, 1)
    rows = normal_rows(4000, 2)[:500]
    likelihood = sum(-0.5 * math.log(4 * math.pi) - (x - 1) ** 2 / 4 for row in rows for x in row) / len(rows)
    divergence = sum(0.5 * (0.5 + ((x - 1) / 2) ** 2 - 1 - math.log(0.5)) for row in rows for x in row) / len(rows)
    found = {result["metric"]: result for result in measured(exe, folder, METRICS, "--rows", "500", "--samples", "400")}
    assert list(found) == METRICS.split(","), found
    for name, expected in (("loglik", likelihood), ("elbo", likelihood), ("gap", 0)):
        assert abs(found[name]["mean"] - expected) < 1e-3, (found[name], expected)
    assert found["kl"]["of"] == "KL(q(z | x) || p(z))", found
    assert abs(found["kl"]["mean"] - divergence) < 0.02, (found["kl"], divergence)
    spread = math.sqrt(sum((sum(-(x - 1) ** 2 / 4 + 0.25 * 3 for x in row)) ** 2 for row in rows)) / len(rows)
    assert 0.3 * spread < found["loglik"]["standard_error"] < 2 * spread, (found["loglik"], spread)


# The encoder gives standard normal codes for every x. The bound for this wrong posterior is computed by hand.
def test_bound_of_a_wrong_posterior(folder, vaec):
    exe = trained(folder, vaec, 0, encoder="Normal(0 * x + parameter([3], init = 0), 0)")
    rows = normal_rows(4000, 2)[:500]
    likelihood = sum(-0.5 * math.log(4 * math.pi) - x ** 2 / 4 for row in rows for x in row) / len(rows)
    # E log N(x; z, 1) for z ~ N(0, 1).
    bound = sum(-0.5 * math.log(2 * math.pi) - (x ** 2 + 1) / 2 for row in rows for x in row) / len(rows)
    flags = ["--rows", "500", "--samples", "1000"]
    found = {result["metric"]: result["mean"] for result in measured(exe, folder, METRICS, *flags)}
    assert abs(found["loglik"] - likelihood) < 0.05, (found, likelihood)
    assert abs(found["elbo"] - bound) < 0.05, (found, bound)
    assert abs(found["kl"]) < 1e-3, found
    assert abs(found["gap"] - (found["loglik"] - found["elbo"])) < 1e-6, found


# x ~ N(z^2, 0.1^2) has two posteriors, around z and -z. The encoder knows only the positive one.
def test_a_posterior_that_the_encoder_misses_is_found(folder, vaec):
    xs = [0.3, 0.8, 1.5]
    (folder / "x.csv").write_text("x\n" + "\n".join(str(x) for x in xs) + "\n")
    exe = build(vaec, write(folder, "square.vae", """
var x, z : real
source rows { x = csv("x.csv", ["x"]) }
source heldout weight 0 { x = csv("x.csv", ["x"]) }
decoder p { z ~ Normal(0, 0); x | z ~ Normal(z * z + parameter([], init = 0), log(0.1)) }
encoder q { z | x ~ Normal(sqrt(abs(x)) + parameter([], init = 0), log(0.1)) }
learn elbo { steps = 1; batch = 3 }
"""), folder)
    succeed(exe, "train", "--quiet", "--steps", "0", "--out", "run", cwd=folder)
    found = {result["metric"]: result["mean"] for result in measured(exe, folder, "loglik,elbo", "--samples", "20000")}

    def density(x):
        grid = [-6 + 12 * (i + 0.5) / 20000 for i in range(20000)]
        return sum(math.exp(-z * z / 2 - (x - z * z) ** 2 / 0.02) for z in grid) * 12 / 20000 / (2 * math.pi * 0.1)

    expected = sum(math.log(density(x)) for x in xs) / len(xs)
    assert abs(found["loglik"] - expected) < 0.03, (found, expected)
    assert found["elbo"] < expected - math.log(2) + 0.01, (found, expected)


# Over x ~ N(0, 2), q(z) is N(-1/2, 1/2 + 1/2). The information is therefore 3 * 1/2 log(1 / (1/2)), and means
# vary by 1/2.
def test_information_of_real_codes(folder, vaec):
    exe = trained(folder, vaec, 1)
    information, active = measured(exe, folder, "mi,active_units")
    assert abs(information["value"] - 1.5 * math.log(2)) < 4 * information["standard_error"], information
    assert information["standard_error"] < 0.1 and abs(information["at_most"] - math.log(500)) < 1e-9, information
    assert active["value"] == 3 and active["of_units"] == 3 and active["standard_error"] == 0, active
    assert all(abs(unit["value"] - 0.5) < 5 * unit["standard_error"] < 0.1 for unit in active["units"]), active


# In a third of the 300 rows x[0] is 1. The first bit copies x[0], the second is a coin, and the category is
# random among three classes.
BITS = """
var x : binary[2]
var z : binary[2]
var c : category(3)
source rows { x = csv("rows.csv", ["a", "b"]) }
source codes { z ~ Bernoulli(0); c ~ Categorical(0) }
decoder p { x | z, c ~ Bernoulli(dense(z, 2) + dense(c, 2)) }
encoder q {
  z | x ~ Bernoulli(concat(100 * x[0] - 50, 0 * x[1]) + parameter([2], init = 0))
  c | x ~ Categorical(0 * dense(x, 3))
}
learn symmetric { steps = 1; batch = 2; optimizer = none }
"""


def test_information_of_discrete_codes(folder, vaec):
    write(folder, "rows.csv", "a,b\n" + "1,0\n0,1\n0,0\n" * 100)
    exe = build(vaec, write(folder, "bits.vae", BITS), folder)
    succeed(exe, "train", "--quiet", "--out", "run", cwd=folder)
    entropy = math.log(3) - 2 / 3 * math.log(2)
    found = {(result["metric"], result["of"]): result for result in measured(exe, folder, "mi,active_units")}
    assert abs(found["mi", "z"]["value"] - entropy) < 1e-4, found
    assert [round(unit["value"], 4) for unit in found["mi", "z"]["units"]] == [round(entropy, 4), 0], found
    assert abs(found["mi", "c"]["value"]) < 1e-6 and len(found["mi", "c"]["units"]) == 1, found
    assert found["active_units", "z"]["value"] == 1 and found["active_units", "c"]["value"] == 0, found
    text = succeed(exe, "evaluate", "--run", "run", "--metrics", "mi,active_units", cwd=folder).stdout.splitlines()
    assert text[0].startswith("rows: information of the data in z = 0.637 +- "), text
    assert text[2] == "rows: 1 +- 0.0 of 2 units of z are active: mutual information above 0.01 (300 rows)", text


def test_what_has_no_latents_is_refused(folder, vaec):
    write(folder, "rows.csv", "a,b\n" + "1,0\n0,1\n" * 20)
    exe = build(vaec, write(folder, "pair.vae", """
var a : binary
var b : binary
source rows { let t = csv("rows.csv"); a = t.a; b = t.b }
decoder p { a | b ~ Bernoulli(dense(b, 1)) }
learn symmetric { steps = 1; batch = 2 }
"""), folder)
    succeed(exe, "train", "--quiet", "--out", "run", cwd=folder)
    result = call(exe, "evaluate", "--run", "run", "--metrics", "mi", cwd=folder)
    assert result.returncode == 78 and "each source knows all" in result.stderr, result
    result = call(exe, "evaluate", "--run", "run", "--metrics", "kl,gap", cwd=folder)
    assert result.returncode == 78 and "each source knows all" in result.stderr, result
    likelihood, bound = measured(exe, folder, "loglik,elbo,kl")
    assert likelihood["mean"] == bound["mean"] and bound["metric"] == "elbo", (likelihood, bound)
