#!/usr/bin/env python3
"""Runs examples/federation from the start: three sites are built and trained alone, in the federation and on pooled
data, and the table is printed. Digits of seven segments replace MNIST."""
import json

from executable import ROOT, call
from five_players_test import write_mnist


def test_three_sites_make_their_table(folder, vaec):
    write_mnist(folder / "data/mnist", 1000)
    script = ROOT / "examples/federation/sites"
    result = call(script, vaec, folder / "runs", 30, 1, cwd=folder, env={"VAEC_DATA": str(folder / "data")})
    assert result.returncode == 0, result
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in result.stdout.splitlines()[2:]]
    assert [row[:2] for row in rows] == [["a", "0–3"], ["b", "3–6"], ["c", "6–9"]], result.stdout
    assert all(0 <= float(cell) <= 100 for row in rows for cell in row[2:5]), rows
    assert all(float(cell) > 0 for row in rows for cell in row[5:]), rows
    # The sites have different networks.
    shapes = {name: json.loads(call(folder / "runs" / name, "info", "--json").stdout) for name in "abc"}
    assert len({json.dumps(info, sort_keys=True) for info in shapes.values()}) == 3
