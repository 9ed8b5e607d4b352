#!/usr/bin/env python3
"""Tests models with a known equilibrium: finite tables with paired data, and linear Gaussian models."""
import json
import math
import struct

from executable import build, metrics, safetensors, succeed, write

# The true joint as counts of 100 rows: x has three classes (rows), z has two (columns).
JOINT = [[30, 5], [10, 20], [5, 30]]


def write_npy(path, rows):
    """Writes a vector of integers or a matrix of floats as a .npy file."""
    matrix = isinstance(rows[0], (list, tuple))
    numbers = [number for row in rows for number in row] if matrix else rows
    shape = f"({len(rows)}, {len(rows[0])})" if matrix else f"({len(rows)},)"
    header = f"{{'descr': '{'<f4' if matrix else '<i4'}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
                     + struct.pack(f"<{len(numbers)}{'f' if matrix else 'i'}", *numbers))


def rows_of(path, variable):
    shape, content = safetensors(path)[variable]
    return [struct.unpack_from(f"<{shape[1]}f", content, 4 * shape[1] * row) for row in range(shape[0])]


def normalised(weights):
    return [weight / sum(weights) for weight in weights]


def distance(found, expected):
    return 0.5 * sum(abs(a - b) for a, b in zip(found, expected))


TABLES = """
var x : category(3)
var z : category(2)
source pairs weight WEIGHT { x = npy("x.npy"); z = npy("z.npy") }
source images { x = npy("x.npy") }
source codes  { z = npy("z.npy") }
decoder p { x | z ~ Categorical(dense(z, 3)) }
encoder q { z | x ~ Categorical(dense(x, 2)) }
learn symmetric { steps = 3000; batch = 200; optimizer = adam(0.02); schedule = cosine(0); order = ORDER }
"""


def tables_reach_the_true_joint(folder, vaec, order, weight, seed):
    pairs = [(x, z) for x in range(3) for z in range(2) for _ in range(JOINT[x][z])]
    write_npy(folder / "x.npy", [x for x, _ in pairs])
    write_npy(folder / "z.npy", [z for _, z in pairs])
    write_npy(folder / "every_x.npy", [0, 1, 2])
    write_npy(folder / "every_z.npy", [0, 1])
    name = f"{order}{seed}"
    exe = build(vaec, write(folder, f"{name}.vae", TABLES.replace("WEIGHT", weight).replace("ORDER", order)), folder)
    succeed(exe, "train", "--quiet", "--seed", seed, "--threads", "1", "--out", f"{name}-run", cwd=folder)
    for query, given, true in (("x | z", "z=every_z.npy", [normalised(column) for column in zip(*JOINT)]),
                               ("z | x", "x=every_x.npy", [normalised(row) for row in JOINT])):
        succeed(exe, "infer", query, "--run", f"{name}-run", "--given", given, "--out", "found.safetensors", cwd=folder)
        for found, expected in zip(rows_of(folder / "found.safetensors", query[0]), true, strict=True):
            assert distance(found, expected) < 0.03, (order, weight, query, found, expected)


def test_tables_with_pairs_reach_the_true_joint_alternating(folder, vaec):
    tables_reach_the_true_joint(folder, vaec, "alternating", "1", 0)
    tables_reach_the_true_joint(folder, vaec, "alternating", "1", 1)


def test_tables_with_pairs_reach_the_true_joint_simultaneously(folder, vaec):
    tables_reach_the_true_joint(folder, vaec, "simultaneous", "1", 2)


def test_tables_with_few_pairs_reach_the_true_joint(folder, vaec):
    tables_reach_the_true_joint(folder, vaec, "alternating", "0.2", 3)
    tables_reach_the_true_joint(folder, vaec, "simultaneous", "0.2", 4)


# Pairs that say nothing, and unpaired rows with another spread. Training ends with all weights positive or
# all negative, depending on the start of the players, although b c = a a / 4. So `explain` says `unique` only
# for sources that show one distribution, and for real variables it says nothing.
TWO_ENDS = """
var x, z : DOMAIN[4]
source pairs { x ~ FAMILY(0); z ~ FAMILY(0) }
source images weight 0.5 { x = npy("ends.npy") }
source codes weight 0.5  { z = npy("ends.npy") }
decoder p { x | z ~ FAMILY(dense(z, 4, init = START)) }
encoder q { z | x ~ FAMILY(dense(x, 4, init = START)) }
learn symmetric { steps = 1500; batch = 200; optimizer = adam(0.02); schedule = cosine(0) }
"""


def test_other_marginals_can_give_linear_players_two_equilibria(folder, vaec):
    for domain, family, ends, claim in (("binary", "Bernoulli", (0, 1), "unique"), ("real", "Normal", (-3, 3), None)):
        write_npy(folder / "ends.npy", [[end] * 4 for end in ends])
        for start in (0.1, -0.1):
            text = TWO_ENDS.replace("DOMAIN", domain).replace("FAMILY", family).replace("START", str(start))
            program = write(folder, "ends.vae", text)
            assert json.loads(succeed(vaec, "explain", program, "--format", "json").stdout)["equilibrium"] == claim
            exe = build(vaec, program, folder)
            run = f"{domain}{start}"
            succeed(exe, "train", "--quiet", "--threads", "1", "--out", run, cwd=folder)
            tensors = safetensors(folder / run / "checkpoints/step-1500/model.safetensors")
            weights = [number for name, (_, content) in tensors.items() if name.endswith("weight")
                       for number in struct.unpack("<16f", content)]
            # For bits, exact enumeration gives: every weight is 0.604, or every weight is -0.604.
            low, high = (0.55, 0.65) if domain == "binary" else (0.2, 0.3)
            assert len(weights) == 32 and all(low < weight * (1 if start > 0 else -1) < high for weight in weights), (
                run, weights)


# 64 points on a line, plus residuals. Their least squares solution is computed in closed form below.
POINTS = [(math.sin(1.7 * i), 0.5 + 1.5 * math.sin(1.7 * i) + 0.3 * math.cos(2.9 * i * i)) for i in range(64)]

LINE = """
var x, z : real[1]
source pairs { x = npy("x.npy"); z = npy("z.npy") }
source codes weight 0.0001 { z ~ Normal(0) }
source seen weight 0 { x = npy("x.npy") }
decoder p { x | z ~ Normal(dense(z, 1), log_std = parameter([])) }
encoder q { z | x ~ Normal(dense(x, 1), log_std = parameter([])) }
learn symmetric { steps = 3000; batch = 256; optimizer = adam(0.02); schedule = cosine(0)
  every = {log: 100, sample: 0, checkpoint: 3000, evaluate: 0} }
"""


def least_squares(pairs):
    """Returns the slope, the intercept and the log standard deviation of the residuals, for a regression of b on a."""
    n = len(pairs)
    mean_a, mean_b = sum(a for a, _ in pairs) / n, sum(b for _, b in pairs) / n
    slope = sum((a - mean_a) * (b - mean_b) for a, b in pairs) / sum((a - mean_a) ** 2 for a, _ in pairs)
    intercept = mean_b - slope * mean_a
    variance = sum((b - slope * a - intercept) ** 2 for a, b in pairs) / n
    return slope, intercept, 0.5 * math.log(variance)


def trained_line(folder, vaec):
    write_npy(folder / "z.npy", [[z] for z, _ in POINTS])
    write_npy(folder / "x.npy", [[x] for _, x in POINTS])
    exe = build(vaec, write(folder, "line.vae", LINE), folder)
    succeed(exe, "train", "--quiet", "--threads", "1", "--out", "run", cwd=folder)
    tensors = safetensors(folder / "run/checkpoints/step-3000/model.safetensors")
    numbers = {name: struct.unpack("<f", content)[0] for name, (_, content) in tensors.items()}
    return exe, [[next(value for name, value in numbers.items() if name.startswith(player) and name.endswith(part))
                  for part in ("weight", "bias", "parameter1")] for player in ("p.", "q.")]


def test_pairs_of_a_line_give_both_least_squares_fits(folder, vaec):
    _, (p, q) = trained_line(folder, vaec)
    for found, expected in ((p, least_squares(POINTS)), (q, least_squares([(x, z) for z, x in POINTS]))):
        assert max(abs(a - b) for a, b in zip(found, expected)) < 0.02, (found, expected)
    # At the optimum the mean log-density is -1/2 log(2 pi e) - log std.
    utility = sum(line["terms"]["p.x@pairs"] for line in metrics(folder / "run")[-10:]) / 10
    assert abs(utility + 0.5 * math.log(2 * math.pi * math.e) + p[2]) < 0.03, (utility, p)


def test_loglik_is_that_of_the_marginal_gaussian(folder, vaec):
    exe, ((slope, intercept, log_std), _) = trained_line(folder, vaec)
    variance = slope ** 2 + math.exp(2 * log_std)
    exact = sum(-0.5 * math.log(2 * math.pi * variance) - 0.5 * (x - intercept) ** 2 / variance for _, x in POINTS) / 64
    result = succeed(exe, "evaluate", "--run", "run", "--samples", "1000", "--json", cwd=folder)
    assert abs(json.loads(result.stdout)["results"][0]["mean"] - exact) < 0.01, (result.stdout, exact)
