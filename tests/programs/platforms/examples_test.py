#!/usr/bin/env python3
"""Tests that every program of examples/ builds and trains for a few steps. Programs on MNIST are skipped if MNIST is
not there. Examples with a script `prepare` have their own tests."""
import json

from executable import ROOT, build, call, metrics, need_mnist, succeed

STEPS = 3


def trains(folder, vaec, program):
    exe = build(vaec, program, folder)
    run = folder / f"{program.stem}-run"
    succeed(exe, "train", "--quiet", "--steps", STEPS, "--batch", 8, "--every", f"log={STEPS},sample=0", "--out", run,
            cwd=folder)
    line = metrics(run)[-1]
    assert line["step"] == STEPS and line["terms"], (program, line)


def programs(on_mnist):
    found = [path for path in sorted((ROOT / "examples").glob("*/*.vae"))
             if not (path.parent / "prepare").exists() and ("mnist(" in path.read_text()) == on_mnist]
    assert found
    return found


def test_examples_without_mnist_train(folder, vaec):
    for program in programs(on_mnist=False):
        trains(folder, vaec, program)


def test_examples_on_mnist_train(folder, vaec):
    need_mnist()
    for program in programs(on_mnist=True):
        trains(folder, vaec, program)


# What examples/run does if one run starts from another.
def test_semi_supervised_starts_from_its_labels(folder, vaec):
    example = ROOT / "examples/semi_supervised"
    exe = build(vaec, example / "semi_supervised_glyphs.vae", folder)
    result = call(example / "train", exe, "run", STEPS, cwd=folder, env={"VAEC_BATCH": "8", "VAEC_EVERY": "sample=0"})
    assert result.returncode == 0, result.stderr
    assert "the classifier on the labelled images alone" in result.stdout, result.stdout
    labels, both = (json.loads((folder / run / "config.json").read_text()) for run in ("run-labels", "run"))
    assert (labels["learn"], both["learn"]) == ("labels", "symmetric"), (labels, both)
    assert both["start"] == str(folder / "run-labels") and metrics(folder / "run")[-1]["step"] == STEPS, both


def test_every_example_has_its_page_and_its_picture(folder, vaec):
    for example in sorted(path for path in (ROOT / "examples").iterdir() if path.is_dir()):
        page = (example / "README.md").read_text()
        pictures = list(example.glob("*.png"))
        assert (example / f"{example.name}.vae").is_file() and pictures, example
        for picture in pictures:
            assert f"({picture.name})" in page and picture.stat().st_size < 300_000, picture
