"""Tests `compare`: it trains the learn blocks of a file alike, loads finished runs, and shows all results in one
table and one picture."""
import json
import re

from executable import build, call, succeed, write

MODEL = """
var x : binary[28, 28]; var z : binary[8]
let g = glyphs(300, seed = 1)
source images { x = g.image > 0.5 }
source codes { z ~ Bernoulli(0) }
source heldout weight 0 { x = glyphs(100, seed = 2).image > 0.5 }
decoder p { x | z ~ Bernoulli(dense(tanh(dense(z, 32)), 784)) }
encoder q { z | x ~ Bernoulli(dense(tanh(dense(x, 32)), 8)) }
learn symmetric { steps = 30; batch = 16 }
learn elbo { steps = 500; batch = 16 }
"""
QUICK = ["--samples", "5", "--rows", "40", "--limiting", "10"]


def compare(exe, folder, *more):
    return succeed(exe, "compare", *QUICK, *more, cwd=folder).stdout


def test_methods_take_the_same_budget_and_share_a_table(folder, vaec):
    exe = build(vaec, write(folder, "two.vae", MODEL), folder)
    text = compare(exe, folder, "--seeds", "2", "--out", "both")
    lines = text.splitlines()
    head = next(i for i, line in enumerate(lines) if line.split() == ["symmetric", "elbo"])
    assert re.match(r"log p\(x\)@heldout +-\d+\.\d \+- \S+ +-\d+\.\d \+- ", lines[head + 1]), lines
    assert any(line.startswith("training, seconds") for line in lines[head:]), lines
    found = json.loads((folder / "both" / "compare.json").read_text())
    assert found["steps"] == 30 and [m["learn"] for m in found["methods"]] == ["symmetric", "elbo"]
    for method in found["methods"]:
        assert len(method["summary"]["log p(x)@heldout"]["values"]) == 2
        for seed in (0, 1):
            config = json.loads((folder / "both" / f"{method['learn']}-seed-{seed}" / "config.json").read_text())
            assert (config["steps"], config["seed"]) == (30, seed)
    page = (folder / "both" / "report.html").read_text()
    assert page.count("<table>") == 1 and page.count("data:image/png;base64,") == 1 and "http" not in page
    assert (folder / "both" / "samples.png").read_bytes().startswith(b"\x89PNG")


def test_where_no_random_codes_can_be_drawn_there_is_no_picture(folder, vaec):
    exe = build(vaec, write(folder, "given.vae", """
var x : binary[28, 28]; var z : binary[8]; var c : category(10)
let g = glyphs(300, seed = 1)
let held = glyphs(100, seed = 2)
source images { x = g.image > 0.5; c = g.label }
source heldout weight 0 { x = held.image > 0.5; c = held.label }
decoder p { z ~ Bernoulli(0); x | z, c ~ Bernoulli(dense(concat(z, c), 784)) }  // nobody gives the class
encoder q { z | x, c ~ Bernoulli(dense(concat(flatten(x), c), 8)) }
learn elbo { steps = 2; batch = 16 }
"""), folder)
    compare(exe, folder, "--out", "out")
    assert not (folder / "out" / "samples.png").exists()
    assert "data:image/png" not in (folder / "out" / "report.html").read_text()


def test_an_evaluation_says_its_notes_once(folder, vaec):
    (folder / "rows.csv").write_text("a,b\n" + "".join(f"{i % 2},{'' if i % 3 == 0 else i % 2}\n" for i in range(40)))
    exe = build(vaec, write(folder, "rows.vae", """
var a, b, z : binary
source rows { let t = csv("rows.csv"); a = t.a; b = t.b }
source heldout weight 0 { let t = csv("rows.csv"); a = t.a; b = t.b }
decoder p { z ~ Bernoulli(0); a | z ~ Bernoulli(parameter([]) * z); b | z ~ Bernoulli(parameter([]) * z) }
encoder q { z | a, b ~ Bernoulli(parameter([]) * a + b) }
learn symmetric { steps = 2; batch = 8; sources = [rows] }
learn elbo { steps = 2; batch = 8; estimator = score }
"""), folder)
    result = call(exe, "compare", "--learn", "symmetric", "--seeds", "3", "--samples", "2", "--metrics", "loglik",
                  "--out", "out", cwd=folder)
    assert result.returncode == 0 and result.stderr.count("have missing values") == 1, result


def test_the_error_of_one_number_is_unknown(folder, vaec):
    exe = build(vaec, write(folder, "two.vae", MODEL), folder)
    succeed(exe, "train", "--quiet", "--steps", "2", "--out", "run", cwd=folder)
    evaluate = [exe, "evaluate", "--run", "run", "--samples", "3"]
    text = succeed(*evaluate, "--rows", "1", cwd=folder).stdout
    assert re.fullmatch(r"heldout: log p\(x\) = -\d+\.\d{3} nats \(1 row, exact\)\n", text), text
    found = json.loads(succeed(*evaluate, "--rows", "1", "--json", cwd=folder).stdout)
    assert found["results"][0]["standard_error"] is None, found
    assert " +- " in succeed(*evaluate, "--rows", "2", cwd=folder).stdout


def test_finished_runs_are_loaded_and_others_refused(folder, vaec):
    exe = build(vaec, write(folder, "two.vae", MODEL), folder)
    first = json.loads(compare(exe, folder, "--json", "--out", "runs", "--learn", "elbo", "--steps", "20"))
    record = (folder / "runs" / "elbo-seed-0" / "metrics.jsonl").read_bytes()
    again = compare(exe, folder, "--out", "runs", "--learn", "symmetric,elbo", "--steps", "20")
    assert "runs/elbo-seed-0: loaded, step 20" in again, again
    assert (folder / "runs" / "elbo-seed-0" / "metrics.jsonl").read_bytes() == record
    loaded = json.loads((folder / "runs" / "compare.json").read_text())["methods"][1]
    assert loaded["summary"]["log p(x)@heldout"] == first["methods"][0]["summary"]["log p(x)@heldout"]
    other = call(exe, "compare", *QUICK, "--out", "runs", "--learn", "elbo", "--steps", "40", cwd=folder)
    assert other.returncode == 78 and "runs/elbo-seed-0 is a run of other settings (steps: 20, not 40)" in other.stderr


def test_an_interrupted_comparison_goes_on(folder, vaec):
    exe = build(vaec, write(folder, "two.vae", MODEL), folder)
    succeed(exe, "train", "--learn", "elbo", "--quiet", "--steps", "20", "--seed", "0", "--out", "whole", cwd=folder)
    (folder / "half").mkdir()
    succeed(exe, "train", "--learn", "elbo", "--quiet", "--steps", "20", "--every", "checkpoint=10", "--out",
            "half/elbo-seed-0", cwd=folder)
    for path in (folder / "half" / "elbo-seed-0" / "checkpoints" / "step-20").iterdir():
        path.unlink()
    (folder / "half" / "elbo-seed-0" / "checkpoints" / "step-20").rmdir()
    compare(exe, folder, "--learn", "elbo", "--steps", "20", "--every", "checkpoint=10", "--out", "half")
    model = "checkpoints/step-20/model.safetensors"
    assert (folder / "half" / "elbo-seed-0" / model).read_bytes() == (folder / "whole" / model).read_bytes()


def test_what_cannot_be_compared_is_said(folder, vaec):
    exe = build(vaec, write(folder, "two.vae", MODEL), folder)
    for code, cause, *flags in [
            (64, "there is no learn block elbow; known: symmetric, elbo", "--learn", "elbow"),
            (64, "--learn names elbo twice", "--learn", "elbo,elbo"),
            (64, "there is no metric sharpness", "--metrics", "sharpness", "--steps", "1")]:
        result = call(exe, "compare", *flags, "--out", "none", cwd=folder)
        assert result.returncode == code and cause in result.stderr and len(result.stderr.splitlines()) == 1, result
    assert not (folder / "none").exists()
