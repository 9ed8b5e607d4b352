"""The package gives the same numbers and the same texts as vaec."""
import json
import os
import pathlib
import signal
import struct
import subprocess
import sys
import types
import warnings

import numpy as np
import pytest

import vaec
from vaec import arrays, commands, compiler, progress

ROOT = pathlib.Path(__file__).resolve().parents[2]


def column(table, name):
    return list(table[name])


def test_keywords_are_params(path, model):
    assert model.info["params"]["code"] == "6"
    other = vaec.compile(path, names=["x", "y"], params={"code": np.int64(3)})
    assert (other.info["params"]["code"], "[" in other.info["params"]["names"]) == ("3", True)
    with pytest.raises(TypeError, match="no number, boolean, string or list"):
        vaec.compile(path, code=object())


def test_explain_says_what_vaec_explain_says(path, model):
    said = commands.succeed(compiler.find_compiler(), "explain", path, "-D", "code=6")
    assert model.explain() == said.stdout + said.stderr and "z ~ q(z | c, x)" in model.explain()
    assert repr(model.explain()) == model.explain()
    assert [source["name"] for source in model.explain("json")["sources"]] == ["digits", "codes"]
    assert "\\begin" in model.explain(format="latex")


def test_errors_are_exceptions_with_the_text(path, tmp_path):
    wrong = tmp_path / "wrong.vae"
    wrong.write_text(path.read_text().replace("dense(z, 784)", "dense(z, 783)"))
    with pytest.raises(vaec.CompileError) as raised:
        vaec.compile(wrong)
    said = commands.call(compiler.find_compiler(), "check", wrong)
    assert str(raised.value) == said.stderr.strip() and said.returncode == raised.value.exit_code == 1
    (diagnostic,) = raised.value.diagnostics
    assert diagnostic["line"] == 9 and diagnostic["code"] in str(raised.value)
    with pytest.raises(vaec.CompileError, match="no param `cod`"):
        vaec.compile(path, cod=3)
    with pytest.raises(vaec.Error, match="No such file") as raised:
        vaec.compile(tmp_path / "none.vae")
    assert raised.value.exit_code == 66


def test_warnings_are_warnings(path, tmp_path):
    unused = tmp_path / "unused.vae"
    unused.write_text(path.read_text().replace("Categorical(dense(x, 10))", "Categorical(0)"))
    with pytest.warns(vaec.VaecWarning, match=r"warning\[W"):
        vaec.compile(unused)


def test_commands_that_fail_say_why(model, run):
    for call, code, words in (
            (lambda: model.train(stps=3), 64, "no flag --stps"),
            (lambda: model.train(out=run.folder), 73, "is there already"),
            (lambda: run.infer("y | x", x=np.zeros((1, 28, 28))), 64, "no variable `y`"),
            (lambda: run.infer("z | x", x=np.zeros((2, 3))), 65, "its rows have the shape"),
            (lambda: run.infer("x | c, z", c=["one"], z=np.full((1, 6), 7)), 65, "row 0 holds 7"),
            (lambda: run.infer("x | c, z", c=["ten"], z=np.zeros((1, 6))), 65, "ten"),
            (lambda: model.load(run.folder / "none").sample(2), 66, "none")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(vaec.Error, match=words) as raised:
                call()
        assert raised.value.exit_code == code and "/vaec-" not in str(raised.value)


def test_the_record_is_a_table(run):
    lines = [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text().splitlines()]
    assert column(run.metrics, "step") == [10, 20, 30]
    assert column(run.metrics, "utility.p") == [line["utility"]["p"] for line in lines]
    assert column(run.metrics, "q.z@codes") == [line["terms"]["q.z@codes"] for line in lines]
    assert run.step == 30 and run.config["steps"] == 30


def test_parameters_are_those_of_the_checkpoint(run):
    shapes = {name: array.shape for name, array in run.parameters().items()}
    info = {name: tuple(shape) for player in run.model.info["players"] for name, shape in player["tensors"].items()}
    assert shapes == info
    assert all(np.isfinite(array).all() and array.dtype == np.float32 for array in run.parameters().values())
    assert not np.array_equal(run.parameters(10)["q.c.dense1.bias"], run.parameters(30)["q.c.dense1.bias"])
    assert np.array_equal(run.parameters("last")["q.c.dense1.bias"], run.parameters()["q.c.dense1.bias"])
    with pytest.raises(KeyError, match="no checkpoint of step 11"):
        run.parameters(11)


def test_any_checkpoint_answers(run):
    x = np.zeros((1, 28, 28))
    first, last = (run.infer("c | x", x=x, checkpoint=step)["c"] for step in (10, "last"))
    assert np.array_equal(last, run.infer("c | x", x=x)["c"]) and not np.array_equal(first, last)
    assert not np.array_equal(run.sample(4, checkpoint=10).means["x"], run.sample(4).means["x"])


def test_pictures_show_themselves(model, tmp_path):
    run = model.train(steps=4, every={"sample": 2}, out=tmp_path / "run", progress=False)
    assert [picture.step for picture in run.pictures] == [2, 4]
    assert run.pictures[0]._repr_png_() == (tmp_path / "run/samples/step-2.png").read_bytes()


def test_samples_are_arrays(run):
    drawn = run.sample(5, seed=2)
    assert {name: array.shape for name, array in drawn.items()} == {"c": (5, 10), "x": (5, 28, 28), "z": (5, 6)}
    assert set(np.unique(drawn["x"])) <= {0, 1} and np.array_equal(drawn["c"].sum(1), np.ones(5))
    assert drawn.means["x"].shape == (5, 28, 28)
    assert np.array_equal(drawn["x"], run.sample(5, seed=2)["x"])
    assert not np.array_equal(drawn["x"], run.sample(5, seed=3)["x"])
    known = run.sample(4, given={"c": ["seven"]})
    assert np.array_equal(known["c"].argmax(1), [7] * 4)


def test_inference_is_the_encoder(run):
    """The encoder q gives c | x. The parameters of q, applied here by hand, give the same probabilities."""
    x = run.sample(7)["x"]
    with pytest.warns(vaec.VaecWarning, match="x=array"):
        inferred = run.infer("c | x", x=x)
    weights = run.parameters()
    logits = x.reshape(7, -1) @ weights["q.c.dense1.weight"].T + weights["q.c.dense1.bias"]
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert np.allclose(inferred["c"], expected, atol=1e-5)
    assert np.array_equal(np.asarray(inferred), inferred["c"]) and "c ~ q(c | x)" in inferred.text


def test_what_is_given_may_be_words_a_source_or_masked(run):
    several = run.infer("z, c | x", {"x": "digits"}, samples=3)
    assert several["z"].shape == (200, 6) and several.draws["z"].shape == (200, 3, 6)
    x = run.sample(3)["x"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert run.infer("z | c, x", c=["two", "nine", "two"], x=x)["z"].shape == (3, 6)
        whole = run.infer("x | x, c", x=x, c=np.array([1, 2, 3]), mask={"x": np.ones((3, 28, 28))}, sweeps=4)
    assert np.array_equal(whole["x"], x)


def test_measures_are_a_table(run):
    measured = run.evaluate(["accuracy"], rows=50)
    assert column(measured, "metric") == ["accuracy"] and 0 <= column(measured, "mean")[0] <= 1
    said = commands.succeed(run.model.executable, "evaluate", f"--run={run.folder}", "--metrics=accuracy", "--rows=50",
                            "--json")
    assert json.loads(said.stdout)["results"][0]["mean"] == column(measured, "mean")[0]


def test_a_run_is_resumed(model, tmp_path):
    half = model.train(steps=10, out=tmp_path / "half", progress=False)
    whole = model.resume(half, steps=20, progress=False)
    assert whole.step == 20
    straight = model.train(steps=20, out=tmp_path / "straight", progress=False)
    for name, array in straight.parameters().items():
        assert np.array_equal(array, whole.parameters()[name]), name


def test_methods_are_compared(path, tmp_path):
    text = path.read_text().replace("as slow { steps = 10_000_000", "as other { steps = 5")
    (tmp_path / "two.vae").write_text(text)
    compared = vaec.compare(tmp_path / "two.vae", steps=5, rows=20, metrics=["accuracy"], out=tmp_path / "compared")
    assert {"symmetric", "other"} == set(column(compared, "learn"))
    one = vaec.compare(vaec.compile(tmp_path / "two.vae"), "other", steps=5, rows=20, metrics=["accuracy"],
                       out=tmp_path / "one", seeds=2)
    assert set(column(one, "learn")) == {"other"} and all(len(values) == 2 for values in column(one, "values"))


INTERRUPTED = """
import sys
sys.path.insert(0, {package!r})
import vaec
run = vaec.compile({path!r}).train("slow", out={out!r})
print(run.interrupted, run.step == list(run.metrics["step"])[-1] or run.step > 0, flush=True)
"""


def test_ctrl_c_keeps_a_checkpoint(path, tmp_path):
    script = INTERRUPTED.format(package=str(ROOT / "python"), path=str(path), out=str(tmp_path / "run"))
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    record = tmp_path / "run/metrics.jsonl"
    while process.poll() is None and not (record.exists() and record.stat().st_size):
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
    process.send_signal(signal.SIGINT)
    said, errors = process.communicate(timeout=120)
    assert process.returncode == 0 and said.split() == ["True", "True"], errors
    (checkpoint,) = (tmp_path / "run/checkpoints").iterdir()
    assert (checkpoint / "model.safetensors").exists()


def test_progress_in_a_terminal_is_one_line(model, tmp_path):
    try:
        terminal, end = os.openpty()
    except OSError as error:
        pytest.skip(f"this machine has no pseudo-terminals: {error}")
    script = (f"import sys; sys.path.insert(0, {str(ROOT / 'python')!r}); import vaec; "
              f"vaec.compile({str(model.path)!r}).train(out={str(tmp_path / 'run')!r})")
    process = subprocess.Popen([sys.executable, "-c", script], stderr=end, stdin=subprocess.DEVNULL)
    os.close(end)
    shown = b""
    try:
        while part := os.read(terminal, 4096):
            shown += part
    except OSError:  # the other end is closed
        pass
    os.close(terminal)
    assert process.wait(120) == 0, shown
    text = shown.decode()
    assert text.count("\n") == 1 and text.count("\r[") == 3 and "step 30/30" in text, text


def test_progress_in_a_notebook_is_one_display(model, tmp_path, monkeypatch):
    shown = []

    class Handle:
        def update(self, data, raw):
            shown.append(("update", data["text/plain"]))

    def display(data, raw, display_id):
        shown.append(("new", data["text/plain"]))
        return Handle()

    shell = types.ModuleType("IPython")
    shell.get_ipython = lambda: types.SimpleNamespace(config={"IPKernelApp": {}})
    shell.display = types.ModuleType("IPython.display")
    shell.display.display = display
    monkeypatch.setitem(sys.modules, "IPython", shell)
    monkeypatch.setitem(sys.modules, "IPython.display", shell.display)
    assert progress.in_notebook()
    model.train(out=tmp_path / "run")
    assert [kind for kind, _ in shown] == ["new", "update", "update"]
    assert "step 30/30" in shown[-1][1] and "utility" not in shown[-1][1] and "p -" in shown[-1][1]


def test_a_new_run_has_a_folder_of_its_own(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runs = [model.train(steps=1, progress=False), model.train("slow", steps=1, progress=False),
            model.train(steps=1, progress=False)]
    assert [str(run.folder) for run in runs] == ["runs/digits-symmetric-1", "runs/digits-slow-1",
                                                 "runs/digits-symmetric-2"]


def test_safetensors_survive_the_way_there_and_back(tmp_path):
    values = {"a": np.arange(6, dtype=np.int32).reshape(2, 3), "b": np.float64(2.5), "c": np.zeros((0, 3), np.float32),
              "d": np.array([[True, False]]), "e": np.arange(3, dtype=">f4"), "f": np.arange(8.0)[::2]}
    arrays.write_safetensors(tmp_path / "x.safetensors", values)
    back = arrays.read_safetensors(tmp_path / "x.safetensors")
    assert list(back) == list(values)
    for name, array in values.items():
        assert back[name].shape == np.shape(array) and np.array_equal(back[name], array), name
    content = (tmp_path / "x.safetensors").read_bytes()
    assert struct.unpack("<Q", content[:8])[0] % 8 == 0
    with pytest.raises(TypeError, match="complex"):
        arrays.write_safetensors(tmp_path / "y.safetensors", {"x": np.zeros(2, complex)})


def test_a_missing_compiler_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("VAEC_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(compiler, "__file__", str(tmp_path / "lib/python3/dist-packages/vaec/compiler.py"))
    with pytest.raises(vaec.Error, match="VAEC_HOME") as raised:
        compiler.find_compiler()
    assert raised.value.exit_code == 78 and f"{tmp_path}/bin/vaec" in str(raised.value)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/vaec").write_text("#!/bin/sh\n")
    (tmp_path / "bin/vaec").chmod(0o755)
    monkeypatch.delenv("VAEC_HOME")
    assert compiler.find_compiler() == tmp_path / "bin/vaec"


def test_the_notebook_runs(tmp_path, monkeypatch):
    """Runs every code cell of docs/vaec.ipynb, one after the other, in one namespace."""
    monkeypatch.chdir(tmp_path)
    notebook = json.loads((ROOT / "docs/vaec.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(cells) > 5
    namespace = {"__name__": "__main__"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", vaec.VaecWarning)
        for number, cell in enumerate(cells):
            exec(compile(cell, f"cell {number}", "exec"), namespace)
    assert namespace["run"].step == namespace["run"].config["steps"]
    assert namespace["accuracy"] > 0.5


def test_a_sweep_is_a_table(path, tmp_path):
    settings = {"learn": "symmetric", "seeds": 2, "steps": 5, "metrics": ["accuracy"], "rows": 20}
    found = vaec.sweep(path, {"code": [2, 3], "names": [["u", "v"]]}, out=tmp_path / "swept", **settings)
    assert set(column(found, "code")) == {2, 3}
    accuracy = [i for i, figure in enumerate(column(found, "figure")) if figure.startswith("accuracy")]
    for i in accuracy:
        values = column(found, "values")[i]
        assert len(values) == 2 and column(found, "mean")[i] == pytest.approx(np.mean(values))
    assert len(accuracy) >= 2
    with pytest.warns(vaec.VaecWarning, match="lr=abc"):
        vaec.sweep(path, {"code": 2}, lr=[1e-3, "abc"], out=tmp_path / "failed", **settings)
    with pytest.raises(vaec.Error, match="no param `cod`") as raised:
        vaec.sweep(path, {"cod": [1, 2]}, out=tmp_path / "none", **settings)
    assert raised.value.exit_code == 1
