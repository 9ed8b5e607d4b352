#!/usr/bin/env python3
"""Runs examples/five_players from the start. Images are made, and the other model is trained. Five players are
trained on both, and a chain infers digit and style from a known image. Digits of seven segments replace MNIST, so no
download is needed."""
import json
import os
import shutil

from executable import ROOT, build, call, metrics, succeed
from segment_digits import write_mnist


def test_five_players_from_nothing_to_digit_and_style(folder, vaec):
    write_mnist(folder / "data/mnist", 1000)
    example = folder / "example"
    shutil.copytree(ROOT / "examples/five_players", example, ignore=shutil.ignore_patterns("*.npy", "runs"))
    env = {**os.environ, "VAEC_DATA": str(folder / "data"), "VAEC_THREADS": "1"}
    program = example / "five_players.vae"
    exe = build(vaec, program, folder, "-D", "sweeps=2")

    unprepared = call(exe, "train", "--steps", 1, "--out", "never", cwd=folder, env=env)
    assert unprepared.returncode == 66 and not (folder / "never").exists(), unprepared

    succeed(example / "prepare", vaec, 400, 300, cwd=folder, env=env)
    assert (example / "train_images.npy").stat().st_size == 128 + 400 * 3 * 784
    images = (example / "test_images.npy").read_bytes()
    succeed(example / "prepare", vaec, 10, cwd=folder, env=env)  # files that exist are not made again
    assert (example / "test_images.npy").read_bytes() == images

    succeed(exe, "train", "--quiet", "--steps", 400, "--batch", 16, "--out", "run", cwd=folder, env=env)
    assert metrics(folder / "run")[-1]["step"] == 400
    result = json.loads(succeed(exe, "evaluate", "--run", "run", "--metrics", "accuracy", "--query", "c, d | x", "--sweeps", 20,
                                "--json", cwd=folder, env=env).stdout)
    means = {entry["of"]: entry["mean"] for entry in result["results"]}
    assert means["c | x"] > 0.4 and means["d | x"] > 0.7, result  # guessing at random gives 0.1 and 0.2

    shown = succeed(example / "show", exe, folder / "run", cwd=folder, env=env).stdout
    assert "masks of 80 held-out images" in shown and (folder / "run/five_players.png").stat().st_size > 1000, shown
