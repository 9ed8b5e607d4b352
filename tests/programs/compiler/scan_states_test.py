#!/usr/bin/env python3
"""Tests that a number as `init` of `scan` stands for a state of the shape that the cell gives, whatever the cell does
with its state: the run is the same as with the state written out."""
import struct

import pytest

from executable import build, call, safetensors, succeed, write

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
LEAPS = """
net cell(s, u) {
  (q, p) = s
  p = p - 0.1 * q
  return (q + 0.1 * p + conv(u, 2, kernel = 3, padding = 1), p)
}
"""
MIXES = """
net cell(s, u) {
  (h, c) = s
  h = tanh(conv(concat(h, u), 2, kernel = 3, padding = 1))
  return (h, tanh(dense(concat(c, flatten(h)), 3)))
}
"""
DENSE = "net cell(h, u) = tanh(dense(concat(h, flatten(u)), 3))\n"


def trained(folder, vaec, name, text):
    """All parameters after the steps."""
    succeed(build(vaec, write(folder, f"{name}.vae", text), folder), "train", "--quiet", "--out", f"run-{name}", cwd=folder)
    tensors = safetensors(folder / f"run-{name}/checkpoints/step-2/model.safetensors")
    return [number for _, content in tensors.values() for number in struct.unpack(f"<{len(content) // 4}f", content)]


@pytest.mark.parametrize("net, number, written, result", (
    (CONVOLVES, "0", "0 * v[0]", "scan(cell, v, init = INIT)[3]"),
    (CONVOLVES, "0.5", "0 * v[0] + 0.5", "scan(cell, v, init = INIT)[3]"),
    (WIDENS, "1", "reshape(0 * concat(v[0], v[1], v[2])[0:5] + 1, [5, 3, 3])", "scan(cell, v, init = INIT)[3][0:2]"),
    (UNPACKS, "0", "(0 * v[0], 0 * v[0])", "scan(cell, v, init = INIT)"),
    (UNPACKS, "(0, 1)", "(0 * v[0], 0 * v[0] + 1)", "scan(cell, v, init = INIT)"),
    (LEAPS, "0", "(0 * v[0], 0 * v[0])", "scan(cell, v, init = INIT)"),
    (LEAPS, "(0, 1)", "(0 * v[0], 0 * v[0] + 1)", "scan(cell, v, init = INIT)"),
    (MIXES, "0", "(0 * v[0], 0 * v[0, 0, 0])", "scan(cell, v, init = INIT)"),
    (DENSE, "0", "0 * v[0, 0, 0]", "sum(scan(cell, v, init = INIT)[3])")))
def test_a_number_fills_the_state(folder, vaec, net, number, written, result):
    if "return (" in net:
        body = f"  let (hs, cs) = {result}\n  x | v ~ Normal(hs[3] + mean(cs[2]))\n"
    else:
        body = f"  x | v ~ Normal({result})\n"
    found = [trained(folder, vaec, name, HEAD + net + "player p {\n" + body.replace("INIT", init) + "}\n")
             for name, init in (("number", number), ("written", written))]
    assert found[0] and found[0] == pytest.approx(found[1], abs=1e-6)


def test_a_cell_of_a_player_is_used_twice(folder, vaec):
    found = [trained(folder, vaec, name, HEAD + f"""
player p {{
  net cell(h, u) = tanh(dense(concat(h, flatten(u)), 3))
  x | v ~ Normal(sum(scan(cell, v, init = {init})[3] + scan(cell, v[0:2], init = {init})[1]))
}}
""") for name, init in (("number", "0"), ("written", "0 * reshape(v[0, 0], [9])[0:3]"))]
    assert found[0] and found[0] == pytest.approx(found[1], abs=1e-6)


# A tuple has no shape that a state could have.
def test_elements_that_are_no_tensors(folder, vaec):
    write(folder, "tuples.vae", HEAD + """
net cell(h, u) {
  (a, b) = u
  return 0.5 * h + a * b
}
player p { x | v ~ Normal(parameter([]) * scan(cell, [(v[0], v[1]), (v[1], v[2])], init = 0)[1]) }
""")
    succeed(vaec, "check", "tuples.vae", cwd=folder)


# The error is the one of the net, not of the states that were tried.
@pytest.mark.parametrize("net", (CONVOLVES, UNPACKS))
def test_a_misspelt_name_in_a_cell(folder, vaec, net):
    write(folder, "wrong.vae", HEAD + net.replace("concat(h, u)", "concat(h, uu)")
          + "player p {\n  let s = scan(cell, v, init = 0)\n  x | v ~ Normal(parameter([]) * v[0])\n}\n")
    result = call(vaec, "check", "wrong.vae", cwd=folder)
    assert result.returncode == 1 and result.stderr.count("error[") == 1 and "uu" in result.stderr, result
