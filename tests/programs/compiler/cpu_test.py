"""Tests that `--cpu` chooses the processor for which code is compiled, and that the executable requires no more than
that processor."""
import json
import re

import pytest

import executable
from executable import GLYPHS, call, succeed, write

LEVELS = {"x86-64-v2": "xmm", "x86-64-v3": "ymm", "x86-64-v4": "zmm"}


def need_x86():
    import platform
    if platform.machine() != "x86_64":
        pytest.skip("--cpu names levels of x86-64")


def test_code_uses_the_registers_of_its_level(folder, vaec):
    need_x86()
    program = write(folder, "small.vae", GLYPHS)
    for level, widest in LEVELS.items():
        text = succeed(vaec, "build", program, "--cpu", level, "--emit=asm").stdout
        found = {name for name in LEVELS.values() if re.search(rf"%{name}\d", text)}
        assert widest in found and all(name <= widest for name in found), (level, found)
        assert succeed(vaec, "build", program, "--cpu", level[-2:], "--emit=asm").stdout == text, level


def test_all_levels_learn_the_same(folder, vaec):
    need_x86()
    program, utilities = write(folder, "small.vae", GLYPHS), {}
    for level in (*LEVELS, "native"):
        exe = folder / f"small-{level}"
        succeed(vaec, "build", program, "--cpu", level, "-o", exe)
        about = json.loads(succeed(exe, "info", "--json").stdout)
        assert level == "native" or about["cpu"] == level, about["cpu"]
        result = call(exe, "train", "--steps", "20", "--quiet", "--out", folder / level, "--threads", "1")
        if result.returncode == 78 and "needs a processor with" in result.stderr:
            assert level == "x86-64-v4" or level == "x86-64-v3", result
            continue
        assert result.returncode == 0, result
        utilities[level] = executable.metrics(folder / level)[-1]["utility"]
    assert "x86-64-v2" in utilities and len(utilities) > 2
    for level, of_players in utilities.items():
        for player, value in of_players.items():
            assert abs(value - utilities["native"][player]) < 1e-3 * abs(value), (level, player, utilities)


def test_an_executable_for_several_processors_chooses(folder, vaec):
    need_x86()
    program = write(folder, "small.vae", GLYPHS)
    chosen = {}
    for levels in ("v2", "v3,v2", "x86-64-v2,v4,v3,v2"):
        exe = folder / levels.replace(",", "-")
        succeed(vaec, "build", program, "--cpu", levels, "-o", exe)
        chosen[levels] = json.loads(succeed(exe, "info", "--json").stdout)["cpu"]
        succeed(exe, "train", "--steps", "2", "--quiet", "--out", folder / f"run-{exe.name}")
    flags = re.search(r"^flags.*$", open("/proc/cpuinfo").read(), re.M)[0].split()
    v3, v4 = "avx2" in flags and "fma" in flags, "avx512vl" in flags and "avx512bw" in flags
    v4 = v4 and all(f"avx512{part}" in flags for part in ("f", "cd", "dq"))
    assert chosen == {"v2": "x86-64-v2", "v3,v2": "x86-64-v3" if v3 else "x86-64-v2",
                      "x86-64-v2,v4,v3,v2": "x86-64-v4" if v4 else "x86-64-v3" if v3 else "x86-64-v2"}, chosen
    # The code of a level is the same as in an executable for that level only.
    alone = executable.digest(folder / "run-v2", 2)
    if chosen["v3,v2"] == "x86-64-v2":
        assert executable.digest(folder / "run-v3-v2", 2) == alone
    else:
        succeed(vaec, "build", program, "--cpu", "v3", "-o", folder / "v3")
        succeed(folder / "v3", "train", "--steps", "2", "--quiet", "--out", folder / "run-v3")
        assert executable.digest(folder / "run-v3-v2", 2) == executable.digest(folder / "run-v3", 2)


def test_emit_takes_one_processor(folder, vaec):
    need_x86()
    result = call(vaec, "build", write(folder, "small.vae", GLYPHS), "--cpu", "v2,v3", "--emit=asm")
    assert (result.returncode, result.stderr.count("\n")) == (64, 1) and "--cpu" in result.stderr, result


def test_an_unknown_processor_is_refused(folder, vaec):
    program = write(folder, "small.vae", GLYPHS)
    for words in ("pentium", "v3,pentium", "", "v5"):
        result = call(vaec, "build", program, "--cpu", words)
        assert (result.returncode, result.stderr.count("\n")) == (64, 1), (words, result)
        assert "v4" in result.stderr, (words, result)
