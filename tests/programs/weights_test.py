"""Weights of sources in a learn block: in place of the sources' own, constant or following a schedule."""
from executable import build, call, digest, main, metrics, succeed, write

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
    assert digest(own, 8) == digest(key, 8) == digest(flag, 8) != digest(plain, 8)
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
    assert digest(constant, 8) == digest(flag, 8)
    # At weight 0 only the codes teach: p, which learns from images alone, stays as it began.
    none = train(folder, vaec, "none", model("weight = {images: 0};"))
    assert digest(rising, 1) == digest(none, 1) != digest(rising, 2)
    assert digest(rising, 2) != digest(none, 2)
    # In the first half of a period up, then level: steps 5 and 6 are as 1 and 2 of 4.
    wave = train(folder, vaec, "wave", model("weight = {images: cyclical(0, 1, 4)};"))
    shares = [line["utility"]["p"] / line["terms"]["p.x@images"] for line in metrics(wave)]
    assert all(abs(share - expected) < 1e-6 for share, expected in zip(shares, [0, .5, 1, 1, 0, .5, 1, 1])), shares


def test_a_resumed_schedule_goes_on(folder, vaec):
    text = model("weight = {images: linear(0, 3, 8)};")
    whole = train(folder, vaec, "whole", text)
    parts = train(folder, vaec, "parts", text, "--steps", "3")
    succeed(folder / "parts.exe", "train", "--quiet", "--resume", parts, "--steps", "8", cwd=folder)
    assert digest(whole, 8) == digest(parts, 8)


def test_wrong_weights_are_refused(folder, vaec):
    exe = build(vaec, write(folder, "plain.vae", model()), folder)
    for text, cause in (("0.5", "say SOURCE=NUMBER"), ("masks=1", "there is no source masks"),
                        ("images=-1", "at least 0"), ("images=linear(0, 1)", "steps must be at least 1"),
                        ("images=cosine(1)", "linear(from, to, steps)")):
        result = call(exe, "train", "--weight", text, "--out", "none", cwd=folder)
        assert result.returncode == 64 and cause in result.stderr, result


if __name__ == "__main__":
    main(globals())
