"""A run directory: its record, its parameters, and what the trained model draws, infers and measures."""
import json
import pathlib
import tempfile

from . import commands
from .arrays import Arrays, read_safetensors, write_given
from .tables import flat, table


class Picture:
    """A PNG file that a notebook shows."""

    def __init__(self, path):
        self.path, self.step = path, int(path.stem.split("-")[1])

    def __repr__(self):
        return f"<vaec.Picture {self.path}>"

    def _repr_png_(self):
        return self.path.read_bytes()


class Run:
    """What `Model.train` gives. `folder` is the run directory; `interrupted` says whether Ctrl-C ended it."""

    def __init__(self, model, folder, interrupted=False):
        self.model, self.folder, self.interrupted = model, folder, interrupted

    def __repr__(self):
        return f"<vaec.Run {self.folder}: step {self.step} of {self.config['steps']}>"

    @property
    def config(self):
        """Every setting of the training."""
        return json.loads((self.folder / "config.json").read_text())

    @property
    def step(self):
        """Of the last checkpoint; None where there is none."""
        return max(self._checkpoints(), default=None)

    @property
    def metrics(self):
        """The record: step, seconds, steps_per_second, `utility.PLAYER`, and each term as `PLAYER.VARIABLE@SOURCE`;
        means since the row before, in nats per row of data."""
        lines = (self.folder / "metrics.jsonl").read_text().splitlines()
        return table([flat(json.loads(line)) for line in lines])

    @property
    def pictures(self):
        """The pictures that the training made, the last one last. A notebook shows one that a cell ends with."""
        found = [Picture(path) for path in (self.folder / "samples").glob("step-*.png")]
        return sorted(found, key=lambda picture: picture.step)

    def parameters(self, step=None):
        """The parameters at a checkpoint, by name, such as `p.x.dense1.weight`, as PyTorch lays them out. `step` is that
        of the checkpoint, "last" (also None), or "best"."""
        if step in (None, "last"):
            step = self.step
        if step != "best" and step not in self._checkpoints():
            raise KeyError(f"{self.folder} holds no checkpoint of step {step}; it holds {sorted(self._checkpoints())}")
        return read_safetensors(self.folder / "checkpoints" / (step if step == "best" else f"step-{step}") /
                                "model.safetensors")

    def sample(self, n=64, *, given=None, **settings):
        """Draws n rows: variable -> array. `given` holds variables known: an array, or the name of a file or of a
        source. `settings` are the flags of `sample`: limiting=1000, seed=1, ..."""
        return self._arrays(["sample", f"--n={n}", *commands.flags(settings)], {"given": given})

    def infer(self, query, given=None, *, mask=None, by=None, samples=None, sweeps=None, chains=None, seed=None,
              checkpoint=None, weights=None, **more):
        """Answers a query such as "c | x": the means of what stands before the bar. What stands behind it is given by
        keywords or in the dict `given`: an array, or the name of a file or of a source. `mask` holds, for a variable
        known in part, 1 where an element is known. `checkpoint` is "last", "best" or a step."""
        settings = {"samples": samples, "sweeps": sweeps, "chains": chains, "seed": seed, "checkpoint": checkpoint,
                    "weights": weights}
        words = ["infer", query, *(f"--by={name}={player}" for name, player in (by or {}).items()),
                 *commands.flags(settings)]
        return self._arrays(words, {"given": {**(given or {}), **more}, "mask": mask})

    def evaluate(self, metrics=None, **settings):
        """Measures the model on held-out data; a table with a row for each figure. `metrics` lists names, by default
        ["loglik"]; `settings` are the flags of `evaluate`: rows=1000, samples=100, ..."""
        words = commands.flags({"metrics": metrics, **settings})
        result = self.model.command("evaluate", f"--run={self.folder}", "--json", *words)
        return table(json.loads(result.stdout)["results"])

    def _checkpoints(self):
        found = (self.folder / "checkpoints").glob("step-*")
        numbers = {path.name[5:]: path for path in found}
        return {int(number): path for number, path in numbers.items() if number.isdigit()}

    def _arrays(self, words, inputs):
        with tempfile.TemporaryDirectory(prefix="vaec-") as folder:
            (pathlib.Path(folder) / "in").mkdir()
            out, stand_ins = pathlib.Path(folder) / "out.safetensors", {}
            for flag, values in inputs.items():
                for name, value in (values or {}).items():
                    word = write_given(pathlib.Path(folder) / "in", name, value)
                    words.append(f"--{flag}={name}={word}")
                    stand_ins[word] = "array" if word.startswith(folder) else word
            stand_ins[f" in {out}"] = ""
            result = self.model.command(*words, f"--run={self.folder}", f"--out={out}", stand_ins=stand_ins)
            return Arrays(read_safetensors(out), result.stdout.strip())
