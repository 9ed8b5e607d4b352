#!/usr/bin/env python3
"""Tests inference in any direction, by direct orders and by chains. Small models are compared with enumeration. Also
tests partly known variables, what is printed about chains, that every kind of file can be read back, and every
message."""
import itertools
import json
import math
import struct
import zipfile
import zlib

from executable import build, call, safetensors, succeed, write
from pictures import png

# Conditionals of one joint p(a, b, c) = exp(sum of biases + sum of pairs) / Z. Sweeps in any order therefore
# have this joint as their stationary distribution. `d` has a parameter to learn, so that there is a run.
BIASES = {"a": 0.5, "b": -0.3, "c": -0.7}
PAIRS = {"ab": -1.5, "ac": 1.0, "bc": 2.0}
THREE = """
var a, b, c, d : binary
source one { d ~ Bernoulli(0) }
player p { a | b, c ~ Bernoulli(0.5 - 1.5 * b + 1.0 * c) }
player q { b | a, c ~ Bernoulli(-0.3 - 1.5 * a + 2.0 * c) }
player r { c | a, b ~ Bernoulli(-0.7 + 1.0 * a + 2.0 * b) }
decoder w { d ~ Bernoulli(parameter([])) }
learn symmetric { steps = 1; batch = 4 }
"""

# The same for x with three elements and z: x_i | z ~ bias_i + weight_i z, z | x ~ -0.4 + weights . x.
X_BIASES, X_WEIGHTS, Z_BIAS = (-1.0, 0.5, -0.5), (2.0, -1.5, 2.5), -0.4
PARTS = """
var x : binary[3]
var z, d : binary
source one { d ~ Bernoulli(0) }
decoder p { x | z ~ Bernoulli(concat(2.0 * z - 1.0, 0.5 - 1.5 * z, 2.5 * z - 0.5)) }
encoder q { z | x ~ Bernoulli(2.0 * x[0] - 1.5 * x[1] + 2.5 * x[2] - 0.4) }
decoder w { d ~ Bernoulli(parameter([])) }
learn symmetric { steps = 1; batch = 4 }
"""


def trained(folder, vaec, name, text):
    exe = build(vaec, write(folder, f"{name}.vae", text), folder)
    succeed(exe, "train", "--quiet", "--out", f"{name}-run", cwd=folder)
    return lambda *arguments: call(exe, "infer", "--run", f"{name}-run", *arguments, cwd=folder)


def infer(run, *arguments):
    result = run(*arguments)
    assert result.returncode == 0, result
    return result


def write_csv(folder, name, columns):
    rows = zip(*columns.values())
    write(folder, name, "\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]) + "\n")


def read_csv(path):
    header, *rows = [line.split(",") for line in path.read_text().splitlines()]
    return {name: [float(row[i]) for row in rows] for i, name in enumerate(header)}


def parse_npy(content):
    assert content[:6] == b"\x93NUMPY", content[:6]
    size = struct.unpack("<H", content[8:10])[0]
    shape = eval(content[10:10 + size].decode())["shape"]  # the header is a Python dict literal
    return shape, list(struct.unpack(f"<{math.prod(shape)}f", content[10 + size:]))


def read_npz(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name.removesuffix(".npy"): parse_npy(archive.read(name)) for name in archive.namelist()}


def write_npy(path, shape, numbers):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
                     + struct.pack(f"<{len(numbers)}f", *numbers))


def read_gray_png(path):
    """Returns the rows of pixels of an 8-bit gray PNG file. All five filters of PNG are decoded."""
    content, place, data, size = path.read_bytes(), 8, b"", None
    while place < len(content):
        length, kind = struct.unpack(">I4s", content[place:place + 8])
        body = content[place + 8:place + 8 + length]
        if kind == b"IHDR":
            size = struct.unpack(">IIBB", body[:10])
        data += body if kind == b"IDAT" else b""
        place += 12 + length
    width, height, depth, colour = size
    assert (depth, colour) == (8, 0), size
    raw, above, rows = zlib.decompress(data), bytes(width), []
    for y in range(height):
        kind, line = raw[y * (width + 1)], bytearray(raw[y * (width + 1) + 1:(y + 1) * (width + 1)])
        for x in range(width):
            left, up, corner = (line[x - 1] if x else 0), above[x], (above[x - 1] if x else 0)
            near = min((abs(up - corner), 0, left), (abs(left - corner), 1, up),
                       (abs(left + up - 2 * corner), 2, corner))[2]
            line[x] = (line[x] + [0, left, up, (left + up) // 2, near][kind]) % 256
        rows.append(list(line))
        above = bytes(line)
    return rows


def joint(values):
    on = [name for name in "abc" if values[name]]
    return math.exp(sum(BIASES[name] for name in on) + sum(PAIRS[x + y] for x, y in itertools.combinations(on, 2)))


def expected(target, known):
    """E[target | known], computed by enumeration."""
    total = on = 0
    for bits in itertools.product((0, 1), repeat=3):
        values = dict(zip("abc", bits))
        if any(values[name] != value for name, value in known.items()):
            continue
        total += joint(values)
        on += joint(values) * values[target]
    return on / total


def test_every_direction_agrees_with_enumeration(folder, vaec):
    run = trained(folder, vaec, "three", THREE)
    for count in range(3):
        for known in itertools.combinations("abc", count):
            missing = [name for name in "abc" if name not in known]
            rows = list(itertools.product((0, 1), repeat=count))
            arguments = []
            for i, name in enumerate(known):
                write_csv(folder, f"{name}.csv", {name: [row[i] for row in rows]})
                arguments += ["--given", f"{name}={name}.csv"]
            infer(run, f"{', '.join(missing)} | {', '.join(known)}", *arguments, "--sweeps", "6000", "--out", "o.csv")
            found = read_csv(folder / "o.csv")
            assert sorted(found) == missing, found
            for name in missing:
                for row, value in enumerate(rows):
                    true = expected(name, dict(zip(known, value)))
                    # The result is exact if nothing is drawn. Otherwise 6000 draws are kept, a third of which
                    # are effective.
                    error = 1e-5 if count == 2 else 0.04
                    assert abs(found[name][row] - true) < error, (known, name, value, found[name][row], true)


def test_the_same_seed_gives_the_same_bytes(folder, vaec):
    run = trained(folder, vaec, "three", THREE)
    for name, seed in (("one", "5"), ("two", "5"), ("three", "6")):
        infer(run, "a, b |", "--seed", seed, "--out", f"{name}.npy")
    one, two, three = ((folder / f"{name}.npy").read_bytes() for name in ("one", "two", "three"))
    assert one == two and one != three


def test_a_chain_says_whether_it_has_mixed(folder, vaec):
    run = trained(folder, vaec, "three", THREE)
    write_csv(folder, "c.csv", {"c": [0, 1] * 30})
    said = json.loads(infer(run, "a, b | c", "--given", "c=c.csv", "--sweeps", "400", "--json", "--out", "o.npy").stdout)
    chain = said["chain"]
    assert said["draws"] == "a chain of a ~ p(a | b, c), b ~ q(b | a, c)", said
    assert (chain["sweeps"], chain["left_out"], chain["chains"], chain["mixed"]) == (400, 200, 2, True), chain
    for entry in chain["variables"]:
        assert abs(entry["r_hat"] - 1) < 0.01 and 100 < entry["effective"] <= entry["draws"] == 400, entry
    result = infer(run, "a, b | c", "--given", "c=c.csv", "--sweeps", "400", "--out", "o.npy")
    for line in ("2 chains for each row, of 400 sweeps; the first 200 discarded", "a: R-hat 1.00", "effective draws of 400"):
        assert line in result.stdout, result
    assert not result.stderr, result


def test_draws_before_and_after_a_chain(folder, vaec):
    # z is drawn once, then a and b in turns, and y in each sweep: p(z | c) p(a, b | z) p(y | a).
    run = trained(folder, vaec, "parts_of", """
var a, b, c, y, z, d : binary
source one { d ~ Bernoulli(0) }
source rows weight 0 { c ~ Bernoulli(0) }
player p { a | b, z ~ Bernoulli(0.5 - 1.5 * b + 2.0 * z) }
player q { b | a, z ~ Bernoulli(-0.3 - 1.5 * a + 1.0 * z) }
player r { z | c ~ Bernoulli(2.0 * c - 1.0) }
player s { y | a ~ Bernoulli(3.0 * a - 1.0) }
decoder w { d ~ Bernoulli(parameter([])) }
learn symmetric { steps = 1; batch = 4 }
""")
    write_csv(folder, "c.csv", {"c": [0, 1] * 40})
    result = infer(run, "y, z | c", "--given", "c=c.csv", "--samples", "50", "--sweeps", "60", "--json", "--out", "o.csv")
    assert json.loads(result.stdout)["draws"] == (
        "z ~ r(z | c); then a chain of a ~ p(a | b, z), b ~ q(b | a, z); then y ~ s(y | a)"), result
    assert json.loads(result.stdout)["chain"]["mixed"] and not result.stderr, result
    found = read_csv(folder / "o.csv")
    sigmoid = lambda number: 1 / (1 + math.exp(-number))
    for c in (0, 1):
        true = 0
        for z in (0, 1):
            weights = {(a, b): math.exp(0.5 * a - 0.3 * b - 1.5 * a * b + 2 * a * z + b * z)
                       for a in (0, 1) for b in (0, 1)}
            a_is_one = (weights[1, 0] + weights[1, 1]) / sum(weights.values())
            true += sigmoid((2 * c - 1) * (1 if z else -1)) * (sigmoid(2) * a_is_one + sigmoid(-1) * (1 - a_is_one))
        mean = sum(found["y"][c::2]) / 40
        assert abs(mean - true) < 0.01, (c, mean, true)
        assert all(abs(z - sigmoid(2 * c - 1)) < 1e-5 for z in found["z"][c::2]), found["z"]


def test_a_chain_that_cannot_mix_is_warned_of(folder, vaec):
    # a copies b and b copies a, so each chain stays at its start.
    run = trained(folder, vaec, "stuck", """
var a, b, c, d : binary
source one { d ~ Bernoulli(0) }
source coins weight 0 { c ~ Bernoulli(0) }
player p { a | b, c ~ Bernoulli(60 * b - 30 + 0.1 * c) }
player q { b | a ~ Bernoulli(60 * a - 30) }
decoder w { d ~ Bernoulli(parameter([])) }
learn symmetric { steps = 1; batch = 4 }
""")
    write_csv(folder, "c.csv", {"c": [0, 1] * 20})
    result = infer(run, "a | c", "--given", "c=c.csv", "--json", "--out", "o.npy")
    assert result.stderr.startswith("warning: the chain has not mixed in a, b"), result
    assert len(result.stderr.splitlines()) == 1, result
    chain = json.loads(result.stdout)["chain"]
    # In half of the rows the two chains have the same start.
    assert not chain["mixed"] and all(8 <= entry["rows_apart"] <= 32 for entry in chain["variables"]), chain
    # Three draws are too few to estimate R-hat.
    result = infer(run, "a | c", "--given", "c=c.csv", "--sweeps", "6", "--out", "o.npy")
    assert "R-hat unknown" in result.stdout and "has not mixed" in result.stderr, result


def part_expected(known):
    """E[x_i] given some elements of x, computed by enumeration."""
    total, on = 0, [0, 0, 0]
    for *x, z in itertools.product((0, 1), repeat=4):
        if any(x[i] != value for i, value in known.items()):
            continue
        weight = math.exp(Z_BIAS * z + sum(x[i] * (X_BIASES[i] + X_WEIGHTS[i] * z) for i in range(3)))
        total += weight
        on = [sum_ + weight * value for sum_, value in zip(on, x)]
    return [sum_ / total for sum_ in on]


def test_partly_known_variables_are_completed(folder, vaec):
    run = trained(folder, vaec, "parts", PARTS)
    masks = list(itertools.product((0, 1), repeat=3))
    values = [(1, 0, 1)] * len(masks)
    write_npy(folder / "x.npy", (len(masks), 3), [number for row in values for number in row])
    write_npy(folder / "mask.npy", (len(masks), 3), [number for row in masks for number in row])
    said = infer(run, "x | x", "--given", "x=x.npy", "--mask", "x=mask.npy", "--sweeps", "6000", "--out", "o.npy")
    assert "a chain of x ~ p(x | z), z ~ q(z | x)" in said.stdout, said
    shape, found = parse_npy((folder / "o.npy").read_bytes())
    assert shape == (len(masks), 3), shape
    for row, mask in enumerate(masks):
        true = part_expected({i: values[row][i] for i in range(3) if mask[i]})
        for i in range(3):
            error = 1e-6 if mask[i] else 0.03
            assert abs(found[3 * row + i] - true[i]) < error, (mask, i, found[3 * row + i], true[i])
    # A mask with one row is used for all rows. Drawn results keep the known elements.
    write_npy(folder / "one.npy", (1, 3), [1, 1, 0])
    infer(run, "x, z | x", "--given", "x=x.npy", "--mask", "x=one.npy", "--samples", "3", "--out", "o.npz")
    arrays = read_npz(folder / "o.npz")
    assert arrays["x.draws"][0] == (8, 3, 3) and arrays["z.draws"][0] == (8, 3), arrays
    draws = arrays["x.draws"][1]
    assert all(draws[3 * i:3 * i + 2] == [1, 0] for i in range(24)), draws
    assert {draws[3 * i + 2] for i in range(24)} == {0, 1}, draws
    # A mask with numbers other than 0 and 1 is bad data, and the message names the mask. A variable can be
    # given only once.
    write_npy(folder / "grey.npy", (1, 3), [1, 0.5, 0])
    refused = run("x | x", "--given", "x=x.npy", "--mask", "x=grey.npy", "--out", "p.npy")
    assert refused.returncode == 65, refused
    assert "--mask x=grey.npy: a mask holds 1 where the value is known, else 0" in refused.stderr, refused
    twice = run("z | x", "--given", "x=x.npy", "--given", "x=one.npy", "--out", "p.npy")
    assert twice.returncode == 64 and "--given x=one.npy: x is given twice" in twice.stderr, twice


# A table: columns of several domains, each drawn from z, and z from all of them. Some cells are empty.
TABLE = """
var k : category(3)
var n : count
var r, t : real
var w : positive
var z, d : binary
source one { d ~ Bernoulli(0) }
decoder p {
  k | z ~ Categorical(concat(2.0 * z, 1.0 - z, -1.0 * z))
  n | z ~ Poisson(1.0 + z)
  r | z ~ Normal(3.0 * z - 1.0)
  t | z ~ Normal(3.0 * z - 1.0)
  w | z ~ LogNormal(z)
}
encoder q { z | k, n, r, t, w ~ Bernoulli(2.0 * k[0] - k[1] - k[2] + 1.5 * r + 1.5 * t - 3.0 + 0.0 * (n + w)) }
decoder h { d ~ Bernoulli(parameter([])) }
learn symmetric { steps = 1; batch = 4 }
"""


def test_empty_cells_are_completed(folder, vaec):
    run = trained(folder, vaec, "table", TABLE)
    # If only t is known, z is 1 in the first two rows and 0 in the others.
    write(folder, "t.csv", "k,n,r,t,w\n0,4,,9,2.5\n,,,9,\n1,1,-1,-9,0.5\n,,,-9,\n")
    given = [part for name in "knrtw" for part in ("--given", f"{name}=t.csv")]
    said = infer(run, "k, n, r, w, z | k, n, r, t, w", *given, "--sweeps", "40", "--out", "o.npz")
    assert "a chain of k ~ p(k | z), n ~ p(n | z), r ~ p(r | z), w ~ p(w | z), z ~ q(z | k, n, r, t, w)" in said.stdout
    found = read_npz(folder / "o.npz")
    assert [round(value, 3) for value in found["z"][1]] == [1, 1, 0, 0], found["z"]
    rows = found["k"][1]
    weights = [math.exp(2), 1, math.exp(-1)]
    for row, true in enumerate(([1, 0, 0], [weight / sum(weights) for weight in weights], [0, 1, 0],
                                [1 / (2 + math.e), math.e / (2 + math.e), 1 / (2 + math.e)])):
        assert all(abs(rows[3 * row + i] - true[i]) < 1e-4 for i in range(3)), (row, rows)
    for name, true in (("n", [4, math.exp(2), 1, math.e]), ("r", [2, 2, -1, -1]),
                       ("w", [2.5, math.exp(1.5), 0.5, math.exp(0.5)])):
        assert all(abs(a - b) < 1e-3 * b or abs(a - b) < 1e-3 for a, b in zip(found[name][1], true)), (name, found)
    # Draws keep known values; this holds for `sample` too.
    known = [("n", 0, 4), ("n", 2, 1), ("r", 2, -1), ("w", 0, 2.5), ("w", 2, 0.5)]
    assert all(found[f"{name}.draws"][1][row] == value for name, row, value in known), found
    succeed(folder / "table", "sample", "--run", "table-run", *given, "--n", "4", "--out", "s.npz", cwd=folder)
    drawn = read_npz(folder / "s.npz")
    assert all(drawn[name][1][row] == value for name, row, value in known), drawn
    for arguments, code, cause in ((("infer", "k | t", "--given", "t=t.csv", "--by", "t=p"), 64, "--by: t is known"),
                                   (("infer", "r | r", "--given", "r=t.csv", "--mask", "r=m.csv"), 65,
                                    "values are missing in the mask itself"),
                                   (("infer", "t | t", "--given", "t=t.csv"), 64, "t is on both sides"),
                                   (("sample", "--limiting", "3", "--given", "r=t.csv"), 64,
                                    "--limiting: r is known in part only")):
        write(folder, "m.csv", "r\n1\n\n1\n1\n")
        result = call(folder / "table", arguments[0], "--run", "table-run", *arguments[1:], "--out", "e.npy", cwd=folder)
        assert result.returncode == code and cause in result.stderr, (arguments, result)


def test_planes_of_classes_are_written_as_classes(folder, vaec):
    run = trained(folder, vaec, "planes", """
var s : category(3)[2, 3]
var d : binary
var x : real
source one { d ~ Bernoulli(0) }
source rows weight 0 { x ~ Normal(0) }
encoder q { s | x ~ Categorical(reshape(concat(0 * x, x, 0 * x - x), [3, 1, 1])) }
decoder h { d ~ Bernoulli(parameter([])) }
learn symmetric { steps = 1; batch = 4 }
""")
    write_csv(folder, "x.csv", {"x": [2, -2]})
    infer(run, "s | x", "--given", "x=x.csv", "--out", "s.csv")
    assert read_csv(folder / "s.csv") == {f"s[{i}]": [1.0, 2.0] for i in range(6)}
    infer(run, "s | x", "--given", "x=x.csv", "--out", "s.png")
    pixels = read_gray_png(folder / "s.png")
    assert [row[2:5] for row in pixels[2:4]] == [[128] * 3] * 2, pixels
    assert [row[7:10] for row in pixels[2:4]] == [[255] * 3] * 2, pixels


IMAGES = """
var x : binary[4, 5]
var c : category(3)
var z, d : binary
source one { d ~ Bernoulli(0) }
decoder p { x | c, z ~ Bernoulli(4.0 * c[0] - 8.0 * z + 2.0) }
encoder q { c | x ~ Categorical(concat(x[0, 0], x[0, 1], x[0, 2])); z | c, x ~ Bernoulli(2.0 * c[1] - x[1, 1]) }
decoder w { d ~ Bernoulli(parameter([])) }
learn symmetric { steps = 1; batch = 4; sources = [one] }
"""


def test_every_file_is_read_back(folder, vaec):
    run = trained(folder, vaec, "images", IMAGES)
    write_csv(folder, "cz.csv", {"c": [0, 1, 2, 1], "z": [0, 1, 1, 0]})
    given = ["--given", "c=cz.csv", "--given", "z=cz.csv"]
    logits = [4 * (c == 0) - 8 * z + 2 for c, z in zip((0, 1, 2, 1), (0, 1, 1, 0))]
    true = [1 / (1 + math.exp(-logit)) for logit in logits for _ in range(20)]
    for ending in ("npy", "npz", "safetensors", "csv", "png"):
        infer(run, "x | c, z", *given, "--out", f"x.{ending}")
    shape, npy = parse_npy((folder / "x.npy").read_bytes())
    assert shape == (4, 4, 5) and max(abs(a - b) for a, b in zip(npy, true, strict=True)) < 1e-6, npy
    arrays = read_npz(folder / "x.npz")
    assert arrays["x"] == (shape, npy) and arrays["x.draws"][0] == (4, 1, 4, 5), arrays
    assert set(arrays["x.draws"][1]) == {0, 1}, arrays
    tensors = safetensors(folder / "x.safetensors")
    assert tensors["x"] == (shape, struct.pack("<80f", *npy)) and tensors["x.draws"][0] == (4, 1, 4, 5), tensors
    columns = read_csv(folder / "x.csv")
    assert [columns[f"x[{i}]"][row] for row in range(4) for i in range(20)] == npy or max(
        abs(columns[f"x[{i}]"][row] - npy[20 * row + i]) for row in range(4) for i in range(20)) < 1e-6, columns
    # A grid of two by two pictures with 4 by 5 pixels, and two pixels of gray around each.
    pixels = read_gray_png(folder / "x.png")
    assert (len(pixels), len(pixels[0])) == (2 * 4 + 3 * 2, 2 * 5 + 3 * 2), pixels
    for row in range(4):
        y, x = 2 + row // 2 * 6, 2 + row % 2 * 7
        assert abs(pixels[y][x] - 255 * npy[20 * row]) <= 1, (row, pixels[y][x], npy[20 * row])
    # The output of one command is the input of the next.
    write_npy(folder / "b.npy", (2, 4, 5), [float(i % 3 == 0) for i in range(40)])
    infer(run, "c, z | x", "--given", "x=b.npy", "--out", "c.npz")
    assert [entry[0] for entry in read_npz(folder / "c.npz").values()] == [(2, 3), (2,), (2, 1, 3), (2, 1)]
    infer(run, "c, z | x", "--given", "x=b.npy", "--out", "c.csv")
    classes = read_csv(folder / "c.csv")["c"]
    assert classes == [0.0, 1.0], "concat of row 0's first three: (1, 0, 0), (0, 1, 0)"
    write_csv(folder, "z.csv", {"z": [0, 1]})
    for given in ("c.csv", "c.npz"):
        # Means of a category are probabilities. A file of classes can be given again, a file of means cannot.
        result = run("x | c, z", "--given", f"c={given}", "--given", "z=z.csv", "--out", "again.npy")
        assert (result.returncode == 0) == (given == "c.csv"), result
    assert parse_npy((folder / "again.npy").read_bytes())[0] == (2, 4, 5)
    pixels = bytes(40 * (i % 3 == 0) + 215 * (i % 3 == 0) for i in range(20))
    (folder / "x.png").write_bytes(png(pixels, 5))
    infer(run, "c, z | x", "--given", "x=x.png", "--out", "c.csv")
    assert read_csv(folder / "c.csv")["c"] == [0.0]


def test_what_is_ignored_is_said(folder, vaec):
    run = trained(folder, vaec, "images", IMAGES)
    write_npy(folder / "x.npy", (2, 4, 5), [float(i % 3 == 0) for i in range(40)])
    write_csv(folder, "z.csv", {"z": [0, 1]})
    result = infer(run, "c | x, z", "--given", "x=x.npy", "--given", "z=z.csv", "--out", "c.csv")
    assert result.stderr == ("note: q(c | x) ignores z, which is known\n"
                             "note: z is not used: nothing that is drawn depends on it\n"), result
    result = infer(run, "c | z", "--given", "z=z.csv", "--sweeps", "1000", "--out", "c.csv")
    assert result.stderr == "note: q(c | x) ignores z, which is known\n", result
    assert "a chain of x ~ p(x | c, z), c ~ q(c | x)" in result.stdout, result


def test_two_samplers_are_chosen_between(folder, vaec):
    run = trained(folder, vaec, "two", """
var x, z, d : binary
source one { d ~ Bernoulli(0) }
source rows weight 0 { x ~ Bernoulli(0) }
player r { z | x ~ Bernoulli(3 * x + 1) }
encoder q { z | x ~ Bernoulli(-3 * x - 1) }
decoder w { d ~ Bernoulli(parameter([])) }
learn symmetric { steps = 1; batch = 4 }
""")
    write_csv(folder, "x.csv", {"x": [0, 1]})
    for by, said, sign in (((), "note: z is drawn by q(z | x), not by r(z | x) (--by z=r chooses it)\n", -1),
                           (("--by", "z=q"), "", -1), (("--by", "z=r"), "", 1)):
        result = infer(run, "z | x", "--given", "x=x.csv", *by, "--out", "z.csv")
        assert result.stderr == said, result
        for x, found in enumerate(read_csv(folder / "z.csv")["z"]):
            assert abs(found - 1 / (1 + math.exp(-sign * (3 * x + 1)))) < 1e-5, (by, x, found)


def test_samples_regard_what_is_given(folder, vaec):
    trained(folder, vaec, "parts", PARTS)
    write_npy(folder / "x.npy", (2, 3), [1, 0, 1, 0, 1, 0])
    write_csv(folder, "z.csv", {"z": [0, 1], "d": [0, 1]})
    succeed(folder / "parts", "sample", "--run", "parts-run", "--n", "4000", "--given", "z=z.csv", "--out", "s.npz",
            cwd=folder)
    arrays = read_npz(folder / "s.npz")
    assert arrays["x"][0] == (4000, 3) and arrays["z"][1] == [0.0, 1.0] * 2000, arrays.keys()
    for z in (0, 1):
        for i in range(3):
            mean = sum(arrays["x"][1][3 * row + i] for row in range(z, 4000, 2)) / 2000
            true = 1 / (1 + math.exp(-X_BIASES[i] - X_WEIGHTS[i] * z))
            assert abs(mean - true) < 5 * math.sqrt(true * (1 - true) / 2000), (z, i, mean, true)
    # Neither x nor z can be drawn first, so a chain is used. Its last states are draws from the joint.
    succeed(folder / "parts", "sample", "--run", "parts-run", "--n", "4000", "--out", "s.npz", cwd=folder)
    arrays = read_npz(folder / "s.npz")
    for i, true in enumerate(part_expected({})):
        mean = sum(arrays["x"][1][i::3]) / 4000
        assert abs(mean - true) < 5 * math.sqrt(true * (1 - true) / 4000), (i, mean, true)
    result = call(folder / "parts", "sample", "--run", "parts-run", "--given", "x=x.npy", "--given", "d=z.csv", "--out",
                  "s.npz", cwd=folder)
    assert result.returncode == 64 and "everything that the model generates is given" in result.stderr, result


def test_every_refusal_is_one_line(folder, vaec):
    run = trained(folder, vaec, "parts", PARTS)
    write_npy(folder / "x.npy", (3, 3), [1, 0, 1] * 3)
    write_npy(folder / "two.npy", (2, 3), [1, 0, 1] * 2)
    write_npy(folder / "half.npy", (3, 3), [0.5] * 9)
    x = ("--given", "x=x.npy")
    out = ("--out", "o.npy")
    for code, cause, arguments in (
            (64, 'say "targets | known"', ("z", *x, *out)),
            (64, 'say "targets | known"', ("| x", *x, *out)),
            (64, 'say "targets | known"', ("z | x,", *x, *out)),
            (64, "no variable `y`; known: x, z, d", ("y | x", *x, *out)),
            (64, "x stands there twice", ("z | x, x", *x, *out)),
            (64, "z stands there twice", ("z, z | x", *x, *out)),
            (64, "x is on both sides; --mask x=FILE says", ("x | x", *x, *out)),
            (64, "the values of x are needed: --given x=FILE", ("z | x", *out)),
            (64, "--given x: it does not stand after the bar", ("z |", *x, *out)),
            (64, "--given nonsense: say VARIABLE=FILE", ("z | x", "--given", "nonsense", *out)),
            (64, "--mask nonsense: say VARIABLE=FILE", ("x | x", *x, "--mask", "nonsense", *out)),
            (64, "--mask z=two.npy: z does not stand after the bar", ("x | x", *x, "--mask", "z=two.npy", *out)),
            (64, "--by z: say VARIABLE=PLAYER", ("z | x", *x, "--by", "z", *out)),
            (64, "there is no player s; the players are p, q, w", ("z | x", *x, "--by", "z=s", *out)),
            (64, "--by z=p: p does not give z", ("z | x", *x, "--by", "z=p", *out)),
            (64, "--by: x is known", ("z | x", *x, "--by", "x=p", *out)),
            (64, "must end in .png, .npy, .npz, .csv or .safetensors", ("z | x", *x, "--out", "o.txt")),
            (64, "none of the results is an image", ("z | x", *x, "--out", "o.png")),
            (64, "--sweeps", ("z | x", *x, "--sweeps", "0", *out)),
            (64, "--chains", ("z | x", *x, "--chains", "0", *out)),
            (65, "it has 2 rows, what is given has 3", ("x | x", *x, "--mask", "x=two.npy", *out)),
            (65, "must be 0 or 1", ("x | x", *x, "--mask", "x=half.npy", *out)),
            (66, "there is no file or source none.npy for x", ("z | x", "--given", "x=none.npy", *out)),
            (66, "--mask x=none.npy: there is no file none.npy", ("x | x", *x, "--mask", "x=none.npy", *out)),
            (73, "cannot write", ("z | x", *x, "--out", "nowhere/o.npz")),
            (73, "cannot write", ("z | x", *x, "--out", "nowhere/o.npy"))):
        result = run(*arguments)
        assert result.returncode == code and cause in result.stderr, (arguments, result)
        assert len(result.stderr.splitlines()) == 1 and not result.stdout, (arguments, result)
        assert not (folder / "o.npy").exists(), arguments


def test_what_nobody_can_give_is_refused(folder, vaec):
    run = trained(folder, vaec, "lone", """
var x, y, z, s, d : binary
source one { d ~ Bernoulli(0) }
source rows weight 0 { x = npy("x.npy"); z = npy("z.npy"); s ~ Bernoulli(0) }
source others weight 0 { y = npy("y.npy") }
decoder p { x | z, s ~ Bernoulli(z + s); y | x ~ Bernoulli(x) }
decoder w { d ~ Bernoulli(parameter([])) }
learn symmetric { steps = 1; batch = 4 }
""")
    write_csv(folder, "v.csv", {name: [0, 1] for name in "xyzd"})
    for query, given, masks, cause in (
            ("z | x", ["x"], [], "no player gives z"),
            ("y | d", ["d"], [], "y needs z, which no player gives"),
            ("s | y", ["y"], [], "no player can draw `s` from the known variables: rows(s) ignores y"),
            ("y | x", ["x"], ["x"], "nothing completes x from what is known of it")):
        arguments = [part for name in given for part in ("--given", f"{name}=v.csv")]
        arguments += [part for name in masks for part in ("--mask", f"{name}=v.csv")]
        result = run(query, *arguments, "--out", "o.npy")
        assert result.returncode == 78 and cause in result.stderr, (query, result)
        assert len(result.stderr.splitlines()) == 1 and not result.stdout, (query, result)
