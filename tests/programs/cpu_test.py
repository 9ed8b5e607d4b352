"""`--cpu` chooses the processor that code is made for, and the executable asks for no more than that."""
import json
import re

import executable
from executable import GLYPHS, call, succeed, write

LEVELS = {"x86-64-v2": "xmm", "x86-64-v3": "ymm", "x86-64-v4": "zmm"}


def need_x86():
    import platform
    if platform.machine() != "x86_64":
        raise executable.Skip("--cpu names levels of x86-64")


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
        if result.returncode == 78 and "was built for a processor with" in result.stderr:
            assert level == "x86-64-v4" or level == "x86-64-v3", result
            continue
        assert result.returncode == 0, result
        utilities[level] = executable.metrics(folder / level)[-1]["utility"]
    assert "x86-64-v2" in utilities and len(utilities) > 2
    for level, of_players in utilities.items():
        for player, value in of_players.items():
            assert abs(value - utilities["native"][player]) < 1e-3 * abs(value), (level, player, utilities)


def test_an_unknown_processor_is_refused(folder, vaec):
    result = call(vaec, "build", write(folder, "small.vae", GLYPHS), "--cpu", "pentium")
    assert (result.returncode, result.stderr.count("\n")) == (64, 1) and "pentium" in result.stderr, result


if __name__ == "__main__":
    executable.main(globals())
