#!/usr/bin/env python3
"""Tests what sources give. An executable reads each source back: `infer "z | x" --given x=SOURCE` with a mean that
equals x. Data in memory and streamed data must give the same text, to the last digit."""
import json
import math
import os
import random
import resource
import struct
import subprocess

import pytest

from executable import build, call, digest, metrics, need_mnist, skip_if_sanitized, succeed, write
from pictures import png

COLUMNS = "a,b\n1,-0.5\n2,0.25\n3,-2\n-1.5,4\n"
A, B = [1, 2, 3, -1.5], [-0.5, 0.25, -2, 4]


def program(sources, shape="", domain="real", lets=""):
    """A model with the sources `name -> expression`, which give x. The mean of z equals x."""
    lines = "".join(f"source {name} weight 0 {{ x = {text} }}\n" for name, text in sources.items())
    return f"""
var x : {domain}{shape}
var z : real{shape}
{lets}
source rows {{ x = {next(iter(sources.values()))} }}
{lines}
source codes {{ z ~ Normal(0) }}
decoder p {{ x | z ~ {"Normal(z, parameter([]))" if domain == "real" else "Bernoulli(z + parameter([]))"} }}
encoder q {{ z | x ~ Normal(x, parameter([])) }}
learn symmetric {{ steps = 1; batch = 2; optimizer = none; every = {{evaluate: 0}} }}
"""


class Reading:
    """A trained executable. A call returns the rows of a source."""

    def __init__(self, folder, vaec, sources, **of):
        self.folder = folder
        self.exe = build(vaec, write(folder, "read.vae", program(sources, **of)), folder)
        self.run = folder / f"read-{len(list(folder.glob('read-*')))}"
        succeed(self.exe, "train", "--quiet", "--out", self.run, cwd=folder)

    def __call__(self, source):
        held, streamed = [self.text(source, memory) for memory in ("1G", "0")]
        assert held == streamed, source
        return [[float(cell) for cell in line.split(",")] for line in held.splitlines()[1:]]

    def text(self, source, memory):
        out = self.folder / "z.csv"
        succeed(self.exe, "infer", "--run", self.run, "z | x", "--given", f"x={source}", "--out", out,
                env={"VAEC_DATA_MEMORY": memory})
        return out.read_text()


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
    "erf({a})": lambda a, b: math.erf(a),
    "hypot({a}, {b})": lambda a, b: math.hypot(a, b),
    "hypot({a}, 1e30) / 1e30": lambda a, b: 1,
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
    """Checks the first diagnostic of the compiler for a source that says `x = expression`."""
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


TABLE = "a,b,label,note\n" + "".join(f"{i},{i * i % 7},{i % 3},row {i}\n" for i in range(12))


def test_operations_on_tables_give_the_rows_they_say(folder, vaec):
    write(folder, "t.csv", TABLE)
    write(folder, "u.csv", "k,note\n1,x\n1,y\n1,x\n")
    rows = list(range(12))
    b = [i * i % 7 for i in rows]
    mean = sum(b) / 12
    deviation = math.sqrt(sum((value - mean) ** 2 for value in b) / 12)
    expected = {
        "t": rows,  # a table alone means its first column
        "t.a[3:5]": [3, 4],
        "t[-3:].a": [9, 10, 11],
        "t.a[:2]": [0, 1],
        "t.a[10:100]": [10, 11],
        "t[2:10][1:-1].a": [3, 4, 5, 6, 7, 8],
        "where(t, t.label == 1 and t.a > 3).a": [4, 7, 10],
        "where(t.a, not (t.b < 4))": [i for i in rows if b[i] >= 4],
        "where(t, t.a % 2 == 0)[1:3].b": [4, 2],
        "without(t.a, t.a[2:])": [0, 1],
        "without(t.b, t.b[:3])": [value for value in b if value not in (0, 1, 4)],
        'without(csv("u.csv"), csv("u.csv")[:1]).k': [1],  # `without` also compares texts
        "normalize(t.b)": [(value - mean) / deviation for value in b],
        "normalize(t.a * 0 + 3)": [0] * 12,
        "normalize(t[:3]).a": [-math.sqrt(1.5), 0, math.sqrt(1.5)],
        "windows(t.a, 1, 4)": [0, 4, 8],
    }
    sources = {f"s{number}": text for number, text in enumerate(expected)}
    random_ones = ["shuffle(t.a)", "shuffle(t, seed = 1).a", "shuffle(t.a, 1)", "shuffle(t, 1).b", "per_class(t, 2).label",
                   "per_class(t, n = 2, seed = 5).a", "per_class(shuffle(t, 4), 4).a"]
    sources.update({f"r{number}": text for number, text in enumerate(random_ones)})
    read = Reading(folder, vaec, sources, lets='let t = csv("t.csv")')
    for name, values in zip(sources, expected.values()):
        near(read(name), values)
    drawn = [[row[0] for row in read(f"r{number}")] for number in range(len(random_ones))]
    assert sorted(drawn[0]) == sorted(drawn[1]) == rows and drawn[0] != drawn[1] and drawn[0] != rows
    # The same seed gives the same order in every column.
    assert drawn[1] == drawn[2] and [b[int(i)] for i in drawn[1]] == drawn[3]
    assert sorted(drawn[4]) == [0, 0, 1, 1, 2, 2], drawn[4]
    assert sorted(i % 3 for i in drawn[5]) == [0, 0, 1, 1, 2, 2] and len(set(drawn[5])) == 6, drawn[5]
    assert sorted(drawn[6]) == rows


def test_rows_of_several_values(folder, vaec):
    write(folder, "t.csv", TABLE)
    b = [i * i % 7 for i in range(12)]
    read = Reading(folder, vaec, {
        "vector": 'csv("t.csv", ["b", "a"])', "one": 'csv("t.csv", "a")', "window": "windows(t.b, length = 2, step = 3)",
        "sum": 'csv("t.csv", ["b", "a"]) + csv("t.csv", ["a", "a"]) * t.a',
        "parts": 'normalize(csv("t.csv", ["a", "b"]))[:1]', "chosen": 'where(csv("t.csv", ["b", "a"]), t.a > 9)'},
        shape="[2]", lets='let t = csv("t.csv")')
    near(read("vector"), [[b[i], i] for i in range(12)])
    near(read("one"), [[i, i] for i in range(12)])  # a scalar is repeated for all elements
    near(read("window"), [[b[i], b[i + 1]] for i in range(0, 10, 3)])
    near(read("sum"), [[b[i] + i * i, i + i * i] for i in range(12)])
    near(read("chosen"), [[b[i], i] for i in (10, 11)])
    mean, square = sum(b) / 12, sum(value * value for value in b) / 12
    near(read("parts"), [[-5.5 / math.sqrt(143 / 12), -mean / math.sqrt(square - mean * mean)]])


def test_noise_is_of_the_strength_asked_for_and_fresh(folder, vaec):
    write(folder, "t.csv", "a\n" + "1\n" * 4000)
    read = Reading(folder, vaec, {"flipped": "flip(t > 0, 0.2)", "shaken": "jitter(t, 0.5)", "both": "flip(t > 0, 1) + jitter(t, 0)"},
                   lets='let t = csv("t.csv").a')
    flipped = [row[0] for row in read("flipped")]
    assert set(flipped) == {0, 1} and abs(flipped.count(0) / 4000 - 0.2) < 0.025
    shaken = [row[0] - 1 for row in read("shaken")]
    assert abs(sum(shaken) / 4000) < 0.032 and abs(sum(x * x for x in shaken) / 4000 - 0.25) < 0.023
    assert len(set(shaken)) > 3900
    near(read("both"), [1] * 4000)


def test_a_choice_is_missing_only_where_the_chosen_value_is(folder, vaec):
    write(folder, "t.csv", "a,b,c\n1,5,1\n,6,1\n3,,1\n4,,0\n,8,0\n")
    read = Reading(folder, vaec, {"filled": "where(missing(t.a), 7, t.a)",
                                  "both": "where(missing(t.a), t.b, t.a)"}, lets='let t = csv("t.csv")')
    near(read("filled"), [1, 7, 3, 4, 7])
    near(read("both"), [1, 6, 3, 4, 8])


def test_bits_are_drawn_with_the_probabilities_of_the_data(folder, vaec):
    write(folder, "t.csv", "a\n" + "0\n0.25\n1\n" * 2000)
    read = Reading(folder, vaec, {"bits": "binarize(t)", "flipped": "flip(binarize(1 - t), 1)", "scaled": "6 * binarize(t / 2) - 3"},
                   lets='let t = csv("t.csv").a')
    for source, low, high, share in (("bits", 0, 1, 0.25), ("flipped", 0, 1, 0.25), ("scaled", -3, 3, 0.125)):
        values = [row[0] for row in read(source)]
        assert set(values) == {low, high}, source
        assert set(values[::3]) == {low} and abs(values[1::3].count(high) / 2000 - share) < 0.03, source
        assert abs(values[2::3].count(high) / 2000 - 4 * share) < 0.04, source
    # What a command is given is compared, not drawn.
    write(folder, "given.csv", "x\n0.4\n0.6\n")
    out = folder / "given_z.csv"
    succeed(read.exe, "infer", "--run", read.run, "z | x", "--given", "x=given.csv", "--out", out, cwd=folder)
    near([[float(line)] for line in out.read_text().splitlines()[1:]], [0, 1])


def test_bits_are_drawn_from_probabilities_only(folder, vaec):
    write(folder, "t.csv", "a\n0.5\n1.5\n")
    exe = build(vaec, write(folder, "odd.vae", program({"bits": 'binarize(csv("t.csv"))'}, domain="binary")), folder)
    wrong = call(exe, "train", "--out", folder / "odd", cwd=folder)
    assert wrong.returncode == 65 and "row 1 holds 1.5, which must be from 0 to 1" in wrong.stderr and "the probabilities of `x`" in wrong.stderr, wrong.stderr


# `let` can unpack a tuple of tables and numbers.
def test_let_names_several_tables(folder, vaec):
    write(folder, "t.csv", COLUMNS)
    read = Reading(folder, vaec, {"sum": "a + k * b", "chosen": "few"},
                   lets='let (a, b, k) = (csv("t.csv").a, csv("t.csv").b, 2)\nlet (few, rest) = (a[0 : 2], a[2 : 4])')
    near(read("sum"), [a + 2 * b for a, b in zip(A, B)])
    near(read("chosen"), A[:2])


# The values of the table are real numbers; only the result of the comparison must be a bit.
def test_bits_are_made_of_reals_with_noise(folder, vaec):
    write(folder, "t.csv", "a\n" + "0.4\n" * 4000)
    read = Reading(folder, vaec, {"bits": "jitter(t, 0.5) > 0.9"}, domain="binary", lets='let t = csv("t.csv").a')
    bits = [row[0] for row in read("bits")]
    assert set(bits) == {0, 1} and abs(bits.count(1) / 4000 - 0.1587) < 0.023


def test_data_that_do_not_fit_name_what_and_where(folder, vaec):
    write(folder, "t.csv", TABLE)
    write(folder, "inf.csv", "a,b\n1,2\n2,inf\n")
    write(folder, "far.csv", "a\n1\n2\n1e300\n")
    write(folder, "none.csv", "a\n")
    wrong = {
        'csv("nowhere.csv")': (66, "there is no file `nowhere.csv`"),
        'csv("t.csv").nope': (65, "csv(\"t.csv\") has no column `nope`; it has `a`, `b`, `label`, `note`"),
        'csv("t.csv").note': (65, 'line 2, column `note`: "row 0" is not a number'),
        'csv("t.csv", ["a", "c"])': (65, "has no column `c`"),
        'csv("inf.csv").b': (65, "row 1 holds an infinity"),
        'csv("far.csv")': (65, "row 2 holds an infinity"),
        '1 / t.a': (65, "row 0 holds an infinity"),
        'csv("none.csv")': (65, "there are no rows"),
        't.a[5:5]': (65, "there are no rows"),
        'where(t, t.a > 99).a': (65, "there are no rows"),
        'where(t, t.a[1:] > 2).a': (65, "where: the condition", "has 11 rows"),
        't.a + t.b[1:]': (65, "has 12 rows", "has 11"),
        'per_class(t, 5).a': (65, "per_class: csv(\"t.csv\") has 4 rows of class 0, fewer than 5"),
        'per_class(t, 0).a': (65, "per_class: n must be 1 or more, not 0"),
        'per_class(t.a, 1)': (65, "has no column `label`"),
        'without(t, t.a)': (65, "without:", "have different columns"),
        'without(t, t).a': (65, "there are no rows"),
        'normalize(t, by = where(t, t.a > 99)).a': (65, "has no finite numbers `a`"),
        'normalize(t).note': (65, "column `note`", "is not a number"),
        'windows(t.a, 13)': (65, "windows:", "no window of length 13"),
        'windows(t.a, 2, 0)': (65, "windows:", "`step` must be at least 1, not 2 and 0"),
        'windows(t.a, 2)': (65, "its rows have the shape [2]"),
        'glyphs(0).label': (78, "glyphs"),
        'moebius(10, 0).x': (78, "`dim` must be from 1"),
    }
    for number, (expression, (code, *words)) in enumerate(wrong.items()):
        path = write(folder, f"w{number}.vae", program({"only": expression}, lets='let t = csv("t.csv")'))
        result = call(build(vaec, path, folder), "train", "--quiet", "--out", folder / f"run{number}", cwd=folder)
        assert result.returncode == code and len(result.stderr.splitlines()) == 1, (expression, result)
        for word in words:
            assert word in result.stderr, (expression, word, result.stderr)


def test_values_outside_a_domain_are_refused_by_row_and_value(folder, vaec):
    write(folder, "t.csv", "zero,half,three,minus,four\n0,0,0,0,0\n1,0.5,3,-1,4\n")
    wrong = {"binary": ("half", "row 1 holds 0.5, which must be 0 or 1 (compare, as in `> 0.5`)"),
             "category(3)": ("three", "row 1 holds 3, which must be a class from 0 to 2"),
             "count": ("minus", "row 1 holds -1, which must be a whole number from 0"),
             "positive": ("zero", "row 0 holds 0, which must be above 0"),
             "unit": ("three", "row 1 holds 3, which must be from 0 to 1"),
             "angle": ("four", "row 1 holds 4, which must be above -pi and up to pi")}
    families = {"binary": "Bernoulli(a)", "category(3)": "Categorical(a)", "count": "Poisson(a)",
                "positive": "Exponential(a)", "unit": "LogitNormal(a)", "angle": "VonMises(a, 0)"}
    for number, (domain, (column, words)) in enumerate(wrong.items()):
        path = write(folder, f"d{number}.vae", f"""
var x : {domain}
source rows {{ x = csv("t.csv").{column} }}
player p {{ let a = parameter({"[3]" if domain == "category(3)" else "[]"}); x ~ {families[domain]} }}
learn symmetric {{ steps = 1; batch = 2 }}
""")
        result = call(build(vaec, path, folder), "train", "--quiet", "--out", folder / f"run{number}", cwd=folder)
        assert result.returncode == 65 and len(result.stderr.splitlines()) == 1, (domain, result)
        assert f'`x` ({domain}) from csv("t.csv").{column}: {words}' in result.stderr, result.stderr


def test_unit_takes_zero_and_one_moved_inside(folder, vaec):
    write(folder, "t.csv", "a\n0\n0.5\n1\n")
    exe = build(vaec, write(folder, "u.vae", """
var x : unit
var z : real
source rows { x = csv("t.csv") }
source codes { z ~ Normal(0) }
decoder p { x | z ~ LogitNormal(z + parameter([])) }
encoder q { z | x ~ Normal(log(x) - log(1 - x), parameter([])) }
learn symmetric { steps = 1; batch = 2; optimizer = none }
"""), folder)
    succeed(exe, "train", "--quiet", "--out", folder / "run", cwd=folder)
    succeed(exe, "infer", "--run", folder / "run", "z | x", "--given", "x=rows", "--out", folder / "z.csv")
    values = [float(line) for line in (folder / "z.csv").read_text().splitlines()[1:]]
    assert abs(values[0] + math.log(1e6)) < 0.01 and values[1] == 0 and abs(values[2] - math.log(1e6)) < 0.1, values


def photos(folder, name, count, subfolders=()):
    """Writes RGB pictures with 4 rows of 6 pixels. The pixel (y, x) of picture i has the value i + 10 y + x in all
    channels. The order of the file names differs from the order of i."""
    for i in range(count):
        place = folder / name / (subfolders[i % len(subfolders)] if subfolders else "")
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{(i * 7) % count:03d}.png").write_bytes(png([i + 10 * y + x for y in range(4) for x in range(6) for _ in range(3)], 6, 3))


def test_pictures_are_sorted_by_name_and_take_the_size_of_their_variable(folder, vaec):
    photos(folder, "photos", 5)
    order = sorted(range(5), key=lambda i: i * 7 % 5)
    whole = [[(i + 10 * y + x) / 255 for y in range(4) for x in range(6)] for i in order]
    read = Reading(folder, vaec, {"gray": 'images("photos", gray = true)', "sized": 'images("photos", [4, 6], true)'},
                   shape="[4, 6]")
    near(read("gray"), whole)
    near(read("sized"), whole)
    colour = Reading(folder, vaec, {"rgb": 'images("photos")'}, shape="[3, 4, 6]")
    near(colour("rgb"), [row * 3 for row in whole])
    small = Reading(folder, vaec, {"small": 'images("photos", gray = true)', "same": 'images("photos", [2, 3], true)'},
                    shape="[2, 3]")
    reduced = small("small")
    assert reduced == small("same")
    # The filter is a triangle as wide as the step, so except at the edges the mean of a plane is its middle.
    for row, i in zip(reduced, order):
        assert abs(row[1] * 255 - (i + 10.5)) < 1 and abs(sum(row) / 6 * 255 - (i + 17.5)) < 0.6, row
    path = write(folder, "label.vae", program({"only": 'images("photos").label'}))
    result = call(build(vaec, path, folder), "train", "--out", folder / "label-run")
    assert result.returncode == 65 and "photos: there is no column `label`, because its pictures are not in sub" in result.stderr, result
    path = write(folder, "clash.vae", program({"only": 'images("photos", size = [2, 2], gray = true)'}, shape="[4, 6]"))
    result = call(build(vaec, path, folder), "train", "--out", folder / "clash-run")
    assert result.returncode == 65 and "have the shape [2, 2], the variable needs [4, 6]" in result.stderr, result


def test_pictures_in_subfolders_have_labels_and_pictures_can_be_classes(folder, vaec):
    photos(folder, "kinds", 6, ["b", "a", "c"])
    (folder / "masks").mkdir()
    for i in range(3):
        (folder / "masks" / f"{i}.png").write_bytes(png([i, 1, 2, 0], 2))
    exe = build(vaec, write(folder, "k.vae", """
var x : real[3, 4, 6]
var c : category(3)
var s : category(3)[2, 2]
var z, w : real
let t = images("kinds")
source rows  { x = t.image; c = t.label }
source some  { x = where(t, t.label == 1).image; c = where(t, t.label == 1).label }
source masks weight 0 { s = images("masks") }
player p { c | x ~ Categorical(dense(x, 3)) }
player q { z | c ~ Normal(parameter([]) + c[1] + 2 * c[2]) }
player r { w | s ~ Normal(parameter([]) + s[0, 0, 0] + 10 * s[1, 0, 0] + 100 * s[2, 0, 0]) }
source pairs { z ~ Normal(0); c ~ Categorical(0) }
source more  { w ~ Normal(0); s ~ Categorical(0) }
learn symmetric { steps = 1; batch = 2; optimizer = none }
"""), folder)
    succeed(exe, "train", "--quiet", "--out", folder / "run", cwd=folder)

    def inferred(what, given):
        succeed(exe, "infer", "--run", folder / "run", what, "--given", given, "--out", folder / "z.csv")
        return [float(line) for line in (folder / "z.csv").read_text().splitlines()[1:]]
    assert inferred("z | c", "c=rows") == [0, 0, 1, 1, 2, 2]  # the classes a, b and c
    assert inferred("z | c", "c=some") == [1, 1]
    assert inferred("w | s", "s=masks") == [1, 10, 100]


def idx_header(*shape):
    return struct.pack(">BBBB", 0, 0, 8, len(shape)) + b"".join(struct.pack(">I", axis) for axis in shape)


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
    skip_if_sanitized(vaec, "AddressSanitizer takes more address space than the limit")
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
    # Black images, and training has begun to model them.
    assert last["terms"]["p.x@images"] > -784 * math.log(2), last


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


def test_both_halves_of_a_known_set_are_streamed_as_one(folder, vaec):
    need_mnist()
    exe = build(vaec, write(folder, "all.vae", autoencoder('mnist("all").image[59990:60050]')), folder)
    for memory in ("0", "1G"):
        succeed(exe, "train", "--quiet", "--out", folder / memory,
                env={"VAEC_DATA_MEMORY": memory, "XDG_CACHE_HOME": str(folder)})
    assert digest(folder / "0", 30) == digest(folder / "1G", 30)
    assert len(list((folder / "vaec/unpacked").iterdir())) == 4


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
