"""Tests that the PTX of every example assembles for every GPU that it supports. Skips if there is no ptxas. Prints
which architectures the ptxas does not know, and which examples have no PTX, because vaec was built without
clang++ 19."""
import functools
import os
import pathlib
import shutil

import pytest

import executable
from executable import GLYPHS, call, device_functions_missing, succeed, write

EXAMPLES = sorted((pathlib.Path(__file__).resolve().parents[3] / "examples").glob("*/*.vae"))
ASSEMBLER = shutil.which("ptxas") or shutil.which("ptxas", path=os.environ.get("CUDA_BIN", "/usr/local/cuda/bin"))
EMPTY = ".version 7.0\n.target sm_70\n.address_size 64\n"


def need_assembler():
    if not ASSEMBLER:
        pytest.skip("no ptxas in PATH, CUDA_BIN or /usr/local/cuda/bin")


def assemble(folder, text, architecture):
    (folder / "kernels.ptx").write_text(text)
    return call(ASSEMBLER, f"-arch={architecture}", "kernels.ptx", "-o", "kernels.cubin", cwd=folder)


@functools.cache
def example_ptx(vaec, path):
    """Returns the PTX of an example, or None if it needs functions that this vaec was built without."""
    result = call(vaec, "check", "--emit=ptx", path, cwd=path.parent)
    if result.returncode == 78 and "built without clang++-19" in result.stderr and device_functions_missing(vaec):
        return None
    assert result.returncode == 0, f"{path}: exit {result.returncode}\n{result.stderr}"
    return result.stdout


def every_example_assembles(folder, vaec, architecture):
    need_assembler()
    known = assemble(folder, EMPTY, architecture)
    if known.returncode:
        pytest.skip(f"this ptxas does not assemble for {architecture}: {known.stderr.strip()}")
    for text in filter(None, (example_ptx(vaec, path) for path in EXAMPLES)):
        result = assemble(folder, text, architecture)
        assert result.returncode == 0, result.stderr
        assert (folder / "kernels.cubin").read_bytes()[:4] == b"\x7fELF"


def test_every_example_assembles_for_sm_75(folder, vaec):
    every_example_assembles(folder, vaec, "sm_75")


def test_every_example_assembles_for_sm_80(folder, vaec):
    every_example_assembles(folder, vaec, "sm_80")


def test_every_example_assembles_for_sm_90(folder, vaec):
    every_example_assembles(folder, vaec, "sm_90")


def test_every_example_has_ptx(folder, vaec):
    without = [path.name for path in EXAMPLES if example_ptx(vaec, path) is None]
    for text in filter(None, (example_ptx(vaec, path) for path in EXAMPLES)):
        assert text.count(".visible .entry kernel_") >= 5
    assert len(without) < len(EXAMPLES) / 2, without
    if without:
        pytest.skip(f"this vaec was built without clang++-19: no PTX of {', '.join(without)}")


def test_no_kernel_spills_or_uses_local_memory_for_nothing(folder, vaec):
    write(folder, "small.vae", GLYPHS)
    text = succeed(vaec, "check", "--emit=ptx", "small.vae", cwd=folder).stdout
    assert ".local" not in text, "a thread's values belong into registers"
    assert "div.rn.f32" not in text, "division is approximate, within 2 ulp"
    assert ".ftz" in text, "tiny numbers are zero, as on the CPU"
