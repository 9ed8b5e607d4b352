#!/usr/bin/env python3
"""Tests rows with missing variables. The game treats every pattern of missing values as a source of its own."""
import itertools
import json
import math
import random
import struct

from executable import build, call, metrics, safetensors, succeed, write
from oracle_test import write_npy

# a, then b given a, then c given b. The tables of the conditionals below can represent this exactly.
P_A, P_B, P_C = 0.4, (0.2, 0.8), (0.3, 0.9)

def rows_of_scalars(path, variable):
    _, content = safetensors(path)[variable]
    return struct.unpack(f"<{len(content) // 4}f", content)


TABLES = """
var a, b, c : binary
let t = csv("t.csv")
source rows { a = t.a; b = t.b; c = t.c }
player p { a | b, c ~ Bernoulli(dense(concat(b, c, b * c), 1)) }
player q { b | a, c ~ Bernoulli(dense(concat(a, c, a * c), 1)) }
player r { c | a, b ~ Bernoulli(dense(concat(a, b, a * b), 1)) }
learn symmetric { steps = 2500; batch = 300; optimizer = adam(0.02); schedule = cosine(0); order = ORDER
  every = {log: 100, sample: 0, checkpoint: 2500, evaluate: 0} }
"""


def joint(a, b, c):
    p_b, p_c = P_B[a], P_C[b]
    return (P_A if a else 1 - P_A) * (p_b if b else 1 - p_b) * (p_c if c else 1 - p_c)


def write_rows(path, count, missing, seed):
    """Writes rows of a, b and c. Each value is missing with probability `missing`, but never all values of a row."""
    generator = random.Random(seed)
    lines = ["a,b,c"]
    while len(lines) <= count:
        a = int(generator.random() < P_A)
        b = int(generator.random() < P_B[a])
        c = int(generator.random() < P_C[b])
        cells = [str(value) if generator.random() >= missing else "" for value in (a, b, c)]
        if any(cells):
            lines.append(",".join(cells))
    path.write_text("\n".join(lines) + "\n")


# An IDX file of floats can contain NaN, and 0 / 0 of bytes gives NaN. Both train like rows without x, and the
# logged terms are finite.
def test_nan_in_an_idx_file_and_of_arithmetic_is_a_missing_value(folder, vaec):
    count = 40
    header = lambda kind: bytes([0, 0, kind, 1]) + struct.pack(">I", count)
    reals = [float("nan") if i % 4 == 0 else i / count for i in range(count)]
    (folder / "reals.idx").write_bytes(header(0x0d) + struct.pack(f">{count}f", *reals))
    (folder / "bytes.idx").write_bytes(header(0x08) + bytes(i % 4 for i in range(count)))
    for name, expression in (("read", 'idx("reals.idx")'), ("computed", 'idx("bytes.idx") / idx("bytes.idx")')):
        exe = build(vaec, write(folder, f"{name}.vae", f"""
var x, y : real
source rows {{ x = {expression}; y = idx("bytes.idx") }}
player p {{ x | y ~ Normal(dense(y, 1)) }}
player q {{ y | x ~ Normal(dense(x, 1)) }}
learn symmetric {{ steps = 4; batch = 8; every = {{log: 1, sample: 0, checkpoint: 4, evaluate: 0}} }}
"""), folder)
        run = f"{name}-run"
        succeed(exe, "train", "--quiet", "--threads", "1", "--out", run, cwd=folder)
        for line in metrics(folder / run):
            assert all(abs(value) < 1e6 for value in line["utility"].values()), line


def test_tables_with_missing_cells_reach_the_true_conditionals(folder, vaec):
    write_rows(folder / "t.csv", 60000, 0.3, 1)
    for order in ("alternating", "simultaneous"):
        # With missing values the last part of the training is slow, as it is for EM.
        text = TABLES.replace("ORDER", order).replace("2500", "10000")
        exe = build(vaec, write(folder, f"{order}.vae", text), folder)
        succeed(exe, "train", "--quiet", "--threads", "1", "--out", f"{order}-run", cwd=folder)
        states = list(itertools.product((0, 1), repeat=2))
        for target, parents in (("a", "bc"), ("b", "ac"), ("c", "ab")):
            given = []
            for place, parent in enumerate(parents):
                write_npy(folder / f"given_{parent}.npy", [state[place] for state in states])
                given += ["--given", f"{parent}=given_{parent}.npy"]
            succeed(exe, "infer", f"{target} | {', '.join(parents)}", "--run", f"{order}-run", *given,
                    "--out", "found.safetensors", cwd=folder)
            for state, found in zip(states, rows_of_scalars(folder / "found.safetensors", target), strict=True):
                values = dict(zip(parents, state))
                one, zero = (joint(**values, **{target: value}) for value in (1, 0))
                assert abs(found - one / (one + zero)) < 0.04, (order, target, state, found, one / (one + zero))


# The same file without missing values uses the compiled phases. The records of both runs must mean the same.
def test_terms_mean_the_same_with_and_without_missing_cells(folder, vaec):
    utilities = {}
    for missing in (0, 0.3):
        write_rows(folder / "t.csv", 20000, missing, 2)
        exe = build(vaec, write(folder, "same.vae", TABLES.replace("ORDER", "alternating")), folder)
        succeed(exe, "train", "--quiet", "--threads", "1", "--out", f"same-{missing}", cwd=folder)
        lines = metrics(folder / f"same-{missing}")[-5:]
        assert set(lines[-1]["terms"]) == {"p.a@rows", "q.b@rows", "r.c@rows"}, lines[-1]
        utilities[missing] = sum(line["terms"]["q.b@rows"] for line in lines) / len(lines)
    # Rows in which q itself drew b last count as zero. b was given in seven rows of ten, or something was
    # drawn after it.
    assert 0.6 < utilities[0.3] / utilities[0] < 1, utilities


def test_a_run_with_missing_cells_resumes_bit_for_bit(folder, vaec):
    write_rows(folder / "t.csv", 500, 0.3, 3)
    text = TABLES.replace("ORDER", "alternating").replace("schedule = cosine(0); ", "")
    exe = build(vaec, write(folder, "resume.vae", text), folder)
    quiet = ["train", "--quiet", "--threads", "1"]
    succeed(exe, *quiet, "--steps", 40, "--out", "one", cwd=folder)
    succeed(exe, *quiet, "--steps", 20, "--out", "two-run", cwd=folder)
    succeed(exe, *quiet, "--resume", "two-run", "--steps", 40, cwd=folder)
    model = "checkpoints/step-40/model.safetensors"
    assert (folder / "one" / model).read_bytes() == (folder / "two-run" / model).read_bytes()


def test_bench_sees_the_kernels_of_every_pattern(folder, vaec):
    write_rows(folder / "t.csv", 500, 0.3, 3)
    exe = build(vaec, write(folder, "bench.vae", TABLES.replace("ORDER", "simultaneous")), folder)
    result = json.loads(succeed(exe, "bench", "--threads", "1", "--steps", "9", "--json", cwd=folder).stdout)
    assert result["gigaflops"] > 0 and 0 < result["kernels_milliseconds"] < 1000, result
    names = {kernel["name"] for kernel in result["kernels"]}
    assert {"rows of a", "update p", "update q", "update r"} <= names, names


TWO = """
var x, y, z : real
source rows { x = csv("xy.csv").x; y = csv("xy.csv").y }
source generated { z ~ Normal(0) }
decoder p { x | z ~ Normal(dense(z, 1)); y | z ~ Normal(dense(z, 1)) }
encoder q { z | x, y ~ Normal(dense(concat(x, y), 1)) }
learn symmetric { steps = 3; batch = 8 }
"""


# If only x is known, z waits for y and y waits for z, so a chain is used. A chain is also used if nothing is
# known (docs/language.md, "Chains").
def test_rows_of_every_pattern_train(folder, vaec):
    (folder / "xy.csv").write_text("x,y\n1,2\n0.5,\n,\n2,1\n")
    exe = build(vaec, write(folder, "two.vae", TWO), folder)
    succeed(exe, "train", "--quiet", "--threads", "1", "--out", "two-run", cwd=folder)
    terms = metrics(folder / "two-run")[-1]["terms"]
    assert {"p.x@rows", "p.y@rows", "q.z@rows", "q.z@generated"} <= set(terms), terms
    assert all(abs(value) < 1e3 for value in terms.values()), terms


# The mean of 1000 draws hardly changes from step to step; the mean of few draws would.
def test_a_source_without_data_keeps_its_batch_beside_one_that_misses_values(folder, vaec):
    (folder / "xy.csv").write_text("x,y\n1,2\n0.5,\n,\n2,1\n")
    text = TWO.replace("steps = 3; batch = 8", "steps = 20; batch = {rows: 8, generated: 1000}; optimizer = none;"
                       " every = {log: 1, sample: 0, checkpoint: 0, evaluate: 0}")
    exe = build(vaec, write(folder, "generated.vae", text), folder)
    succeed(exe, "train", "--quiet", "--threads", "1", "--out", "generated-run", cwd=folder)
    terms = [line["terms"]["q.z@generated"] for line in metrics(folder / "generated-run")]
    assert len(terms) == 20 and max(terms) - min(terms) < 0.3, terms


def test_a_column_missing_in_every_row_is_refused(folder, vaec):
    (folder / "xy.csv").write_text("x,y\n1,\n0.5,\n")
    exe = build(vaec, write(folder, "two.vae", TWO), folder)
    result = call(exe, "train", "--out", "never", cwd=folder)
    assert result.returncode == 65 and len(result.stderr.splitlines()) == 1, result
    assert "the value is missing in every row" in result.stderr and not (folder / "never").exists(), result


NOTED = """
var x, y, z : binary
source rows { x = csv("xyz.csv").x; y = csv("xyz.csv").y; z = csv("xyz.csv").z }
player p { x | z ~ Bernoulli(z); y | z ~ Bernoulli(dense(z, 1)) }
player q { z | x ~ Bernoulli(dense(x, 1)) }
learn symmetric { steps = 3; batch = 8 }
"""


# x and y are known: q would ignore y, nobody draws z, and no conditional with parameters has all its
# variables.
def test_rows_without_a_term_are_left_out_with_a_note(folder, vaec):
    (folder / "xyz.csv").write_text("x,y,z\n1,0,1\n0,1,\n1,1,0\n")
    exe = build(vaec, write(folder, "noted.vae", NOTED), folder)
    result = call(exe, "train", "--threads", "1", "--out", "noted-run", cwd=folder)
    assert result.returncode == 0, result
    assert "note: source rows, the 1 row without z are not learned from: no player has a term for them" in (
        result.stdout), result


# The compiler cannot know that the file has no missing values. Then q has no term, and training says so.
def test_a_player_that_no_row_teaches_is_refused(folder, vaec):
    (folder / "xy.csv").write_text("x,y\n1,2\n0.5,1\n")
    exe = build(vaec, write(folder, "never.vae", TWO.replace("source generated { z ~ Normal(0) }", "")), folder)
    result = call(exe, "train", "--out", "never-run", cwd=folder)
    assert result.returncode == 78 and len(result.stderr.splitlines()) == 1, result
    assert "q.z would never be learned, because no row of the sources gives it a term" in result.stderr, result
    assert not (folder / "never-run").exists(), result


PICTURES = """
var x : binary[2, 2]
var z : binary[2]
source rows { x = csv("p.csv", ["a", "b", "c", "d"]); z = csv("p.csv", ["e", "f"]) }
source codes { z ~ Bernoulli(0) }
decoder p { x | z ~ Bernoulli(dense(z, 4)) }
encoder q { z | x ~ Bernoulli(dense(x, 2)) }
learn symmetric { steps = 4; batch = 8; every = {log: 2, sample: 2, checkpoint: 4, evaluate: 2} }
"""


# Commands that evaluate, infer from a source or draw its pictures use only the whole rows, and say so once.
def test_what_is_left_out_for_its_missing_values_is_said(folder, vaec):
    (folder / "p.csv").write_text("a,b,c,d,e,f\n" + "1,0,1,0,1,1\n" * 5 + "1,0,1,,1,1\n1,0,1,0,,\n")
    exe = build(vaec, write(folder, "pictures.vae", PICTURES), folder)
    note = "source rows: 2 of its 7 rows have missing values and are left out here"
    trained = call(exe, "train", "--threads", "1", "--out", "pictures-run", cwd=folder)
    assert trained.returncode == 0 and trained.stdout.count(note) == 1 and not trained.stderr, trained
    evaluated = call(exe, "evaluate", "--run", "pictures-run", cwd=folder)
    assert evaluated.returncode == 0 and evaluated.stderr == f"note: {note}\n", evaluated
    inferred = call(exe, "infer", "z | x", "--run", "pictures-run", "--given", "x=rows", "--out", "z.npy",
                    cwd=folder)
    assert inferred.returncode == 0 and inferred.stderr == f"note: {note}\n", inferred
    # No row is whole, so nothing of the source can be shown or evaluated.
    (folder / "p.csv").write_text("a,b,c,d,e,f\n" + "1,0,1,,1,1\n1,0,1,0,,\n")
    trained = call(exe, "train", "--threads", "1", "--out", "none-run", cwd=folder)
    assert trained.returncode == 0 and "source rows: 2 of its 2 rows have missing values" in trained.stdout, trained


AMBIGUOUS = """
var x, z : binary
source rows { x = csv("xyz.csv").x; z = csv("xyz.csv").z WORD }
player p { x | z ~ Bernoulli(dense(z, 1)) }
player q1 { z | x ~ Bernoulli(dense(x, 1)) }
player q2 { z | x ~ Bernoulli(-dense(x, 1)) }
learn symmetric { steps = 3; batch = 8 }
"""


# Two encoders could draw a missing z. `complete` decides between them, also for a variable that other rows
# know.
def test_an_ambiguous_pattern_is_refused_and_a_word_settles_it(folder, vaec):
    (folder / "xyz.csv").write_text("x,y,z\n1,0,1\n0,1,\n1,1,0\n")
    exe = build(vaec, write(folder, "ambiguous.vae", AMBIGUOUS.replace("WORD", "")), folder)
    result = call(exe, "train", "--out", "never", cwd=folder)
    assert result.returncode == 65 and len(result.stderr.splitlines()) == 1, result
    for words in ("source rows, the 1 row without z", "complete {"):
        assert words in result.stderr, result
    exe = build(vaec, write(folder, "word.vae", AMBIGUOUS.replace("WORD", "; complete { z ~ q1 }")), folder)
    succeed(exe, "train", "--quiet", "--out", "word-run", cwd=folder)
    terms = metrics(folder / "word-run")[-1]["terms"]
    assert {"p.x@rows", "q1.z@rows", "q2.z@rows"} == set(terms), terms


UNLABELLED = """
var c : category(2)
var x : binary[2]
let t = csv("cx.csv", missing = ["?"])
source rows { c = t.c; x = csv("cx.csv", ["x0", "x1"]) }
source held weight 0 { c = csv("whole.csv").c; x = csv("whole.csv", ["x0", "x1"]) }
decoder p { c ~ Categorical(parameter([2])); x | c ~ Bernoulli(dense(c, 2)) }
encoder q { c | x ~ Categorical(dense(concat(x, x[0] * x[1]), 2)) }
learn METHOD { KEYS steps = 3000; batch = 200; optimizer = adam(0.02); schedule = cosine(0)
  every = {log: 100, sample: 0, checkpoint: 3000, evaluate: 0} }
"""
P_CLASS, P_X = 0.3, ((0.9, 0.2), (0.3, 0.8))  # P(c = 1); P(x0 = 1 | c) and P(x1 = 1 | c)


def write_unlabelled(folder, count):
    """Writes rows in which the class is missing more often if x0 is 1. Rows with a class alone would therefore give a
    wrong answer."""
    generator = random.Random(3)
    lines = ["c,x0,x1"]
    for _ in range(count):
        c = int(generator.random() < P_CLASS)
        x = [int(generator.random() < p) for p in P_X[c]]
        missing = generator.random() < (0.9 if x[0] else 0.1)
        lines.append(",".join(map(str, ["" if missing else c, *x])))
    (folder / "cx.csv").write_text("\n".join(lines) + "\n")
    (folder / "whole.csv").write_text("c,x0,x1\n0,1,0\n1,0,1\n")


# Each pattern has the bound of the variables that its rows know. Whole rows alone would suggest that c = 1 in
# 60 % of the rows.
def test_bounds_learn_from_rows_with_and_without_a_class(folder, vaec):
    write_unlabelled(folder, 20000)
    for method, keys in (("elbo", "estimator = {c: enumerate}; alpha = 0.1;"),
                         ("elbo", "estimator = score; samples = 4;"), ("iwae", "samples = 8;"),
                         ("rws", "samples = 8;"), ("symmetric", "enumerate = [c];")):
        exe = build(vaec, write(folder, "u.vae", UNLABELLED.replace("METHOD", method).replace("KEYS", keys)), folder)
        run = f"{method}-{len(keys)}"
        said = succeed(exe, "train", "--threads", "1", "--out", run, cwd=folder)
        assert "not learned from" not in said.stdout, said
        last = metrics(folder / run)[-1]
        assert any("@rows without c" in name for name in last["terms"]), last
        last_checkpoint = folder / run / "checkpoints/step-3000/model.safetensors"
        zero, one = rows_of_scalars(last_checkpoint, "p.c.parameter1")
        share = 1 / (1 + math.exp(zero - one))
        # The encoder of iwae soon draws only one class for x0 = 1. Its samples then say nothing about the
        # other class.
        assert abs(share - P_CLASS) < (0.15 if method == "iwae" else 0.04), f"{method} {keys}: {share}"


# If another latent is drawn in every row, the class is still drawn in the rows that do not have it.
def test_an_estimator_may_be_of_a_variable_that_only_some_rows_draw(folder, vaec):
    write_unlabelled(folder, 200)
    text = UNLABELLED.replace("METHOD", "elbo").replace("KEYS", "estimator = {c: KIND, z: reparam};")
    text = text.replace("3000", "20").replace("var x", "var z : real[2]\nvar x")
    text = text.replace("x | c ~ Bernoulli(dense(c, 2))", "z ~ Normal(0)\nx | c, z ~ Bernoulli(dense(c, 2) + dense(z, 2))")
    text = text.replace("encoder q {", "encoder q { z | x, c ~ Normal(dense(x, 2) + dense(c, 2), 0);")
    for kind in ("enumerate", "zgr"):
        exe = build(vaec, write(folder, f"{kind}.vae", text.replace("KIND", kind)), folder)
        succeed(exe, "train", "--quiet", "--threads", "1", "--out", f"run-{kind}", cwd=folder)
        assert any("@rows without c" in name for name in metrics(folder / f"run-{kind}")[-1]["terms"]), kind
    refused = call(vaec, "check", write(folder, "reparam.vae", text.replace("KIND", "reparam")))
    assert refused.returncode == 1 and "E0810" in refused.stderr, refused


# Whole rows have terms, rows without the class have none. The latter are left out, with a note.
def test_supervised_takes_whole_rows_and_notes_the_rest(folder, vaec):
    (folder / "cx.csv").write_text("c,x0,x1\n0,1,0\n,1,1\n1,0,1\n,,\n")
    (folder / "whole.csv").write_text("c,x0,x1\n0,1,0\n1,0,1\n")
    text = UNLABELLED.replace("METHOD", "supervised").replace("KEYS", "").replace("3000", "20")
    exe = build(vaec, write(folder, "s.vae", text.replace("c ~ Categorical(parameter([2])); ", "")), folder)
    said = call(exe, "train", "--threads", "1", "--out", "s-run", cwd=folder)
    assert said.returncode == 0, said
    assert "rows without c: the row is not learned from" in said.stdout, said


# The encoder draws c, and nothing draws x. Rows without x cannot have a bound and are refused by name.
def test_a_pattern_that_a_bound_does_not_admit_is_refused_by_name(folder, vaec):
    (folder / "cx.csv").write_text("c,x0,x1\n0,1,0\n,1,1\n1,0,1\n1,,1\n")
    (folder / "whole.csv").write_text("c,x0,x1\n0,1,0\n1,0,1\n")
    text = UNLABELLED.replace("METHOD", "elbo").replace("KEYS", "estimator = {c: enumerate};").replace("3000", "20")
    text = text.replace("x : binary[2]", "x : binary[2]\nvar y : binary").replace(
        "source rows {", 'source rows { y = csv("y.csv");').replace(
        "dense(c, 2)) }", "dense(c, 2)); y | x ~ Bernoulli(dense(x, 1)) }").replace(
        "source held weight 0 {", 'source held weight 0 { y = csv("y2.csv");')
    (folder / "y.csv").write_text("y\n0\n1\n1\n0\n")
    (folder / "y2.csv").write_text("y\n0\n1\n")
    exe = build(vaec, write(folder, "r.vae", text), folder)
    said = call(exe, "train", "--threads", "1", "--out", "r-run", cwd=folder)
    assert said.returncode == 78, said
    assert "learn elbo: 1 row of source rows misses x" in said.stderr, said
    assert "the encoders do not draw `x` directly" in said.stderr, said
    assert not (folder / "r-run").exists(), "no run was begun"


def test_a_source_whose_rows_are_all_incomplete_answers_nothing(folder, vaec):
    (folder / "t.csv").write_text("a,b\n1,2\n3,4\n")
    (folder / "u.csv").write_text("a,b\n1,\n,4\n")
    exe = build(vaec, write(folder, "m.vae", """
var a, b, z : real
let t = csv("t.csv")
let u = csv("u.csv")
source rows { a = t.a; b = t.b }
source heldout weight 0 { a = u.a; b = u.b }
decoder p { z ~ Normal(0); a | z ~ Normal(dense(z, 1)); b | z ~ Normal(dense(z, 1)) }
encoder q { z | a, b ~ Normal(dense(a, 1) + dense(b, 1)) }
learn elbo { steps = 2; batch = 4 }
"""), folder)
    succeed(exe, "train", "--quiet", "--out", "run", cwd=folder)
    cause = "each row of source heldout has a missing value, and only whole rows can be used here\n"
    for words, asked in ((["infer", "z | a, b", "--given", "heldout", "--out", "o.csv"], "--given heldout"),
                         (["sample", "--given", "heldout", "--out", "o.csv"], "--given heldout"),
                         (["infer", "z | a", "--given", "a=heldout", "--out", "o.csv"], "--given a=heldout"),
                         (["latents", "--source", "heldout", "--out", "o.csv"], "--source heldout"),
                         (["evaluate"], ""), (["evaluate", "--metrics", "mi"], ""), (["latents", "--out", "o.csv"], "")):
        result = call(exe, *words, "--run", "run", cwd=folder)
        said = f"m {words[0]}: {asked}: {cause}" if asked else f"m {words[0]}: {cause}"
        assert result.returncode == (65 if asked else 78) and result.stderr == said, (words, result)
        assert not (folder / "o.csv").exists()
    # What the model does not admit is left out of a comparison.
    assert "training, seconds" in succeed(exe, "compare", "--out", "compared", cwd=folder).stdout
