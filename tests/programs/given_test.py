#!/usr/bin/env python3
"""Values of a file after `--given` skip what the sources do to theirs: a warning says so, where they do."""
from executable import build, call, main, succeed, write

MODEL = """
let t = csv("t.csv", ["v", "w"])
var x : real
var b, z, d : binary
source rows weight 0 {{ {sources} }}
source one {{ d ~ Bernoulli(0) }}
decoder p {{ x | z ~ Normal(z); b | z ~ Bernoulli(z) }}
encoder q {{ z | x, b ~ Bernoulli(0.5 * x - b) }}
decoder w {{ d ~ Bernoulli(parameter([])) }}
learn symmetric {{ steps = 1; batch = 2 }}
"""


def trained(folder, vaec, sources):
    write(folder, "t.csv", "v,w\n1,0\n3,1\n2,1\n7,0\n")
    write(folder, "given.csv", "x,b\n1,0\n3,1\n")
    exe = build(vaec, write(folder, "model.vae", MODEL.format(sources=sources)), folder)
    run = folder / "run"
    if not run.exists():
        succeed(exe, "train", "--quiet", "--out", run, cwd=folder)
    return lambda *arguments: call(exe, *arguments, "--run", run, cwd=folder)


def infer(run, x="given.csv", b="given.csv"):
    result = run("infer", "z | x, b", "--given", f"x={x}", "--given", f"b={b}", "--out", "z.csv")
    assert result.returncode == 0 and not result.stdout.startswith("warning"), result
    return [line for line in result.stderr.splitlines() if line.startswith("warning: --given")]


def test_values_that_the_sources_compute_are_warned_of(folder, vaec):
    for computed, operation in (("x = normalize(t.v)", "normalize"), ("x = t.v / 10", "divide"),
                                ("x = log1p(t.v)[0 : 3]", "log1p"), ("x = jitter(t.v - 2, 0.1)", "subtract")):
        warnings = infer(trained(folder, vaec, f"{computed}; b = t.w"))
        assert len(warnings) == 1, (computed, warnings)
        assert "--given x=given.csv" in warnings[0] and operation in warnings[0], (computed, warnings)


def test_each_variable_is_warned_of_in_every_command(folder, vaec):
    run = trained(folder, vaec, "x = normalize(t.v); b = t.v > 2")
    warnings = infer(run)
    assert [w.split(":")[1] for w in warnings] == [" --given x=given.csv", " --given b=given.csv"], warnings
    assert "normalize" in warnings[0] and "greater" in warnings[1], warnings
    result = run("sample", "--given", "x=given.csv", "--out", "s.csv")
    assert result.returncode == 0 and result.stderr.count("warning: --given x=given.csv") == 1, result


def test_rows_that_are_chosen_are_not_warned_of(folder, vaec):
    for chosen in ("x = t.v; b = t.w", "let u = shuffle(where(t, t.v > 1)); x = u.v; b = u.w",
                   "x = t.v[1 : 3]; b = t.w[0 : 2]"):
        assert infer(trained(folder, vaec, chosen)) == [], chosen


def test_rows_of_a_source_are_not_warned_of(folder, vaec):
    run = trained(folder, vaec, "x = normalize(t.v); b = t.v > 2")
    assert infer(run, "rows", "rows") == []


if __name__ == "__main__":
    main(globals())
