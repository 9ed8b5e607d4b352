#!/usr/bin/env python3
"""Tests `evaluate --metrics accuracy` on data whose results can be counted by hand."""
import json
import math

from executable import build, call, succeed, write

# 100 rows: counts of x (three classes, one row of the table each) and c (two classes, the columns).
COUNTS = [[30, 5], [10, 20], [5, 30]]

CLASSES = """
var x : category(3); var c : category(2)
source pairs { x = csv("rows.csv").x; c = csv("rows.csv").c }
encoder q { c | x ~ Categorical(dense(x, 2)) }
learn symmetric { steps = 300; batch = 100; optimizer = adam(0.05) }
"""

# The class at each of two positions equals the bit there. Only in one row of four is the second class
# different.
POSITIONS = """
var x : binary[2]; var s : category(3)[2]
source pairs { x = csv("rows.csv", ["a", "b"]); s = csv("rows.csv", ["s", "t"]) }
encoder q { s | x ~ Categorical(dense(x, 6)) }
learn symmetric { steps = 600; batch = 200; optimizer = adam(0.05) }
"""


# x and c each equal the bit z in four of five rows, independently. So c equals x in 0.8 * 0.8 + 0.2 * 0.2 of
# the rows.
RING = """
var x, c : category(2); var z : category(2)
let t = csv("rows.csv")
source rows { x = t.x; c = t.c; z = t.z }
source heldout weight 0 { x = t.x; c = t.c }
decoder p { x | z ~ Categorical(dense(z, 2)); c | z ~ Categorical(dense(z, 2)) }
encoder q { z | x, c ~ Categorical(dense(concat(x, c), 2)) }
learn symmetric { steps = 600; batch = 200; optimizer = adam(0.05); schedule = cosine(0) }
"""


def measured(exe, folder):
    succeed(exe, "train", "--quiet", "--threads", "1", "--out", "run", cwd=folder)
    result = succeed(exe, "evaluate", "--run", "run", "--metrics", "accuracy", "--json", cwd=folder)
    return json.loads(result.stdout)["results"]


def test_the_most_probable_class_is_counted_against_the_known_one(folder, vaec):
    rows = [f"{x},{c}" for x in range(3) for c in range(2) for _ in range(COUNTS[x][c])]
    write(folder, "rows.csv", "\n".join(["x,c", *rows]) + "\n")
    exe = build(vaec, write(folder, "classes.vae", CLASSES), folder)
    [found] = measured(exe, folder)
    assert (found["metric"], found["source"], found["of"], found["rows"]) == ("accuracy", "pairs", "c | x", 100), found
    # For x = 0 the model chooses class 0, otherwise class 1.
    assert found["confusion"] == [[30, 15], [5, 50]], found
    assert math.isclose(found["mean"], 0.8) and math.isclose(found["standard_error"], math.sqrt(.8 * .2 / 99)), found
    text = succeed(exe, "evaluate", "--run", "run", "--metrics", "accuracy", cwd=folder).stdout
    assert text.splitlines()[0] == "pairs: accuracy of c | x = 0.8000 +- 0.0402 (100 rows)", text


def test_classes_with_words_are_shown_by_their_words(folder, vaec):
    colours = ["red", "blue"]
    rows = [f"{x},{colours[c]}" for x in range(3) for c in range(2) for _ in range(COUNTS[x][c])]
    write(folder, "rows.csv", "\n".join(["x,c", *rows]) + "\n")
    text = CLASSES.replace("var c : category(2)", 'var c : category("red", "blue")')
    assert text != CLASSES
    exe = build(vaec, write(folder, "classes.vae", text), folder)
    [found] = measured(exe, folder)
    assert found["words"] == colours and found["confusion"] == [[30, 15], [5, 50]], found
    text = succeed(exe, "evaluate", "--run", "run", "--metrics", "accuracy", cwd=folder).stdout
    assert text.splitlines()[2:4] == ["   red      30      15", "  blue       5      50"], text


def test_shaped_categories_give_pixel_accuracy_and_mean_iou(folder, vaec):
    rows = [(0, 0, 0, 0), (1, 0, 1, 0), (0, 1, 0, 1), (1, 1, 1, 1)] * 3 + [(0, 0, 0, 1), (1, 0, 1, 1),
                                                                          (0, 1, 0, 0), (1, 1, 1, 2)]
    write(folder, "rows.csv", "\n".join(["a,b,s,t", *(",".join(map(str, row)) for row in rows)]) + "\n")
    accuracy, iou = measured(build(vaec, write(folder, "positions.vae", POSITIONS), folder), folder)
    # 16 rows: the first position is always right, the second one in 12 rows.
    assert (accuracy["metric"], iou["metric"], iou["of"]) == ("accuracy", "mean_iou", "s | x"), (accuracy, iou)
    assert math.isclose(accuracy["mean"], 28 / 32), accuracy
    # A row has the accuracy 1 or 1/2: the variance is 3/64, estimated with 15.
    assert math.isclose(accuracy["standard_error"], math.sqrt(3 / 64 / 15)), accuracy
    # Class 0: 14 positions in both, 17 in at least one. Class 1: 14 and 18. Class 2: never inferred, in 1.
    assert accuracy["confusion"] == [[14, 1, 0], [2, 14, 0], [0, 1, 0]], accuracy
    assert math.isclose(iou["mean"], (14 / 17 + 14 / 18 + 0) / 3), iou
    moved = {row: 0 for row in rows}
    for row in rows:
        for k, ratio, size in ((0, 14 / 17, 17), (1, 14 / 18, 18), (2, 0, 1)):
            true, guess = row[2:], row[:2]
            both = sum(t == g == k for t, g in zip(true, guess))
            either = sum(k in (t, g) for t, g in zip(true, guess))
            moved[row] += (both - ratio * either) / size / 3 / rows.count(row)
    error = math.sqrt(sum(moved[row] ** 2 for row in rows))
    assert math.isclose(iou["standard_error"], error, rel_tol=1e-6), (iou, error)


def test_what_no_conditional_gives_is_inferred_by_a_chain(folder, vaec):
    counts = {(z, x, c): (4 if x == z else 1) * (4 if c == z else 1) for z in (0, 1) for x in (0, 1) for c in (0, 1)}
    rows = [f"{z},{x},{c}" for (z, x, c), count in counts.items() for _ in range(count)]
    write(folder, "rows.csv", "\n".join(["z,x,c", *rows]) + "\n")
    exe = build(vaec, write(folder, "ring.vae", RING), folder)
    succeed(exe, "train", "--quiet", "--threads", "1", "--out", "run", cwd=folder)
    evaluate = [exe, "evaluate", "--run", "run", "--metrics", "accuracy"]
    found = json.loads(succeed(*evaluate, "--query", "c | x", "--sweeps", "400", "--json", cwd=folder).stdout)["results"]
    assert [entry["of"] for entry in found] == ["c | x"] and found[0]["sweeps"] == 400, found
    assert found[0]["confusion"] == [[17, 8], [8, 17]], found
    result = call(*evaluate, "--query", "c | z", cwd=folder)
    assert result.returncode == 78 and "no source with rows knows all variables" in result.stderr, result


def test_a_model_without_inferred_categories_is_refused(folder, vaec):
    exe = build(vaec, write(folder, "plain.vae", """
var x : binary[28, 28]; var z : binary[4]
source images { x = glyphs(20, seed = 0).image > 0.5 }
source codes { z ~ Bernoulli(0) }
decoder p { x | z ~ Bernoulli(dense(z, 784)) }
encoder q { z | x ~ Bernoulli(dense(x, 4)) }
learn symmetric { steps = 2; batch = 4 }
"""), folder)
    succeed(exe, "train", "--quiet", "--out", "run", cwd=folder)
    result = call(exe, "evaluate", "--run", "run", "--metrics", "accuracy", cwd=folder)
    assert result.returncode == 78 and "knows a category" in result.stderr, result
    result = call(exe, "evaluate", "--run", "run", "--metrics", "accurate", cwd=folder)
    assert result.returncode == 64 and "there is no metric accurate; known: loglik, " in result.stderr, result
