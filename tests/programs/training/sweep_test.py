"""Tests `vaec sweep`: it trains and measures every combination of values, loads finished runs, and makes one table."""
import csv
import json
import os
import signal
import subprocess
import time

from executable import call, succeed, write

MODEL = """
param few = 100
param widths = [8, 8]
var x : binary[28, 28]; var z : binary[4]; var c : category(10)
let g = glyphs(few, seed = 1)
let held = glyphs(50, seed = 2)
source images { x = g.image > 0.5; c = g.label }
source codes { z ~ Bernoulli(0); c ~ Categorical(0) }
source heldout weight 0 { x = held.image > 0.5; c = held.label }
decoder p { x | z, c ~ Bernoulli(dense(tanh(dense(concat(z, c), widths[0])), 784)) }
encoder q { c | x ~ Categorical(dense(x, 10)); z | x, c ~ Bernoulli(dense(concat(flatten(x), c), widths[1])[0:4]) }
learn symmetric { steps = 30; batch = 16 }
learn symmetric as second { steps = 20; batch = 16 }
learn symmetric as slow { steps = 100_000_000; batch = 16; every = {log: 1000, sample: 0, checkpoint: 0, evaluate: 0} }
"""
QUICK = ["--metrics", "accuracy", "--rows", "20"]


def sweep(vaec, folder, *words, **options):
    return call(vaec, "sweep", "m.vae", *QUICK, *words, cwd=folder, **options)


def table(folder, name="table.csv"):
    with open(folder / name, newline="") as file:
        return list(csv.DictReader(file))


def test_every_combination_is_a_run_and_a_line(folder, vaec):
    write(folder, "m.vae", MODEL)
    result = sweep(vaec, folder, "-D", "few=20,60", "--learn", "symmetric,second", "--seeds", "2", "--jobs", "2",
                   "--out", "s")
    assert result.returncode == 0, result
    rows = table(folder / "s")
    assert [(row["few"], row["learn"], row["runs"]) for row in rows] == [
        ("20", "symmetric", "2"), ("20", "second", "2"), ("60", "symmetric", "2"), ("60", "second", "2")]
    config = json.loads((folder / "s/few=60/second-seed-1/config.json").read_text())
    assert (config["params"]["few"], config["learn"], config["seed"], config["steps"]) == ("60", "second", 1, 20)
    # Each figure equals the result of `evaluate` for the run. Mean and deviation are those of the runs.
    figure = next(name for name in rows[0] if name.startswith("accuracy") and "deviation" not in name)
    values = []
    for seed in (0, 1):
        found = succeed(folder / "s/few=60/m", "evaluate", "--run", folder / f"s/few=60/second-seed-{seed}", "--seed",
                        str(seed), "--json", *QUICK)
        values.append(next(r["mean"] for r in json.loads(found.stdout)["results"] if r["metric"] == "accuracy"))
    assert abs(float(rows[3][figure]) - sum(values) / 2) < 1e-9, (rows[3], values)
    deviation = abs(values[0] - values[1]) / 2 ** 0.5
    assert abs(float(rows[3][figure + ", standard deviation"]) - deviation) < 1e-9, rows[3]
    runs = [row for row in table(folder / "s", "runs.csv") if row["figure"] == figure]
    assert len(runs) == 8 and [float(row["value"]) for row in runs[-2:]] == values, runs
    head = next(line for line in result.stdout.splitlines() if line.split()[:2] == ["few", "learn"])
    assert figure in head and "+-" in result.stdout, result.stdout
    page = (folder / "s/report.html").read_text()
    assert page.count("<table>") == 1 and page.count("<svg") == 2 and page.count('class="line"') == 4, page


def test_finished_runs_are_loaded_and_new_values_added(folder, vaec):
    write(folder, "m.vae", MODEL)
    assert sweep(vaec, folder, "-D", "few=20", "--out", "s").returncode == 0
    record = folder / "s/few=20/symmetric-seed-0/metrics.jsonl"
    before = record.stat().st_mtime_ns
    again = sweep(vaec, folder, "-D", "few=20,60", "--out", "s", "--seeds", "2")
    assert again.returncode == 0 and "few=20/symmetric-seed-0: loaded" in again.stdout, again
    assert again.stdout.count("loaded") == 1 and record.stat().st_mtime_ns == before
    # With other metrics the same runs are measured again, without training.
    other = call(vaec, "sweep", "m.vae", "--metrics", "elbo", "--rows", "20", "-D", "few=20", "--out", "s", cwd=folder)
    assert other.returncode == 0 and record.stat().st_mtime_ns == before, other
    assert any(name.startswith("elbo") for name in table(folder / "s")[0]), other
    write(folder, "m.vae", MODEL.replace("seed = 1", "seed = 3"))
    changed = sweep(vaec, folder, "-D", "few=20", "--out", "s")
    assert changed.returncode == 78 and "another text of the program" in changed.stderr, changed
    write(folder, "m.vae", MODEL)
    environment = sweep(vaec, folder, "-D", "few=20", "--out", "s", env={"VAEC_STEPS": "3"})
    assert environment.returncode == 78 and "VAEC_" in environment.stderr, environment


def test_lists_are_values_and_training_flags_vary_too(folder, vaec):
    write(folder, "m.vae", MODEL)
    result = sweep(vaec, folder, "-D", "widths=[8,8],[4, 6]", "--lr", "1e-2,1e-3", "--batch", "images=8,codes=4",
                   "--steps", "5", "--json", "--out", "s")
    assert result.returncode == 0, result
    found = json.loads(result.stdout)
    assert [(row["values"]["widths"], row["values"]["--lr"]) for row in found["rows"]] == [
        ("[8,8]", "1e-2"), ("[8,8]", "1e-3"), ("[4, 6]", "1e-2"), ("[4, 6]", "1e-3")]
    assert all(row["runs"] == 1 and row["figures"] for row in found["rows"]) and not found["failed"], found
    configs = [json.loads(path.read_text()) for path in (folder / "s").glob("*/*/config.json")]
    assert len(configs) == 4 and {config["params"]["widths"] for config in configs} == {"[8, 8]", "[4, 6]"}, configs
    assert {config["steps"] for config in configs} == {5}


def test_a_failure_stops_no_other_run(folder, vaec):
    write(folder, "m.vae", MODEL)
    # The first program does not compile; the second cannot read its data.
    result = sweep(vaec, folder, "-D", 'few="a",0,20', "--out", "s", "--seeds", "2")
    assert result.returncode == 1, result
    lines = result.stderr.splitlines()
    assert len(lines) == 2 and lines[0].startswith('vaec sweep: failed: few="a": error[E'), lines
    assert lines[1].startswith("vaec sweep: failed: few=0, seeds 0, 1: m train: glyphs: `n` must be"), lines
    assert [row["runs"] for row in table(folder / "s")] == ["0", "0", "2"]
    assert "2/2" in result.stdout and result.stdout.count("0/2") == 2, result.stdout
    assert "Failed" in (folder / "s/report.html").read_text()
    metric = call(vaec, "sweep", "m.vae", "-D", "few=20", "--metrics", "mcc", "--out", "t", cwd=folder)
    assert metric.returncode != 0 and "seed 0: m evaluate: " in metric.stderr, metric


def test_a_stopped_sweep_goes_on(folder, vaec):
    write(folder, "m.vae", MODEL)
    for stop, code in ((signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)):
        out = folder / f"s{code}"
        words = [vaec, "sweep", "m.vae", *QUICK, "--learn", "symmetric,slow", "--jobs", "1", "--out", out]
        process = subprocess.Popen([str(word) for word in words], cwd=folder, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, start_new_session=True)
        slow = out / "slow-seed-0"
        deadline = time.time() + 60
        while not (slow / "metrics.jsonl").exists() or not (slow / "metrics.jsonl").read_text():
            assert time.time() < deadline and process.poll() is None, process.communicate()
            time.sleep(0.05)
        os.kill(process.pid, stop)
        said = process.communicate(timeout=60)
        assert process.returncode == code, said
        # The sweep's run writes a checkpoint and ends, too.
        while not list((slow / "checkpoints").glob("step-*/state.json")):
            assert time.time() < deadline + 60
            time.sleep(0.05)
        if code == 130:
            assert "goes on" in said[0] and [row["runs"] for row in table(out)] == ["1", "0"], said
        step = max(int(path.name[5:]) for path in (slow / "checkpoints").glob("step-*"))
        config = json.loads((slow / "config.json").read_text())
        config["steps"] = step + 5  # so that the run ends
        (slow / "config.json").write_text(json.dumps(config))
        time.sleep(0.5)
        result = sweep(vaec, folder, "--learn", "symmetric,slow", "--jobs", "1", "--out", out)
        assert result.returncode == 0 and "symmetric-seed-0: loaded" in result.stdout, result
        assert json.loads((slow / "config.json").read_text())["resumed"] == [step]
        assert [row["runs"] for row in table(out)] == ["1", "1"]


def test_what_cannot_be_swept_is_said(folder, vaec):
    write(folder, "m.vae", MODEL)
    write(folder, "file", "")
    for code, cause, *words in [
            (1, "the file has no param `fw`", "-D", "fw=1,2"),
            (64, "-D few=1,,2: a value is empty", "-D", "few=1,,2"),
            (64, "-D few names 1 twice", "-D", "few=1", "-D", "few=2,1"),
            (64, "write -D name=value", "-D", "few"),
            (64, "there is no learn block thrid; known: symmetric", "--learn", "thrid"),
            (64, "--learn names slow twice", "--learn", "slow,slow"),
            (64, "there is no metric sharpness", "--metrics", "sharpness"),
            (64, "there is no flag --stps (did you mean --steps?)", "--stps", "3"),
            (64, "--seeds", "--seeds", "0"),
            (73, "cannot write file/s", "--out", "file/s")]:
        result = call(vaec, "sweep", "m.vae", "--out", "none", *words, cwd=folder)
        if "--out" in words:
            result = call(vaec, "sweep", "m.vae", *words, cwd=folder)
        assert result.returncode == code and cause in result.stderr, (words, result)
        assert code == 1 or len(result.stderr.splitlines()) == 1, result
    assert call(vaec, "sweep", "none.vae", cwd=folder).returncode == 66
