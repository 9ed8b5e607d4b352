#!/usr/bin/env python3
"""Tests that `export --format safetensors` writes the parameters that commands compute with, and nothing else."""
import json

from executable import SMALL_MODEL, build, call, install, safetensors, succeed, write

AVERAGED = SMALL_MODEL.replace("steps = 1", "steps = 20; average = 0.9; every = {checkpoint: 10}")


def run_of(folder, vaec, text):
    exe = build(vaec, write(folder, "small.vae", text), folder)
    succeed(exe, "train", "--out", "run", "--quiet", cwd=folder)
    return exe


def exported(exe, folder, name, *flags):
    """What the command prints, and the tensors it wrote."""
    result = succeed(exe, "export", "--run", "run", "--format", "safetensors", "--out", name, *flags, cwd=folder)
    return result.stdout, safetensors(folder / name)


def test_the_parameters_that_commands_use(folder, vaec):
    exe = run_of(folder, vaec, AVERAGED)
    for flags, step, file in (((), 20, "average"), (("--weights", "last"), 20, "model"),
                              (("--checkpoint", "10"), 10, "average")):
        name = f"{file}-{step}.safetensors"
        said, tensors = exported(exe, folder, name, *flags)
        assert said == f"{name}: 4 tensors of step {step}\n", said
        assert sorted(tensors) == ["p.x.dense1.bias", "p.x.dense1.weight", "q.z.dense1.bias", "q.z.dense1.weight"]
        assert tensors == safetensors(folder / f"run/checkpoints/step-{step}/{file}.safetensors"), file
        content = (folder / name).read_bytes()
        about = json.loads(content[8:8 + int.from_bytes(content[:8], "little")])["__metadata__"]
        assert (about["step"], about["program"]) == (str(step), "small") and about["vaec"], about


def test_without_libonnx(folder, vaec):
    own = install(vaec, folder / "own", without="libvaert_onnx.so")
    exe = run_of(folder, own, SMALL_MODEL)
    assert exported(exe, folder, "made")[0] == "made: 4 tensors of step 1\n"


def test_failures_leave_what_was_there(folder, vaec):
    exe = run_of(folder, vaec, SMALL_MODEL)
    (folder / "kept").mkdir()
    (folder / "file").write_text("a file")
    before = sorted(folder.rglob("*"))
    for words, code, said in (
            (["--out", "kept"], 73, "cannot write kept: it is a folder; safetensors is one file"),
            (["--out", "made/"], 73, "cannot write made/: it names a folder; safetensors is one file"),
            (["--out", "file"], 73, "cannot write file: it is there already"),
            (["--out", "none/made"], 73, "cannot write none/made"),
            (["--out", "made", "--weights", "average"], 66, "has no averages")):
        result = call(exe, "export", "--run", "run", "--format", "safetensors", *words, cwd=folder)
        assert result.returncode == code and said in result.stderr and result.stderr.count("\n") == 1, (words, result)
        assert sorted(folder.rglob("*")) == before, words
    assert (folder / "file").read_text() == "a file"


def test_as_json(folder, vaec):
    exe = run_of(folder, vaec, SMALL_MODEL)
    said = json.loads(exported(exe, folder, "made", "--json")[0])
    assert said == {"out": "made", "format": "safetensors", "step": 1,
                    "tensors": {"p.x.dense1.bias": [4], "p.x.dense1.weight": [4, 2], "q.z.dense1.bias": [2],
                                "q.z.dense1.weight": [2, 4]}}, said
