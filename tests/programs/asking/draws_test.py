#!/usr/bin/env python3
"""Tests codes and columns with long tails or small shapes. Their training reaches its end and their draws stay inside
their domain. If a term is not finite, the message names the cause."""
import json
import math

from executable import build, call, succeed, write

QUIET = "every = {log: 100, sample: 0, checkpoint: 0, evaluate: 0}"
STEPS = 2000

TOPICS = f"""
var theta : simplex(4)
var words : count[12]
source texts {{ words = npy("words.npy") }}
source codes {{ theta ~ Dirichlet(-2.3) }}
decoder p {{ words | theta ~ Poisson(dense(theta, 12)) }}
encoder q {{ theta | words ~ Dirichlet(dense(words / 10, 4) - 2.3) }}
"""

# The densities of its codes have poles at 0 and 1.
CODES = f"""
var b : unit[3]
var g : positive[3]
var x : binary[12]
source rows  {{ x = npy("bits.npy") }}
source codes {{ b ~ Beta(-2.3, -2.3); g ~ Gamma(-2.3, 0) }}
decoder p {{ x | b, g ~ Bernoulli(dense(b, 12) + dense(log(g) / 10, 12)) }}
encoder q {{
  b | x ~ Beta(dense(x, 3) - 2.3, dense(x, 3) - 2.3)
  g | x ~ Gamma(dense(x, 3) - 2.3, dense(x, 3))
}}
"""

LEARN = f"""
learn symmetric {{ steps = {STEPS}; batch = 16; {QUIET} }}
learn elbo {{ steps = {STEPS}; batch = 16; estimator = score; clip = 1; {QUIET} }}
learn rws {{ steps = {STEPS}; batch = 16; samples = 4; {QUIET} }}
"""

TABLE = f"""
var z : real[2]
var income : positive
var delay : positive
var age : real
source people {{
  income = csv("people.csv").income
  delay = csv("people.csv").delay
  age = csv("people.csv").age
}}
source codes {{ z ~ Normal(0) }}
decoder p {{
  income | z ~ LogNormal(dense(z, 1), dense(z, 1) + 3)
  delay | z ~ Gamma(dense(z, 1) - 3, dense(z, 1))
  age | z ~ Normal(dense(z, 1))
}}
encoder q {{ z | income, delay, age ~ Normal(dense(concat(log(income), log(delay), age), 2)) }}
learn symmetric {{ steps = {STEPS}; batch = 16; {QUIET} }}
"""


def npy(path, width, values):
    import array
    import struct
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({len(values) // width}, {width}), }}"
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
                     + array.array("f", values).tobytes())


def trains(exe, folder, method, run):
    """Checks that the run reaches its end and that every number of its record is finite."""
    succeed(exe, "train", "--learn", method, "--quiet", "--threads", "1", "--out", run, cwd=folder)
    lines = [json.loads(line) for line in (folder / run / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["step"] == STEPS, lines[-1]
    for line in lines:
        numbers = list(line["utility"].values()) + list(line["terms"].values())
        assert numbers and all(isinstance(n, (int, float)) and math.isfinite(n) for n in numbers), line


def test_topic_model_with_sparse_documents_trains(folder, vaec):
    npy(folder / "words.npy", 12, [float((7 * i * i + i // 12) % 5 * (i % 4 == (i // 12) % 4)) for i in range(480)])
    exe = build(vaec, write(folder, "topics.vae", TOPICS + LEARN), folder)
    for method in ("symmetric", "elbo", "rws"):
        trains(exe, folder, method, method)


def test_beta_and_gamma_codes_of_small_shape_train(folder, vaec):
    npy(folder / "bits.npy", 12, [float((3 * i + i // 12) % 7 < 3) for i in range(480)])
    exe = build(vaec, write(folder, "codes.vae", CODES + LEARN), folder)
    for method in ("symmetric", "elbo", "rws"):
        trains(exe, folder, method, method)


def test_missing_values_of_positive_columns_train(folder, vaec):
    rows = ["income,delay,age"]
    for i in range(600):
        income = "" if i % 5 < 3 else f"{math.exp((i * 37 % 100) / 8 - 6):.6g}"
        delay = "" if i % 3 == 0 else f"{math.exp((i * 53 % 90) / 6 - 12):.6g}"
        rows.append(f"{income},{delay},{(i * 29 % 70) / 35 - 1}")
    write(folder, "people.csv", "\n".join(rows) + "\n")
    trains(build(vaec, write(folder, "people.vae", TABLE), folder), folder, "symmetric", "run")


def test_a_draw_that_is_no_number_is_named_as_the_cause(folder, vaec):
    text = """
family Odd(mean : real) over x : real {
  statistic     = x
  natural       = mean
  log_partition = 0.5 * mean * mean
  log_base      = -0.5 * log(2 * pi) - 0.5 * x * x
  sample        = mean + normal() + where(mean < 20, 0, sqrt(10 - mean))
}
var z : real[2]
var x : binary[3]
source rows { x ~ Bernoulli(0) }
source codes { z ~ Normal(0) }
decoder p { x | z ~ Bernoulli(dense(z, 3)) }
encoder q { z | x ~ Odd(30 + dense(x, 2)) }
learn symmetric { steps = 5; batch = 4 }
"""
    exe = build(vaec, write(folder, "odd.vae", text), folder)
    result = call(exe, "train", "--quiet", "--out", "run", cwd=folder)
    assert result.returncode == 1, result
    assert "step 1: player p's term p.x@rows is not a number because a draw of q.z is not a number" in result.stderr, result
    assert "learning rate" not in result.stderr, result


def test_a_log_density_that_overflows_is_named_as_the_cause(folder, vaec):
    text = """
var z : real[2]
var x : count[3]
source rows { x ~ Poisson(0) }
source codes { z ~ Normal(0) }
decoder p { x | z ~ Poisson(100 + dense(z, 3)) }
encoder q { z | x ~ Normal(dense(x, 2)) }
learn symmetric { steps = 5; batch = 4 }
"""
    exe = build(vaec, write(folder, "high.vae", text), folder)
    result = call(exe, "train", "--quiet", "--out", "run", cwd=folder)
    assert result.returncode == 1, result
    assert "step 1: player p's term p.x@rows is infinite: no parameter is beyond" in result.stderr, result
    assert "the log-density overflows" in result.stderr and "learning rate" not in result.stderr, result
