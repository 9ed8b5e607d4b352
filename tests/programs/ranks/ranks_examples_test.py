#!/usr/bin/env python3
"""Tests that two and three ranks give the parameters of one rank, for the learn blocks of the examples. The batch is
smaller than usual and is not divisible by the ranks. VAEC_RANKS_EXAMPLES=all takes the variants of figure8 too."""
import json
import os
import re

import pytest

from executable import ROOT, build, need_mnist, succeed
from rank_runs import agree_up_to_rounding, differences, need_c10d, train

STEPS = 20


def programs():
    every = os.environ.get("VAEC_RANKS_EXAMPLES") == "all"
    for path in sorted((ROOT / "examples").glob("*/*.vae")):
        if (path.parent / "prepare").exists():
            continue
        if every or path.parent.name != "figure8" or path.name == "figure8.vae":
            yield pytest.param(path, id=path.stem)


@pytest.mark.parametrize("program", programs())
def test_ranks_give_the_parameters_of_one_rank(folder, vaec, program):
    need_c10d(vaec)
    if "mnist(" in program.read_text():
        need_mnist()
    exe = build(vaec, program, folder)
    wrong = []
    for learn in json.loads(succeed(exe, "info", "--json").stdout)["learns"]:
        name = learn["name"]
        if not learn["available"]:
            continue
        arguments = ["--learn", name, "--steps", STEPS, "--batch", 7, "--every",
                     f"log={STEPS},sample=0,evaluate=0"]
        block = re.search(rf"^learn \w+(?: as {name})? (\{{.*?\}})", program.read_text(), re.M | re.S)
        if block and "start =" in block.group(1) and (folder / "off-truth").exists():
            arguments += ["--start", folder / "off-truth"]
        alone = train(exe, folder / f"off-{name}", *arguments, ranks="off", cwd=folder)
        if alone.returncode == 64 and "rows of peer" in alone.stderr:  # it learns beside other programs
            continue
        assert alone.returncode == 0, (name, alone.stderr)
        for ranks in (2, 3):
            result = train(exe, folder / f"{ranks}-{name}", *arguments, ranks=ranks, cwd=folder)
            assert result.returncode == 0, (name, ranks, result.stderr)
        for ranks in (2, 3):
            runs = (folder / f"off-{name}", folder / f"{ranks}-{name}", STEPS)
            if not agree_up_to_rounding(*runs):
                wrong.append((name, ranks, sorted(differences(*runs))[-20:]))
    assert not wrong, wrong
