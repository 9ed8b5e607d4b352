"""Tests `bench --count`, which counts the work of a step on a GPU without one. The nodes are those of the graph that
the fake CUDA driver records."""
import json
import os
import pathlib

import pytest

from device_test import Fake
from executable import GLYPHS, ROOT, build, call, succeed, write

# Nodes of a step at the batch of the file, and how many of them are generated kernels: with players that move one
# after the other, and with players that move together.
EXAMPLES = {"digits/digits_glyphs": [(29, 13), (24, 8)], "figure8/figure8": [(34, 13), (27, 8)],
            "table/table": [(58, 27), (47, 16)], "segmentation/segmentation": [(203, 59), (161, 25)]}
ORDERS = ("alternating", "simultaneous")


def count(exe, *arguments, cwd, card="h200"):
    return json.loads(succeed(exe, "bench", "--count", card, "--json", *arguments, cwd=cwd).stdout)


def test_the_nodes_are_those_that_a_driver_records(folder, vaec):
    fake = Fake(folder, vaec)
    exe = fake.build("glyphs", GLYPHS)
    for more in ([], ["--order", "simultaneous"]):
        recorded = fake.train(exe, "run" + str(len(more)), "--steps", "3", *more)
        counted = count(exe, *more, cwd=folder)
        assert counted["nodes"] == recorded["nodes"] and counted["graphs"] == 1, (counted, recorded)
        assert counted["nodes_outside_graphs"] == 0


def test_sums_agree_and_estimates_follow_the_card(folder, vaec):
    exe = build(vaec, write(folder, "glyphs.vae", GLYPHS), folder, "--target", "auto")
    counted = count(exe, "--batch", "20", "--precision", "tf32", cwd=folder)
    kinds = counted["kinds"].values()
    for key, total in (("nodes", counted["nodes"]), ("megabytes", counted["megabytes"]), ("gigaflops", counted["gigaflops"]),
                       ("roofline_microseconds", 1000 * counted["roofline_milliseconds"])):
        assert sum(kind[key] for kind in kinds) == pytest.approx(total)
        assert sum(kernel[key] for kernel in counted["kernels"]) == pytest.approx(total)
    assert counted["kinds"]["products"]["nodes"] == 14 and counted["kinds"]["copies"]["nodes"] == 0
    # As on the processor (bench_test.py).
    a_network = 64 * (784 + 16)
    assert counted["gigaflops"] * 1e9 / 20 == pytest.approx(2 * (6 * a_network + 64 * 784 + 64 * 16))
    # This small model is limited by memory, and the A100's is 2.35 times slower.
    slower = count(exe, "--batch", "20", "--precision", "tf32", cwd=folder, card="a100")
    assert slower["roofline_milliseconds"] / counted["roofline_milliseconds"] == pytest.approx(4.8 / 2.039, rel=0.02)
    assert counted["estimated_milliseconds"] == pytest.approx(counted["roofline_milliseconds"] + 2e-3 * counted["nodes"])
    # In bf16 each operand of a product is rounded by a kernel of its own.
    rounded = count(exe, "--batch", "20", "--precision", "bf16", cwd=folder)
    assert rounded["kinds"]["copies"]["nodes"] == 28


def test_the_table_says_that_nothing_was_measured(folder, vaec):
    exe = build(vaec, write(folder, "glyphs.vae", GLYPHS), folder, "--target", "auto")
    lines = succeed(exe, "bench", "--count", "h200", cwd=folder).stdout.splitlines()
    assert lines[0] == "glyphs, learn symmetric, batch codes=32, images=32"
    assert lines[1] == "counted for NVIDIA H200 SXM, fp32; nothing was executed or measured"
    assert lines[2].endswith("MB") and "nodes a step, 0 of them outside graphs; graphs replayed: 1;" in lines[2]
    assert "from published peaks" in lines[3] and "(assumed)" in lines[3]
    assert not (folder / "runs").exists()


def test_what_cannot_be_counted_is_refused(folder, vaec):
    plain = build(vaec, write(folder, "glyphs.vae", GLYPHS), folder)
    refused = call(plain, "bench", "--count", "h200", cwd=folder)
    assert refused.returncode == 78 and "no code for GPUs; build it with --target cuda or auto" in refused.stderr, refused
    refused = call(plain, "bench", "--count", "gtx1", cwd=folder)
    assert refused.returncode == 64 and "a100" in refused.stderr, refused


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_nodes_of_examples_do_not_grow(folder, vaec, name):
    source = ROOT / f"examples/{name}.vae"
    exe = build(vaec, source, folder, "--target", "auto")
    for order, expected in zip(ORDERS, EXAMPLES[name], strict=True):
        counted = count(exe, "--order", order, cwd=source.parent)
        assert (counted["nodes"], counted["kinds"]["loops"]["nodes"]) == expected, (order, counted)


def test_the_nodes_of_ladder_do_not_grow(folder, vaec):
    if not (pathlib.Path(os.environ.get("VAEC_DATA", "/none")) / "mnist").exists():
        pytest.skip("no MNIST")
    exe = build(vaec, ROOT / "examples/ladder/ladder.vae", folder, "--target", "auto")
    for order, nodes in zip(ORDERS, (211, 183), strict=True):
        counted = count(exe, "--batch", "1024", "--precision", "tf32", "--order", order, cwd=folder)
        assert (counted["nodes"], counted["kinds"]["copies"]["nodes"]) == (nodes, 60), (order, counted["kinds"])


NETWORK = """
var x : binary[28, 28]
var c : category(3)
source pairs { x = glyphs(500).image > 0.5; c ~ Categorical(0) }
net classify(image) {
  h = tanh(conv(image, 4, kernel = 3))
  h = conv(h, 2, kernel = 3, stride = STRIDE)
  return dense(h, 3)
}
encoder q { c | x ~ Categorical(classify(x)) }
learn supervised { steps = 1; batch = 10; optimizer = adam(1e-3) }
"""


@pytest.mark.parametrize("stride, result", [(1, 0), (2, 26 * 26 * 4 * 10)])
def test_what_a_convolution_writes_is_copied_only_where_it_must_be(folder, vaec, stride, result):
    exe = build(vaec, write(folder, "network.vae", NETWORK.replace("STRIDE", str(stride))), folder, "--target", "auto")
    copies = {kernel["name"]: kernel for kernel in count(exe, cwd=folder)["kernels"] if kernel["kind"] == "copies"}
    # One input channel needs no copy of the weights. The second layer's weights are copied once forward; backward,
    # they are turned and copied, or copied and the result too.
    second = 2 * 4 * (4 * 2 * 9) / 1e6  # MB: read and written
    assert "conv q.c.conv1.weight" not in copies, copies.keys()
    assert copies["conv q.c.conv2.weight"]["megabytes"] == pytest.approx(second)
    back = copies["conv_data q.c.conv2.weight"]
    assert back["nodes"] == 2 and back["megabytes"] == pytest.approx(second * (1 if result else 2) + 2 * 4 * result / 1e6)
