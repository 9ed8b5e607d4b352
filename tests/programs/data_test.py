#!/usr/bin/env python3
"""What sources give, read back through an executable: `infer "z | x" --given x=SOURCE` with a mean that is x."""
import json
import math
import os
import random
import resource
import struct
import subprocess
import zlib

from executable import build, call, digest, main, metrics, succeed, write

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


def idx_header(*shape):
    return struct.pack(">BBBB", 0, 0, 8, len(shape)) + b"".join(struct.pack(">I", axis) for axis in shape)


def png(pixels, width):
    """An 8-bit gray picture."""
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    lines = b"".join(b"\0" + bytes(pixels[i:i + width]) for i in range(0, len(pixels), width))
    header = struct.pack(">IIBBBBB", width, len(pixels) // width, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def autoencoder(reader, shape="[28, 28]"):
    return f"""
var x : binary{shape}
var z : binary[8]
source images  {{ x = {reader} > 0.5 }}
source codes   {{ z ~ Bernoulli(0) }}
decoder p {{ x | z ~ Bernoulli(dense(z, {eval("*".join(shape[1:-1].split(",")))})) }}
encoder q {{ z | x ~ Bernoulli(dense(x, 8)) }}
learn symmetric {{ steps = 30; batch = 64; every = {{log: 10, sample: 0, checkpoint: 0, evaluate: 0}} }}
"""


def test_a_file_larger_than_memory_is_learned_from_within_a_limit(folder, vaec):
    rows = 6_000_000  # 4.7 GB, nearly all of it a hole in the file
    with open(folder / "big.idx", "wb") as file:
        file.write(idx_header(rows, 28, 28))
        file.truncate(16 + rows * 784)
    exe = build(vaec, write(folder, "big.vae", autoencoder('idx("big.idx")')), folder)
    process = subprocess.Popen(
        [exe, "train", "--quiet", "--out", folder / "run"], stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30)))
    _, status, used = os.wait4(process.pid, 0)
    assert status == 0, process.stderr.read()
    assert used.ru_maxrss < 500_000, used.ru_maxrss  # kilobytes
    last = metrics(folder / "run")[-1]
    assert last["terms"]["p.x@images"] > -784 * math.log(2), last  # black images, and it has begun to see so


def test_streamed_data_give_the_same_parameters_as_data_in_memory(folder, vaec):
    generator = random.Random(1)
    (folder / "bytes.idx").write_bytes(idx_header(2000, 6, 6) + generator.randbytes(2000 * 36))
    (folder / "photos").mkdir()
    for i in range(2000):
        (folder / "photos" / f"{i}.png").write_bytes(png(generator.randbytes(36), 6))
    for name, reader in [("array", 'idx("bytes.idx") / 255'), ("chosen", 'shuffle(idx("bytes.idx"))[3:-7] / 255'),
                         ("pictures", 'images("photos", gray = true)')]:
        exe = build(vaec, write(folder, f"{name}.vae", autoencoder(reader, "[6, 6]")), folder)
        for memory in ("0", "1G"):
            succeed(exe, "train", "--quiet", "--out", folder / f"{name}-{memory}", env={"VAEC_DATA_MEMORY": memory})
        assert digest(folder / f"{name}-0", 30) == digest(folder / f"{name}-1G", 30), name


def test_a_row_that_is_wrong_is_named_when_streamed_data_meet_it(folder, vaec):
    values = bytearray(b"\1" * 1000 * 36)
    values[500 * 36] = 7
    (folder / "bytes.idx").write_bytes(idx_header(1000, 6, 6) + values)
    program_text = autoencoder('idx("bytes.idx")', "[6, 6]").replace(" > 0.5", "")
    exe = build(vaec, write(folder, "wrong.vae", program_text), folder)
    for memory, steps in (("1G", 1), ("0", 1000)):
        result = call(exe, "train", "--quiet", "--steps", steps, "--out", folder / memory,
                      env={"VAEC_DATA_MEMORY": memory})
        assert result.returncode == 65 and 'idx("bytes.idx"): row 500 holds 7' in result.stderr, result
        assert len(result.stderr.splitlines()) == 1, result.stderr


if __name__ == "__main__":
    main(globals())
