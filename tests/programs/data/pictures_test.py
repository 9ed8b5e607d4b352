#!/usr/bin/env python3
"""Tests the report of a run, as text and in a browser. Also tests pictures of codes: `latents`, `traverse`,
`interpolate`, `sample --columns`."""
import csv
import json
import math
import random
import re
import shutil
import signal
import struct
import subprocess
import time

import pytest

from executable import build, call, metrics, succeed, write

CLASSES = """
var x : binary[28, 28]; var c : category(10); var z : real[3]
let g = glyphs(300, seed = 1)
let h = glyphs(80, seed = 2)
source images { x = g.image > 0.5; c = g.label }
source heldout weight 0 { x = h.image > 0.5; c = h.label }
decoder p { z ~ Normal(0); c ~ Categorical(0); x | z, c ~ Bernoulli(dense(relu(dense(concat(z, c), 32)), 784)) }
encoder q { c | x ~ Categorical(dense(x, 10)); z | x, c ~ Normal(dense(concat(flatten(x), c), 3), 0) }
learn elbo { steps = STEPS; batch = 32; evaluate = [elbo, accuracy]
             every = {log: 10, sample: 20, checkpoint: 20, evaluate: 20} }
"""
TABLE = """
var at : real[2]; var kind : category(3); var size : positive; var wave : real[20]; var z : binary[6]
let t = csv("t.csv")
source rows { at = csv("t.csv", ["a", "b"]); kind = t.kind; size = t.size; wave = csv("t.csv", [WAVES]) }
decoder p {
  z ~ Bernoulli(0)
  let h = tanh(dense(z, 16))
  at | z ~ Normal(dense(h, 2), 0)
  kind | z ~ Categorical(dense(h, 3))
  size | z ~ Gamma(dense(h, 1), dense(h, 1))
  wave | z ~ Normal(dense(h, 20), 0)
}
encoder q { z | at, kind, size, wave ~ Bernoulli(dense(concat(at, kind, wave, size), 6)) }
learn elbo { steps = 40; batch = 32; every = {log: 10, sample: 40, checkpoint: 40, evaluate: 0} }
"""
TWO = """
var x : binary[28, 28]; var z : binary[8]
source images { x = glyphs(300, seed = 1).image > 0.5 }
source codes { z ~ Bernoulli(0) }
source heldout weight 0 { x = glyphs(60, seed = 2).image > 0.5 }
decoder p { x | z ~ Bernoulli(dense(tanh(dense(z, 32)), 784)) }
encoder q { z | x ~ Bernoulli(dense(tanh(dense(x, 32)), 8)) }
learn symmetric { steps = 40; batch = 32; every = {log: 10} }
learn elbo { steps = 40; batch = 32; every = {log: 10} }
"""
# Counts faults that a reader would notice, and writes them into the title of the page.
LOOK = """<script>
const faults = [];
for (const svg of document.querySelectorAll("svg")) {
  const frame = svg.getBoundingClientRect();
  const boxes = [];
  for (const text of svg.querySelectorAll("text")) {
    const box = text.getBoundingClientRect();
    if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1)
      faults.push("cut: " + text.textContent);
    for (const other of boxes)
      if (!text.hasAttribute("transform") && box.left < other.right - 1 && other.left < box.right - 1 &&
          box.top < other.bottom - 3 && other.top < box.bottom - 3)
        faults.push("over another: " + text.textContent);
    if (!text.hasAttribute("transform")) boxes.push(box);
  }
  const lines = [...svg.querySelectorAll("path.line")].map(line => line.getAttribute("d"));
  if (new Set(lines).size < lines.length) faults.push("drawn twice in " + svg.getAttribute("aria-label"));
  if (svg.querySelectorAll("text.name").length != 2) faults.push("an axis without a name");
}
if (document.documentElement.scrollWidth > innerWidth + 1) faults.push("wider than the window");
for (const image of document.images) if (!image.naturalWidth) faults.push("a picture that is not shown");
for (const entry of performance.getEntriesByType("resource"))
  if (!entry.name.startsWith("data:")) faults.push("asks for " + entry.name);
document.title = "looked: " + JSON.stringify({svgs: document.querySelectorAll("svg").length, faults});
</script>"""


def look(page, width=1000):
    """Opens the page in a browser. Returns the number of its plots, and its faults."""
    browser = next((found for name in ("chromium", "chromium-browser", "google-chrome", "chrome")
                    if (found := shutil.which(name))), None)
    if not browser:
        pytest.skip("there is no chromium")
    looked = page.with_name(f"looked-{page.name}")
    looked.write_text(page.read_text() + LOOK)
    result = subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={page.parent}/browser",
                             f"--window-size={width},900", "--dump-dom", looked.resolve().as_uri()], capture_output=True,
                            text=True, timeout=300)
    found = re.search(r"<title>looked: (.*?)</title>", result.stdout)
    assert found, (result.stdout[:500], result.stderr[-2000:])
    return json.loads(found[1].replace("&quot;", '"').replace("&lt;", "<").replace("&amp;", "&"))


def table(folder):
    random.seed(1)
    lines = ["a,b,kind,size," + ",".join(f"w{i}" for i in range(20))]
    for _ in range(300):
        kind = random.randrange(3)
        lines.append(",".join(str(value) for value in (
            random.gauss(3 * kind, 1), random.gauss(-kind, 1), kind, random.gammavariate(2, 1),
            *(math.sin(i / 3 + kind) + random.gauss(0, 0.1) for i in range(20)))))
    write(folder, "t.csv", "\n".join(lines) + "\n")
    return TABLE.replace("WAVES", ", ".join(f'"w{i}"' for i in range(20)))


def captions(page):
    return re.findall(r"<figcaption>(.*?)</figcaption>", page)


def png_size(path):
    head = path.read_bytes()
    assert head.startswith(b"\x89PNG"), path
    return struct.unpack(">II", head[16:24])


def classes(folder, vaec, steps):
    return build(vaec, write(folder, "classes.vae", CLASSES.replace("STEPS", str(steps))), folder)


def test_the_report_has_axes_held_out_curves_and_confusion(folder, vaec):
    exe = classes(folder, vaec, 60)
    succeed(exe, "train", "--quiet", "--out", "run", cwd=folder)
    page = (folder / "run/report.html").read_text()
    shown = captions(page)
    assert shown[:3] == ["ELBO", "Reconstruction", "KL"] and "Accuracy" in shown and "Speed" in shown, shown
    elbo = page[page.index("<figcaption>ELBO"):page.index("<figcaption>Reconstruction")]
    assert elbo.count('class="line"') == 2 and elbo.count("stroke-dasharray") == 1, elbo
    assert "elbo@heldout" in elbo and ">step</text>" in elbo and ">nats per row</text>" in elbo, elbo
    assert re.findall(r'text-anchor="middle">(\d+)</text>', elbo) == ["0", "20", "40", "60"], elbo
    last = metrics(folder / "run")[-1]
    for result in last["evaluate"]:
        assert f"<td>{result['mean']:.4g}</td>" in page, (result, page)
        assert "confusion" not in result
    counts = next(result["confusion"] for result in json.loads((folder / "run/evaluation.json").read_text())["results"]
                  if "confusion" in result)
    heat = page[page.index('class="heat"'):page.index("</figure>", page.index('class="heat"'))]
    cells = [int(text) for text in re.findall(r"<td style=[^>]*>(\d+)</td>", heat)]
    assert cells == [count for row in counts for count in row] and sum(cells) == 80, (cells, counts)
    assert "true class" in heat and "found class" in heat
    assert "http-equiv" not in page and "running" not in page.partition("<h2>")[0]
    for width in (1000, 400):
        seen = look(folder / "run/report.html", width)
        assert seen["svgs"] == len(shown) - 1 and seen["faults"] == [], (width, seen)


def test_the_report_is_there_while_the_run_trains(folder, vaec):
    exe = classes(folder, vaec, 100000)
    process = subprocess.Popen([exe, "train", "--quiet", "--out", "run"], cwd=folder)
    report = folder / "run/report.html"
    try:
        until = time.monotonic() + 120
        while not (report.exists() and "Confusion" in report.read_text()) and time.monotonic() < until:
            time.sleep(0.1)
        first = report.read_text()
        assert 'http-equiv="refresh"' in first and re.search(r"step \d+ of 100000 in .*, running", first), first[:3000]
        while report.read_text() == first and time.monotonic() < until:
            time.sleep(0.1)
        assert report.read_text() != first
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=120) == 130
    page = report.read_text()
    assert "http-equiv" not in page and ", stopped</p>" in page, page[:3000]
    # A resumed run deletes what it writes again, including the evaluation.
    evaluation = folder / "run/evaluation.json"
    evaluation.write_text(json.dumps({"step": 10 ** 9, "results": []}))
    step = max(int(path.name[5:]) for path in (folder / "run/checkpoints").iterdir())
    succeed(exe, "train", "--quiet", "--resume", "run", "--steps", str(step), cwd=folder)
    assert not evaluation.exists() or json.loads(evaluation.read_text())["step"] <= step


def test_tables_points_and_sequences_are_drawn_beside_the_data(folder, vaec):
    exe = build(vaec, write(folder, "rows.vae", table(folder)), folder)
    succeed(exe, "train", "--quiet", "--out", "run", cwd=folder)
    figures = json.loads((folder / "run/samples/step-40.json").read_text())
    assert figures["step"] == 40
    kinds = {figure["name"]: (figure["kind"], len(figure["data"]), len(figure["model"])) for figure in figures["variables"]}
    assert kinds == {"at": ("columns", 2, 2), "kind": ("columns", 1, 1), "size": ("columns", 1, 1), "wave": ("lines", 6, 6)}, kinds
    data = {figure["name"]: figure["data"] for figure in figures["variables"]}
    rows = list(csv.DictReader((folder / "t.csv").open()))
    assert set(data["kind"][0]) == {0, 1, 2}
    read = [round(float(row["a"]), 3) for row in rows]
    assert all(round(value, 3) in read for value in data["at"][0])
    page = (folder / "run/report.html").read_text()
    shown = captions(page)
    for title in ("at[0] and at[1]", "Rows of wave", "Distribution of at[0]", "Distribution of kind", "Distribution of size"):
        assert title in shown, shown
    scatter = page[page.index("<figcaption>at[0] and at[1]"):page.index("<figcaption>Rows of wave")]
    assert scatter.count("<circle") == 512, scatter.count("<circle")
    assert look(folder / "run/report.html") == {"svgs": len(shown), "faults": []}


def test_compare_has_scales_of_their_own_and_bands(folder, vaec):
    exe = build(vaec, write(folder, "two.vae", TWO), folder)
    succeed(exe, "compare", "--seeds", "2", "--out", "both", "--metrics", "elbo", "--samples", "3", "--limiting", "0", cwd=folder)
    page = (folder / "both/report.html").read_text()
    shown = captions(page)
    assert "ELBO, training" in shown and "Utility of p, symmetric" in shown and "Utility of q, symmetric" in shown, shown
    assert not any(title.startswith("Utility") and title.endswith("elbo") for title in shown), shown
    assert page.count('class="area"') == page.count('class="line"') == len(shown), shown
    assert look(folder / "both/report.html") == {"svgs": len(shown), "faults": []}


def test_latents_are_the_principal_components_of_codes(folder, vaec):
    exe = classes(folder, vaec, 20)
    succeed(exe, "train", "--quiet", "--out", "run", cwd=folder)
    said = succeed(exe, "latents", "--run", "run", "--out", "z.csv", cwd=folder).stdout
    rows = list(csv.DictReader((folder / "z.csv").open()))
    assert list(rows[0]) == ["pc1", "pc2", "c", "z[0]", "z[1]", "z[2]"] and len(rows) == 80
    # The means of z given x and c.
    succeed(exe, "infer", "z | x, c", "--run", "run", "--given", "heldout", "--out", "means.csv", cwd=folder)
    means = list(csv.DictReader((folder / "means.csv").open()))
    codes = [[float(row[f"z[{i}]"]) for i in range(3)] for row in rows]
    middle = [sum(column) / 80 for column in zip(*codes)]
    centred = [[value - mean for value, mean in zip(code, middle)] for code in codes]
    covariance = [[sum(row[i] * row[j] for row in centred) for j in range(3)] for i in range(3)]
    direction = [1.0, 0.5, 0.25]
    for _ in range(500):
        direction = [sum(covariance[i][j] * direction[j] for j in range(3)) for i in range(3)]
        length = math.sqrt(sum(value ** 2 for value in direction))
        direction = [value / length for value in direction]
    scores = [sum(value * d for value, d in zip(row, direction)) for row in centred]
    sign = 1 if scores[0] * float(rows[0]["pc1"]) > 0 else -1
    assert all(abs(sign * score - float(row["pc1"])) < 2e-3 * length ** 0.5 for score, row in zip(scores, rows))
    share = sum(score ** 2 for score in scores) / sum(covariance[i][i] for i in range(3))
    assert f"components with {100 * share:.1f} %" in said and "80 rows of heldout" in said, (said, share)
    assert len(means) == 80 and {row["c"] for row in rows} <= {str(k) for k in range(10)}
    report = json.loads(succeed(exe, "latents", "--run", "run", "--out", "z.png", "--source", "images", "--rows", "50",
                                "--classes", "none", "--json", cwd=folder).stdout)
    assert (report["rows"], report["source"], report["code"], report["classes"]) == (50, "images", "z", None), report
    plain = png_size(folder / "z.png")
    succeed(exe, "latents", "--run", "run", "--out", "c.png", cwd=folder)
    assert png_size(folder / "c.png")[0] > plain[0]  # with the legend


def test_a_code_that_a_source_draws_beside_data_is_no_data(folder, vaec):
    exe = build(vaec, write(folder, "beside.vae", """
var x : binary[28, 28]; var c : category(10); var z : binary[8]
let g = glyphs(300, seed = 1)
source images { x = g.image > 0.5; c = g.label }
source codes { z ~ Bernoulli(0); c = g.label }
decoder p { x | c, z ~ Bernoulli(dense(concat(c, z), 784)) }
encoder q { z | x, c ~ Bernoulli(dense(concat(flatten(x), c), 8)) }
learn symmetric { steps = 2; batch = 32 }
"""), folder)
    succeed(exe, "train", "--quiet", "--out", "run", cwd=folder)
    report = json.loads(succeed(exe, "latents", "--run", "run", "--out", "z.png", "--json", cwd=folder).stdout)
    assert (report["code"], report["source"], report["rows"]) == ("z", "images", 300), report


def test_codes_that_change_step_by_step(folder, vaec):
    exe = classes(folder, vaec, 20)
    succeed(exe, "train", "--quiet", "--out", "run", cwd=folder)
    run = ["--run", "run"]
    said = succeed(exe, "traverse", *run, "--out", "t.png", "--dims", "0,2", "--columns", "5", cwd=folder).stdout
    assert png_size(folder / "t.png") == (5 * 30 + 2, 2 * 30 + 2), png_size(folder / "t.png")
    assert said.startswith("2 rows of 5 values of x from z"), said
    succeed(exe, "traverse", *run, "--of", "c", "--out", "c.png", cwd=folder)
    assert png_size(folder / "c.png") == (10 * 30 + 2, 30 + 2)
    succeed(exe, "interpolate", *run, "--rows", "3", "--columns", "4", "--out", "i.png", cwd=folder)
    assert png_size(folder / "i.png") == (4 * 30 + 2, 3 * 30 + 2)
    succeed(exe, "sample", *run, "--n", "10", "--columns", "5", "--out", "s.png", cwd=folder)
    assert png_size(folder / "s.png") == (5 * 30 + 2, 2 * 30 + 2)
    # The middle of a traversal from a row is the same for each element: there the mean of the row's code is
    # not changed.
    succeed(exe, "traverse", *run, "--columns", "3", "--out", "t.csv", cwd=folder)
    rows = list(csv.reader((folder / "t.csv").open()))[1:]
    assert len(rows) == 9 and rows[1] == rows[4] == rows[7] and rows[0] != rows[1] != rows[2]
    # From each row to the next one. The ends are the codes of single rows.
    for first, name in ((0, "a.csv"), (1, "b.csv")):
        succeed(exe, "interpolate", *run, "--rows", "1", "--columns", "3", "--row", str(first), "--out", name, cwd=folder)
    a, b = (list(csv.reader((folder / name).open()))[1:] for name in ("a.csv", "b.csv"))
    assert a[0] != a[2] and a[2] == b[0], (a[2][:5], b[0][:5])
    for words, code, cause in (
            (["latents", *run, "--out", "z.npy"], 64, "the file must end in .png or .csv"),
            (["latents", *run, "--out", "z.png", "--of", "y"], 64, "--of y: there is no such variable"),
            (["latents", *run, "--out", "z.png", "--of", "x"], 64, "no conditional that generates reads x"),
            (["latents", *run, "--out", "z.png", "--source", "none"], 64, "--source none: there is no such source"),
            (["latents", *run, "--out", "z.png", "--of", "c", "--source", "images"], 78, "c cannot be drawn directly"),
            (["latents", *run, "--out", "z.png", "--classes", "x"], 64, "--classes x: it is no category and no bit"),
            (["latents", *run, "--out", "z.png", "--classes", "z"], 64, "--classes z: heldout has no such variable"),
            (["traverse", *run, "--out", "t.png", "--dims", "3"], 64, "--dims 3: z has the elements 0 to 2"),
            (["traverse", *run, "--out", "t.png", "--range", "0"], 64, "0 is no positive number"),
            (["traverse", *run, "--out", "t.png", "--of", "c", "--columns", "3"], 64, "--columns 3: c has 10 values"),
            (["interpolate", *run, "--out", "i.png", "--row", "80"], 64, "--row 80: heldout has 80 rows, numbered from 0"),
            (["interpolate", *run, "--out", "i.txt"], 64, "the file must end in"),
            (["interpolate", "--run", "nothing", "--out", "i.png"], 66, "nothing is no run directory"),
            (["sample", *run, "--columns", "5", "--out", "s.npy"], 64, "--columns 5: only a picture has columns")):
        result = call(exe, *words, cwd=folder)
        assert result.returncode == code and cause in result.stderr and len(result.stderr.splitlines()) == 1, result
    for command in ("latents", "traverse", "interpolate"):
        assert "--checkpoint" in succeed(exe, command, "--help").stdout
