#!/usr/bin/env python3
"""Tests training on tables through Gibbs chains. If some source knows all variables, every player reaches the true
joint distribution."""
import itertools
import struct

from executable import build, metrics, safetensors, succeed, write
from oracle_test import distance, normalised, rows_of, write_npy

# Counts of 100 rows over (c, x, z), which have two, three and two classes.
JOINT = {(0, 0, 0): 20, (0, 0, 1): 3, (0, 1, 0): 8, (0, 1, 1): 7, (0, 2, 0): 2, (0, 2, 1): 10,
         (1, 0, 0): 3, (1, 0, 1): 12, (1, 1, 0): 9, (1, 1, 1): 2, (1, 2, 0): 20, (1, 2, 1): 4}
CLASSES = {"c": 2, "x": 3, "z": 2}

# A semi-supervised model with unrestricted tables as arguments. If only c is known, x and z wait for each
# other.
SEMI = """
var c : category(2)
var x : category(3)
var z : category(2)
source full weight WEIGHT { c = npy("c.npy"); x = npy("x.npy"); z = npy("z.npy") }
source images  { x = npy("x.npy") }
source classes { c = npy("c.npy"); complete gibbs(sweeps = SWEEPS) { x ~ Categorical(0) } }
source generated  { complete gibbs(sweeps = SWEEPS) { x ~ Categorical(0) } }
net table(a, classes, b, n) = dense(flatten(reshape(a, [classes, 1]) * reshape(b, [1, 2])), n)
decoder p { x | c, z ~ Categorical(table(c, 2, z, 3)) }
encoder q {
  c | x ~ Categorical(dense(x, 2))
  z | c, x ~ Categorical(table(x, 3, c, 2))
}
learn symmetric { steps = STEPS; batch = 200; optimizer = adam(0.02); schedule = cosine(0); order = ORDER
  every = {log: 100, sample: 0, checkpoint: STEPS, evaluate: 0} }
"""


def write_joint(folder):
    rows = [row for row, count in JOINT.items() for _ in range(count)]
    for place, name in enumerate("cxz"):
        write_npy(folder / f"{name}.npy", [row[place] for row in rows])


def error_of(exe, folder, run):
    """The largest total variation distance between a conditional of a player and the true conditional."""
    worst = 0
    for target, parents in (("x", "cz"), ("c", "x"), ("z", "cx")):
        states = list(itertools.product(*(range(CLASSES[parent]) for parent in parents)))
        given = []
        for place, parent in enumerate(parents):
            write_npy(folder / f"given_{parent}.npy", [state[place] for state in states])
            given += ["--given", f"{parent}=given_{parent}.npy"]
        succeed(exe, "infer", f"{target} | {', '.join(parents)}", "--run", run, *given, "--out", "found.safetensors",
                cwd=folder)
        for state, found in zip(states, rows_of(folder / "found.safetensors", target), strict=True):
            true = [0] * CLASSES[target]
            for row, count in JOINT.items():
                values = dict(zip("cxz", row))
                if all(values[parent] == value for parent, value in zip(parents, state)):
                    true[values[target]] += count
            worst = max(worst, distance(found, normalised(true)))
    return worst


def train(folder, vaec, name, weight, sweeps, order="alternating", steps=3000, seed=0):
    text = SEMI
    for key, value in (("WEIGHT", weight), ("SWEEPS", sweeps), ("STEPS", steps), ("ORDER", order)):
        text = text.replace(key, str(value))
    exe = build(vaec, write(folder, f"{name}.vae", text), folder)
    succeed(exe, "train", "--quiet", "--seed", seed, "--threads", "1", "--out", f"{name}-run", cwd=folder)
    return exe


def test_tables_with_some_full_rows_reach_the_true_joint_through_chains(folder, vaec):
    write_joint(folder)
    for order, seed in (("alternating", 0), ("simultaneous", 1)):
        exe = train(folder, vaec, order, 1, 10, order, seed=seed)
        assert error_of(exe, folder, f"{order}-run") < 0.04, order


# A chain of finite length is approximate. With few full rows the effect of its start is visible after one
# sweep, but not after ten.
def test_one_sweep_is_biased_where_full_rows_weigh_little(folder, vaec):
    write_joint(folder)
    errors = {}
    for sweeps in (1, 10):
        exe = train(folder, vaec, f"sweeps{sweeps}", 0.05, sweeps)
        errors[sweeps] = error_of(exe, folder, f"sweeps{sweeps}-run")
    assert errors[1] > 0.2 and errors[10] < 0.5 * errors[1], errors


# In the steps in which a term of a chain is dropped, it counts as zero in the record's means.
def test_terms_of_chains_are_in_the_record(folder, vaec):
    write_joint(folder)
    train(folder, vaec, "record", 1, 3, steps=300)
    names = set(metrics(folder / "record-run")[-1]["terms"])
    assert names == {f"{term}@{source}" for term in ("p.x", "q.c", "q.z") for source in
                     ("full", "images", "classes", "generated")} - {"q.c@images", "q.z@images"}, names


def parameters(folder, run, step):
    tensors = safetensors(folder / run / f"checkpoints/step-{step}/model.safetensors")
    return {name: struct.unpack(f"<{len(content) // 4}f", content) for name, (_, content) in tensors.items()}


# The rows of a chain depend only on the seed and the step, so a resumed run gives the same bits.
def test_a_chain_resumes_bit_for_bit(folder, vaec):
    write_joint(folder)
    train(folder, vaec, "whole", 1, 4, steps=1)
    text = (folder / "whole.vae").read_text().replace("schedule = cosine(0); ", "")
    exe = build(vaec, write(folder, "constant.vae", text), folder)
    quiet = ["train", "--quiet", "--threads", "1"]
    succeed(exe, *quiet, "--steps", 40, "--out", "one", cwd=folder)
    succeed(exe, *quiet, "--steps", 20, "--out", "two", cwd=folder)
    assert parameters(folder, "one", 40) != parameters(folder, "two", 20)
    succeed(exe, *quiet, "--resume", "two", "--steps", 40, cwd=folder)
    assert parameters(folder, "one", 40) == parameters(folder, "two", 40)


# Sources that disagree: pairs with weight a, and x alone and z alone from other distributions. The best
# table, given the other table, is a mixture. Repeated computation of these best responses gives the
# equilibrium.
MIXED = """
var x : category(3)
var z : category(2)
source pairs weight 0.5 { x = npy("px.npy"); z = npy("pz.npy") }
source images weight 2  { x = npy("ix.npy") }
source codes            { z = npy("cz.npy") }
decoder p { x | z ~ Categorical(dense(z, 3)) }
encoder q { z | x ~ Categorical(dense(x, 2)) }
learn symmetric { steps = 4000; batch = 400; optimizer = adam(0.02); schedule = cosine(0) }
"""


def test_weighted_sources_that_disagree_meet_at_the_enumerated_equilibrium(folder, vaec):
    pairs = [(0, 0)] * 50 + [(1, 1)] * 20 + [(2, 0)] * 10 + [(2, 1)] * 20
    write_npy(folder / "px.npy", [x for x, _ in pairs])
    write_npy(folder / "pz.npy", [z for _, z in pairs])
    write_npy(folder / "ix.npy", [0] * 10 + [1] * 60 + [2] * 30)
    write_npy(folder / "cz.npy", [0] * 30 + [1] * 70)
    joint = [[sum(pair == (x, z) for pair in pairs) / 100 for z in range(2)] for x in range(3)]
    images, codes = [0.1, 0.6, 0.3], [0.3, 0.7]
    p, q = [[1 / 3] * 3 for _ in range(2)], [[1 / 2] * 2 for _ in range(3)]
    for _ in range(2000):
        p = [normalised([0.5 * joint[x][z] + 2 * images[x] * q[x][z] for x in range(3)]) for z in range(2)]
        q = [normalised([0.5 * joint[x][z] + codes[z] * p[z][x] for z in range(2)]) for x in range(3)]
    exe = build(vaec, write(folder, "mixed.vae", MIXED), folder)
    succeed(exe, "train", "--quiet", "--threads", "1", "--out", "mixed-run", cwd=folder)
    write_npy(folder / "all_x.npy", [0, 1, 2])
    write_npy(folder / "all_z.npy", [0, 1])
    for query, given, expected in (("x | z", "z=all_z.npy", p), ("z | x", "x=all_x.npy", q)):
        succeed(exe, "infer", query, "--run", "mixed-run", "--given", given, "--out", "mixed.safetensors", cwd=folder)
        for found, true in zip(rows_of(folder / "mixed.safetensors", query[0]), expected, strict=True):
            assert distance(found, true) < 0.03, (query, found, true)
