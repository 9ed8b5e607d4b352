"""Trains several learn blocks, or one file with several values of its params, in the same way and measures them."""
import json
import os

from . import commands
from .compiler import compile, find_compiler
from .errors import Error, warn
from .tables import table


def compare(model, learn=None, **settings):
    """Trains the named learn blocks (default: all) with the same seeds and numbers of steps, and measures them.

    `model` is a Model or a path. `settings` are the flags of `compare`: seeds=3, steps=1000, metrics=["loglik"],
    out="runs/compared", ... Returns a table with a row for each learn block and figure. A row has the mean and the
    standard deviation over the seeds, and the single values."""
    if isinstance(model, (str, os.PathLike)):
        model = compile(model)
    learn = [learn] if isinstance(learn, str) else learn
    result = model.command("compare", "--json", *commands.flags({"learn": learn, **settings}))
    rows = []
    for method in json.loads(result.stdout)["methods"]:
        for figure, summary in method["summary"].items():
            rows.append({"learn": method["learn"], "figure": figure, **summary})
    return table(rows)


def sweep(path, params=None, learn=None, **settings):
    """Trains and measures the file for every combination of values, as `vaec sweep` does.

    A list in `params` holds several values of a param: {"code": [16, 32], "widths": [[64, 64], [32]]}. `settings` are
    the flags of `sweep`: seeds=5, metrics=["accuracy"], jobs=2, lr=[1e-3, 1e-4], out="runs/swept", ... Returns a
    table with a row for each combination and figure. A row has the mean and the standard deviation over the seeds,
    and the single values. Each failed run causes a warning."""
    words = []
    for name, values in (params or {}).items():
        values = values if isinstance(values, (list, tuple)) or hasattr(values, "tolist") else [values]
        words += ["-D", f"{name}=" + ",".join(commands.value_text(value) for value in values)]
    learn = [learn] if isinstance(learn, str) else learn
    result = commands.call(find_compiler(), "sweep", path, "--json", *words,
                           *commands.flags({"learn": learn, **settings}))
    if not result.stdout.strip():
        raise Error(result.stderr.strip(), result.returncode)
    found = json.loads(result.stdout)
    for failure in found["failed"]:
        warn(failure)
    rows = []
    for row in found["rows"]:
        for figure, summary in row["figures"].items():
            rows.append({**{name: _number(text) for name, text in row["values"].items()}, "figure": figure, **summary})
    return table(rows)


def _number(text):
    """Returns the text as a number if it is one, otherwise unchanged."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text
