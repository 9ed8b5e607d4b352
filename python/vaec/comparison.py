"""Several learn blocks of one file, trained alike and measured."""
import json
import os

from . import commands
from .compiler import compile
from .tables import table


def compare(model, learn=None, **settings):
    """Trains the learn blocks named (by default all) with the same seeds and numbers of steps, and measures them.
    `model` is a Model or a path. `settings` are the flags of `compare`: seeds=3, steps=1000, metrics=["loglik"],
    out="runs/compared", ... Returns a table with a row for each learn block and figure: its mean, standard deviation
    over the seeds, and values."""
    if isinstance(model, (str, os.PathLike)):
        model = compile(model)
    learn = [learn] if isinstance(learn, str) else learn
    result = model.command("compare", "--json", *commands.flags({"learn": learn, **settings}))
    rows = []
    for method in json.loads(result.stdout)["methods"]:
        for figure, summary in method["summary"].items():
            rows.append({"learn": method["learn"], "figure": figure, **summary})
    return table(rows)
