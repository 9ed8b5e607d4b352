"""Tests that every method of a learn block trains the executable. The record names the objective, and training
increases it."""
import collections
import json
import math
import random
import shutil

from executable import build, call, digest, metrics, succeed, write

MODEL = """
var x : binary[28, 28]; var c : category(10); var z : binary[4]
let g = glyphs(400, seed = 1)
source pairs { x = g.image > 0.5; c = g.label }
source images { x = g.image > 0.5 }
source codes { z ~ Bernoulli(0); c ~ Categorical(0) }
decoder p { x | c, z ~ Bernoulli(dense(tanh(dense(concat(c, z), 32)), 784)) }
encoder q { let h = tanh(dense(x, 32)); c | x ~ Categorical(dense(h, 10)); z | c, x ~ Bernoulli(dense(concat(c, h), 4)) }
learn elbo { steps = 60; batch = 32; optimizer = adam(5e-3); alpha = 2; beta = 0.5 }
learn elbo as one_sample { steps = 60; batch = 32; optimizer = adam(5e-3); analytic_kl = false; samples = 3 }
learn elbo as st { steps = 60; batch = 32; optimizer = adam(5e-3); estimator = st }
learn elbo as relaxed { steps = 60; batch = 32; optimizer = adam(5e-3); estimator = {z: gumbel(0.5), c: zgr} }
learn elbo as score { steps = 60; batch = 32; optimizer = adam(5e-3); estimator = score; samples = 4 }
learn iwae { steps = 60; batch = 32; optimizer = adam(5e-3); samples = 4 }
learn rws { steps = 60; batch = 32; optimizer = adam(5e-3); samples = 4 }
learn supervised { steps = 60; batch = 32; optimizer = adam(5e-3); every = {log: 20, sample: 0, checkpoint: 60, evaluate: 0} }
learn libi { steps = 60; batch = 32; optimizer = adam(5e-3); samples = 4 }
"""


def record(folder, run):
    return [json.loads(line) for line in (folder / run / "metrics.jsonl").read_text().splitlines()]


def test_every_method_maximizes_its_objective(folder, vaec):
    exe = build(vaec, write(folder, "methods.vae", MODEL), folder)
    for learn in ["elbo", "one_sample", "st", "relaxed", "score", "iwae", "rws"]:
        succeed(exe, "train", "--quiet", "--learn", learn, "--out", learn, "--steps", "5", cwd=folder)
        succeed(exe, "train", "--quiet", "--resume", learn, "--steps", "60", cwd=folder)
        first, last = record(folder, learn)[0], record(folder, learn)[-1]
        assert last["utility"]["p"] == last["utility"]["q"] == last["objective"], last
        assert last["utility"]["p"] > first["utility"]["p"] + 20, (learn, first, last)
    terms = record(folder, "elbo")[-1]["terms"]
    assert set(terms) == {"p.x@pairs", "kl.z@pairs", "source.c@pairs", "q.c@pairs",
                          "p.x@images", "kl.z@images", "kl.c@images"}, terms
    assert terms["kl.z@pairs"] > 0 and terms["kl.c@images"] > 0
    # A constant family in a source counts with its density: here 10 classes of equal probability.
    assert abs(terms["source.c@pairs"] + math.log(10)) < 1e-4, terms
    utility = (terms["p.x@pairs"] + terms["source.c@pairs"] - 0.5 * terms["kl.z@pairs"] + 2 * terms["q.c@pairs"]
               + terms["p.x@images"] - 0.5 * (terms["kl.z@images"] + terms["kl.c@images"]))
    assert abs(record(folder, "elbo")[-1]["utility"]["p"] - utility) < 1e-6 * abs(utility)
    # The bound itself, without beta and alpha, as a mean over the rows of both sources.
    line = record(folder, "elbo")[-1]
    known = terms["p.x@pairs"] + terms["source.c@pairs"] + terms["p.x@images"]
    divergence = terms["kl.z@pairs"] + terms["kl.z@images"] + terms["kl.c@images"]
    for name, value in (("reconstruction", known / 2), ("kl", divergence / 2), ("elbo", (known - divergence) / 2)):
        assert abs(line[name] - value) < 1e-6 * abs(value), (name, line)
    assert "bound" not in line
    last = record(folder, "iwae")[-1]
    assert set(last["terms"]) == {"bound@pairs", "bound@images"}
    assert abs(last["bound"] - sum(last["terms"].values()) / 2) < 1e-6 * abs(last["bound"]) and "elbo" not in last


SUMS = """
var x : binary[28, 28]; var c : category(10); var z : real[4]
let g = glyphs(400, seed = 1)
source pairs { x = g.image > 0.5; c = g.label }
source images { x = g.image > 0.5 }
source codes { z ~ Normal(0); c ~ Categorical(0) }
decoder p { x | c, z ~ Bernoulli(dense(tanh(dense(concat(c, z), 32)), 784)) }
encoder q {
  let h = tanh(dense(x, 32))
  c | x ~ Categorical(dense(h, 10)); z | c, x ~ Normal(dense(tanh(dense(concat(c, h), 16)), 4))
}
learn elbo { steps = 60; batch = 16; optimizer = adam(5e-3); alpha = 2; estimator = {c: enumerate} }
learn iwae { steps = 60; batch = 16; optimizer = adam(5e-3); samples = 2; estimator = {c: enumerate} }
learn rws { steps = 60; batch = 16; optimizer = adam(5e-3); samples = 2; estimator = {c: enumerate} }
learn libi { steps = 60; batch = 16; optimizer = adam(5e-3); samples = 2; estimator = {c: enumerate} }
learn symmetric { steps = 60; batch = 16; optimizer = adam(5e-3); enumerate = [c] }
"""


def test_classes_are_summed_under_every_method(folder, vaec):
    exe = build(vaec, write(folder, "sums.vae", SUMS), folder)
    for learn in ["elbo", "iwae", "rws", "libi", "symmetric"]:
        succeed(exe, "train", "--quiet", "--learn", learn, "--out", learn, "--every", "log=5", cwd=folder)
        lines = record(folder, learn)
        assert lines[-1]["terms"] and all(math.isfinite(value) for value in lines[-1]["terms"].values()), lines
    # The entropy of q(c | x) and the expectation over the classes are exact: the executable never draws c.
    terms = record(folder, "elbo")[-1]["terms"]
    assert 0 <= terms["kl.c@images"] <= math.log(10) + 1e-4, terms
    assert record(folder, "elbo")[-1]["elbo"] > record(folder, "elbo")[0]["elbo"] + 20


TABLE = """
var x : binary[3]; var c : category(4)
source rows { x = csv("x.csv", ["a", "b", "c"]) }
decoder p { c ~ Categorical(parameter([4])); x | c ~ Bernoulli(dense(c, 3)) }
encoder q { c | x ~ Categorical(dense(x, 4)) }
learn iwae { steps = 300; batch = 256; optimizer = adam(2e-2); samples = 1; estimator = enumerate; every = {log: 1, sample: 0, checkpoint: 300, evaluate: 0} }
learn rws { steps = 300; batch = 256; optimizer = adam(2e-2); samples = 1; estimator = enumerate; every = {log: 1, sample: 0, checkpoint: 300, evaluate: 0} }
"""


def test_a_mixture_learns_its_exact_likelihood(folder, vaec):
    rng = random.Random(3)
    rows = []
    for _ in range(2000):
        odds = rng.choice([(.9, .9, .1), (.1, .1, .9)])
        rows.append(",".join(str(int(rng.random() < odd)) for odd in odds))
    write(folder, "x.csv", "\n".join(["a,b,c", *rows]) + "\n")
    exe = build(vaec, write(folder, "mixture.vae", TABLE), folder)
    entropy = -sum(n / 2000 * math.log(n / 2000) for n in collections.Counter(rows).values())
    for learn in ["iwae", "rws"]:
        succeed(exe, "train", "--quiet", "--learn", learn, "--out", learn, cwd=folder)
        last = record(folder, learn)[-20:]
        bound = sum(line["bound"] for line in last) / len(last)
        # No draw is left. The bound is then the likelihood, which no model of the data can raise above
        # -entropy.
        assert -entropy - 0.03 < bound < -entropy + 0.1, (learn, bound, -entropy)


# Rows know different variables, so their sums differ. Each pattern of missing values has its own terms.
def test_rows_with_missing_values_are_summed_over_too(folder, vaec):
    write(folder, "x.csv", "a,c\n1,0\n0,1\n,2\n1,\n")
    model = """
var a : binary; var c : category(3)
let t = csv("x.csv")
source rows { a = t.a; c = t.c }
decoder p { c ~ Categorical(parameter([3])); a | c ~ Bernoulli(dense(c, 1)[0]) }
encoder q { c | a ~ Categorical(dense(a, 3)) }
learn symmetric { steps = 5; batch = 4; enumerate = [c] }
"""
    exe = build(vaec, write(folder, "missing.vae", model), folder)
    succeed(exe, "train", "--quiet", "--out", "run", cwd=folder)
    terms = metrics(folder / "run")[-1]["terms"]
    assert {"p.a@rows", "p.a@rows without c", "q.c@rows"} <= set(terms), terms


def test_sources_whose_bound_teaches_nothing_are_named(folder, vaec):
    exe = build(vaec, write(folder, "methods.vae", MODEL), folder)
    result = call(exe, "train", "--learn", "elbo", "--steps", "1", "--out", "run", cwd=folder)
    assert result.returncode == 0, result
    assert "source codes is left out: nothing is learned from its bound" in result.stdout + result.stderr, result


def test_supervised_learns_from_given_rows_alone(folder, vaec):
    exe = build(vaec, write(folder, "methods.vae", MODEL), folder)
    said = call(exe, "train", "--learn", "supervised", "--out", "run", cwd=folder)
    assert said.returncode == 0 and "source images is left out: nothing is learned from its rows alone" in (
        said.stdout + said.stderr), said
    lines = record(folder, "run")
    assert all(set(line["terms"]) == {"q.c@pairs"} for line in lines), lines
    assert lines[-1]["utility"]["q"] > lines[0]["utility"]["q"] + 0.3, lines


def test_libi_goes_through_three_phases(folder, vaec):
    exe = build(vaec, write(folder, "methods.vae", MODEL), folder)
    common = ["train", "--quiet", "--learn", "libi", "--every", "log=10"]
    succeed(exe, *common, "--out", "whole", cwd=folder)
    whole = record(folder, "whole")
    assert [line["libi"]["phase"] for line in whole] == ["fit"] * 2 + ["constrain"] * 2 + ["refit"] * 2, whole
    assert "best" not in whole[0]["libi"] and math.isfinite(whole[2]["libi"]["best"])
    assert whole[2]["libi"]["multiplier"] >= 0 and math.isfinite(whole[3]["libi"]["violation"])
    assert set(whole[3]["terms"]) == {"bound@pairs", "bound@images", "elbo@pairs", "elbo@images"}
    # A bound lies below the likelihood.
    assert whole[3]["terms"]["elbo@images"] < whole[3]["terms"]["bound@images"]


def test_flags_set_the_steps_of_the_phases_of_libi(folder, vaec):
    text = MODEL.replace("learn libi { steps = 60;", "learn libi { fit_steps = 3; constrain_steps = 4; refit_steps = 3;")
    exe = build(vaec, write(folder, "methods.vae", text), folder)
    for flags, steps in (([], ["fit"] * 3 + ["constrain"] * 4 + ["refit"] * 3),
                         (["--fit-steps", "5"], ["fit"] * 5 + ["constrain"] * 4 + ["refit"] * 3),
                         (["--fit-steps", "5", "--constrain-steps", "1", "--refit-steps", "2"],
                          ["fit"] * 5 + ["constrain"] + ["refit"] * 2),
                         (["--steps", "20"], ["fit"] * 6 + ["constrain"] * 8 + ["refit"] * 6),  # shares of 20
                         (["--fit-steps", "8", "--refit-steps", "8", "--steps", "10"],
                          ["fit"] * 4 + ["constrain"] * 2 + ["refit"] * 4)):
        run = folder / "-".join(["run", *flags])
        succeed(exe, "train", "--quiet", "--learn", "libi", "--every", "log=1", "--out", run, *flags, cwd=folder)
        assert [line["libi"]["phase"] for line in record(folder, run)] == steps, flags
        succeed(exe, "train", "--resume", run, cwd=folder)
        assert len(record(folder, run)) == len(steps), flags


def test_libi_resumes_bit_for_bit_inside_each_phase(folder, vaec):
    exe = build(vaec, write(folder, "methods.vae", MODEL), folder)
    succeed(exe, "train", "--quiet", "--learn", "libi", "--every", "log=10", "--every", "checkpoint=10",
            "--out", "whole", cwd=folder)
    for stop in (10, 30, 50):  # once in each phase
        part = shutil.copytree(folder / "whole", folder / f"until-{stop}")
        for later in (part / "checkpoints").glob("step-*"):
            if int(later.name[5:]) > stop:
                shutil.rmtree(later)
        succeed(exe, "train", "--quiet", "--resume", part.name, cwd=folder)
        for file in ("model.safetensors", "optimizer.safetensors"):
            assert digest(folder / "whole", 60, file) == digest(part, 60, file), (stop, file)
        same = ("step", "terms", "utility", "libi")
        assert [[line[key] for key in same] for line in record(folder, "whole")] == [
            [line[key] for key in same] for line in record(folder, part.name)], stop
