"""Tests what `vaec explain` prints besides text. Every LaTeX page compiles and every graph is drawn, if pdflatex and
dot are installed. All forms describe the same game."""
import json
import re
import shutil

import pytest

import executable
from executable import ROOT, call, succeed, write

MODELS = [*sorted((ROOT / "tests/golden/game").glob("*.vae")), *sorted((ROOT / "examples").glob("*/*.vae"))]


def explain(vaec, model, form):
    return succeed(vaec, "explain", model, "--format", form).stdout


def need(program):
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")


def test_every_page_compiles_and_fits(folder, vaec):
    need("pdflatex")
    # LaTeX runs once for all models: their pages are put into one document.
    odd = write(folder, "100% $ö^_\\{~}&#.vae", MODELS[0].read_text())
    pages = [explain(vaec, model, "latex") for model in [*MODELS, odd]]
    head = pages[0][:pages[0].index("\\section*")]
    assert all(page.startswith(head) for page in pages)
    bodies = [page[len(head):page.rindex("\\end{document}")] for page in pages]
    write(folder, "pages.tex", head + "\\clearpage\n".join(bodies) + "\\end{document}\n")
    result = call("pdflatex", "-interaction=nonstopmode", "-halt-on-error", "pages.tex", cwd=folder)
    assert result.returncode == 0, result.stdout[-2000:]
    assert int(re.search(r"\((\d+) pages", result.stdout).group(1)) >= len(pages)
    assert "Overfull" not in result.stdout, re.findall(r"Overfull.*", result.stdout)


def test_every_graph_is_drawn(folder, vaec):
    need("dot")
    for model in MODELS:
        graph = write(folder, "game.dot", explain(vaec, model, "dot"))
        drawn = call("dot", "-Tplain", graph)
        assert drawn.returncode == 0 and not drawn.stderr, (model, drawn.stderr)
        game = json.loads(explain(vaec, model, "json"))
        nodes = len(re.findall(r"^node ", drawn.stdout, re.M)) - len(re.findall(" (?:point|note) ", drawn.stdout))
        variables = len(re.findall(r'^    "0\.(?!root)[^"]*" \[', graph.read_text(), re.M))
        learned = [source for source in game["sources"] if source["weight"] > 0]
        silent = [source for source in game["sources"] if source["weight"] == 0]
        assert nodes == variables * (1 + len(learned)) + sum(len(source["known"]) for source in silent), model


def test_utilities_have_every_term_with_its_weight(folder, vaec):
    for model in MODELS:
        game = json.loads(explain(vaec, model, "json"))
        page = explain(vaec, model, "latex")
        utilities = page[page.index("\\subsection*{Utilities}"):]
        terms = [term for source in game["sources"] if source["weight"] > 0 for term in source["terms"]]
        declared, *others = [part.count("\\log") for part in utilities.split("\\paragraph{Learn")]
        # Learn blocks with other weights or sources have utilities of their own.
        expected = [sum(player["utility"].count("log ") for player in learn["players"])
                    for learn in game.get("learns", []) if "players" in learn]
        assert others == expected and (declared == len(terms) or (others and declared == 0)), model
        graph = explain(vaec, model, "dot")
        assert graph.count(">log ") == len(terms), model


def test_errors_in_the_model_are_diagnostics_in_every_format(folder, vaec):
    write(folder, "wrong.vae", "var x : nothing\n")
    seen = {call(vaec, "explain", "wrong.vae", "--format", form, cwd=folder).stderr
            for form in ("text", "latex", "dot", "json")}
    assert len(seen) == 1 and "E0203" in seen.pop()
    for form in ("text", "latex", "dot", "json"):
        result = call(vaec, "explain", "wrong.vae", "--format", form, cwd=folder)
        assert result.returncode == 1 and result.stdout == "", form
    assert call(vaec, "explain", "wrong.vae", "--format", "svg", cwd=folder).returncode == 64


LABELLED = """
var x : binary[28, 28]; var z : binary[4]; var c : category(10)
let g = glyphs(20, seed = 1)
source images { x = g.image > 0.5; c = g.label }
decoder p { z ~ Bernoulli(0); x | z ~ Bernoulli(dense(z, 784)) }
encoder q { z | x ~ Bernoulli(dense(x, 4)); c | x ~ Categorical(dense(x, 10)) }
learn elbo { steps = 2; estimator = zgr }
learn elbo as labelled { steps = 2; estimator = zgr; alpha = 1 }
learn supervised { steps = 2 }
"""


# c is a parent in the bound, so its labels are read; its encoder has no term all the same.
CLASSES = """
var x : binary[28, 28]; var z : binary[4]; var c : category(10)
let g = glyphs(20, seed = 1)
source images { x = g.image > 0.5; c = g.label }
decoder p { z ~ Bernoulli(0); c ~ Categorical(0); x | c, z ~ Bernoulli(dense(concat(c, z), 784)) }
encoder q { z | c, x ~ Bernoulli(dense(concat(c, flatten(x)), 4)); c | x ~ Categorical(dense(x, 10)) }
learn elbo { steps = 2; estimator = zgr }
learn elbo as labelled { steps = 2; estimator = zgr; alpha = 1 }
learn iwae { steps = 2; samples = 2; estimator = zgr }
learn elbo as still { steps = 2; estimator = zgr; optimizer = {p: adam(1e-3), q: none} }
"""


def test_conditionals_that_no_term_of_a_bound_reads_are_noted(folder, vaec):
    write(folder, "m.vae", CLASSES)
    learns = json.loads(succeed(vaec, "explain", "m.vae", "--format", "json", cwd=folder).stdout)["learns"]
    line = "q(c | x) is in no term and is not learned"
    assert [learn.get("unlearned") for learn in learns] == [
        [line + "; alpha = 1 adds log q(c | x)"], None, [line], None], learns
    result = succeed(vaec, "run", "m.vae", "train", "--learn", "elbo", "--out", "r", cwd=folder)
    assert line in result.stdout + result.stderr, result


def test_labels_that_nothing_learns_from_are_noted(folder, vaec):
    write(folder, "m.vae", LABELLED)
    note = "nothing is learned from c of source images; alpha = 1 adds log q(c | x)"
    text = succeed(vaec, "explain", "m.vae", cwd=folder).stdout
    blocks = {block.split("\n")[0]: block for block in text.split("learn ")[1:]}
    assert f"  note: {note}\n" in blocks["elbo"] and text.count("note:") == 1, text
    learns = json.loads(succeed(vaec, "explain", "m.vae", "--format", "json", cwd=folder).stdout)["learns"]
    assert [learn.get("unlearned") for learn in learns] == [[note], None, None], learns
    for learn, noted in (("elbo", True), ("labelled", False), ("supervised", False)):
        result = succeed(vaec, "run", "m.vae", "train", "--learn", learn, "--out", learn, cwd=folder)
        assert (note in result.stdout + result.stderr) == noted, (learn, result)
