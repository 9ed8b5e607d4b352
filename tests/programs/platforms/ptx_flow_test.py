"""Tests that in no GPU kernel a thread waits for others while threads may have taken different ways. Samplers that draw
until a value is accepted (gamma, Poisson, beta, von Mises) need another number of rounds in each thread."""
import pytest

import ptx_flow
from executable import device_functions_missing, succeed, write
from ptx_test import EXAMPLES, example_ptx

SAMPLERS = """
var z : real[8]
var g : positive[8]
var n, m, b : count[8]
var u, v : unit[8]
var a : angle[8]
var s : simplex(5)
var c : category(4)
source generated { }
source rows { z = npy("z.npy") }
decoder p {
  g | z ~ Gamma(z, z)
  n | z ~ Poisson(z)
  m | z ~ NegativeBinomial(z, 3)
  b | z ~ Binomial(z, 40)
  u | z ~ Beta(z, z)
  v | z ~ ContinuousBernoulli(z)
  a | z ~ VonMises(z, z)
  s | z ~ Dirichlet(dense(z, 5))
  c | z ~ Categorical(dense(z, 4))
}
encoder q { z | g, n, m, b, u, v, a, s, c ~ Normal(dense(concat(log(g), n, m, b, u, v, a, s, c), 8)) }
learn symmetric { steps = 10 }
"""


def check(text):
    """Returns how many kernels there are in which threads wait for others."""
    found = ptx_flow.kernels(text)
    for name, instructions in found.items():
        assert not ptx_flow.waits_of_divided_threads(instructions), name
        if not name.startswith(("kernel_", "vae_")):  # a function may be called by one thread alone
            assert not any(line.startswith(ptx_flow.WAITS) for line in instructions), name
    return sum(any(line.startswith("bar.") for line in instructions) for instructions in found.values())


def test_samplers_hold_up_no_other_thread(folder, vaec):
    if device_functions_missing(vaec):
        pytest.skip("this vaec was built without clang++-19: no PTX of samplers")
    write(folder, "samplers.vae", SAMPLERS)
    text = succeed(vaec, "check", "--emit=ptx", "samplers.vae", cwd=folder).stdout
    functions = [name for name in ptx_flow.kernels(text) if name.startswith("vaert_sample_")]
    assert len(functions) >= 4, functions
    assert check(text) > 10


def test_kernels_of_examples_hold_up_no_thread(folder, vaec):
    texts = [text for text in (example_ptx(vaec, path) for path in EXAMPLES) if text]
    assert texts and sum(check(text) for text in texts) > 5 * len(texts)


LOOP = """
.visible .entry kernel_a(
	.param .u64 kernel_a_param_0
)
{
	ld.param.u64 	%rd1, [kernel_a_param_0];
	mov.u32 	%r1, ___;
	mov.b32 	%r2, 0;
$L__BB0_1:
	add.s32 	%r2, %r2, 1;
	INSIDE
	setp.lt.s32 	%p1, %r2, %r1;
	@%p1 bra 	$L__BB0_1;
	setp.lt.s32 	%p2, %r2, 7;
	@%p2 bra 	$L__BB0_3;
	BEHIND
$L__BB0_3:
	bar.sync 	0;
	ret;
}
"""


@pytest.mark.parametrize("bound, inside, behind, waits", [
    ("%ntid.x", "bar.sync 0;", "bar.sync 0;", 0),  # all threads go round equally often
    ("%tid.x", "", "", 0),  # all meet behind the loop
    ("%tid.x", "bar.sync 0;", "", 1),
    ("%tid.x", "", "shfl.sync.bfly.b32 %r5|%p3, %r6, 1, 31, -1;", 1),  # the count of rounds differs
])
def test_a_wait_of_divided_threads_is_found(bound, inside, behind, waits):
    text = LOOP.replace("___", bound).replace("INSIDE", inside).replace("BEHIND", behind)
    assert len(ptx_flow.waits_of_divided_threads(ptx_flow.kernels(text)["kernel_a"])) == waits
