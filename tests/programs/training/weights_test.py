"""Tests weights of sources in a learn block. They replace the weights of the sources, and are constant or follow a
schedule."""
import struct

from executable import build, call, metrics, safetensors, succeed, write

MODEL = """
var x : binary[28, 28]
var z : binary[8]
source images WEIGHT { x = glyphs(300, seed = 3).image > 0.5 }
source codes  { z ~ Bernoulli(0) }
decoder p { x | z ~ Bernoulli(dense(z, 784)) }
encoder q { z | x ~ Bernoulli(dense(x, 8)) }
learn symmetric { steps = 8; batch = 16; optimizer = sgd(0.01); KEYS
                  every = {log: 1, sample: 0, checkpoint: 1, evaluate: 0} }
"""


def model(keys="", weight=""):
    return MODEL.replace("KEYS", keys).replace("WEIGHT", weight)


def parameters(run, step):
    """Returns every tensor of a checkpoint. The bytes of the file are not compared, because it also names its
    program."""
    return safetensors(run / f"checkpoints/step-{step}/model.safetensors")


def train(folder, vaec, name, text, *arguments):
    exe = folder / f"{name}.exe"
    succeed(vaec, "build", write(folder, f"{name}.vae", text), "-o", exe)
    succeed(exe, "train", "--quiet", "--out", name, *arguments, cwd=folder)
    return folder / name


def test_a_weight_stands_for_the_sources_own(folder, vaec):
    own = train(folder, vaec, "own", model(weight="weight 2.5"))
    key = train(folder, vaec, "key", model("weight = {images: 2.5};"))
    flag = train(folder, vaec, "flag", model(), "--weight", "images=2.5")
    plain = train(folder, vaec, "plain", model())
    assert parameters(own, 8) == parameters(key, 8) == parameters(flag, 8) != parameters(plain, 8)
    for run in (key, flag):
        assert [line["utility"] for line in metrics(run)] == [line["utility"] for line in metrics(own)]


def test_a_schedule_of_a_weight(folder, vaec):
    rising = train(folder, vaec, "rising", model("weight = {images: linear(0, 1, 4), codes: 1};"))
    for step, weight in ((1, 0), (2, 0.25), (6, 1)):
        line = metrics(rising)[step - 1]
        expected = weight * line["terms"]["p.x@images"]
        assert abs(line["utility"]["p"] - expected) < 1e-9 * abs(expected) + 1e-12, line
    constant = train(folder, vaec, "constant", model("weight = {images: linear(0.5, 0.5, 4)};"))
    flag = train(folder, vaec, "flag", model(), "--weight", "images=0.5,codes=linear(1, 1, 3)")
    assert parameters(constant, 8) == parameters(flag, 8)
    # With weight 0 only the codes give terms. p, which learns only from images, keeps its initial values.
    none = train(folder, vaec, "none", model("weight = {images: 0};").replace(
        "optimizer = sgd(0.01)", "optimizer = {p: none, q: sgd(0.01)}"))
    assert parameters(rising, 1) == parameters(none, 1) != parameters(rising, 2)
    assert parameters(rising, 2) != parameters(none, 2)
    # The weight rises in the first half of a period and then stays: steps 5 and 6 equal steps 1 and 2.
    wave = train(folder, vaec, "wave", model("weight = {images: cyclical(0, 1, 4)};"))
    shares = [line["utility"]["p"] / line["terms"]["p.x@images"] for line in metrics(wave)]
    assert all(abs(share - expected) < 1e-6 for share, expected in zip(shares, [0, .5, 1, 1, 0, .5, 1, 1])), shares


def test_a_resumed_schedule_goes_on(folder, vaec):
    text = model("weight = {images: linear(0, 3, 8)};")
    whole = train(folder, vaec, "whole", text)
    parts = train(folder, vaec, "parts", text, "--steps", "3")
    succeed(folder / "parts.exe", "train", "--quiet", "--resume", parts, "--steps", "8", cwd=folder)
    assert parameters(whole, 8) == parameters(parts, 8)


PARTLY = """
var u, v : real
source rows { let t = csv("t.csv", ["a", "b"]); u = t.a; v = t.b }
source others { let t = csv("t.csv", ["a", "b"]); u = t.b; v = t.a }
player p { u | v ~ Normal(dense(v, 1), std = 1) }
player q { v | u ~ Normal(dense(u, 1), std = 1) }
learn symmetric { steps = 6; batch = 12; optimizer = sgd(0.01); KEYS
                  every = {log: 1, sample: 0, checkpoint: 1, evaluate: 0} }
"""


def test_weights_of_rows_with_missing_values(folder, vaec):
    cells = [(f"{i / 7:.3f}" if i % 3 else "", f"{i / 5 - 1:.3f}" if i % 4 else "") for i in range(1, 40)]
    write(folder, "t.csv", "a,b\n" + "".join(f"{a},{b}\n" for a, b in cells if a or b))
    two, half = (train(folder, vaec, name, PARTLY.replace("KEYS", f"weight = {{rows: {weight}}}"))
                 for name, weight in (("two", "2"), ("half", "0.5")))
    own = train(folder, vaec, "own", PARTLY.replace("KEYS", "").replace("source rows", "source rows weight 2"))
    level = train(folder, vaec, "level", PARTLY.replace("KEYS", "weight = {rows: linear(2, 2, 3)}"))
    assert parameters(two, 6) == parameters(own, 6) == parameters(level, 6) != parameters(half, 6)
    change = train(folder, vaec, "change", PARTLY.replace("KEYS", "weight = {rows: linear(0.5, 2, 3)}"))
    assert parameters(change, 1) == parameters(half, 1) and parameters(change, 2) != parameters(half, 2)
    line = metrics(change)[-1]
    for player, term in (("p", "p.u"), ("q", "q.v")):
        expected = 2 * line["terms"][f"{term}@rows"] + line["terms"][f"{term}@others"]
        assert abs(line["utility"][player] - expected) < 1e-6 * abs(expected), line


def test_wrong_weights_are_refused(folder, vaec):
    exe = build(vaec, write(folder, "plain.vae", model()), folder)
    for text, cause in (("0.5", "say SOURCE=NUMBER"), ("masks=1", "there is no source masks"),
                        ("images=-1", "at least 0"), ("images=linear(0, 1)", "linear needs its argument steps"),
                        ("images=cosine(1)", "linear(from, to, steps)"), ("images=1,images=2", "images is given twice")):
        result = call(exe, "train", "--weight", text, "--out", "none", cwd=folder)
        assert result.returncode == 64 and cause in result.stderr, result


def test_a_source_of_weight_0_is_not_learned_from(folder, vaec):
    exe = build(vaec, write(folder, "plain.vae", model()), folder)
    for text, cause in (("images=0", "p.x would never be learned"), ("codes=linear(0, 0, 4)", "q.z would never be learned"),
                        ("images=0,codes=0", "there is no source to learn from: all weights are 0")):
        result = call(exe, "train", "--weight", text, "--out", "none", cwd=folder)
        assert result.returncode == 78 and cause in result.stderr, result
    # Its data are not those that other commands scale given values by.
    write(folder, "a.csv", "v\n0\n2\n")
    write(folder, "b.csv", "v\n100\n300\n")
    scaled = train(folder, vaec, "scaled", """
var x, z : real
source a { x = normalize(csv("a.csv").v) }
source b { x = normalize(csv("b.csv").v) }
source codes { z ~ Normal(0) }
decoder p { x | z ~ Normal(z, parameter([])) }
encoder q { z | x ~ Normal(x, parameter([])) }
learn symmetric { steps = 1; batch = 4; optimizer = sgd(0.01); weight = {a: 0} }
""")
    out = folder / "z.csv"
    succeed(folder / "scaled.exe", "infer", "z | x", "--run", scaled, "--given", "x=300", "--out", out, cwd=folder)
    assert abs(float(out.read_text().splitlines()[1]) - 1) < 1e-5, out.read_text()


BOUND = """
var x : binary[28, 28]
var z : real[4]
source images { x = glyphs(300, seed = 3).image > 0.5 }
decoder p { z ~ Normal(0); x | z ~ Bernoulli(dense(z, 784)) }
encoder q { z | x ~ Normal(dense(x, 4), dense(x, 4)) }
learn elbo { steps = 6; batch = 16; optimizer = sgd(0.001); KEYS
             every = {log: 1, sample: 0, checkpoint: 1, evaluate: 0} }
"""


def test_beta_follows_a_schedule(folder, vaec):
    flat = train(folder, vaec, "flat", BOUND.replace("KEYS", "beta = 0.25"))
    level = train(folder, vaec, "level", BOUND.replace("KEYS", "beta = linear(0.25, 0.25, 3)"))
    assert distance(flat, level, 6) < 1e-6
    rising = train(folder, vaec, "rising", BOUND.replace("KEYS", "beta = linear(0, 2, 4)"))
    for step, beta in ((1, 0), (2, 0.5), (3, 1), (6, 2)):
        line = metrics(rising)[step - 1]
        expected = line["terms"]["p.x@images"] - beta * line["terms"]["kl.z@images"]
        assert abs(line["objective"] - expected) < 1e-6 * abs(expected), (step, line)
        elbo = line["terms"]["p.x@images"] - line["terms"]["kl.z@images"]
        assert abs(line["elbo"] - elbo) < 1e-6 * abs(elbo) and line["kl"] == line["terms"]["kl.z@images"], line
    zero, two = (train(folder, vaec, f"beta{n}", BOUND.replace("KEYS", f"beta = {n}")) for n in (0, 2))
    assert distance(rising, zero, 1) < 1e-6 < 1e-4 < distance(rising, two, 1)
    parts = train(folder, vaec, "parts", BOUND.replace("KEYS", "beta = linear(0, 2, 4)"), "--steps", "2")
    succeed(folder / "parts.exe", "train", "--quiet", "--resume", parts, "--steps", "6", cwd=folder)
    assert parameters(rising, 6) == parameters(parts, 6)


def test_a_schedule_needs_all_its_arguments(folder, vaec):
    exe = build(vaec, write(folder, "bound.vae", BOUND.replace("KEYS", "")), folder)
    for text, missing in (("linear(0, 1)", "linear needs its argument steps"), ("cyclical(to=1)", "cyclical needs its "
                          "argument from"), ("linear(0, 1, 0)", "steps must be at least 1 step")):
        result = call(exe, "train", "--beta", text, "--out", "run", cwd=folder)
        assert result.returncode == 64 and missing in result.stderr, result
    assert not (folder / "run").exists()


def test_free_bits_leave_a_small_divergence_alone(folder, vaec):
    plain = train(folder, vaec, "plain", BOUND.replace("KEYS", ""))
    # Free bits below every divergence change nothing. Free bits above a divergence remove its gradient.
    little = train(folder, vaec, "little", BOUND.replace("KEYS", "free_bits = 0.0001"))
    much = train(folder, vaec, "much", BOUND.replace("KEYS", "free_bits = 10000"))
    without = train(folder, vaec, "without", BOUND.replace("KEYS", "beta = 0"))
    for a, b in ((plain, little), (without, much)):
        assert distance(a, b, 6) < 1e-6, (a, b)
    for line in metrics(much):
        terms = line["terms"]
        assert abs(terms["kl.z@images"] + terms["free.z@images"] - 10000) < 0.01, line
        assert abs(line["objective"] - (terms["p.x@images"] - 10000)) < 0.01, line
        assert abs(line["elbo"] - (terms["p.x@images"] - terms["kl.z@images"])) < 0.01, line
    scheduled = train(folder, vaec, "scheduled", BOUND.replace("KEYS", "free_bits = linear(0, 10000, 1)"))
    free = [line["terms"]["free.z@images"] for line in metrics(scheduled)]
    assert free[0] == 0 and abs(free[1] + metrics(scheduled)[1]["terms"]["kl.z@images"] - 10000) < 0.01, free


def distance(a, b, step):
    """The largest difference between two numbers at the same position."""
    there = tensors(b, step)
    return max(abs(x - y) for name, values in tensors(a, step).items() for x, y in zip(values, there[name]))


def tensors(run, step):
    return {name: struct.unpack(f"<{len(data) // 4}f", data) for name, (_, data) in parameters(run, step).items()}
