"""Tests that the PTX of every example assembles for every GPU that it supports. Skips if there is no ptxas. Prints
which architectures the ptxas does not know, and which examples have no PTX, because vaec was built without
clang++ 19."""
import functools
import os
import pathlib
import re
import shutil
import struct

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


def instructions(cubin):
    """The number of instructions of each kernel in a cubin, an ELF file; 16 bytes each, filled up to 128."""
    table, = struct.unpack_from("<Q", cubin, 40)
    count, names = struct.unpack_from("<HH", cubin, 60)
    sections = [struct.unpack_from("<IIQQQQ", cubin, table + 64 * i) for i in range(count)]
    sizes = {}
    for name, _, _, _, _, size in sections:
        begin = sections[names][4] + name
        text = cubin[begin:cubin.index(b"\0", begin)].decode()
        if text.startswith(".text."):
            sizes[text.removeprefix(".text.")] = size // 16
    return sizes


def test_kernels_of_ladder_have_few_instructions_and_no_spills(folder, vaec):
    need_assembler()
    text = example_ptx(vaec, next(path for path in EXAMPLES if path.name == "ladder.vae"))
    (folder / "kernels.ptx").write_text(text)
    result = call(ASSEMBLER, "-v", "-arch=sm_90", "kernels.ptx", "-o", "kernels.cubin", cwd=folder)
    if "sm_90" in result.stderr and result.returncode:
        pytest.skip(result.stderr.strip())
    assert result.returncode == 0, result.stderr
    spills = {name: int(size) for name, size in re.findall(r"Function properties for (\w+)\n.*?(\d+) bytes spill stores",
                                                           result.stderr)}
    assert len(spills) > 100
    # ptxas gives joined sums as few registers as let a processor run the most threads, and may spill one for that.
    assert all(size <= (8 if name.startswith("kernel_joined_") else 0) for name, size in spills.items()), spills
    assert sum(size > 0 for size in spills.values()) <= 1, spills
    sizes = instructions((folder / "kernels.cubin").read_bytes())
    # The tanh between two convolutions: four elements a thread, 16 bytes at once.
    activations = {name: size for name, size in sizes.items() if name.startswith("kernel_tanh_")
                   and re.search(r"ld\.global(\.nc)?\.v4\.f32", text.partition(f".entry {name}(")[2].partition("\n}")[0])}
    assert len(activations) >= 6 and max(activations.values()) <= 4 * 60, activations


LOAD = re.compile(r"^\s*ld\.global(\.nc)?\.(?:v4\.)?f32\b", re.M)


def loads(text):
    """How many loads of floats go through the cache for constant data, and how many do not."""
    found = LOAD.findall(text)
    return found.count(".nc"), found.count("")


def test_most_loads_of_examples_go_through_the_cache_for_constant_data(folder, vaec):
    for path in EXAMPLES:
        text = example_ptx(vaec, path)
        if text is None:
            continue
        cached, others = loads("".join(re.findall(r"^\.visible \.entry kernel_.*?^}", text, re.M | re.S)))
        assert cached > others > 0, (path, cached, others)


def test_a_kernel_does_not_cache_what_it_writes(folder, vaec):
    write(folder, "small.vae", GLYPHS)
    text = succeed(vaec, "check", "--emit=ptx", "small.vae", cwd=folder).stdout
    programs = succeed(vaec, "check", "--emit=tensor", "small.vae", cwd=folder).stdout
    update = programs.partition('kernels "update by adam"')[2].partition("\n\n")[0]
    names = dict(re.findall(r'^@(\d+) (?:input|output) .* "(.*)"$', update, re.M))
    read = [names[buffer] for buffer in re.findall(r"^  load \d+ = @(\d+)", update, re.M)]
    written = {names[buffer] for buffer in re.findall(r"^  store \S+ @(\d+)", update, re.M)}
    assert {"parameters", "exp_avg", "exp_avg_sq"} <= written & set(read), (read, written)
    # Adam's is the kernel with as many pointers. Its parameters, moments and numbers are read by elements or by fours.
    pointers = len(read) + len(re.findall(r"^  store ", update, re.M))
    kernels = [body for head, body in re.findall(r"^\.visible \.entry (kernel_add___add___add_\w+\([^)]*\))(.*?)^}", text,
                                                 re.M | re.S) if head.count(".param .u64") == pointers + 1]
    assert kernels
    for body in kernels:
        cached, others = loads(body)
        assert others == len([name for name in read if name in written]), (cached, others, read)
        assert cached == len([name for name in read if name not in written]), (cached, others, read)


def test_shapes_are_constants_of_kernels(folder, vaec):
    write(folder, "small.vae", GLYPHS)
    text = succeed(vaec, "check", "--emit=ptx", "small.vae", cwd=folder).stdout
    kernels = re.findall(r"^\.visible \.entry (\w+)\((.*?)^}", text, re.M | re.S)
    assert len(kernels) > 20
    for name, body in kernels:
        # A block of joined sums divides once, to find its part of a sum.
        divisions = len(re.findall(r"\b(?:div|rem)\.u32", body))
        assert divisions <= (body.count("bar.sync") if name.startswith("kernel_joined_") else 0), (name, divisions)


def test_no_kernel_spills_or_uses_local_memory_for_nothing(folder, vaec):
    write(folder, "small.vae", GLYPHS)
    text = succeed(vaec, "check", "--emit=ptx", "small.vae", cwd=folder).stdout
    assert ".local" not in text, "a thread's values belong into registers"
    assert "div.rn.f32" not in text, "division is approximate, within 2 ulp"
    assert ".ftz" in text, "tiny numbers are zero, as on the CPU"
