#!/usr/bin/env python3
"""Tests that given values go through the same steps as a source applies to the variable, and that results undo
`normalize`. Users give and get raw units. `infer "z | x"` has the mean x, and `infer "x | z"` has the mean z."""
import json
import math
import random
import struct

from executable import build, call, succeed, write
from infer_test import read_gray_png, write_npy

TRAIN = "height,weight\n150,50\n160,64\n170,80\n190,98\n"
HELD_OUT = "height,weight\n155,60\n200,41\n"
HEIGHTS, WEIGHTS = [150, 160, 170, 190], [50, 64, 80, 98]


def model(shape, sources, domain="real", top=""):
    family = {"real": "Normal({}, parameter([]))", "binary": "Bernoulli({} + parameter([]))",
              "unit": "ContinuousBernoulli({} + parameter([]))"}[domain]
    return f"""
var x : {domain}{shape}
var z : real{shape}
{top}
{sources}
source codes {{ z ~ Normal(0) }}
decoder p {{ x | z ~ {family.format("z")} }}
encoder q {{ z | x ~ Normal(x, parameter([])) }}
learn symmetric {{ steps = 1; batch = 2; optimizer = none; every = {{evaluate: 0}} }}
"""


class Trained:
    def __init__(self, folder, vaec, name, text):
        self.folder = folder
        self.exe = build(vaec, write(folder, f"{name}.vae", text), folder)
        self.run = folder / f"{name}-run"
        succeed(self.exe, "train", "--quiet", "--out", self.run, cwd=folder)

    def call(self, command, *arguments):
        return call(self.exe, command, "--run", self.run, *arguments, cwd=self.folder)

    def infer(self, query, *given):
        """Returns the rows of the answer, and the text on stderr."""
        result = self.call("infer", query, *[word for text in given for word in ("--given", text)], "--out", "o.csv")
        assert result.returncode == 0, result
        lines = (self.folder / "o.csv").read_text().splitlines()[1:]
        return [[float(cell) for cell in line.split(",")] for line in lines], result.stderr


def near(rows, expected, tolerance=1e-5):
    assert len(rows) == len(expected), (rows, expected)
    for row, wanted in zip(rows, expected):
        assert len(row) == len(wanted), (row, wanted)
        assert all(abs(a - b) <= tolerance * max(1, abs(b)) for a, b in zip(row, wanted)), (rows, expected)


def scaled(number, numbers):
    mean = sum(numbers) / len(numbers)
    return (number - mean) / math.sqrt(sum((n - mean) ** 2 for n in numbers) / len(numbers))


def test_statistics_of_another_table_are_kept_with_the_run(folder, vaec):
    write(folder, "train.csv", TRAIN)
    write(folder, "test.csv", HELD_OUT)
    trained = Trained(folder, vaec, "by", model("[2]", """
source rows             { x = normalize(train) }
source heldout weight 0 { x = normalize(csv("test.csv", ["height", "weight"]), by = train) }
""", top='let train = csv("train.csv", ["height", "weight"])'))
    expected = [[scaled(h, HEIGHTS), scaled(w, WEIGHTS)] for h, w in [(155, 60), (200, 41)]]
    (folder / "train.csv").unlink()  # the run has kept the statistics
    near(trained.infer("z | x", "x=heldout")[0], expected)
    near(trained.infer("z | x", "heldout")[0], expected)
    # A table with the names of the variable's elements as columns, or with the columns of the source.
    write(folder, "given.csv", HELD_OUT.replace("height,weight", "x[0],x[1]"))
    for name in ("given.csv", "test.csv"):
        rows, said = trained.infer("z | x", f"x={name}")
        near(rows, expected)
        assert "values go through normalize(x), as in source rows" in said, said
    near(trained.infer("z | x", "x=[155, 60]")[0], expected[:1])
    # The results have raw units: a code of 0 is the mean, a code of 1 is one deviation above it.
    for code, shown in ((0, "0"), (1, "1"), (-2, "-2")):
        means = [sum(n) / 4 + code * math.sqrt(sum((v - sum(n) / 4) ** 2 for v in n) / 4) for n in (HEIGHTS, WEIGHTS)]
        near(trained.infer("x | z", f"z={shown}")[0], [means])
    # Known values are returned unchanged, and a file that `sample` wrote can be given again.
    rows, _ = trained.infer("x | z", "z=[0.5, -1]")
    write(folder, "back.csv", "x[0],x[1]\n" + ",".join(map(str, rows[0])) + "\n")
    near(trained.infer("z | x", "x=back.csv")[0], [[0.5, -1]], 1e-4)
    succeed(trained.exe, "sample", "--run", trained.run, "--n", "400", "--out", "s.csv", cwd=folder)
    drawn = [float(line.split(",")[0]) for line in (folder / "s.csv").read_text().splitlines()[1:]]
    header = (folder / "s.csv").read_text().splitlines()[0].split(",")
    assert header[0] == "x[0]" and abs(sum(drawn) / len(drawn) - sum(HEIGHTS) / 4) < 5, drawn
    summary = json.loads(trained.call("infer", "x | z", "--given", "z=0", "--out", "o.csv", "--json").stdout)
    assert 60 < summary["results"][0]["mean"] < 130, summary


def test_other_rows_do_not_change_what_was_learned(folder, vaec):
    write(folder, "train.csv", TRAIN)
    trained = Trained(folder, vaec, "one", model("", 'source rows { x = normalize(csv("train.csv").height) }'))
    before, _ = trained.infer("z | x", "rows")
    near(before, [[scaled(h, HEIGHTS)] for h in HEIGHTS])
    write(folder, "train.csv", TRAIN + "1000,5\n")
    near(trained.infer("z | x", "rows")[0], before + [[scaled(1000, HEIGHTS)]])
    near(trained.infer("z | x", "x=1000")[0], [[scaled(1000, HEIGHTS)]])
    # If a file of the checkpoint is broken, the message names it.
    file = next(trained.run.glob("checkpoints/*/preprocessing.json"))
    kept = json.loads(file.read_text())
    kept["statistics"][0]["columns"][0]["deviations"] = [0]
    file.write_text(json.dumps(kept))
    result = trained.call("infer", "z | x", "--given", "x=1000", "--out", "o.csv")
    assert result.returncode == 65 and "preprocessing.json" in result.stderr, result


def test_arithmetic_around_normalize_is_undone_too(folder, vaec):
    write(folder, "train.csv", TRAIN)
    trained = Trained(folder, vaec, "log", model("", """
source rows { x = 3 - normalize(log(csv("train.csv").weight)) / 2 }
"""))
    logs = [math.log(w) for w in WEIGHTS]
    near(trained.infer("z | x", "x=80")[0], [[3 - scaled(math.log(80), logs) / 2]])
    code = 3 - scaled(math.log(64), logs) / 2
    near(trained.infer("x | z", f"z={code}")[0], [[64]], 1e-4)


def test_comparisons_are_done_to_what_is_given(folder, vaec):
    write(folder, "train.csv", TRAIN)
    trained = Trained(folder, vaec, "compared", model("", 'source rows { x = csv("train.csv").height > 165 }', "binary"))
    near(trained.infer("z | x", "x=170")[0], [[1]])
    near(trained.infer("z | x", "x=3")[0], [[0]])
    write(folder, "given.csv", "x\n164\n166\n")
    near(trained.infer("z | x", "x=given.csv")[0], [[0], [1]])


def test_noise_is_left_out_of_what_is_given(folder, vaec):
    write(folder, "train.csv", TRAIN)
    trained = Trained(folder, vaec, "noisy", model("", """
source rows { x = jitter(normalize(csv("train.csv").height), 100) + 1 }
"""))
    near(trained.infer("z | x", "x=150")[0], [[scaled(150, HEIGHTS) + 1]])
    near(trained.infer("x | z", "z=1")[0], [[sum(HEIGHTS) / 4]])


def test_the_first_source_that_is_learned_from_decides(folder, vaec):
    write(folder, "train.csv", TRAIN)
    write(folder, "other.csv", HELD_OUT)
    trained = Trained(folder, vaec, "two", model("", """
source off weight 0 { x = csv("other.csv").height }
source few          { x = normalize(csv("other.csv").height) }
source rows         { x = normalize(csv("train.csv").height) }
"""))
    rows, said = trained.infer("z | x", "x=200")
    near(rows, [[scaled(200, [155, 200])]])
    assert "as in source few; otherwise in rows" in said, said


def test_a_value_of_two_columns_is_taken_as_it_is(folder, vaec):
    write(folder, "train.csv", TRAIN)
    trained = Trained(folder, vaec, "sum", model("", """
source rows { let t = csv("train.csv"); x = t.height + t.weight }
"""))
    rows, said = trained.infer("z | x", "x=200")
    near(rows, [[200]])
    assert "warning: --given x=200: the values are taken as they are" in said and "several columns" in said, said


def test_what_normalize_is_applied_to_is_the_raw_value_of_several_columns(folder, vaec):
    write(folder, "train.csv", TRAIN)
    write(folder, "gaps.csv", "age\n30\n\n50\n")
    sums, ages = [h + w for h, w in zip(HEIGHTS, WEIGHTS)], [30, 70, 50]
    for number, (data, numbers, factor) in enumerate((
            ("normalize(train.height + train.weight)", sums, 1),
            ("2 * normalize(train.height + train.weight)", sums, 2),
            ('normalize(where(missing(gaps.age), 70, gaps.age))', ages, 1))):
        trained = Trained(folder, vaec, f"several-{number}", model("", f"source rows {{ x = {data} }}", top="""
let train = csv("train.csv"); let gaps = csv("gaps.csv")"""))
        raw = numbers[0] + 3
        rows, said = trained.infer("z | x", f"x={raw}")
        near(rows, [[factor * scaled(raw, numbers)]])
        assert "warning" not in said and "values go through" in said, said
        near(trained.infer("x | z", f"z={factor * scaled(raw, numbers)}")[0], [[raw]])


def test_windows_of_vectors_are_scaled_by_column(folder, vaec):
    write(folder, "train.csv", TRAIN)
    table = 'csv("train.csv", ["height", "weight"])'
    write_npy(folder / "w.npy", (1, 2, 2), [150, 50, 160, 64])
    expected = [[scaled(150, HEIGHTS), scaled(50, WEIGHTS), scaled(160, HEIGHTS), scaled(64, WEIGHTS)]]
    for name, data in (("inside", f"windows(normalize({table}), 2)"), ("outside", f"normalize(windows({table}, 2))")):
        trained = Trained(folder, vaec, name, model("[2, 2]", f"source rows {{ x = {data} }}"))
        if name == "outside":  # each place of a window has statistics of its own
            first, last = slice(0, 3), slice(1, 4)
            expected = [[scaled(150, HEIGHTS[first]), scaled(50, WEIGHTS[first]), scaled(160, HEIGHTS[last]),
                         scaled(64, WEIGHTS[last])]]
        near(trained.infer("z | x", "x=w.npy")[0], expected)
        near(trained.infer("z | x", "x=rows")[0][:1], expected)
        near(trained.infer("x | z", "z=" + str([expected[0][:2], expected[0][2:]]))[0], [[150, 50, 160, 64]])


def test_a_value_that_tells_what_is_missing_is_taken_as_it_is(folder, vaec):
    write(folder, "gaps.csv", "age\n30\n\n50\n\n")
    trained = Trained(folder, vaec, "gaps", model("", """
source rows { x = missing(csv("gaps.csv", missing = ["", "?"]).age) }
""", "binary"))
    near(trained.infer("z | x", "x=rows")[0], [[0], [1], [0], [1]])
    for value in (0, 1):
        rows, said = trained.infer("z | x", f"x={value}")
        near(rows, [[value]])
        assert "the values are taken as they are, but source rows computes x from what is missing" in said, said


def test_pictures_show_what_is_normalized(folder, vaec):
    images = [random.Random(i).randbytes(16) for i in range(3)]
    (folder / "x.idx").write_bytes(b"\0\0\x08\x03" + struct.pack(">III", 3, 4, 4) + b"".join(images))
    for name, data in (("scaled", 'idx("x.idx") / 255'), ("bytes", 'idx("x.idx")')):
        text = model("[4, 4]", f"source rows {{ x = 2 * normalize({data}) - 1 }}")
        trained = Trained(folder, vaec, name, text.replace("evaluate: 0", "evaluate: 0, sample: 1"))

        def cells(path):
            picture = read_gray_png(path)
            margin = next(y for y, row in enumerate(picture) if set(row) != {128})
            found = [[pixel for row in picture[top:top + 4] for pixel in row[left:left + 4]]
                     for top in range(margin, len(picture), 4 + margin)
                     for left in range(margin, len(picture[0]), 4 + margin)]
            # Empty cells of the grid are left out.
            return [pixels for pixels in found if set(pixels) != {128}]

        def is_one_of_them(pixels):
            return any(all(abs(a - b) <= 1 for a, b in zip(pixels, image)) for image in images)

        for pixels in cells(trained.run / "samples/step-1.png")[:12]:  # the row that shows data
            assert is_one_of_them(pixels), (name, pixels)
        # The encoder's code of an image is the image itself, and so is the mean of the image generated from
        # it.
        codes, _ = trained.infer("z | x", "x=rows")
        write_npy(folder / "z.npy", (3, 4, 4), [number for code in codes for number in code])
        result = trained.call("infer", "x | z", "--given", "z=z.npy", "--out", "x.png")
        assert result.returncode == 0 and len(cells(folder / "x.png")) == 3, result
        for pixels in cells(folder / "x.png"):
            assert is_one_of_them(pixels), (name, pixels)
        raw, _ = trained.infer("x | z", "z=z.npy")
        near(raw, [list(image) for image in images], 1e-3)


def test_values_are_written_in_the_command(folder, vaec):
    write(folder, "places.csv", "place\nsouth\nnorth\n")
    write_npy(folder / "t.npy", (2, 2, 2), [1, 1, 1, 1, 2, 1, 1, 1])
    trained = Trained(folder, vaec, "words", """
var place : category("north", "south")
var t     : real[2, 2]
var z     : real
source rows  { place = csv("places.csv").place; t = npy("t.npy") }
source codes { z ~ Normal(0) }
decoder p { place | z ~ Categorical(dense(z, 2)); t | z ~ Normal(dense(z, 4)) }
encoder q { z | place, t ~ Normal(10 * place[1] + sum(t), parameter([])) }
learn symmetric { steps = 1; batch = 2; optimizer = none; every = {evaluate: 0} }
""")
    given = "t=[[1, 2], [3, 4]]"
    near(trained.infer("z | place, t", "place=south", given)[0], [[20]])
    near(trained.infer("z | place, t", "place=north", "t=2")[0], [[8]])
    # A single row is used for all rows.
    near(trained.infer("z | place, t", "place=south", "t=t.npy")[0], [[14], [15]])
    for code, cause, *wrong in ((66, "its words are north, south", "place=west", given),
                                (64, "a list of numbers or of lists of one length", "place=north", "t=[1, [2]]"),
                                (64, "a list of numbers or of lists of one length", "place=north", "t=[1, 2"),
                                (64, "a list of numbers or of lists of one length", "place=north", "t=" + "[" * 100000),
                                (66, "there is no file or source none.csv for t", "place=north", "t=none.csv"),
                                (65, 'row 0 holds "2", which is none of its words', "place=2", given),
                                (66, "its words are north, south", "place=" + "n" * 300, given),
                                (64, "the sources are rows, codes", "place", given),
                                (64, "the sources are rows, codes", "place=", given),
                                (65, "row 0 holds an infinity", "place=north", "t=inf"),
                                (65, "its rows have the shape [3]", "place=north", "t=[1, 2, 3]"),
                                (64, "the source does not give what is asked for", "codes", given)):
        result = trained.call("infer", "z | place, t", "--given", wrong[0], "--given", wrong[1], "--out", "o.csv")
        assert result.returncode == code and cause in result.stderr, (wrong, result)
        assert len(result.stderr.splitlines()) == 1, (wrong, result)
    result = trained.call("infer", "place | z", "--given", "z=0", "--out", "w.csv")
    assert result.returncode == 0 and (folder / "w.csv").read_text() in ("place\nnorth\n", "place\nsouth\n"), result
    # A file that was written can be read again.
    assert trained.call("infer", "z | place, t", "--given", "place=w.csv", "--given", given, "--out",
                        "o.csv").returncode == 0


# A variable of each domain, with and without a shape, and a mean that tells its values apart.
ALL_FORMS = """
var c : category(3)
var d : category("n", "e", "s")[2, 2]
var s : simplex(3)
var t : simplex(3)[2]
var b : binary[3]
var r : real[2, 2]
var y : real
source drawn { c ~ Categorical(0); d ~ Categorical(0); s ~ Dirichlet(2); t ~ Dirichlet(2); b ~ Bernoulli(0);
               r ~ Normal(0); y ~ Normal(0) }
source generated { }
decoder p {
  c ~ Categorical(0)
  d ~ Categorical(0)
  s ~ Dirichlet(2)
  t ~ Dirichlet(2)
  b ~ Bernoulli(0)
  r ~ Normal(0)
  y | c, d, s, t, b, r ~ Normal(dense(concat(c, flatten(d), s, flatten(t), b, flatten(r)), 1), std = 1)
}
encoder q { c | y ~ Categorical(dense(y, 3)) }
learn symmetric { steps = 1; batch = 4 }
"""


def test_what_sample_writes_can_be_given_again(folder, vaec):
    trained = Trained(folder, vaec, "forms", ALL_FORMS)
    succeed(trained.exe, "sample", "--run", trained.run, "--n", "20", "--out", "all.npz", cwd=folder)
    succeed(trained.exe, "sample", "--run", trained.run, "--n", "20", "--out", "all.csv", cwd=folder)
    succeed(trained.exe, "sample", "--run", trained.run, "--n", "20", "--out", "all.safetensors", cwd=folder)
    means = [trained.infer("y | c, d, s, t, b, r", *[f"{v}=all.{form}" for v in "cdstbr"])[0]
             for form in ("npz", "csv", "safetensors")]
    assert len(means[0]) == 20 and len({row[0] for row in means[0]}) == 20, means[0]
    near(means[1], means[0])
    near(means[2], means[0])
    # What the source computes was done to the classes before: nothing is done to marks that `sample` wrote.
    text = """
var c : category(2)
var y : real
let t = csv("t.csv")
source rows { c = t.c - 5; y = t.y }
decoder p { c ~ Categorical(parameter([2])); y | c ~ Normal(dense(c, 1), std = 1) }
encoder q { c | y ~ Categorical(dense(y, 2)) }
learn supervised { steps = 1; batch = 4; every = {evaluate: 0} }
"""
    write(folder, "t.csv", "c,y\n5,1\n6,2\n")
    shifted = Trained(folder, vaec, "shifted", text)
    succeed(shifted.exe, "sample", "--run", shifted.run, "--n", "20", "--out", "c.npz", cwd=folder)
    assert len({row[0] for row in shifted.infer("y | c", "c=c.npz")[0]}) == 2
    near(shifted.infer("y | c", "c=5")[0], shifted.infer("y | c", "c=[1, 0]")[0])
    # A mean of a category is no class.
    succeed(trained.exe, "infer", "c | y", "--run", trained.run, "--given", "y=1", "--out", "c.npz", cwd=folder)
    result = trained.call("infer", "y | c, d, s, t, b, r", "--given", "c=c.npz",
                          *[word for v in "dstbr" for word in ("--given", f"{v}=all.npz")], "--out", "o.csv")
    assert result.returncode == 65 and "of which one must be 1 and all others 0" in result.stderr, result


def test_a_resumed_run_keeps_its_statistics(folder, vaec):
    write(folder, "train.csv", TRAIN)
    trained = Trained(folder, vaec, "resumed", model("", 'source rows { x = normalize(csv("train.csv").height) }'))
    write(folder, "train.csv", TRAIN + "1000,5\n")
    succeed(trained.exe, "train", "--quiet", "--resume", trained.run, "--steps", "2", cwd=folder)
    near(trained.infer("z | x", "x=170")[0], [[scaled(170, HEIGHTS)]])


def test_a_table_without_the_columns_of_the_statistics_is_refused(folder, vaec):
    write(folder, "train.csv", TRAIN)
    write(folder, "other.csv", "height,age\n1,2\n3,4\n")
    text = model("", 'source rows { x = normalize(csv("train.csv"), by = csv("other.csv")).weight }')
    exe = build(vaec, write(folder, "missing.vae", text), folder)
    result = call(exe, "train", "--quiet", "--out", "missing-run", cwd=folder)
    assert result.returncode == 65 and "csv(\"other.csv\") has no finite numbers `weight`" in result.stderr, result


PAIRS = """
let t = csv("t.csv", ["v", "w"])
var x : real
var b, z, d : binary
source rows weight 0 {{ {sources} }}
source one {{ d ~ Bernoulli(0) }}
decoder p {{ x | z ~ Normal(z); b | z ~ Bernoulli(z) }}
encoder q {{ z | x, b ~ Bernoulli(0.5 * x - b) }}
decoder w {{ d ~ Bernoulli(parameter([])) }}
learn symmetric {{ steps = 1; batch = 2 }}
"""


def notes_of(folder, vaec, sources, x="given.csv", b="given.csv", command=("infer", "z | x, b")):
    """Returns the notes about given values, for a model that does not learn from a source with these values."""
    write(folder, "t.csv", "v,w\n1,0\n3,1\n2,1\n7,0\n")
    write(folder, "given.csv", "x,b\n1,0\n3,1\n")
    exe = build(vaec, write(folder, "pairs.vae", PAIRS.format(sources=sources)), folder)
    run = folder / "pairs-run"
    if not run.exists():
        succeed(exe, "train", "--quiet", "--out", run, cwd=folder)
    given = ["--given", f"x={x}"] + (["--given", f"b={b}"] if b else [])
    result = call(exe, *command, "--run", run, *given, "--out", "z.csv", cwd=folder)
    assert result.returncode == 0 and "--given" not in result.stdout, result
    return [line for line in result.stderr.splitlines() if "--given" in line]


def test_what_is_done_to_given_values_is_said(folder, vaec):
    for computed, operation in (("x = normalize(t.v)", "normalize(x)"), ("x = t.v / 10", "x / 10"),
                                ("x = log1p(t.v)[0 : 3]", "log1p(x)"), ("x = jitter(t.v - 2, 0.1)", "x - 2")):
        notes = notes_of(folder, vaec, f"{computed}; b = t.w" if "[" not in computed else f"{computed}; b = t.w[0 : 3]")
        assert len(notes) == 1 and "--given x=given.csv" in notes[0] and operation in notes[0], (computed, notes)


def test_each_variable_is_named_in_every_command(folder, vaec):
    sources = "x = normalize(t.v); b = t.v > 2"
    notes = notes_of(folder, vaec, sources)
    assert [n.split(":")[1] for n in notes] == [" --given x=given.csv", " --given b=given.csv"], notes
    assert "normalize(x)" in notes[0] and "b > 2" in notes[1], notes
    assert len(notes_of(folder, vaec, sources, b=None, command=["sample"])) == 1


def test_nothing_is_said_of_rows_that_are_only_chosen(folder, vaec):
    for chosen in ("x = t.v; b = t.w", "let u = shuffle(where(t, t.v > 1)); x = u.v; b = u.w",
                   "x = t.v[1 : 3]; b = t.w[0 : 2]"):
        assert notes_of(folder, vaec, chosen) == [], chosen


def test_nothing_is_said_of_the_rows_of_a_source(folder, vaec):
    assert notes_of(folder, vaec, "x = normalize(t.v); b = t.v > 2", "rows", "rows") == []
