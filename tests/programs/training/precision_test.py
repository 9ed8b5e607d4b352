"""Tests `--precision bf16` on the processor. It trains the same game at lower cost, is recorded, and continues. If it
is not possible, the message names the cause."""
import json

import pytest

from executable import GLYPHS, ROOT, build, call, digest, metrics, succeed, write

ONEDNN = {"VAEC_BACKEND": ""}
BF16 = ["--precision", "bf16", "--quiet"]


def glyphs(folder, vaec):
    """An executable with GEMMs that are large enough for bf16. Skips the test if the processor has no bf16."""
    exe = build(vaec, write(folder, "glyphs.vae", GLYPHS), folder)
    tried = call(exe, "train", *BF16, "--steps", "0", "--out", folder / "tried", env=ONEDNN)
    if "this processor has no instructions" in tried.stderr:
        pytest.skip(tried.stderr.strip())
    assert tried.returncode == 0, tried.stderr
    return exe


def test_digits_reach_the_same_utilities_in_bf16(folder, vaec):
    glyphs(folder, vaec)
    exe = build(vaec, ROOT / "examples/digits/digits_glyphs.vae", folder)
    ends = {}
    for precision in "fp32", "bf16":
        succeed(exe, "train", "--precision", precision, "--steps", "300", "--out", folder / precision, "--quiet",
                "--every", "log=100,sample=0,checkpoint=0,evaluate=0", env=ONEDNN)
        ends[precision] = [line["utility"] for line in metrics(folder / precision)]
        assert json.loads((folder / precision / "config.json").read_text())["precision"] == precision
    for whole, rounded in zip(ends["fp32"], ends["bf16"]):
        assert whole != rounded, whole
        assert all(abs(whole[player] - rounded[player]) < 0.01 * abs(whole[player]) for player in whole), ends
    assert all(ends["bf16"][-1][player] > ends["bf16"][0][player] for player in "pq"), ends


def test_a_resumed_run_keeps_its_precision_and_its_bits(folder, vaec):
    exe = glyphs(folder, vaec)
    succeed(exe, "train", *BF16, "--steps", "40", "--out", folder / "whole", env=ONEDNN)
    succeed(exe, "train", *BF16, "--steps", "20", "--out", folder / "parts", env=ONEDNN)
    succeed(exe, "train", "--resume", folder / "parts", "--steps", "40", "--quiet", env=ONEDNN)
    assert digest(folder / "whole", 40) == digest(folder / "parts", 40)
    succeed(exe, "train", "--steps", "40", "--out", folder / "fp32", "--quiet", env=ONEDNN)
    assert digest(folder / "whole", 40) != digest(folder / "fp32", 40)


def test_the_file_may_ask_for_it_and_only_training_rounds(folder, vaec):
    exe = glyphs(folder, vaec)
    (folder / "own").mkdir()
    text = GLYPHS.replace("batch = 32", "batch = 32; precision = bf16")
    of_file = build(vaec, write(folder / "own", "glyphs.vae", text), folder / "own")
    succeed(exe, "train", *BF16, "--steps", "20", "--out", folder / "flag", env=ONEDNN)
    succeed(of_file, "train", "--quiet", "--steps", "20", "--out", folder / "file", env=ONEDNN)
    assert digest(folder / "flag", 20) == digest(folder / "file", 20)
    for name, program in ("a", exe), ("b", of_file):
        succeed(program, "infer", "z | x", "--given", "x=images", "--run", folder / "flag", "--out",
                folder / f"{name}.npy", env={**ONEDNN, "DNNL_MAX_CPU_ISA": "AVX512_CORE"})
    assert (folder / "a.npy").read_bytes() == (folder / "b.npy").read_bytes()


def test_bench_tells_what_rounds(folder, vaec):
    exe = glyphs(folder, vaec)
    result = json.loads(succeed(exe, "bench", "--precision", "bf16", "--batch", "64", "--steps", "5", "--threads", "1",
                                "--json", env=ONEDNN).stdout)
    assert result["precision"] == "bf16"
    gemms = [kernel for kernel in result["kernels"] if kernel["kind"] == "gemm"]
    assert any("bf16" in kernel["implementation"] for kernel in gemms), gemms
    assert all(kernel["of_peak"] > 0 for kernel in gemms), gemms
    assert "GFLOP/s of bf16 products" in succeed(exe, "bench", "--precision", "bf16", "--steps", "3", env=ONEDNN).stdout


def test_what_has_no_bf16_refuses_it(folder, vaec):
    exe = glyphs(folder, vaec)
    for command in "train", "bench":
        refused = call(exe, command, "--precision", "bf16", "--backend", "torch")
        assert refused.returncode == 78, refused.stderr
        assert refused.stderr.startswith(f"glyphs {command}: --backend torch: "), refused.stderr
        assert len(refused.stderr.splitlines()) == 1, refused.stderr
