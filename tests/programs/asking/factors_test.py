#!/usr/bin/env python3
"""Tests `evaluate --metrics mcc`, which compares codes with the true factors that a source knows."""
import json
import math
import random

from distances_test import write_npy
from executable import build, call, succeed, write

# x mixes the factors: x[0] = -2 s[1] + noise, x[1] = s[0], x[2] is only noise. The encoder copies x.
FACTORS = """
var x : real[3]
var z : real[3]
var s : real[2]
source rows { x = npy("x.npy"); s = npy("s.npy") }
source codes { z ~ Normal(0) }
decoder p { x | z ~ Normal(z + parameter([3], init = 0)) }
encoder q { z | x ~ Normal(x + parameter([3], init = 0), -1) }
learn symmetric { steps = 1; batch = 2; optimizer = none; every = {log: 1, sample: 0, checkpoint: 0, evaluate: 0} }
"""


def trained(folder, vaec, program=FACTORS, rows=3000):
    generator = random.Random(1)
    factors = [[generator.gauss(0, 1), generator.gauss(0, 1)] for _ in range(rows)]
    write_npy(folder / "s.npy", factors)
    write_npy(folder / "x.npy", [[-2 * b + 2 * generator.gauss(0, 1), a, generator.gauss(0, 1)] for a, b in factors])
    exe = build(vaec, write(folder, "mix.vae", program), folder)
    succeed(exe, "train", "--quiet", "--out", "run", cwd=folder)
    return exe


def measured(exe, folder, *flags):
    result = succeed(exe, "evaluate", "--run", "run", "--metrics", "mcc", "--json", *flags, cwd=folder)
    return json.loads(result.stdout)["results"]


def test_factors_are_matched_with_codes(folder, vaec):
    exe = trained(folder, vaec)
    found, = measured(exe, folder)
    assert found["of"] == "z" and found["factors"] == "s" and found["rows"] == 3000, found
    assert found["codes"] == [1, 0], found
    copied, mixed = found["correlations"]
    assert abs(copied - 1) < 1e-5 and abs(mixed + 1 / math.sqrt(2)) < 0.04, found
    assert abs(found["value"] - (copied - mixed) / 2) < 1e-5, found
    # The standard error of a correlation is (1 - r^2) / sqrt(n). Only one of the two correlations is not 1,
    # and the mean of both is measured.
    assert abs(found["standard_error"] - 0.5 / math.sqrt(3000) / 2) < 0.003, found
    text = succeed(exe, "evaluate", "--run", "run", "--metrics", "mcc", "--rows", "500", cwd=folder).stdout.splitlines()
    assert text[0].startswith("rows: MCC of z with s = 0.8") and text[1].startswith("  factor   0  code   1"), text


def test_the_factors_may_be_the_codes_themselves(folder, vaec):
    exe = trained(folder, vaec, """
var x : real[3]
var s : real[2]
source rows { x = npy("x.npy"); s = npy("s.npy") }
decoder p { x | s ~ Normal(dense(s, 3)) }
encoder q { s | x ~ Normal(x[1:3] + parameter([2], init = 0), -1) }
learn symmetric { steps = 1; batch = 2; optimizer = none }
""")
    found, = measured(exe, folder)
    # The first code is the first factor. The second code is only noise and says nothing about the other
    # factor.
    assert found["factors"] == "s" and found["of"] == "s" and found["codes"] == [0, 1], found
    assert abs(found["correlations"][0] - 1) < 1e-5 and abs(found["correlations"][1]) < 0.08, found
    assert measured(exe, folder, "--query", "s | x", "--factors", "s")[0]["value"] == found["value"]


def test_categories_are_no_factors_and_wide_variables_too_many(folder, vaec):
    write(folder, "c.csv", "a\n" + "0\n1\n" * 20)
    write_npy(folder / "wide.npy", [[float(row == column) for column in range(1500)] for row in range(40)])
    exe = build(vaec, write(folder, "wide.vae", """
var x : real[1500]
var z : real[600]
var c : category(2)
source rows { x = npy("wide.npy"); c = csv("c.csv").a }
source codes { z ~ Normal(0) }
decoder p { x | z ~ Normal(dense(z, 1500)) }
encoder q { z | x ~ Normal(dense(x, 600)) }
learn symmetric { steps = 1; batch = 2 }
"""), folder)
    succeed(exe, "train", "--quiet", "--out", "run", cwd=folder)
    for words, flags in (("no source with rows knows any", []),
                         ("mcc takes 2048 factors and codes together at most, and x and z have 2100",
                          ["--factors", "x", "--query", "z | x"])):
        result = call(exe, "evaluate", "--run", "run", "--metrics", "mcc", *flags, cwd=folder)
        assert result.returncode == 78 and words in result.stderr, result


def test_what_cannot_be_compared_is_refused(folder, vaec):
    exe = trained(folder, vaec, rows=10)

    def refused(code, words, *flags):
        result = call(exe, "evaluate", "--run", "run", "--metrics", "mcc", *flags, cwd=folder)
        assert result.returncode == code and words in result.stderr and len(result.stderr.splitlines()) == 1, result

    text = call(exe, "evaluate", "--run", "run", "--metrics", "elbo,mcc", cwd=folder)
    assert text.returncode == 78 and text.stdout.startswith("rows: the bound of log p(x) = "), text
    refused(78, "mcc needs 20 rows at least, and rows has 10")
    refused(64, "--factors t: there is no variable of this name; known: x, z, s", "--factors", "t")
    refused(78, "no source with rows knows the factors z and what codes are inferred from", "--factors", "z")
    write(folder, "two.vae", FACTORS.replace("var s : real[2]", "var s : real[2]\nvar t : real[2]")
          .replace('s = npy("s.npy")', 's = npy("s.npy"); t = npy("s.npy")'))
    exe = build(vaec, folder / "two.vae", folder)
    refused(64, "several variables could be the true factors: say --factors s or --factors t")
    write(folder, "none.vae", FACTORS.replace("var s : real[2]\n", "").replace('; s = npy("s.npy")', ""))
    exe = build(vaec, folder / "none.vae", folder)
    refused(78, "no source with rows knows any")
