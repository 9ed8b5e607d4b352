#!/usr/bin/env python3
"""Tests held-out figures that are not finite: training goes on and can be resumed, and tables say so."""
import csv
import json

from executable import build, metrics, succeed, write

# The held-out 6 is no count of a Binomial of size 5: its log-density is -inf.
PROGRAM = """
var n : count
var z : binary
source rows { n = csv("rows.csv").n; z = 1 }
source heldout weight 0 { n = csv("heldout.csv").n; z = 1 }
decoder p { z ~ Bernoulli(0); n | z ~ Binomial(dense(z, 1), 5) }
learn supervised { steps = 3; batch = 4; every = {log: 1, sample: 0, checkpoint: 1, evaluate: 1} }
"""


def written(folder):
    (folder / "rows.csv").write_text("n\n1\n2\n")
    (folder / "heldout.csv").write_text("n\n6\n")
    return write(folder, "counts.vae", PROGRAM)


def test_training_goes_on_and_is_resumed(folder, vaec):
    exe = build(vaec, written(folder), folder)
    for words in (["--out", "run"], ["--resume", "run", "--steps", "5"], ["--resume", "run", "--steps", "6", "--every", "evaluate=0"]):
        result = succeed(exe, "train", *words, cwd=folder)
        assert "not finite" in (folder / "run/report.html").read_text(), result
    lines = metrics(folder / "run")
    assert lines[-1]["step"] == 6 and lines[0]["evaluate"][0]["mean"] is None, lines
    found = json.loads(succeed(exe, "evaluate", "--run", "run", "--json", cwd=folder).stdout)
    assert found["results"][0]["mean"] is None, found


def test_comparisons_and_sweeps_say_so(folder, vaec):
    exe = build(vaec, written(folder), folder)
    table = succeed(exe, "compare", "--metrics", "loglik", "--seeds", "2", "--out", "compared", cwd=folder).stdout
    assert "not finite" in table and "nan" not in table and "not finite" in (folder / "compared/report.html").read_text(), table
    for name, every in (("watched", "evaluate=1"), ("plain", "evaluate=0")):
        table = succeed(vaec, "sweep", "counts.vae", "--lr", "0.1,0.2", "--metrics", "loglik", "--every", every, "--seeds",
                        "2", "--out", name, cwd=folder).stdout
        assert table.count("not finite") == 2 and "nan" not in table, table
        rows = list(csv.reader((folder / name / "table.csv").open()))
        assert len(rows) == 3 and all("nan" in row for row in rows[1:]), rows
        assert (folder / name / "report.html").read_text().count("not finite") >= 2
