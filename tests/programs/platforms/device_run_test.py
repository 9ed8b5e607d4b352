#!/usr/bin/env python3
"""Tests tests/device/run as far as possible without a GPU. The folder is packed, then it runs on the fake CUDA
driver. PyTorch runs on the processor."""
import gzip
import json
import math
import os
import random
import shutil
import struct
import subprocess
import time

import pytest

from executable import ROOT, call, succeed

RUN = ROOT / "tests/device/run"


def python_with_torch():
    python = os.environ.get("VAEC_PYTHON", "/usr/bin/python3")
    if subprocess.run([python, "-c", "import torch"], capture_output=True).returncode:
        pytest.skip(f"{python} has no torch")
    return python


def write_mnist(folder, rows):
    """Writes files in the format of MNIST with random pixels."""
    (folder / "mnist").mkdir(parents=True)
    chance = random.Random(0)
    for name in ("train", "t10k"):
        images, labels = chance.randbytes(rows * 784), bytes(i % 10 for i in range(rows))
        for file, content in ((f"{name}-images-idx3-ubyte.gz", struct.pack(">4I", 0x803, rows, 28, 28) + images),
                              (f"{name}-labels-idx1-ubyte.gz", struct.pack(">2I", 0x801, rows) + labels)):
            (folder / "mnist" / file).write_bytes(gzip.compress(content))
    return folder


def packed(folder, vaec, program):
    """Returns a packed folder as it is copied to a machine with a GPU, and the environment for the fake CUDA driver."""
    pack, tool, lib = folder / "pack", vaec.parent / "emulated_kernels", vaec.parent.parent / "lib"
    succeed(RUN, "--pack", pack, "--vaec", vaec, "--programs", program.stem)
    assert (pack / "bin" / program.stem).exists() and (pack / "runtime/torch/CMakeLists.txt").exists()
    assert (pack / "torch/ladder.py").exists() and (pack / "lib/libvaert.so").exists()
    shutil.copy(lib / "fake/libvaert_torch.so", pack / "lib")
    succeed(tool, program, folder / "kernels.o")
    subprocess.run(["cc", "-shared", "-o", folder / "kernels", folder / "kernels.o"], check=True)
    return pack, {"LD_LIBRARY_PATH": str(lib / "fake"), "FAKE_CUDA_KERNELS": str(folder / "kernels"),
                  "OMP_NUM_THREADS": "1", "VAEC_THREADS": "1", "VAEC_BACKEND": "onednn"}


def test_steps_are_compared_and_disagreement_is_an_error(folder, vaec):
    python = python_with_torch()
    glyphs = ROOT / "examples/digits/digits_glyphs.vae"
    pack, environment = packed(folder, vaec, glyphs)
    command = [python, pack / "run", "--only", "check", "--steps", "4", "--json", folder / "results.json"]
    result = succeed(*command, env=environment)
    assert "1 agrees" in result.stdout, result.stdout
    row = json.loads((folder / "results.json").read_text())["check"][0]
    assert (row["program"], row["learn"], row["outcome"]) == ("digits_glyphs", "symmetric", "agrees"), row
    assert 0 <= row["parameters"] < 1e-2 and 0 <= row["terms"] < 1e-5, row

    # This fake GPU draws with a different seed.
    (pack / "bin/other").write_text(
        f'#!/bin/sh\ncase "$*" in *"--device cuda"*) exec {pack}/bin/digits_glyphs "$@" --seed 1;; esac\n'
        f'exec {pack}/bin/digits_glyphs "$@"\n')
    (pack / "bin/other").chmod(0o755)
    result = call(*command, "--programs", "other", env=environment)
    assert result.returncode == 1 and "1 DISAGREES" in result.stdout, result

    environment["FAKE_CUDA_DEVICES"] = "0"
    result = call(*command, "--programs", "digits_glyphs", env=environment)
    assert result.returncode == 1 and "1 FAILED" in result.stdout and "no NVIDIA GPU" in result.stdout, result


def write_run(folder, parameters, terms):
    """Writes a run with these parameters: step -> name -> values."""
    for step, tensors in parameters.items():
        header, body = {"__metadata__": {}}, b""
        for name, floats in tensors.items():
            begin = len(body)
            body += struct.pack(f"<{len(floats)}f", *floats)
            header[name] = {"dtype": "F32", "shape": [len(floats)], "data_offsets": [begin, len(body)]}
        text = json.dumps(header).encode()
        place = folder / f"checkpoints/step-{step}"
        place.mkdir(parents=True)
        (place / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + body)
    (folder / "metrics.jsonl").write_text(json.dumps({"terms": terms}) + "\n")
    return folder


def test_how_far_two_runs_lie_apart(folder, vaec):
    """The distance of two runs is the largest distance of a tensor, divided by how far that tensor moved. NaN counts
    as infinite."""
    python = python_with_torch()
    cpu = write_run(folder / "cpu", {2: {"a": [0, 0, 0], "b": [1]}, 4: {"a": [2, -1, 2], "b": [2]}}, {"p.x": -100, "q.z": 0})
    near = write_run(folder / "near", {4: {"a": [2, -1, 2.3], "b": [2.01]}}, {"p.x": -101, "q.z": 0.001})
    broken = write_run(folder / "broken", {4: {"a": [2, math.nan, 2], "b": [2]}}, {"p.x": math.nan, "q.z": 0})
    other = write_run(folder / "other", {4: {"a": [2, -1, 2]}}, {})
    empty = write_run(folder / "empty", {2: {"none": []}, 4: {"none": []}}, {})
    program = ("import pathlib, sys; import steps_compared; "
               "print(*steps_compared.difference(*map(pathlib.Path, sys.argv[1:]), 4))")

    def apart(gpu, cpu):
        result = succeed(python, "-B", "-c", program, gpu, cpu, env={"PYTHONPATH": str(ROOT / "tests/device")})
        return tuple(map(float, result.stdout.split()))

    parameters, terms = apart(near, cpu)
    assert abs(parameters - 0.1) < 1e-6 and abs(terms - 0.01) < 1e-9, (parameters, terms)
    assert apart(cpu, cpu) == (0, 0) and apart(empty, empty) == (0, 0)
    assert apart(broken, cpu) == apart(other, cpu) == (math.inf, math.inf)


def test_the_table_against_pytorch(folder, vaec):
    python = python_with_torch()
    pack, environment = packed(folder, vaec, ROOT / "examples/digits/digits.vae")
    environment["VAEC_DATA"] = str(write_mnist(folder / "data", 300))
    command = [python, pack / "run", "--only", "bench", "--models", "digits", "--quick", "--torch-device", "cpu", "--modes",
               "eager", "--json", folder / "results.json"]
    result = succeed(*command, env=environment)
    row = next(line for line in result.stdout.splitlines() if line.startswith("| digits | 128 | fp32 |"))
    vaec_ms, timed, eager, *others, ratio = (cell.strip() for cell in row.split("|")[4:11])
    assert float(vaec_ms) > 0 and float(eager) > 0 and [timed, *others] == ["–"] * 4, row
    assert abs(float(ratio) * float(vaec_ms) / float(eager) - 1) < 0.1, row
    found = json.loads((folder / "results.json").read_text())["bench"][0]
    assert (found["model"], found["batch"], found["eager"]["precision"]) == ("digits", 128, "fp32"), found

    # A model with convolutions is also measured with cuDNN's choice by timing, and the better result counts.
    table = (pack / "comparison.py").read_text()
    (pack / "comparison.py").write_text(table.replace('first=(128,), convolutional=False', 'first=(128,)'))
    result = succeed(*command, env=environment)
    row = next(line for line in result.stdout.splitlines() if line.startswith("| digits | 128 | fp32 |"))
    vaec_ms, timed, eager, *_, ratio = (cell.strip() for cell in row.split("|")[4:11])
    assert abs(float(ratio) * min(float(vaec_ms), float(timed)) / float(eager) - 1) < 0.1, row
    (pack / "comparison.py").write_text(table)

    result = succeed(*command, "--minutes", "0", env=environment)
    assert "left out, for want of time: digits 128 fp32" in result.stdout, result.stdout

    # A script whose compiling takes longer than allowed, and whose worker process keeps its output open.
    (pack / "torch/digits.py").write_text(
        "import subprocess, sys\n"
        "if 'compile' in sys.argv: subprocess.run(['sleep', '300'])\n"
        "print('{\"mode\": \"eager\", \"milliseconds\": 2000000}')\n")
    begin = time.monotonic()
    result = succeed(*command, "--modes", "compile,eager", "--compile-limit", "1", env=environment)
    assert time.monotonic() - begin < 100
    row = next(line for line in result.stdout.splitlines() if line.startswith("| digits | 128 | fp32 |"))
    assert "| 2e+06 | too slow (limit 1 s) | – | – |" in row and float(row.split("|")[10]) > 1, row
    assert "digits 128 fp32, " not in result.stdout, result.stdout

    environment["FAKE_CUDA_DEVICES"] = "0"
    result = call(*command, env=environment)
    assert result.returncode == 1 and "digits 128 fp32, vaec: " in result.stdout, result


def test_what_a_pytorch_cannot_do_is_said(folder, vaec):
    python = python_with_torch()
    scripts, environment = ROOT / "tests/bench/torch", {"VAEC_DATA": str(write_mnist(folder / "data", 300))}
    for flags, words in ((["--device", "cuda"], "sees no GPU here"), (["--mode", "compile"], "has no torch.compile"),
                         (["--mode", "graph"], "needs --device cuda"), (["--precision", "tf32"], "that is the GPU's")):
        probe = "import torch, sys; sys.exit(hasattr(torch, 'compile') + 2 * torch.cuda.is_available())"
        has = subprocess.run([python, "-c", probe]).returncode
        if (flags[0] == "--device" and has & 2) or (flags[1] == "compile" and has & 1):
            continue
        result = call(python, scripts / "digits.py", *flags, env=environment)
        assert result.returncode == 1 and words in result.stderr and result.stderr.count("\n") == 1, (flags, result)
