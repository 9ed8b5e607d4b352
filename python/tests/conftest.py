import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import vaec  # noqa: E402

# The model has bits and a category, so that there is something to infer. Data and codes are small.
TEXT = """
param code = 4
param names = ["a", "b"]
var x : binary[28, 28]
var c : category("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
var z : binary[code]
source digits { let g = glyphs(200, seed = 3); x = g.image > 0.5; c = g.label }
source codes  { c ~ Categorical(0); z ~ Bernoulli(0) }
decoder p { x | c, z ~ Bernoulli(dense(c, 784) + dense(z, 784)) }
encoder q { c | x ~ Categorical(dense(x, 10)); z | c, x ~ Bernoulli(dense(c, code) + dense(x, code)) }
learn symmetric { steps = 30; batch = 16; every = {log: 10, sample: 0, checkpoint: 10, evaluate: 0} }
learn symmetric as slow { steps = 10_000_000; batch = 16; every = {log: 10, sample: 0, checkpoint: 0, evaluate: 0} }
"""


@pytest.fixture(scope="session")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "digits.vae"
    path.write_text(TEXT)
    return path


@pytest.fixture(scope="session")
def model(path):
    return vaec.compile(path, code=6)


@pytest.fixture(scope="session")
def run(model, tmp_path_factory):
    return model.train(out=tmp_path_factory.mktemp("runs") / "first", progress=False)
