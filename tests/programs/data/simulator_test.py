#!/usr/bin/env python3
"""Tests sources that draw from another trained model: `run("other.vae", from = RUN)`."""
import math
import struct

from executable import build, call, safetensors, succeed, write
from oracle_test import distance, normalised, write_npy

# c has three classes, and x is drawn given c. The simulator learns these counts of 100 rows.
JOINT = [[40, 5], [10, 20], [5, 20]]

SIMULATOR = """
var c : category(3)
var x : binary
source rows { c = npy("c.npy"); x = npy("x.npy") }
decoder p { c ~ Categorical(parameter([3])); x | c ~ Bernoulli(dense(c, 1, bias = false)) }
learn symmetric { steps = 2000; batch = 200; optimizer = adam(0.02); schedule = cosine(0) }
"""

# The learner sees only the simulator's rows, and its tables have the opposite direction.
LEARNER = """
let other = run("simulator.vae", from = "simulator-run")
var a : category(3)
var b, n : binary
source rows weight 2 { a = other.c; b = other.x; n = other.x < 0.5 }
player r { b ~ Bernoulli(parameter([])); a | b ~ Categorical(dense(b, 3)); n | b ~ Bernoulli(dense(b, 1)) }
learn symmetric { steps = 2000; batch = 200; optimizer = adam(0.02); schedule = cosine(0) }
"""


def trained_simulator(folder, vaec):
    rows = [(c, x) for c in range(3) for x in range(2) for _ in range(JOINT[c][x])]
    write_npy(folder / "c.npy", [c for c, _ in rows])
    write_npy(folder / "x.npy", [x for _, x in rows])
    exe = build(vaec, write(folder, "simulator.vae", SIMULATOR), folder)
    succeed(exe, "train", "--quiet", "--threads", "1", "--out", "simulator-run", cwd=folder)


def parameters(folder, run, step):
    tensors = safetensors(folder / run / f"checkpoints/step-{step}/model.safetensors")
    return {name: struct.unpack(f"<{len(content) // 4}f", content) for name, (_, content) in tensors.items()}


def sigmoid(logit):
    return 1 / (1 + math.exp(-logit))


def test_what_is_learned_from_a_simulator_is_its_joint(folder, vaec):
    trained_simulator(folder, vaec)
    exe = build(vaec, write(folder, "learner.vae", LEARNER), folder)
    succeed(exe, "train", "--quiet", "--threads", "1", "--out", "learner-run", cwd=folder)
    learned = parameters(folder, "learner-run", 2000)
    one = sum(row[1] for row in JOINT) / 100
    (logit,) = next(value for name, value in learned.items() if name.startswith("r.b."))
    assert abs(sigmoid(logit) - one) < 0.03, (learned, one)
    weight = next(value for name, value in learned.items() if name.startswith("r.a.") and name.endswith("weight"))
    bias = next(value for name, value in learned.items() if name.startswith("r.a.") and name.endswith("bias"))
    for x in range(2):
        found = normalised([math.exp(bias[c] + x * weight[c]) for c in range(3)])
        true = normalised([row[x] for row in JOINT])
        assert distance(found, true) < 0.04, (x, found, true)
    # n is 1 where b is 0, because both come from the same rows.
    weight = next(value for name, value in learned.items() if name.startswith("r.n.") and name.endswith("weight"))
    bias = next(value for name, value in learned.items() if name.startswith("r.n.") and name.endswith("bias"))
    assert sigmoid(bias[0]) > 0.95 and sigmoid(bias[0] + weight[0]) < 0.05, (weight, bias)


# An array of two variables, of which the first is rarely 1 and the second mostly.
ARRAY = """
var z[2] : binary
source rows { z[0] = npy("rare.npy"); z[1] = npy("frequent.npy") }
publish (z[0], z[1])
decoder p { z[0] ~ Bernoulli(parameter([])); z[1] ~ Bernoulli(parameter([])) }
learn symmetric { steps = 500; batch = 200; optimizer = adam(0.05) }
"""


def test_elements_of_an_array_of_variables_can_be_named(folder, vaec):
    write_npy(folder / "rare.npy", [1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    write_npy(folder / "frequent.npy", [0, 0, 1, 1, 1, 1, 1, 1, 1, 1])
    exe = build(vaec, write(folder, "array.vae", ARRAY), folder)
    succeed(exe, "train", "--quiet", "--threads", "1", "--out", "array-run", "--publish", "spool", cwd=folder)
    for table, flags in (('run("array.vae", from = "array-run")', []), ('peer("site")', ["--peer", "site=spool"])):
        text = f"var b : binary\nsource rows {{ let t = {table}; b = t.z[1] }}\n" \
               "player r { b ~ Bernoulli(parameter([])) }\nlearn symmetric { steps = 500; batch = 200; " \
               "optimizer = adam(0.05) }\n"
        learner = build(vaec, write(folder, "learner.vae", text), folder)
        succeed(learner, "train", "--quiet", "--threads", "1", "--out", table[:4], *flags, cwd=folder)
        ((logit,),) = parameters(folder, table[:4], 500).values()
        assert abs(sigmoid(logit) - 0.8) < 0.1, (table, logit)


def test_rows_of_a_simulator_are_a_function_of_seed_and_step(folder, vaec):
    trained_simulator(folder, vaec)
    exe = build(vaec, write(folder, "learner.vae", LEARNER.replace("schedule = cosine(0)", "")), folder)
    quiet = ["train", "--quiet", "--threads", "1"]
    succeed(exe, *quiet, "--steps", 20, "--out", "one", cwd=folder)
    succeed(exe, *quiet, "--steps", 10, "--out", "two", cwd=folder)
    succeed(exe, *quiet, "--resume", "two", "--steps", 20, cwd=folder)
    assert parameters(folder, "one", 20) == parameters(folder, "two", 20)
    succeed(exe, *quiet, "--steps", 20, "--seed", 1, "--out", "three", cwd=folder)
    assert parameters(folder, "one", 20) != parameters(folder, "three", 20)


def refused(code, words, result):
    assert result.returncode == code and words in result.stderr, result


def test_what_is_wrong_with_the_other_model_is_said(folder, vaec):
    learner = write(folder, "learner.vae", LEARNER)
    refused(1, "simulator.vae", call(vaec, "check", learner))  # the file does not exist
    write(folder, "simulator.vae", SIMULATOR.replace("parameter([3])", "parameter([3]"))
    refused(1, "simulator.vae:5", call(vaec, "check", learner))  # its own error, at its own position
    write(folder, "simulator.vae", SIMULATOR)
    wrong = write(folder, "wrong.vae", LEARNER.replace("other.c", "other.q"))
    refused(1, "there is no column `q`", call(vaec, "check", wrong))
    sliced = write(folder, "sliced.vae", LEARNER.replace("other.c", "other[0 : 5].c"))
    refused(1, "rows of another trained model are drawn at every step", call(vaec, "check", sliced))
    exe = build(vaec, learner, folder)
    result = call(exe, "train", "--out", "never", cwd=folder)
    refused(66, "simulator-run", result)  # not trained yet
    assert len(result.stderr.splitlines()) == 1 and not (folder / "never").exists(), result
    # A run of a model with other shapes.
    trained_simulator(folder, vaec)
    write(folder, "simulator.vae", SIMULATOR.replace("category(3)", "category(4)").replace("[3]", "[4]"))
    exe = build(vaec, learner, folder)
    result = call(exe, "train", "--out", "never", cwd=folder)
    refused(78, "p.c.parameter1 has the shape [3], this model needs [4]", result)
    assert len(result.stderr.splitlines()) == 1 and not (folder / "never").exists(), result


def test_classes_of_another_program_keep_their_words(folder, vaec):
    write(folder, "simulator.vae", SIMULATOR.replace("category(3)", 'category("a", "b", "c")'))
    for domain, column, code in (('category("a", "b", "c")', "other.c", 0), ('category("b", "a", "c")', "other.c", 1),
                                 ("category(3)", "other.c", 1), ("binary", "other.c == 1", 0),
                                 ('category("c", "b", "a")', "other", 1), ('category("a", "b", "c")', "other", 0)):
        text = f"""
let other = run("simulator.vae", from = "simulator-run")
var a : {domain}
source rows {{ a = {column} }}
player r {{ a ~ {"Bernoulli(parameter([]))" if domain == "binary" else "Categorical(parameter([3]))"} }}
learn symmetric {{ steps = 1 }}
"""
        result = call(vaec, "check", write(folder, "learner.vae", text))
        assert result.returncode == code, (domain, result)
        if code:
            cause = f'error[E0620]: `c` is category("a", "b", "c") in simulator.vae, and `a` is {domain} here'
            assert cause in result.stderr, result
