"""A run directory: its record, its parameters, and what the trained model draws, infers and measures."""
import json
import pathlib
import tempfile

from . import commands
from .arrays import Arrays, read_safetensors, write_given
from .tables import flat, table


class Picture:
    """A PNG file that a notebook shows as a picture."""

    def __init__(self, path):
        self.path, self.step = path, int(path.stem.split("-")[1])

    def __repr__(self):
        return f"<vaec.Picture {self.path}>"

    def _repr_png_(self):
        return self.path.read_bytes()


class Run:
    """The result of `Model.train`. `folder` is the run directory; `interrupted` says whether Ctrl-C ended the
    training."""

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
        """The step of the last checkpoint; None if there is no checkpoint."""
        return max(self._checkpoints(), default=None)

    @property
    def metrics(self):
        """The record as a table. Its columns are step, seconds, steps_per_second, `utility.PLAYER`, and each term as
        `PLAYER.VARIABLE@SOURCE`. Utilities and terms are means since the row before, in nats per row of data."""
        lines = (self.folder / "metrics.jsonl").read_text().splitlines()
        return table([flat(json.loads(line)) for line in lines])

    @property
    def pictures(self):
        """The pictures that the training made, in the order of their steps. A notebook shows the picture that a cell
        ends with."""
        found = [Picture(path) for path in (self.folder / "samples").glob("step-*.png")]
        return sorted(found, key=lambda picture: picture.step)

    def parameters(self, step=None):
        """The parameters at a checkpoint as a dict from name, such as `p.x.dense1.weight`, to array. The arrays have
        the layout of PyTorch. `step` is the step of the checkpoint, "last" (as is None), or "best"."""
        if step in (None, "last"):
            step = self.step
        if step != "best" and step not in self._checkpoints():
            raise KeyError(f"{self.folder} holds no checkpoint of step {step}; it holds {sorted(self._checkpoints())}")
        return read_safetensors(self.folder / "checkpoints" / (step if step == "best" else f"step-{step}") /
                                "model.safetensors")

    def sample(self, n=64, *, given=None, **settings):
        """Draws n rows and returns a dict from variable to array. `given` holds values of known variables: an array,
        or the name of a file or of a source. `settings` are the flags of `sample`: limiting=1000, seed=1, ..."""
        return self._arrays(["sample", f"--n={n}", *commands.flags(settings)], {"given": given})

    def infer(self, query, given=None, *, mask=None, by=None, samples=None, sweeps=None, chains=None, seed=None,
              checkpoint=None, weights=None, **more):
        """Answers a query such as "c | x" with the means of the variables before the bar.

        Keywords or the dict `given` hold the values of the variables behind the bar: an array, or the name of a file
        or of a source. If only some elements of a variable are known, `mask` holds 1 for each known element and 0 for
        the others. `checkpoint` is "last", "best" or a step."""
        settings = {"samples": samples, "sweeps": sweeps, "chains": chains, "seed": seed, "checkpoint": checkpoint,
                    "weights": weights}
        words = ["infer", query, *(f"--by={name}={player}" for name, player in (by or {}).items()),
                 *commands.flags(settings)]
        return self._arrays(words, {"given": {**(given or {}), **more}, "mask": mask})

    def evaluate(self, metrics=None, **settings):
        """Measures the model on held-out data and returns a table with a row for each figure. `metrics` lists names
        (default ["loglik"]). `settings` are the flags of `evaluate`: rows=1000, samples=100, ..."""
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
