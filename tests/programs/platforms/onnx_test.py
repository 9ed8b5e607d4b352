#!/usr/bin/env python3
"""Tests that exported graphs give the same results as the model: ONNX Runtime is compared with the library of the
same program."""
import ctypes
import json
import math
import random
import re

import pytest

import executable
from executable import ROOT, SMALL_MODEL, build, call, install, need_mnist, succeed, write
from library_test import Library, refuse_sanitized
from onnx_files import DRAWS, metadata, run_all

BATCHES = (1, 7)
SEED = 11

# Operations of all kinds.
OPERATIONS = """
var x : real[4]
var y : real[4]
var i : real[2, 5, 5]
var j : real[3, 3, 3]
var w : real[2, 5, 5]
var t : real[3]
var g : category(3)[2]
var b : binary
source rows {
  y ~ Normal(0); j ~ Normal(0); g ~ Categorical(0); b ~ Bernoulli(0)
  x ~ Normal(0); i ~ Normal(0); w ~ Normal(0); t ~ Normal(0)
}
net f(h) {
  a = h + 0.1
  s = log1p(abs(h)) + sqrt(abs(h) + 0.1) + sin(h) * cos(h) - floor(h) + square(a) / (1 + square(h))
  c = where(h > 0.3 and h <= 1.5, atan2(h, a), atan2(a - 0.5, h)) + min(h, a, 0.2) - max(h, 0.1)
  d = gelu(h) + silu(h) + elu(h) + leaky_relu(h) + tanh(h) * sigmoid(h) + softplus(h) + exp(-abs(h)) - relu(h) + erf(h) * hypot(h, a)
  k = (abs(h) + 0.5) ** 1.7 + h % 0.7 + (not (h < 0) or a > 1) + (h != 0.5) - (h == 0.5) + (h >= 0) + (h < 1) + stop(h)
  return 0.2 * (s + c + d + k) + layer_norm(h) + softmax(h) - logsumexp(h) + sum(h) * mean(h)
}
net pools(h) {
  a = avg_pool(upsample(max_pool(conv(h, 4, 2, padding = 1), 2), 4), 2)
  return conv(a, 3, 3)[:, 0:3, 0:3]
}
decoder p {
  y | x ~ Normal(f(x), 0.1 * x)
  j | i ~ Normal(pools(i))
  g | t ~ Categorical(transpose(reshape(dense(concat(t, f(concat(t, [0.5]))), 6), [2, 3]), [1, 0]))
  b | x, t ~ Bernoulli(sum(x) + t[0] - 0.5)
}
encoder q {
  x | y ~ Laplace(dense(y, 4))
  i | j ~ Normal(deconv(j, 2, 3, stride = 2, padding = 1))
  w | j ~ Normal(deconv(j, 2, 3))
  t | g, b ~ Normal(dense(concat(flatten(g), b), 3))
}
learn symmetric { steps = 2; batch = 4; every = {log: 1, sample: 0, checkpoint: 0, evaluate: 0} }
"""


def write_rows(rng, variable, rows):
    """Draws values of a domain. Returns them as the library takes them, and as the tensor that the graphs take."""
    shape, classes = variable["shape"], variable.get("classes", 0)
    positions = math.prod(shape)
    draw = {"binary": lambda: float(rng.random() < 0.5), "count": lambda: float(rng.randrange(6)),
            "real": lambda: rng.gauss(0, 1), "positive": lambda: math.exp(rng.gauss(0, 0.7)),
            "unit": lambda: rng.uniform(0.02, 0.98), "angle": lambda: rng.uniform(-3, 3)}
    given, tensor = [], []
    for _ in range(rows):
        if variable["domain"] == "category":
            row = [rng.randrange(classes) for _ in range(positions)]
            given += [float(index) for index in row]
            tensor += [float(index == k) for k in range(classes) for index in row]
        elif variable["domain"] == "simplex":
            parts = [[rng.gammavariate(2, 1) for _ in range(classes)] for _ in range(positions)]
            row = [parts[p][k] / sum(parts[p]) for k in range(classes) for p in range(positions)]
            given, tensor = given + row, tensor + row
        else:
            row = [draw[variable["domain"]]() for _ in range(positions)]
            given, tensor = given + row, tensor + row
    return given, tensor


def floats(numbers):
    return (ctypes.c_float * len(numbers))(*numbers)


class Conditional:
    """The graphs of one conditional, and what the library computes for the same rows."""

    def __init__(self, folder, name, library, rows, others):
        self.folder, self.name, self.library, self.rows = folder, name, library, rows
        self.files = {kind: folder / f"{name}.{kind}.onnx" for kind in ("parameters", "mean", "log_density", "sample")}
        self.about = {kind: metadata(file) for kind, file in self.files.items() if file.exists()}
        about = next(iter(self.about.values()))
        self.variables = json.loads(about["variables"])
        self.target, self.parents = about["target"], json.loads(about["parents"])
        self.family = about["family"]
        rng = random.Random(f"{name} {rows}")
        self.given, self.tensors = {}, {}
        for variable in self.variables:
            given, tensor = write_rows(rng, variable, rows)
            self.given[variable["name"]] = floats(given)
            self.tensors[variable["name"]] = ([rows, *variable["tensor_shape"]], tensor)
        # The library itself chooses who draws the target, so only one conditional may be able to.
        self.alone = not any(other != name and target == self.target and set(parents) <= set(self.parents)
                             for other, target, parents in others)

    def feeds(self, kind):
        about = self.about[kind]
        noise = {entry["name"]: entry for entry in json.loads(about.get("noise", "[]"))}
        found = {}
        for name in about["inputs"]:
            if name in noise:
                count = self.rows * math.prod(noise[name]["shape"])
                draw = DRAWS[noise[name]["distribution"]]
                found[name] = ([self.rows, *noise[name]["shape"]],
                               [float(draw(SEED, noise[name]["site"], i)) for i in range(count)])
            elif name == "rows" and name not in self.tensors:
                found[name] = ([1], [self.rows])
            else:
                found[name] = self.tensors[name]
        return found

    def width(self):
        return math.prod(self.variables[0]["tensor_shape"])

    def known(self):
        return {name: self.given[name] for name in self.parents}

    def expected(self, kind):
        """Returns what the library computes, or None if the library cannot compute it."""
        if kind == "log_density":
            values = floats([0] * self.rows)
            assert self.library.log_density(self.name, self.rows, self.given, values) == (0, ""), self.name
            return list(values)
        values = floats([0] * (self.rows * self.width()))
        if not self.alone or kind == "parameters":
            return None
        if kind == "mean":
            code = self.library.infer(f"{self.target} | {', '.join(self.parents)}", self.rows, self.known(),
                                      {self.target: values})
        else:
            code = self.library.sample(SEED, self.rows, self.known(), {self.target: values})
        assert code == (0, ""), (self.name, kind, code)
        return list(values)


def near(found, expected, tolerance=1e-5):
    return len(found) == len(expected) and all(
        abs(a - b) <= tolerance * max(1, abs(b)) for a, b in zip(found, expected))


# The log-density and the mean of a value, computed from the parameters at its position.
FORMULAS = {
    "Bernoulli": (lambda x, logit: x * logit - max(logit, 0) - math.log1p(math.exp(-abs(logit))),
                  lambda logit: 1 / (1 + math.exp(-logit))),
    "Normal": (lambda x, mean, log_std: -0.5 * ((x - mean) / math.exp(log_std)) ** 2 - log_std
               - 0.5 * math.log(2 * math.pi), lambda mean, log_std: mean),
    "LogNormal": (lambda x, mean, log_std: -0.5 * ((math.log(x) - mean) / math.exp(log_std)) ** 2 - log_std
                  - math.log(x) - 0.5 * math.log(2 * math.pi),
                  lambda mean, log_std: math.exp(mean + 0.5 * math.exp(2 * log_std))),
    # The family of examples/own_family.
    "InverseGaussian": (lambda x, log_mean, log_shape: 0.5 * log_shape - 0.5 * math.log(2 * math.pi * x ** 3)
                        - math.exp(log_shape) * (x - math.exp(log_mean)) ** 2 / (2 * math.exp(2 * log_mean) * x),
                        lambda log_mean, log_shape: math.exp(log_mean)),
}


def check_parameters(one, found):
    """Checks that the log-density and the mean follow from the parameters."""
    if one.family == "Categorical":
        dims, logits = found["parameters"]["logits"]
        classes, positions = dims[1], math.prod(dims[2:])
        expected = []
        for row in range(one.rows):
            density = 0
            for position in range(positions):
                at = [row * classes * positions + k * positions + position for k in range(classes)]
                total = math.log(sum(math.exp(logits[i]) for i in at))
                density += sum(one.tensors[one.target][1][i] * (logits[i] - total) for i in at)
            expected.append(density)
    elif one.family in FORMULAS:
        density, mean = FORMULAS[one.family]
        arguments = [numbers for _, numbers in found["parameters"].values()]
        values, width = one.tensors[one.target][1], one.width()
        terms = [density(*numbers) for numbers in zip(values, *arguments)]
        expected = [sum(terms[row * width:(row + 1) * width]) for row in range(one.rows)]
        means = [mean(*numbers) for numbers in zip(*arguments)]
        assert near(found["mean"]["mean"][1], means, 1e-4), (one.name, found["mean"], means)
    else:
        return False
    assert near(found["log_density"]["log_density"][1], expected, 1e-4), (one.name, found["log_density"], expected)
    return True


def check_export(folder, library, exported):
    """Checks all graphs of an export at both batch sizes. Returns the number of comparisons of each kind."""
    counts = dict.fromkeys(("parameters", "mean", "log_density", "sample"), 0)
    names = sorted({entry["conditional"] for entry in exported["graphs"]})
    abouts = [metadata(next(folder.glob(f"{name.replace('[', '[[]')}.*.onnx"))) for name in names]
    others = [(name, about["target"], json.loads(about["parents"])) for name, about in zip(names, abouts)]
    made = [Conditional(folder, name, library, rows, others) for name in names for rows in BATCHES]
    runs = [(one, kind) for one in made for kind in one.about]
    answers = run_all([(one.files[kind], one.feeds(kind)) for one, kind in runs])
    found = {}
    for (one, kind), answer in zip(runs, answers):
        for dims, _ in answer.values():
            assert dims[0] == one.rows, (one.name, kind, dims)
        found.setdefault(id(one), {})[kind] = answer
        expected = one.expected(kind)
        if expected is None:
            continue
        name = {"mean": "mean", "log_density": "log_density", "sample": one.target}[kind]
        values = answer[name][1]
        if kind == "sample" and one.variables[0]["domain"] in ("binary", "category", "count"):
            # Rounding can put a number on the other side of a threshold.
            differing = sum(a != b for a, b in zip(values, expected))
            assert len(values) == len(expected) and differing <= 2 + len(values) // 1000, (one.name, differing)
        else:
            assert near(values, expected), (one.name, kind, one.rows, list(values)[:8], expected[:8])
        counts[kind] += 1
    for one in made:
        counts["parameters"] += check_parameters(one, found[id(one)])
    return counts


def export(exe, run, out):
    return json.loads(succeed(exe, "export", "--run", run, "--format", "onnx", "--out", out, "--json").stdout)


def need_libonnx(vaec):
    if "onnx       ok" not in call(vaec, "doctor").stdout:
        pytest.skip("libonnx is not installed")


def compare(folder, vaec, program, *flags):
    refuse_sanitized(vaec)
    need_libonnx(vaec)
    run_all([])
    exe, run, out = build(vaec, program, folder), folder / f"{program.stem}-run", folder / f"{program.stem}-onnx"
    succeed(exe, "train", "--quiet", "--steps", 3, "--every", "log=3,sample=0", *flags, "--out", run, cwd=folder)
    succeed(vaec, "build", program, "--emit=library", "-o", folder / f"lib{program.stem}.so")
    exported = export(exe, run, out)
    assert exported["step"] == 3 and sorted(path.name for path in out.iterdir()) == sorted(
        entry["file"] for entry in exported["graphs"]), exported
    library = Library(folder / f"lib{program.stem}.so", program.stem, run)
    assert library.model, library.error.value
    return check_export(out, library, exported), exported


def examples(on_mnist):
    return [path for path in sorted((ROOT / "examples").glob("*/*.vae"))
            if not (path.parent / "prepare").exists() and ("mnist(" in path.read_text()) == on_mnist]


def check_examples(folder, vaec, on_mnist):
    for program in examples(on_mnist):
        counts, exported = compare(folder, vaec, program, "--batch", 8)
        assert counts["log_density"] and counts["mean"] and counts["parameters"], (program, counts)
        for refused in exported["refused"]:
            assert re.fullmatch(r"ONNX has no operation for `lgamma`|a draw of `(gamma|poisson)` takes a number of "
                                r"random numbers that is not fixed", refused["why"]), refused
        print(f"        {program.name}: {counts}, {len(exported['refused'])} refused")


def test_examples_without_mnist(folder, vaec):
    check_examples(folder, vaec, on_mnist=False)


def test_examples_on_mnist(folder, vaec):
    need_mnist()
    check_examples(folder, vaec, on_mnist=True)


def test_every_operation_that_onnx_has(folder, vaec):
    counts, exported = compare(folder, vaec, write(folder, "operations.vae", OPERATIONS))
    assert exported["refused"] == [], exported
    assert counts["log_density"] == 2 * 8 and counts["sample"] == counts["mean"] == 2 * 8, counts


def small_run(folder, vaec, text=SMALL_MODEL):
    exe = build(vaec, write(folder, "small.vae", text), folder)
    succeed(exe, "train", "--quiet", "--out", folder / "run")
    return exe


def test_what_onnx_cannot_say_is_refused_by_name(folder, vaec):
    need_libonnx(vaec)
    exe = small_run(folder, vaec, """
var n : count
var a : angle
var z : real[2]
source rows { n ~ Poisson(0); a ~ VonMises(0, 0) }
source codes { z ~ Normal(0) }
decoder p { n | z ~ Poisson(dense(z, 1)); a | z ~ VonMises(dense(z, 1), 0) }
encoder q { z | n, a ~ Normal(dense(concat(n, a), 2)) }
learn symmetric { steps = 1; batch = 2 }
""")
    result = succeed(exe, "export", "--run", "run", "--out", "made", cwd=folder)
    assert result.stdout == "made: 7 graphs of step 1\n", result.stdout
    assert result.stderr.splitlines() == [
        "note: p.n.log_density.onnx is not written: ONNX has no operation for `lgamma`",
        "note: p.n.sample.onnx is not written: a draw of `poisson` takes a number of random numbers that is not fixed",
        "note: p.a.log_density.onnx is not written: ONNX has no operation for `log_i0`",
        "note: p.a.sample.onnx is not written: a draw of `von_mises` takes a number of random numbers that is not "
        "fixed"], result.stderr
    about = metadata(folder / "made/p.n.parameters.onnx")
    assert (about["inputs"], about["outputs"]) == (["z"], ["log_rate"]), about
    assert (about["family"], about["step"], about["program"]) == ("Poisson", "1", "small"), about
    assert json.loads(about["variables"])[0] == {"name": "n", "domain": "count", "shape": [], "tensor_shape": []}


def test_failures_leave_what_was_there(folder, vaec):
    need_libonnx(vaec)
    exe = small_run(folder, vaec)
    (folder / "kept").mkdir()
    (folder / "kept/mine").write_text("mine")
    (folder / "empty").mkdir()
    (folder / "file").write_text("a file")
    before = sorted(folder.rglob("*"))
    for words, code, said in (
            (["--run", "run", "--out", "kept"], 73, "cannot write kept: it is there already, and is not empty"),
            (["--run", "run", "--out", "file"], 73, "cannot write file: it is a file; onnx makes a folder"),
            (["--run", "run", "--out", "file/made"], 73, "cannot write file/"),
            (["--run", "none", "--out", "made"], 66, "none is no run directory"),
            (["--run", "run", "--out", "made", "--checkpoint", "7"], 66, "7"),
            (["--run", "run", "--out", "made", "--weights", "average"], 66, "has no averages"),
            (["--run", "run", "--out", "made", "--format", "pickle"], 64, "pickle"),
            (["--run", "run"], 64, "--out")):
        result = call(exe, "export", *words, cwd=folder)
        assert result.returncode == code and said in result.stderr and result.stderr.count("\n") == 1, (words, result)
        assert sorted(folder.rglob("*")) == before, words
    assert (folder / "kept/mine").read_text() == "mine"
    # An empty folder may be used; a slash at its end changes nothing.
    assert succeed(exe, "export", "--run", "run", "--out", "empty/", cwd=folder).stdout == "empty: 8 graphs of step 1\n"
    assert len(list((folder / "empty").iterdir())) == 8 and not list(folder.glob(".*")), sorted(folder.iterdir())


def test_without_its_library_export_says_so(folder, vaec):
    own = install(vaec, folder / "own", without="libvaert_onnx.so")
    exe = small_run(folder, own)
    result = call(exe, "export", "--run", "run", "--out", "made", cwd=folder)
    assert result.returncode == 78 and "onnx" in result.stderr and result.stderr.count("\n") == 1, result
    assert not (folder / "made").exists()
    line = next(line for line in call(own, "doctor").stdout.splitlines() if line.startswith("onnx"))
    assert line == "onnx       missing  only export --format onnx needs it: this vaec was built without libonnx", line


def test_the_table_has_every_operation(folder, vaec):
    table = (ROOT / "runtime/onnx/operations.cpp").read_text()
    named = set(re.findall(r'^ +\{"(\w+)", ', table.partition(" operations = {")[2], re.M))
    assert '#include "runtime/schema/elementwise.def"' in table  # each line there has its formula
    operations = set()
    for path in ("compiler/semantics/graph/operations.def", "compiler/tensor/operations.def"):
        operations |= set(re.findall(r"^OPERATION\((\w+),", (ROOT / path).read_text(), re.M))
    # Operations that occur in no program over the caller's rows.
    missing = {"variable", "column", "coefficient", "sum_ranks", "matmul", "deconv"}
    assert operations - named == missing, operations - named
    assert named <= operations
