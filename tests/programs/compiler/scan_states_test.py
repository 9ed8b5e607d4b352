#!/usr/bin/env python3
"""Tests that a number as `init` of `scan` stands for a state of the shape that the cell gives, whatever the cell does
with its state: the run is the same as with the state written out."""
import struct

import pytest

from executable import build, safetensors, succeed, write

HEAD = """
var v : real[4, 2, 3, 3]
var x : real[2, 3, 3]
source rows { v ~ Normal(0); x ~ Normal(0) }
learn supervised { steps = 2; batch = 4; every = {log: 1, sample: 0, checkpoint: 0, evaluate: 0} }
"""
CONVOLVES = "net cell(h, u) = tanh(conv(concat(h, u), 2, kernel = 3, padding = 1))\n"
WIDENS = "net cell(h, u) = tanh(conv(concat(h, u), 5, kernel = 3, padding = 1))\n"
UNPACKS = """
net cell(s, u) {
  (h, c) = s
  c = 0.5 * c + tanh(conv(concat(h, u), 2, kernel = 3, padding = 1))
  return (tanh(c), c)
}
"""
DENSE = "net cell(h, u) = tanh(dense(concat(h, flatten(u)), 3))\n"



def trained(folder, vaec, name, text):
    """The parameters after the steps, by their names."""
    succeed(build(vaec, write(folder, f"{name}.vae", text), folder), "train", "--quiet", "--out", f"run-{name}", cwd=folder)
    tensors = safetensors(folder / f"run-{name}/checkpoints/step-2/model.safetensors")
    return {tensor: pytest.approx(struct.unpack(f"<{len(content) // 4}f", content), abs=1e-6) if name == "written"
            else struct.unpack(f"<{len(content) // 4}f", content) for tensor, (_, content) in tensors.items()}


@pytest.mark.parametrize("net, number, written, result", (
    (CONVOLVES, "0", "0 * v[0]", "scan(cell, v, init = INIT)[3]"),
    (CONVOLVES, "0.5", "0 * v[0] + 0.5", "scan(cell, v, init = INIT)[3]"),
    (WIDENS, "1", "reshape(0 * concat(v[0], v[1], v[2])[0:5] + 1, [5, 3, 3])", "scan(cell, v, init = INIT)[3][0:2]"),
    (UNPACKS, "0", "(0 * v[0], 0 * v[0])", "scan(cell, v, init = INIT)"),
    (UNPACKS, "(0, 1)", "(0 * v[0], 0 * v[0] + 1)", "scan(cell, v, init = INIT)"),
    (DENSE, "0", "0 * v[0, 0, 0]", "sum(scan(cell, v, init = INIT)[3])")))
def test_a_number_fills_the_state(folder, vaec, net, number, written, result):
    if net == UNPACKS:
        body = f"  let (hs, cs) = {result}\n  x | v ~ Normal(hs[3] + cs[2])\n"
    else:
        body = f"  x | v ~ Normal({result})\n"
    found = [trained(folder, vaec, name, HEAD + net + "player p {\n" + body.replace("INIT", init) + "}\n")
             for name, init in (("number", number), ("written", written))]
    assert found[0] and found[0] == found[1]


def test_a_cell_of_a_player_is_used_twice(folder, vaec):
    found = [trained(folder, vaec, name, HEAD + f"""
player p {{
  net cell(h, u) = tanh(dense(concat(h, flatten(u)), 3))
  x | v ~ Normal(sum(scan(cell, v, init = {init})[3] + scan(cell, v[0:2], init = {init})[1]))
}}
""") for name, init in (("number", "0"), ("written", "0 * reshape(v[0, 0], [9])[0:3]"))]
    assert found[0] and found[0] == found[1]
