#!/usr/bin/env python3
"""tests/device/run as far as it goes without a GPU: packed, then run on the driver that is none, against PyTorch on the
processor."""
import gzip
import json
import os
import random
import shutil
import struct
import subprocess

from executable import ROOT, Skip, call, main, succeed

RUN = ROOT / "tests/device/run"


def python_with_torch():
    python = os.environ.get("VAEC_PYTHON", "/usr/bin/python3")
    if subprocess.run([python, "-c", "import torch"], capture_output=True).returncode:
        raise Skip(f"{python} has no torch")
    return python


def write_mnist(folder, rows):
    """Files as MNIST's, of random pixels."""
    (folder / "mnist").mkdir(parents=True)
    chance = random.Random(0)
    for name in ("train", "t10k"):
        images, labels = chance.randbytes(rows * 784), bytes(i % 10 for i in range(rows))
        for file, content in ((f"{name}-images-idx3-ubyte.gz", struct.pack(">4I", 0x803, rows, 28, 28) + images),
                              (f"{name}-labels-idx1-ubyte.gz", struct.pack(">2I", 0x801, rows) + labels)):
            (folder / "mnist" / file).write_bytes(gzip.compress(content))
    return folder


def packed(folder, vaec, program):
    """The folder as it lies beside a GPU, and the environment of one that is none."""
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

    # A GPU with draws of its own.
    (pack / "bin/other").write_text(
        f'#!/bin/sh\ncase "$*" in *"--device cuda"*) exec {pack}/bin/digits_glyphs "$@" --seed 1;; esac\n'
        f'exec {pack}/bin/digits_glyphs "$@"\n')
    (pack / "bin/other").chmod(0o755)
    result = call(*command, "--programs", "other", env=environment)
    assert result.returncode == 1 and "1 DISAGREES" in result.stdout, result

    environment["FAKE_CUDA_DEVICES"] = "0"
    result = call(*command, "--programs", "digits_glyphs", env=environment)
    assert result.returncode == 1 and "1 FAILED" in result.stdout and "no NVIDIA GPU" in result.stdout, result


def test_the_table_against_pytorch(folder, vaec):
    python = python_with_torch()
    pack, environment = packed(folder, vaec, ROOT / "examples/digits/digits.vae")
    environment["VAEC_DATA"] = str(write_mnist(folder / "data", 300))
    command = [python, pack / "run", "--only", "bench", "--models", "digits", "--quick", "--torch-device", "cpu", "--json",
               folder / "results.json"]
    result = succeed(*command, env=environment)
    row = next(line for line in result.stdout.splitlines() if line.startswith("| digits | 128 | fp32 |"))
    vaec_ms, eager, compiled, graph, ratio = (cell.strip() for cell in row.split("|")[4:9])
    assert float(vaec_ms) > 0 and float(eager) > 0 and (compiled, graph) == ("–", "–"), row
    assert abs(float(ratio) * float(vaec_ms) / float(eager) - 1) < 0.1, row
    found = json.loads((folder / "results.json").read_text())["bench"][0]
    assert (found["model"], found["batch"], found["eager"]["precision"]) == ("digits", 128, "fp32"), found

    result = succeed(*command, "--minutes", "0", env=environment)
    assert "left out, for want of time: digits 128 fp32" in result.stdout, result.stdout
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


if __name__ == "__main__":
    main(globals())
