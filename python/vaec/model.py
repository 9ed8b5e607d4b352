"""A compiled model: explains its game, trains it, and loads its runs."""
import json
import pathlib

from . import commands
from .errors import warn_of_notes
from .run import Run
from .tables import Text
from .training import follow


class Model:
    """The result of `vaec.compile`. `info` is what `info --json` of the executable prints: variables, players,
    sources, methods."""

    def __init__(self, path, executable, explain, folder):
        self.path, self.executable = path, executable
        self._explain, self._folder = explain, folder  # the folder is deleted together with the model
        self.info = json.loads(commands.succeed(executable, "info", "--json").stdout)

    def __repr__(self):
        variables = ", ".join(f"{variable['name']} : {variable['domain']}" for variable in self.info["variables"])
        players = ", ".join(player["name"] for player in self.info["players"])
        return f"<vaec.Model {self.path}: {variables}; players {players}>"

    def explain(self, format="text"):
        """Returns the game that vaec derives from the file: for each source who draws what, for each player its
        utility. `format` is "text", "latex", "dot" or "json"; "json" returns a dict."""
        result = commands.succeed(*self._explain, f"--format={format}")
        return json.loads(result.stdout) if format == "json" else Text(result.stdout + result.stderr)

    def train(self, learn=None, *, out=None, progress=True, **settings):
        """Trains with the learn block `learn` (default: the first one of the file) and returns the Run.

        `settings` are the flags of `train`: steps=1000, batch={"labelled": 10}, lr=3e-4, every={"log": 10}, seed, ...
        `out` is the run directory (default: a new one in `runs`). Ctrl-C writes a checkpoint and returns the run up
        to that step, with `interrupted` set. `resume` continues such a run."""
        folder = pathlib.Path(out) if out is not None else self._new_folder(learn)
        words = [self.executable, "train", "--json", f"--out={folder}", *commands.flags({"learn": learn, **settings})]
        return Run(self, folder, interrupted=follow(words, folder, shown=progress))

    def resume(self, run, *, progress=True, **settings):
        """Continues a run (a Run or a folder) from its last checkpoint and returns the Run. A larger `steps` makes it
        longer."""
        folder = pathlib.Path(getattr(run, "folder", run))
        words = [self.executable, "train", "--json", f"--resume={folder}", *commands.flags(settings)]
        begin = Run(self, folder).step or 0
        return Run(self, folder, interrupted=follow(words, folder, shown=progress, begin=begin))

    def load(self, folder):
        """Returns the run in a run directory. The executable of this model must have made it."""
        return Run(self, pathlib.Path(folder))

    def command(self, *words, stand_ins=None):
        """Runs a command of the executable and repeats its notes as warnings. `stand_ins` maps names of temporary
        files in its output to the texts that replace them."""
        result = commands.succeed(self.executable, *words, stand_ins=stand_ins)
        warn_of_notes(result.stderr)
        return result

    def _new_folder(self, learn):
        name, number = learn or self.info["learns"][0]["name"], 1
        while (folder := pathlib.Path("runs") / f"{self.path.stem}-{name}-{number}").exists():
            number += 1
        return folder
