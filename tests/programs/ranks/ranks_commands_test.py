#!/usr/bin/env python3
"""Tests commands on a trained model on several ranks: they share the rows, also uneven numbers of them, and give the bits
of one rank."""
import os
import re
import signal
import subprocess
import time

import pytest

from executable import GLYPHS, build, call, metrics, write
from rank_runs import agree_up_to_rounding, need_c10d, train
from ranks_test import children, end

# A code and a class of a picture, which only a chain infers together.
CHAIN = """
var x : binary[28, 28]
var c : category(10)
var z : binary[8]
source images { let g = glyphs(401, seed = 3); x = g.image > 0.5; c = g.label }
source codes { z ~ Bernoulli(0) }
decoder p { x | c, z ~ Bernoulli(dense(concat(c, z), 784)) }
encoder q { z | c, x ~ Bernoulli(dense(concat(c, flatten(x)), 8)) }
encoder k { c | z, x ~ Categorical(dense(concat(z, flatten(x)), 10)) }
learn symmetric { steps = 20; batch = 32; every = {log: 10, sample: 0, checkpoint: 20, evaluate: 0} }
"""

# Real codes, true factors, and a decoder's mean with a Jacobian.
FACTORS = """
let mixed = moebius(1000, 2, seed = 1)
var x : real[2]
var z : real[2]
var s : real[2]
source train { x = mixed[0:800].x }
source test weight 0 { let t = mixed[800:1000]; x = t.x; s = t.s }
decoder p { z ~ Normal(0, 0); x | z ~ Normal(dense(tanh(dense(z, 8)), 2), -1) }
encoder q { z | x ~ Normal(dense(x, 2), -1) }
learn elbo { steps = 20; batch = 32; every = {log: 10, sample: 0, checkpoint: 20, evaluate: 0} }
"""


def trained(folder, vaec, text=GLYPHS):
    """An executable and a run of 20 steps."""
    need_c10d(vaec)
    exe = build(vaec, write(folder, "model.vae", text), folder)
    result = train(exe, folder / "run", "--steps", 20)
    assert result.returncode == 0, result.stderr
    return exe, folder / "run"


def same_for_all_ranks(exe, command, run, *arguments):
    """Executes the command on one rank, on 2 and on 3. Returns what one rank prints."""
    printed = {}
    for ranks in ("off", 2, 3):
        result = call(exe, command, "--run", run, "--ranks", ranks, "--threads", 1, *arguments)
        assert result.returncode == 0, (ranks, result.stderr)
        printed[ranks] = result.stdout, result.stderr
    assert printed["off"] == printed[2] == printed[3], printed
    return printed["off"][0]


def test_metrics_of_binary_codes_and_of_samples(folder, vaec):
    exe, run = trained(folder, vaec)
    asked = "loglik,elbo,kl,gap,mi,active_units,fd,consistency,mmd"
    text = same_for_all_ranks(exe, "evaluate", run, "--metrics", asked, "--features", "pca64", "--samples", 20,
                              "--rows", 333, "--n", 77, "--limiting", 10, "--json")
    assert all(f'"metric":"{metric}"' in text for metric in asked.split(",")), text


def test_metrics_of_factors_and_jacobians(folder, vaec):
    exe, run = trained(folder, vaec, FACTORS)
    asked = "mcc,ima,self_consistency,mi,active_units"
    for rows in (30, 177):  # fewer rows than a mean Jacobian has, and more
        text = same_for_all_ranks(exe, "evaluate", run, "--metrics", asked, "--samples", 11, "--rows", rows, "--json")
        assert all(f'"metric":"{metric}"' in text for metric in asked.split(",")), text


def test_accuracy_by_a_chain(folder, vaec):
    exe, run = trained(folder, vaec, CHAIN)
    text = same_for_all_ranks(exe, "evaluate", run, "--metrics", "accuracy", "--query", "c | x", "--sweeps", 10,
                              "--json")
    assert '"sweeps":10' in text and '"confusion"' in text, text


@pytest.mark.parametrize("text, query", [(GLYPHS, "z | x"), (CHAIN, "c, z | x")])
def test_infer(folder, vaec, text, query):
    """With a chain, the report tells how well it has converged: the sums over all rows are those of one rank."""
    exe, run = trained(folder, vaec, text)
    files = {}
    for ranks in ("off", 2, 3):
        result = call(exe, "infer", "--run", run, query, "--given", "images", "--samples", 3, "--sweeps", 10,
                      "--ranks", ranks, "--threads", 1, "--json", "--out", folder / "out.npz")
        assert result.returncode == 0, result.stderr
        files[ranks] = result.stdout, result.stderr, (folder / "out.npz").read_bytes()
    assert files["off"] == files[2] == files[3]
    assert ('"r_hat"' in files["off"][0]) == (text == CHAIN), files["off"]


def test_sample(folder, vaec):
    exe, run = trained(folder, vaec)
    for arguments in (["--n", "600"], ["--n", "1"], ["--n", "300", "--limiting", "3"]):
        files = {}
        for ranks in ("off", 2, 3):
            result = call(exe, "sample", "--run", run, "--ranks", ranks, "--threads", 1, *arguments, "--out",
                          folder / "out.npz")
            assert result.returncode == 0, result.stderr
            assert result.stdout.count("\n") == 1, result.stdout
            files[ranks] = (folder / "out.npz").read_bytes()
        assert files["off"] == files[2] == files[3], arguments


def test_compare_trains_and_measures_on_all_ranks(folder, vaec):
    need_c10d(vaec)
    text = GLYPHS + "learn elbo { steps = 20; batch = 33; estimator = zgr }\n"
    exe = build(vaec, write(folder, "model.vae", text), folder)
    compare = [exe, "compare", "--steps", 20, "--rows", 100, "--samples", 10, "--threads", 1]
    for ranks in ("off", 2, 3):
        result = call(*compare, "--ranks", ranks, "--out", folder / str(ranks))
        assert result.returncode == 0, result.stderr
        assert result.stdout.count("report.html") == 1, result.stdout
        for learn in ("symmetric", "elbo"):
            run = f"{learn}-seed-0"
            assert agree_up_to_rounding(folder / "off" / run, folder / str(ranks) / run, 20), (ranks, learn)
            assert len(metrics(folder / str(ranks) / run)) > 0
    again = call(*compare, "--ranks", 2, "--out", folder / "3")
    assert again.returncode == 0 and again.stdout.count("loaded, step 20") == 2, again
    refused = call(*compare, "--ranks", 2, "--out", folder / "3", "--lr", 7)
    assert refused.returncode == 78 and refused.stderr.count("is a run of other settings") == 1, refused


def test_a_failure_of_all_ranks_is_said_once(folder, vaec):
    exe, run = trained(folder, vaec)
    one = call(exe, "evaluate", "--run", run, "--metrics", "elbo,accuracy")
    several = call(exe, "evaluate", "--run", run, "--metrics", "elbo,accuracy", "--ranks", 3)
    assert one.returncode == several.returncode == 78
    assert one.stderr == several.stderr and one.stdout == several.stdout, several


def test_a_rank_waits_for_slow_ranks_longer_than_the_timeout(folder, vaec):
    """Two batches for three ranks: rank 0 has none, and the others take some seconds."""
    exe, run = trained(folder, vaec, CHAIN)
    begun = time.monotonic()
    result = call(exe, "infer", "--run", run, "c, z | x", "--given", "images", "--sweeps", 400, "--samples", 6,
                  "--ranks", 3, "--threads", 1, "--rank-timeout", 1, "--out", folder / "out.npz", timeout=120)
    assert result.returncode == 0, result.stderr
    assert time.monotonic() - begun > 1, "the test waits for nothing"


def test_a_rank_that_is_killed_in_an_evaluation_ends_the_others(folder, vaec):
    """Rank 0, which has no batch, notices it at once. Rank 1 still computes, and is killed after the timeout."""
    exe, run = trained(folder, vaec, CHAIN)
    process = subprocess.Popen([exe, "evaluate", "--run", run, "--metrics", "accuracy", "--query", "c | x", "--sweeps",
                                "1000000", "--ranks", "3", "--threads", "1", "--rank-timeout", "2"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(3)
    pid = children(process)[2]
    os.kill(pid, signal.SIGKILL)
    try:
        _, err = end(process, timeout=60)
    finally:
        process.kill()
    assert process.returncode == 75, (process.returncode, err)
    # If it is killed before the ranks have met, only the process that started them knows it.
    assert re.search(rf"rank 2 (of 3 )?\((host [^ ]+, )?process {pid}\)", err), err


def test_other_commands_are_done_by_rank_0(folder, vaec):
    exe, run = trained(folder, vaec)
    for rank in range(2):
        result = call(exe, "export", "--run", run, "--format", "onnx", "--out", folder / str(rank),
                      env={"RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "localhost"})
        assert result.returncode == 0, result.stderr
    assert (folder / "0").exists() and not (folder / "1").exists()
