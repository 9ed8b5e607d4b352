#!/usr/bin/env python3
"""Tests the uses of a trained model: info, sample, infer, evaluate; and how fast it answers."""
import json
import math
import struct

import pytest

from executable import GLYPHS, build, call, succeed, write


def trained(folder, vaec):
    exe = build(vaec, write(folder, "glyphs.vae", GLYPHS), folder)
    succeed(exe, "train", "--quiet", "--steps", "200", "--out", "run", cwd=folder)
    return exe


def npy_shape(path):
    content = path.read_bytes()
    assert content[:6] == b"\x93NUMPY", path
    header = content[10:10 + struct.unpack("<H", content[8:10])[0]].decode()
    return eval(header)["shape"]  # the header is a Python dict literal


def test_info_names_what_the_model_is_made_of(folder, vaec):
    exe = build(vaec, write(folder, "glyphs.vae", GLYPHS), folder)
    text = succeed(exe, "info").stdout
    for word in ("binary[28, 28]", "images", "codes", "symmetric", "p", "q"):
        assert word in text, text
    described = json.loads(succeed(exe, "info", "--json").stdout)
    assert described


def test_info_loads_no_torch(folder, vaec):
    exe = build(vaec, write(folder, "glyphs.vae", GLYPHS), folder)
    libraries = succeed("ldd", exe).stdout
    assert "libvaert" in libraries and "libtorch" not in libraries and "libvaert_torch" not in libraries, libraries


def test_samples_have_the_asked_number_and_shape(folder, vaec):
    exe = trained(folder, vaec)
    succeed(exe, "sample", "--run", "run", "--n", "5", "--out", "s.npy", cwd=folder)
    assert npy_shape(folder / "s.npy") == (5, 28, 28)
    succeed(exe, "sample", "--run", "run", "--n", "16", "--limiting", "20", "--out", "s.png", cwd=folder)
    assert (folder / "s.png").read_bytes()[:4] == b"\x89PNG"


# Variables without parents are drawn too: those of decoders, or of players if there is no decoder.
def test_roots_are_sampled(folder, vaec):
    write(folder, "t.csv", "c,x,y\n" + "".join(f"{i % 3},{i % 2},{(i // 2) % 2}\n" for i in range(60)))
    head = """
var c : category(3)
var x : binary
var y : binary
source rows { let t = csv("t.csv"); c = t.c; x = t.x; y = t.y }
"""
    learn = "learn symmetric { steps = 5 }\n"
    cases = {
        "alone": ("decoder p { c ~ Categorical(parameter([3])) }", ["c"]),
        "player": ("player p { x ~ Bernoulli(parameter([])) }", ["x"]),
        "both": ("decoder p { c ~ Categorical(parameter([3])); x | c ~ Bernoulli(dense(c, 1)[0])\n"
                 "y ~ Bernoulli(parameter([])) }", ["c", "x", "y"]),
        "players": ("player p { y ~ Bernoulli(parameter([])) }\nplayer q { x | y ~ Bernoulli(dense(y, 1)[0]) }", ["x", "y"]),
    }
    for name, (players, drawn) in cases.items():
        exe = build(vaec, write(folder, f"{name}.vae", head + players + "\n" + learn), folder)
        succeed(exe, "train", "--quiet", "--out", f"{name}.run", cwd=folder)
        succeed(exe, "sample", "--run", f"{name}.run", "--n", "7", "--out", f"{name}.csv", cwd=folder)
        lines = (folder / f"{name}.csv").read_text().splitlines()
        assert len(lines) == 8 and sorted(lines[0].split(",")) == drawn, (name, lines)


def test_codes_are_inferred_from_images_and_images_from_codes(folder, vaec):
    exe = trained(folder, vaec)
    succeed(exe, "sample", "--run", "run", "--n", "7", "--out", "x.npy", cwd=folder)
    succeed(exe, "infer", "--run", "run", "z | x", "--given", "x=x.npy", "--out", "z.npy", cwd=folder)
    assert npy_shape(folder / "z.npy") == (7, 16)
    succeed(exe, "infer", "--run", "run", "x | z", "--given", "z=codes", "--out", "back.npy", cwd=folder)
    assert npy_shape(folder / "back.npy")[1:] == (28, 28)


def test_a_query_that_no_conditional_answers_is_refused(folder, vaec):
    exe = build(vaec, write(folder, "two.vae", """
var x : binary[28, 28]; var y : category(10); var z : binary[4]
let g = glyphs(50, seed = 1)
source pairs { x = g.image > 0.5; y = g.label }
source codes { z ~ Bernoulli(0); y = g.label }
decoder p { x | z ~ Bernoulli(dense(z, 784)) }
encoder q { z | x, y ~ Bernoulli(dense(concat(flatten(x), y), 4)) }
learn symmetric { steps = 5; batch = 8 }
"""), folder)
    succeed(exe, "train", "--quiet", "--out", "run", cwd=folder)
    succeed(exe, "infer", "--run", "run", "z | x, y", "--given", "x=pairs", "--given", "y=pairs", "--out", "z.npy",
            cwd=folder)
    # The prior of z is not an answer, because it does not read x. And nobody draws y.
    result = call(exe, "infer", "--run", "run", "z | x", "--given", "x=pairs", "--out", "w.npy", cwd=folder)
    assert result.returncode == 78 and len(result.stderr.splitlines()) == 1, result
    assert "no player can draw `z` from the known variables" in result.stderr and not (folder / "w.npy").exists(), result


def test_loglik_is_a_finite_mean_with_its_error(folder, vaec):
    exe = trained(folder, vaec)
    result = succeed(exe, "evaluate", "--run", "run", "--metrics", "loglik", "--samples", "20", "--json", cwd=folder)
    text = json.dumps(json.loads(result.stdout))
    assert "loglik" in text, text
    numbers = [float(word) for word in text.replace(",", " ").replace("}", " ").replace("]", " ").split()
               if word.lstrip("-").replace(".", "", 1).isdigit()]
    assert all(math.isfinite(number) for number in numbers), text
    assert any(-543 < number < -20 for number in numbers), text


# Both views of a limiting row are drawn from the same code, also if one of them reads another code beside it.
@pytest.mark.parametrize("y_of, r_of", (
    ("y | z ~ Bernoulli(40 * z - 20)", "z | y ~ Bernoulli(40 * mean(y) - 20)"),
    ("y | z, w ~ Bernoulli(40 * z - 20 + w)", "z | y ~ Bernoulli(40 * mean(y) - 20); w | y ~ Bernoulli(mean(y))")))
def test_limiting_samples_of_two_views(folder, vaec, y_of, r_of):
    exe = build(vaec, write(folder, "views.vae", f"""
var x, y : binary[4]
var z{", w" if "w" in y_of else ""} : binary
source photos   {{ x = 1 }}
source captions {{ y = 0 }}
source codes    {{ z ~ Bernoulli(0){"; w ~ Bernoulli(0)" if "w" in y_of else ""} }}
decoder p {{ x | z ~ Bernoulli(40 * z - 20 + 0 * parameter([])); {y_of} }}
encoder q {{ z | x ~ Bernoulli(40 * mean(x) - 20 + 0 * parameter([])) }}
encoder r {{ {r_of} }}
learn symmetric {{ steps = 1; batch = 4 }}
"""), folder)
    succeed(exe, "train", "--quiet", "--out", "run", cwd=folder)
    succeed(exe, "sample", "--run", "run", "--limiting", "2", "--n", "40", "--out", "o.csv", cwd=folder)
    head, *rows = [line.split(",") for line in (folder / "o.csv").read_text().splitlines()]
    assert [name for name in head if name[0] in "xy"] == [f"{v}[{i}]" for v in "xy" for i in range(4)], head
    values = [{name: float(cell) for name, cell in zip(head, row)} for row in rows]
    assert len(values) == 40 and {row["x[0]"] for row in values} == {0, 1}
    assert all(row[name] == row["x[0]"] for row in values for name in row if name[0] in "xy")


def test_flags_that_nothing_reads_are_refused(folder, vaec):
    exe = trained(folder, vaec)
    for words, said in ((["traverse", "--out", "t.npy", "--row", "3"], "--row requires --source"),
                        (["evaluate", "--of", "x"],
                         "--of is read only by fd and consistency, but what is measured is loglik"),
                        (["evaluate", "--factors", "c"], "--factors is read only by mcc, but what is measured is loglik"),
                        (["evaluate", "--features", "pca64", "--metrics", "mmd,ima"],
                         "--features is read only by fd and consistency, but what is measured is mmd, ima"),
                        (["evaluate", "--query", "c | x"], "--query is read only by accuracy and mcc")):
        result = call(exe, *words, "--run", "run", cwd=folder)
        assert result.returncode == 64 and said in result.stderr and result.stderr.count("\n") == 1, (words, result)
    for words in ([exe, "compare", "--metrics", "elbo"], [vaec, "sweep", "glyphs.vae", "--metrics", "elbo"]):
        result = call(*words, "--steps", "2", "--query", "z | x", "--out", "made", cwd=folder)
        assert result.returncode == 64 and "--query is read only by accuracy and mcc" in result.stderr, result
        assert not (folder / "made").exists()
