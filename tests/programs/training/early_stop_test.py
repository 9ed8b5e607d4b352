"""Tests evaluations during training: their metrics, how they end a run, the best checkpoint, and how many checkpoints
are kept."""
import json
import re

from executable import build, call, digest, metrics, safetensors, succeed, write

MODEL = """
var x : binary[28, 28]
var c : category(10)
source images { let some = glyphs(200, seed = 3); x = some.image > 0.5; c = some.label }
source heldout weight 0 { let other = glyphs(100, seed = 4); x = other.image > 0.5; c = other.label }
decoder p { c ~ Categorical(parameter([10])); x | c ~ Bernoulli(dense(c, 784)) }
player r { c | x ~ Categorical(dense(x, 10)) }
learn symmetric { steps = 40; batch = 32; optimizer = {p: none, r: adam(0.01)}; KEYS
                  every = {log: 10, sample: 0, checkpoint: 5, evaluate: 5} }
"""


def made(folder, vaec, keys="evaluate = [accuracy]"):
    return build(vaec, write(folder, "model.vae", MODEL.replace("KEYS", keys)), folder)


def evaluations(run):
    """Returns a dict from step to the mean of the accuracy."""
    found = {}
    for line in metrics(run):
        means = [result["mean"] for result in line.get("evaluate", []) if result["metric"] == "accuracy"]
        if means:
            found[line["step"]] = sum(means) / len(means)
    return found


def checkpoints(run):
    return sorted(path.name for path in (run / "checkpoints").iterdir())


def test_the_metrics_stand_in_the_record_and_in_the_lines(folder, vaec):
    exe = made(folder, vaec, "evaluate = [accuracy, loglik]")
    said = succeed(exe, "train", "--out", "run", cwd=folder).stdout
    assert sorted(evaluations(folder / "run")) == list(range(5, 41, 5))
    line = next(line for line in metrics(folder / "run") if line["step"] == 20)
    assert {result["metric"] for result in line["evaluate"]} == {"accuracy", "loglik"}, line
    assert all("confusion" not in result for result in line["evaluate"])
    assert re.search(r"step 20 .* accuracy@heldout [0-9.]+", said) and "loglik@heldout -" in said, said
    # The same value as `evaluate` finds on these rows, which are all rows.
    told = json.loads(succeed(exe, "evaluate", "--run", "run", "--metrics", "accuracy", "--json", cwd=folder).stdout)
    assert told["results"][0]["mean"] == evaluations(folder / "run")[40]
    # The flag --evaluate. A metric that cannot be measured is reported once, and the run continues.
    said = succeed(exe, "train", "--out", "gap", "--evaluate", "gap,accuracy", "--steps", "10", cwd=folder).stdout
    assert "accuracy@heldout" in said, said


def test_a_run_ends_when_it_gets_no_better(folder, vaec):
    exe = made(folder, vaec)
    # With this rate nothing is learned, so the first evaluation stays the best.
    said = succeed(exe, "train", "--out", "run", "--lr", "r=0", "--stop", "early(accuracy, 3)", cwd=folder).stdout
    assert sorted(evaluations(folder / "run")) == [5, 10, 15, 20]
    assert "stopped early: accuracy was best at step 5" in said, said
    assert "best" in checkpoints(folder / "run") and "step-20" in checkpoints(folder / "run")
    best = json.loads((folder / "run/checkpoints/best/state.json").read_text())
    assert best["step"] == 5
    # A resumed run continues to count and ends at once. With `--stop none` it continues to train.
    again = succeed(exe, "train", "--resume", "run", cwd=folder).stdout
    assert "stopped early" in again and sorted(evaluations(folder / "run")) == [5, 10, 15, 20], again
    succeed(exe, "train", "--resume", "run", "--stop", "none", cwd=folder)
    assert metrics(folder / "run")[-1]["step"] == 40


def test_the_best_checkpoint_is_that_of_the_best_evaluation(folder, vaec):
    exe = made(folder, vaec, "stop = early(accuracy, 100)")
    succeed(exe, "train", "--quiet", "--out", "whole", cwd=folder)
    found = evaluations(folder / "whole")
    first_best = min(step for step, mean in found.items() if mean == max(found.values()))
    assert json.loads((folder / "whole/checkpoints/best/state.json").read_text())["step"] == first_best
    best = (folder / "whole/checkpoints/best/model.safetensors").read_bytes()
    assert best == (folder / f"whole/checkpoints/step-{first_best}/model.safetensors").read_bytes()
    # The same result if the run is interrupted once.
    succeed(exe, "train", "--quiet", "--out", "parts", "--steps", "15", cwd=folder)
    succeed(exe, "train", "--quiet", "--resume", "parts", "--steps", "40", cwd=folder)
    assert best == (folder / "parts/checkpoints/best/model.safetensors").read_bytes()
    assert digest(folder / "whole", 40) == digest(folder / "parts", 40)

    def evaluated(*flags):
        told = succeed(exe, "evaluate", "--run", "whole", "--metrics", "accuracy", "--json", *flags, cwd=folder).stdout
        return json.loads(told)
    assert evaluated("--checkpoint", "best")["results"][0]["mean"] == max(found.values())
    assert evaluated("--checkpoint", "best")["step"] == first_best
    assert evaluated("--checkpoint", "5")["results"][0]["mean"] == found[5]
    assert evaluated("--checkpoint", "last") == evaluated()
    for flags, code, cause in ((("--checkpoint", "7"), 66, "no checkpoint of step 7; it holds those of 5, 10, 15"),
                               (("--checkpoint", "worst"), 64, "last, best or a step is needed")):
        result = call(exe, "sample", "--run", "whole", *flags, "--out", "x.npy", cwd=folder)
        assert result.returncode == code and cause in result.stderr, result
    succeed(exe, "train", "--quiet", "--out", "none", "--stop", "none", "--steps", "5", cwd=folder)
    result = call(exe, "infer", "c | x", "--run", "none", "--checkpoint", "best", "--given", "x=heldout", "--out", "x.npy",
                  cwd=folder)
    assert result.returncode == 66 and "no checkpoint `best`" in result.stderr, result


def test_old_checkpoints_go(folder, vaec):
    exe = made(folder, vaec, "keep = 2; stop = early(accuracy, 100)")
    succeed(exe, "train", "--quiet", "--out", "run", cwd=folder)
    assert checkpoints(folder / "run") == ["best", "step-35", "step-40"]
    succeed(exe, "train", "--quiet", "--out", "all", "--keep", "0", cwd=folder)
    assert len(checkpoints(folder / "all")) == 9
    assert digest(folder / "run", 40) == digest(folder / "all", 40)
    succeed(exe, "train", "--quiet", "--resume", "all", "--steps", "45", "--keep", "1", cwd=folder)
    assert checkpoints(folder / "all") == ["best", "step-45"]


def test_wrong_values_are_refused(folder, vaec):
    exe = made(folder, vaec)
    for flags, code, cause in ((("--stop", "early(accuracy)"), 64, "early(METRIC, patience) or none"),
                               (("--stop", "early(acuracy, 3)"), 64, "there is no metric acuracy"),
                               (("--stop", "early(accuracy, 0)"), 64, "at least 1"),
                               (("--stop", "early(accuracy, 3)", "--every", "evaluate=0"), 78, "needs evaluations"),
                               (("--evaluate", "fd"), 64, "there is no metric fd of runs that train"),
                               (("--keep", "-1"), 64, "at least 0"),
                               (("--clip", "s=1"), 64, "there is no player s"),
                               (("--clip", "p=-1"), 64, "at least 0")):
        result = call(exe, "train", *flags, "--out", "none", cwd=folder)
        assert result.returncode == code and cause in result.stderr, result
        assert not (folder / "none").exists()


def test_each_player_has_its_clip(folder, vaec):
    keys = "order = simultaneous; clip = CLIP; "
    text = MODEL.replace("p: none", "p: sgd(0.1)").replace("r: adam(0.01)", "r: sgd(0.1)")
    runs = {}
    for name, clip in (("one", "0.01"), ("map", "{p: 0.01, r: 0.01}"), ("other", "{p: 0.01, r: 0}")):
        exe = build(vaec, write(folder, f"{name}.vae", text.replace("KEYS", keys.replace("CLIP", clip))), folder)
        succeed(exe, "train", "--quiet", "--steps", "5", "--out", f"run-{name}", cwd=folder)
        runs[name] = safetensors(folder / f"run-{name}/checkpoints/step-5/model.safetensors")
    succeed(folder / "one", "train", "--quiet", "--steps", "5", "--clip", "r=0", "--out", "run-flag", cwd=folder)
    runs["flag"] = safetensors(folder / "run-flag/checkpoints/step-5/model.safetensors")
    assert runs["one"] == runs["map"] != runs["other"] == runs["flag"]
    assert json.loads((folder / "run-other/config.json").read_text())["clip"] == {"p": 0.01, "r": 0}
    assert json.loads((folder / "run-map/config.json").read_text())["clip"] == 0.01
