#!/usr/bin/env python3
"""Tests constants that 32-bit numbers cannot hold, infinite means, and likelihoods that need no draws."""
import json
import math
import re
import shutil
import struct
import zipfile

from executable import build, call, metrics, safetensors, succeed, write

QUICK = "every = {log: 10, sample: 0, checkpoint: 50, evaluate: 0}"


def npy(path, shape, values):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (63 - (len(header) + 10) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
                     + struct.pack(f"<{len(values)}f", *values))


def read_npy(path):
    content = path if isinstance(path, bytes) else path.read_bytes()
    size = struct.unpack("<H", content[8:10])[0]
    return list(struct.unpack(f"<{(len(content) - 10 - size) // 4}f", content[10 + size:]))


def trained(folder, vaec, text, *arguments):
    exe = build(vaec, write(folder, "model.vae", text), folder)
    succeed(exe, "train", "--out", folder / "run", "--quiet", *arguments, cwd=folder)
    return exe, folder / "run"


def finite(run):
    """Checks that every number of the record is finite."""
    lines = metrics(run)
    assert lines
    for line in lines:
        for group in ("utility", "terms"):
            assert all(value is not None and math.isfinite(value) for value in line[group].values()), line


MASKED = """
var x : binary[4]
var k : category(3)
source data {{ x = npy("x.npy"); k = npy("k.npy") }}
decoder p {{
  let h = dense(x, 3)
  k | x ~ Categorical({mask})
}}
learn symmetric {{ steps = 50; batch = 8; {quick} }}
"""


def masked(folder, vaec, mask):
    npy(folder / "x.npy", (8, 4), [float(i >> j & 1) for i in range(8) for j in range(4)])
    npy(folder / "k.npy", (8,), [float(i % 2) for i in range(8)])
    exe, run = trained(folder, vaec, MASKED.format(mask=mask, quick=QUICK))
    finite(run)
    succeed(exe, "infer", "--run", run, "k | x", "--given", "x=x.npy", "--out", folder / "k.npz", cwd=folder)
    return exe, run


def test_a_mask_beyond_32_bits_trains_and_the_masked_class_is_never_drawn(folder, vaec):
    exe, run = masked(folder, vaec, "where([1, 1, 0], h, -1e39)")
    succeed(exe, "info", "--json")
    succeed(exe, "sample", "--run", run, "--given", "x=x.npy", "--n", "200", "--out", folder / "s.npz", cwd=folder)
    drawn = read_npy(zipfile.ZipFile(folder / "s.npz").read("k.npy"))
    assert len(drawn) == 600 and sum(drawn) == 200 and sum(drawn[2::3]) == 0, drawn


def test_a_mask_that_is_infinite_when_it_runs_trains(folder, vaec):
    npy(folder / "m.npy", (8, 3), [1, 1, 0] * 4 + [0, 1, 1] * 4)
    npy(folder / "k.npy", (8,), [0, 1, 0, 1, 1, 2, 1, 2])
    text = """
    var m : binary[3]
    var k : category(3)
    source data { m = npy("m.npy"); k = npy("k.npy") }
    decoder p { k | m ~ Categorical(dense(m, 3) + log(m)) }
    learn symmetric { steps = 200; batch = 8; optimizer = adam(0.05); every = {log: 10, sample: 0, checkpoint: 200, evaluate: 0} }
    """
    exe, run = trained(folder, vaec, text)
    finite(run)
    assert metrics(run)[-1]["utility"]["p"] > -0.75, metrics(run)[-1]  # each row has two possible classes
    found = json.loads(succeed(exe, "evaluate", "--run", run, "--json", cwd=folder).stdout)["results"]
    assert abs(found[0]["mean"] + math.log(2)) < 0.05, found


def test_a_parameter_without_effect_stays_a_parameter_of_its_conditional(folder, vaec):
    npy(folder / "x.npy", (4,), [0.5, 1, 2, 3])
    text = """
    param scale = 0.0
    param on = false
    var x : real
    source data {{ x = npy("x.npy") }}
    player p {{ x ~ Normal({mean}) }}
    learn symmetric {{ steps = 10; batch = 4; every = {{log: 10, sample: 0, checkpoint: 10, evaluate: 0}} }}
    """
    for mean in ("scale * parameter([], init = 3)", "scale / parameter([], init = 3)",
                 "where(on, parameter([], init = 3), 1)", "where(not on, 1, parameter([], init = 3))",
                 "stop(parameter([], init = 3))"):
        program = write(folder, "model.vae", text.format(mean=mean))
        game = succeed(vaec, "explain", "--format", "json", program).stdout
        changed = succeed(vaec, "explain", "--format", "json", "-D", "scale=1", "-D", "on=true", program).stdout
        assert game == changed, (mean, game, changed)
        exe = build(vaec, program, folder)
        succeed(exe, "train", "--out", folder / mean[:5], "--quiet", cwd=folder)
        tensors = safetensors(folder / mean[:5] / "checkpoints" / "step-10" / "model.safetensors")
        assert [struct.unpack("<f", data)[0] for _, data in tensors.values()] == [3.0], (mean, tensors)
        shutil.rmtree(folder / mean[:5])


def test_data_beside_numbers_beyond_32_bits(folder, vaec):
    npy(folder / "x.npy", (4, 2), [0.25, 0.75] * 4)
    text = """
    var x : binary[2]
    var y : binary[2]
    source data { x = npy("x.npy") > -1e39; y = npy("x.npy") > 1e39 }
    decoder p { x ~ Bernoulli(parameter([2])); y ~ Bernoulli(parameter([2])) }
    learn symmetric { steps = 20; batch = 4; every = {log: 10, sample: 0, checkpoint: 20, evaluate: 0} }
    """
    exe, run = trained(folder, vaec, text)
    parameters = [line["utility"]["p"] for line in metrics(run)]
    assert parameters[-1] > parameters[0], parameters


def test_a_model_of_learned_roots_has_an_exact_likelihood(folder, vaec):
    npy(folder / "x.npy", (4, 3), [1, 0, 1, 1, 0, 0, 1, 1, 1, 0, 0, 1])
    text = """
    var x : binary[3]
    source data { x = npy("x.npy") }
    decoder p { x ~ Bernoulli(parameter([3])) }
    learn symmetric { steps = 10; batch = 4; optimizer = none; every = {log: 10, sample: 0, checkpoint: 10, evaluate: 0} }
    """
    exe, run = trained(folder, vaec, text)
    found = json.loads(succeed(exe, "evaluate", "--run", run, "--json", cwd=folder).stdout)["results"]
    assert len(found) == 1 and found[0]["exact"] is True and found[0]["samples"] == 0, found
    assert found[0]["of"] == "log p(x)" and abs(found[0]["mean"] + 3 * math.log(2)) < 1e-5, found
    shown = succeed(exe, "evaluate", "--run", run, cwd=folder).stdout
    assert re.search(r"log p\(x\) = -2\.079 .*\(4 rows, exact\)", shown), shown


def test_a_model_whose_variables_are_all_known_has_an_exact_likelihood(folder, vaec):
    npy(folder / "x.npy", (4,), [1, 0, 1, 1])
    npy(folder / "y.npy", (4,), [0.5, -1, 2, 0])
    text = """
    var x : binary
    var y : real
    source data { x = npy("x.npy"); y = npy("y.npy") }
    decoder p { x ~ Bernoulli(parameter([])); y | x ~ Normal(parameter([]) * x) }
    learn symmetric { steps = 10; batch = 4; optimizer = none; every = {log: 10, sample: 0, checkpoint: 10, evaluate: 0} }
    """
    exe, run = trained(folder, vaec, text)
    found = json.loads(succeed(exe, "evaluate", "--run", run, "--metrics", "loglik,elbo", "--json",
                               cwd=folder).stdout)["results"]
    right = -math.log(2) - 0.5 * math.log(2 * math.pi) - 0.5 * (0.25 + 1 + 4) / 4
    assert all(one["exact"] and abs(one["mean"] - right) < 1e-5 for one in found) and len(found) == 2, found


def strict(text):
    """Reads JSON as other languages do: `Infinity` and `NaN` are errors."""
    def refuse(constant):
        raise ValueError(constant)
    return json.loads(text, parse_constant=refuse)


def test_an_infinite_mean_fails_nothing(folder, vaec):
    npy(folder / "w.npy", (4, 4, 4), [0.5, 1, 2, 3] * 16)
    npy(folder / "z.npy", (2, 2), [0, 1, 2, 3])
    text = """
    var w : positive[4, 4]
    var z : real[2]
    source data { w = npy("w.npy") }
    source codes { z ~ Normal(0) }
    decoder p { w | z ~ LogNormal(dense(z, 16), 4) }
    encoder q { z | w ~ Normal(dense(log(w), 2)) }
    learn symmetric { steps = 20; batch = 4; every = {log: 10, sample: 10, checkpoint: 10, evaluate: 0} }
    """
    exe, run = trained(folder, vaec, text)
    strict(succeed(exe, "info", "--json").stdout)
    out = folder / "out.npy"
    succeed(exe, "sample", "--run", run, "--n", "4", "--out", out, cwd=folder)
    strict(succeed(exe, "infer", "--run", run, "w | z", "--given", "z=z.npy", "--out", out, "--json", cwd=folder).stdout)
    assert read_npy(out) == [math.inf] * 32, read_npy(out)
    strict(succeed(exe, "evaluate", "--run", run, "--json", cwd=folder).stdout)
    for line in (run / "metrics.jsonl").read_text().splitlines():
        strict(line)


def test_flags_beyond_32_bits_are_refused(folder, vaec):
    npy(folder / "x.npy", (4,), [1, 0, 1, 1])
    text = """
    var x : binary
    source data { x = npy("x.npy") }
    player p { x ~ Bernoulli(parameter([])) }
    learn symmetric { steps = 10; batch = 4 }
    """
    exe = build(vaec, write(folder, "model.vae", text), folder)
    result = call(exe, "train", "--lr", "1e39", cwd=folder)
    assert result.returncode == 64 and "at most 3.40282e+38" in result.stderr, result
