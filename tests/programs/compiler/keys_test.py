"""Tests that every key of the table learn_keys.def has a flag. A valid value takes effect; an invalid value is
refused in one line."""
import json
import re

from executable import ROOT, build, call, safetensors, succeed, write

MODEL = """
var x : binary[28, 28]; var z : binary[3]; var c : category(10)
let g = glyphs(12, seed = 1)
source pairs { x = g.image > 0.5; c = g.label }
source unlabelled { x = g.image > 0.5 }
source codes { z ~ Bernoulli(0); c ~ Categorical(0) }
decoder p { z ~ Bernoulli(0); c ~ Categorical(0); x | z, c ~ Bernoulli(dense(concat(z, c), 784)) }
encoder q { c | x ~ Categorical(dense(x, 10)); z | x ~ Bernoulli(dense(x, 3)) }
learn symmetric { steps = 4; batch = 8 }
learn elbo { steps = 4; batch = 8; estimator = zgr }
learn iwae { steps = 4; batch = 8; estimator = score }
learn rws { steps = 4; batch = 8 }
learn libi { batch = 8; estimator = zgr; fit_steps = 2; constrain_steps = 2; refit_steps = 2 }
"""
# For each key: a valid value, its name and value in config.json, and a value that is refused.
VALID = {
    "steps": ("5", "steps", 5, "-1"),
    "batch": ("codes=4", "batch", {"codes": 4}, "0"),
    "optimizer": ("sgd(0.5)", "optimizers", {"p": {"kind": "sgd", "lr": 0.5, "momentum": 0.0}}, "rprop(1)"),
    "schedule": ("cosine(2)", "schedule", {"kind": "cosine", "warmup": 2.0}, "linear"),
    "clip": ("0.5", "clip", 0.5, "-1"),
    "seed": ("7", "seed", 7, "-1"),
    "order": ("simultaneous", "order", "simultaneous", "random"),
    "precision": ("bf16", "precision", "bf16", "fp8"),
    "sources": ("pairs,codes", "sources", ["pairs", "codes"], "nowhere"),
    "start": ("begun", "start", "begun", "nowhere"),
    "every": ("log=2", "every", {"log": 2}, "log=-1"),
    "average": ("0.5", "average", 0.5, "1"),
    "weight": ("codes=0.5", "weights", {"codes": {"kind": "constant", "to": 0.5}}, "codes=-1"),
    "evaluate": ("elbo", "evaluate", ["elbo"], "beauty"),
    "stop": ("early(elbo, 2)", "stop", {"metric": "elbo", "patience": 2}, "late(elbo, 2)"),
    "keep": ("2", "keep", 2, "-1"),
    "enumerate": ("c", "enumerate", "c", "nothing"),
    "enumerate_limit": ("100", "enumerate_limit", 100, "0"),
    "estimator": ("z=score,c=enumerate", "estimator", "c=enumerate,z=score", "magic"),
    "beta": ("4", "beta", 4.0, "-1"),
    "alpha": ("linear(0, 1, 3)", "alpha", {"kind": "linear", "to": 1.0, "steps": 3.0}, "x"),
    "free_bits": ("0.5", "free_bits", 0.5, "-1"),
    "samples": ("3", "samples", 3, "0"),
    "analytic_kl": ("true", "analytic_kl", True, "perhaps"),
    "epsilon": ("0.5", "epsilon", 0.5, "-1"),
    "dual_rate": ("0.5", "dual_rate", 0.5, "-1"),
    "fit_steps": ("3", "fit_steps", 3, "0"),
    "constrain_steps": ("3", "constrain_steps", 3, "1.5"),
    "refit_steps": ("3", "refit_steps", 3, "x"),
}
MORE = {"stop": ["--every", "evaluate=2"]}


def table():
    """Returns for every key its kind, and a method that has the key."""
    text = (ROOT / "runtime/schema/learn_keys.def").read_text()
    keys = re.findall(r"^LEARN_KEY\((\w+), (\w+), ([\w| ]+),", text, re.MULTILINE)
    methods = {"every_method": "symmetric", "bounds_of_all": "iwae", "symmetric | bounds_of_all": "elbo"}
    return {name: (kind, methods.get(method, method)) for name, kind, method in keys}


def agrees(held, expected):
    if isinstance(expected, dict):
        return isinstance(held, dict) and all(name in held and agrees(held[name], value)
                                              for name, value in expected.items())
    return held == expected


def test_the_test_knows_every_key(folder, vaec):
    assert set(VALID) == set(table()), set(VALID) ^ set(table())


def test_every_flag_takes_effect_and_refuses(folder, vaec):
    write(folder, "m.vae", MODEL)
    exe = build(vaec, folder / "m.vae", folder)
    begun = folder / "begun"
    succeed(exe, "train", "--out", begun, "--quiet", cwd=folder)
    help_text = succeed(exe, "train", "--help").stdout
    for key, (kind, method) in table().items():
        value, name, expected, wrong = VALID[key]
        assert f"--{key}" in help_text and f"--{key.replace('_', '-')}" in help_text, key
        words = ["train", "--learn", method, "--quiet", *MORE.get(key, [])]
        program = [vaec, "run", "m.vae"] if kind in ("built", "number") else [exe]
        for spelling in {key, key.replace("_", "-")}:
            run = folder / f"run-{spelling}"
            succeed(*program, *words, "--out", run, f"--{spelling}", value, cwd=folder)
            held = json.loads((run / "config.json").read_text())[name]
            if key == "start":
                held = held.rsplit("/", 1)[-1]
            assert agrees(held, expected), (key, held)
        by_environment = folder / f"environment-{key}"
        succeed(*program, *words, "--out", by_environment, cwd=folder, env={f"VAEC_{key.upper()}": value})
        assert json.loads((by_environment / "config.json").read_text())[name] == json.loads(
            (folder / f"run-{key}" / "config.json").read_text())[name], key
        refused = call(*program, *words, "--out", folder / "never", f"--{key}", wrong, cwd=folder)
        assert refused.returncode in (64, 66, 78) and len(refused.stderr.splitlines()) == 1, (key, refused)
        assert key in refused.stderr or key == "start" and wrong in refused.stderr, (key, refused)
        assert not (folder / "never").exists(), key


def test_an_executable_names_the_command_that_compiles_a_key_in(folder, vaec):
    write(folder, "m.vae", MODEL)
    exe = build(vaec, folder / "m.vae", folder)
    for key, (kind, method) in table().items():
        if kind != "built":
            continue
        result = call(exe, "train", "--learn", method, "--out", "never", f"--{key}", VALID[key][0], cwd=folder)
        assert result.returncode == 78 and len(result.stderr.splitlines()) == 1, (key, result)
        assert f"vaec build m.vae --learn {method} --{key} " in result.stderr, (key, result)
        again = result.stderr.strip().rsplit(": vaec ", 1)[1].replace("'", "").split(f" --{key} ")
        other = folder / "other"
        succeed(vaec, *again[0].split(), f"--{key}", again[1], "-o", other, cwd=folder)
        run = folder / f"built-{key}"
        succeed(other, "train", "--learn", method, "--out", run, "--quiet", cwd=folder)
        assert json.loads((run / "config.json").read_text())[key] == VALID[key][2], key
        # The value that the program was built with is accepted.
        succeed(other, "train", "--learn", method, "--out", folder / f"told-{key}", "--quiet", f"--{key}",
                VALID[key][0], cwd=folder)


def test_numbers_change_the_training_and_a_resumed_run_keeps_them(folder, vaec):
    write(folder, "m.vae", MODEL)
    exe = build(vaec, folder / "m.vae", folder)
    train = ["train", "--learn", "elbo", "--quiet", "--every", "checkpoint=4"]
    succeed(exe, *train, "--out", "one", cwd=folder)
    succeed(exe, *train, "--out", "by-flag", "--beta", "4", cwd=folder)
    write(folder, "beta.vae", MODEL.replace("estimator = zgr }", "estimator = zgr; beta = 4 }", 1))
    other = build(vaec, folder / "beta.vae", folder)
    succeed(other, *train, "--out", "by-file", cwd=folder)
    content = [safetensors(folder / run / "checkpoints/step-4/model.safetensors")
               for run in ("one", "by-flag", "by-file")]
    assert content[0] != content[1] and content[1] == content[2]
    succeed(exe, "train", "--resume", "by-flag", "--steps", "8", "--quiet", cwd=folder)
    assert json.loads((folder / "by-flag/config.json").read_text())["beta"] == 4
    succeed(vaec, "run", "m.vae", "train", "--learn", "elbo", "--samples", "3", "--out", "three", "--quiet", cwd=folder)
    refused = call(exe, "train", "--resume", "three", "--steps", "8", cwd=folder)
    assert refused.returncode == 78 and "--samples 3" in refused.stderr, refused
    succeed(vaec, "run", "m.vae", "train", "--resume", "three", "--steps", "8", "--quiet", cwd=folder)


def test_a_key_of_another_method_is_refused(folder, vaec):
    write(folder, "m.vae", MODEL)
    exe = build(vaec, folder / "m.vae", folder)
    for program in ([exe], [vaec, "run", "m.vae"]):
        result = call(*program, "train", "--beta", "4", cwd=folder)
        assert result.returncode == 64 and "it is a key of elbo" in result.stderr, result
    result = call(vaec, "build", "m.vae", "--learn", "rws", "--beta", "4", cwd=folder)
    assert result.returncode == 64 and "it is a key of elbo" in result.stderr, result


def test_a_sweep_varies_what_is_compiled_in(folder, vaec):
    write(folder, "m.vae", MODEL)
    result = call(vaec, "sweep", "m.vae", "--learn", "elbo", "--metrics", "elbo", "--rows", "4", "--beta", "1,4",
                  "--estimator", "zgr,score", "--out", "s", cwd=folder)
    assert result.returncode == 0, result
    configs = [json.loads(path.read_text()) for path in (folder / "s").rglob("config.json")]
    assert sorted((config["beta"], config["estimator"]) for config in configs) == [
        (1, "score"), (1, "zgr"), (4, "score"), (4, "zgr")]
