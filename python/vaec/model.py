"""A compiled model: its game, its training, its runs."""
import json
import pathlib

from . import commands
from .errors import warn_of_notes
from .run import Run
from .tables import Text
from .training import follow


class Model:
    """What `vaec.compile` gives. `info` is what the executable says of itself: variables, players, sources, methods."""

    def __init__(self, path, executable, explain, folder):
        self.path, self.executable = path, executable
        self._explain, self._folder = explain, folder  # the folder goes when the model does
        self.info = json.loads(commands.succeed(executable, "info", "--json").stdout)

    def __repr__(self):
        variables = ", ".join(f"{variable['name']} : {variable['domain']}" for variable in self.info["variables"])
        players = ", ".join(player["name"] for player in self.info["players"])
        return f"<vaec.Model {self.path}: {variables}; players {players}>"

    def explain(self, format="text"):
        """The game that follows from the file: per source who draws what, per player its utility. `format` is "text",
        "latex", "dot" or "json", which gives a dict."""
        result = commands.succeed(*self._explain, f"--format={format}")
        return json.loads(result.stdout) if format == "json" else Text(result.stdout + result.stderr)

    def train(self, learn=None, *, out=None, progress=True, **settings):
        """Learns by the first `learn` block of the file, or the one named, into a run directory, and returns the Run.

        `settings` are the flags of `train`: steps=1000, batch={"labelled": 10}, lr=3e-4, every={"log": 10}, seed, ...
        `out` is the run directory (by default a new one in `runs`). Ctrl-C writes a checkpoint and returns the run so
        far, with `interrupted` set; `resume` continues it."""
        folder = pathlib.Path(out) if out is not None else self._new_folder(learn)
        words = [self.executable, "train", "--json", f"--out={folder}", *commands.flags({"learn": learn, **settings})]
        return Run(self, folder, interrupted=follow(words, folder, shown=progress))

    def resume(self, run, *, progress=True, **settings):
        """Continues a run (a Run or a folder) from its last checkpoint; `steps` extends it. Returns the Run."""
        folder = pathlib.Path(getattr(run, "folder", run))
        words = [self.executable, "train", "--json", f"--resume={folder}", *commands.flags(settings)]
        begin = Run(self, folder).step or 0
        return Run(self, folder, interrupted=follow(words, folder, shown=progress, begin=begin))

    def load(self, folder):
        """The run in a run directory that this model's executable made."""
        return Run(self, pathlib.Path(folder))

    def command(self, *words, stand_ins=None):
        """Runs a command of the executable; warns of what it notes. `stand_ins` replaces names of temporary files in
        what it says."""
        result = commands.succeed(self.executable, *words, stand_ins=stand_ins)
        warn_of_notes(result.stderr)
        return result

    def _new_folder(self, learn):
        name, number = learn or self.info["learns"][0]["name"], 1
        while (folder := pathlib.Path("runs") / f"{self.path.stem}-{name}-{number}").exists():
            number += 1
        return folder
