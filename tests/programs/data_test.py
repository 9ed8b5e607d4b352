#!/usr/bin/env python3
"""What sources give, read back through an executable: `infer "z | x" --given x=SOURCE` with a mean that is x."""
import json
import math

from executable import build, call, main, succeed, write

COLUMNS = "a,b\n1,-0.5\n2,0.25\n3,-2\n-1.5,4\n"
A, B = [1, 2, 3, -1.5], [-0.5, 0.25, -2, 4]


def program(sources, shape="", domain="real", lets=""):
    """A model whose sources `name -> expression` are given to x and come back as the mean of z."""
    lines = "".join(f"source {name} weight 0 {{ x = {text} }}\n" for name, text in sources.items())
    return f"""
var x : {domain}{shape}
var z : real{shape}
{lets}
source rows {{ x = {next(iter(sources.values()))} }}
{lines}
source codes {{ z ~ Normal(0) }}
decoder p {{ x | z ~ {"Normal(z, parameter([1]))" if domain == "real" else "Bernoulli(z + parameter([1]))"} }}
encoder q {{ z | x ~ Normal(x, parameter([1])) }}
learn symmetric {{ steps = 1; batch = 2; optimizer = none; every = {{evaluate: 0}} }}
"""


class Reading:
    """A trained executable, asked for the rows of its sources."""

    def __init__(self, folder, vaec, sources, **of):
        self.folder = folder
        self.exe = build(vaec, write(folder, "read.vae", program(sources, **of)), folder)
        succeed(self.exe, "train", "--quiet", "--out", folder / "run", cwd=folder)

    def __call__(self, source):
        out = self.folder / "z.csv"
        succeed(self.exe, "infer", "--run", self.folder / "run", "z | x", "--given", f"x={source}", "--out", out)
        return [[float(cell) for cell in line.split(",")] for line in out.read_text().splitlines()[1:]]


def near(values, expected):
    assert len(values) == len(expected), (values, expected)
    for row, wanted in zip(values, expected):
        wanted = wanted if isinstance(wanted, (list, tuple)) else [wanted]
        assert len(row) == len(wanted), (row, wanted)
        for got, number in zip(row, wanted):
            assert abs(got - number) <= 2e-6 * max(1, abs(number)), (values, expected)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


FUNCTIONS = {
    "{a} + {b}": lambda a, b: a + b,
    "{a} - 2 * {b}": lambda a, b: a - 2 * b,
    "{a} / {b}": lambda a, b: a / b,
    "{a} % 0.75": lambda a, b: a % 0.75,
    "{a} ** 2": lambda a, b: a ** 2,
    "-{a}": lambda a, b: -a,
    "{a} > {b}": lambda a, b: a > b,
    "{a} <= 2": lambda a, b: a <= 2,
    "{a} == 2": lambda a, b: a == 2,
    "{a} != 2": lambda a, b: a != 2,
    "not ({a} < 2) and {b} < 0 or {b} >= 4": lambda a, b: (not a < 2) and b < 0 or b >= 4,
    "relu({a})": lambda a, b: max(a, 0),
    "tanh({a})": lambda a, b: math.tanh(a),
    "sigmoid({a})": lambda a, b: sigmoid(a),
    "softplus({a})": lambda a, b: math.log1p(math.exp(a)),
    "exp({b})": lambda a, b: math.exp(b),
    "log(abs({b}))": lambda a, b: math.log(abs(b)),
    "log1p(square({b}))": lambda a, b: math.log1p(b * b),
    "sqrt(abs({a}))": lambda a, b: math.sqrt(abs(a)),
    "square({a})": lambda a, b: a * a,
    "gelu({a})": lambda a, b: a * (1 + math.erf(a / math.sqrt(2))) / 2,
    "silu({a})": lambda a, b: a * sigmoid(a),
    "elu({b})": lambda a, b: b if b > 0 else math.expm1(b),
    "elu({b}, alpha = 0.5)": lambda a, b: b if b > 0 else math.expm1(b) / 2,
    "leaky_relu({b})": lambda a, b: b if b > 0 else 0.01 * b,
    "leaky_relu({b}, 0.2)": lambda a, b: b if b > 0 else 0.2 * b,
    "sin({a}) + cos({b})": lambda a, b: math.sin(a) + math.cos(b),
    "atan2({a}, {b})": lambda a, b: math.atan2(a, b),
    "floor({b})": lambda a, b: math.floor(b),
    "min({a}, {b})": min,
    "max({a}, {b}, 0.5)": lambda a, b: max(a, b, 0.5),
    "where({a} > {b}, {a}, -{b})": lambda a, b: a if a > b else -b,
}


def test_every_function_of_data_gives_its_values_and_the_same_under_noise(folder, vaec):
    write(folder, "t.csv", COLUMNS)
    sources = {}
    for number, text in enumerate(FUNCTIONS):
        sources[f"plain{number}"] = text.format(a="t.a", b="t.b")
        sources[f"noisy{number}"] = text.format(a="jitter(t.a, 0)", b="jitter(t.b, 0)")
    read = Reading(folder, vaec, sources, lets='let t = csv("t.csv")')
    for number, function in enumerate(FUNCTIONS.values()):
        expected = [float(function(a, b)) for a, b in zip(A, B)]
        near(read(f"plain{number}"), expected)
        near(read(f"noisy{number}"), expected)


def refused(folder, vaec, expression, code, *words):
    """The compiler's first diagnostic of a source that says `x = expression`."""
    path = write(folder, "refused.vae", program({"only": expression}, lets='let t = csv("t.csv")'))
    result = call(vaec, "check", "--error-format", "json", path)
    first = json.loads(result.stderr.splitlines()[0])
    assert result.returncode == 1 and first["code"] == code, (expression, result.stderr)
    assert all(word in first["message"] for word in words), (words, first)


def test_functions_of_data_with_wrong_arguments_are_refused(folder, vaec):
    refused(folder, vaec, "square(t.a, t.b)", "E0222", "`square`", "1 argument")
    refused(folder, vaec, "max(t.a)", "E0222", "`max`", "two arguments or more")
    refused(folder, vaec, "elu(t.a, 1, 2)", "E0222", "`elu`")
    refused(folder, vaec, "elu(t.a, slope = 1)", "E0221", "`elu`", "`slope`")
    refused(folder, vaec, "exp(t.a, base = 2)", "E0221", "`exp`", "`base`")
    refused(folder, vaec, "gelu(\"a\") + t.a", "E0305", "`gelu`", "a string")
    refused(folder, vaec, "dense(t.a, 3)", "E0605", "`dense`")


if __name__ == "__main__":
    main(globals())
