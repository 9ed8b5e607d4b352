#!/usr/bin/env python3
"""Runs examples/scenes from the start: the data are made, the game is trained, and pictures are drawn. Digits of
seven segments replace MNIST, so no download is needed."""
import json
import os
import shutil

from executable import ROOT, build, call, metrics, succeed
from segment_digits import write_mnist

PIXELS = 64 * 64


def test_scenes_from_nothing_to_masks_and_looks(folder, vaec):
    write_mnist(folder / "data/mnist", 200)
    example = folder / "example"
    shutil.copytree(ROOT / "examples/scenes", example, ignore=shutil.ignore_patterns("*.npy"))
    env = {**os.environ, "VAEC_DATA": str(folder / "data"), "VAEC_THREADS": "1"}
    exe = build(vaec, example / "scenes.vae", folder, "-D", "known=30", "-D", "width=8")

    unprepared = call(exe, "train", "--steps", 1, "--out", "never", cwd=folder, env=env)
    assert unprepared.returncode == 66 and not (folder / "never").exists(), unprepared

    succeed(example / "prepare", vaec, 50, cwd=folder, env=env)
    sizes = {path.name: path.stat().st_size - 128 for path in example.glob("*.npy")}
    assert sizes == {"pair_images.npy": 50 * 3 * PIXELS, "pair_masks.npy": 50 * PIXELS, "image_images.npy": 50 * 3 * PIXELS,
                     "mask_masks.npy": 50 * PIXELS, "test_images.npy": 10 * 3 * PIXELS, "test_masks.npy": 10 * PIXELS}, sizes
    masks = (example / "mask_masks.npy").read_bytes()[128:]
    assert set(masks) == {0, 1, 2, 3}
    again = folder / "again"
    again.mkdir()
    succeed(example / "make_scenes.py", folder / "data/mnist", 50, again, cwd=folder)
    for name in sizes:
        assert (again / name).read_bytes() == (example / name).read_bytes(), name

    succeed(exe, "train", "--quiet", "--steps", 300, "--batch", 8, "--lr", "p=1e-2,q=5e-3,k=3e-3", "--out", "run", cwd=folder, env=env)
    assert metrics(folder / "run")[-1]["step"] == 300
    result = json.loads(succeed(exe, "evaluate", "--run", "run", "--metrics", "accuracy,mi", "--json", cwd=folder, env=env).stdout)
    figures = {(figure["metric"], figure["of"]): figure for figure in result["results"]}
    ground = (example / "test_masks.npy").read_bytes()[128:].count(0) / (10 * PIXELS)
    assert figures["accuracy", "s | x"]["mean"] > ground + 0.05, figures
    assert figures["mi", "z"]["value"] > 0.4, figures

    shown = succeed(example / "show", exe, "run", cwd=folder, env=env).stdout
    assert "mean IoU of s | x" in shown and (folder / "run/scenes.png").stat().st_size > 1000, shown
