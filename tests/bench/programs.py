"""Runs one measurement of a vaec executable or of a PyTorch script, as a user would, and reads what it prints."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = ROOT / "build/release/bin"
TORCH = ROOT / "tests/bench/torch"
QUIET = "sample=0,checkpoint=0,evaluate=0"

# OpenBLAS 0.3.21 does not know recent Intel processors and uses SSE3 code unless it is told the type. If the
# threads of OpenBLAS and of OpenMP both wait in a loop, they disturb each other. One setting therefore gives
# OpenMP one thread, the other lets its threads sleep.
BLAS = {"OPENBLAS_CORETYPE": "SKYLAKEX"}


def tuned_settings(convolutional, threads):
    """Pairs of environment and flags. Which of them is the fastest for PyTorch depends on the model, so all are
    tried."""
    if threads == 1:
        environments = [{**BLAS, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}]
    else:
        environments = [{**BLAS, "OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "passive"}]
        if not convolutional:  # oneDNN's convolutions use only OpenMP's threads
            environments.append({**BLAS, "OMP_NUM_THREADS": "1"})
    flags = [["--flush-denormals"]]
    if convolutional:
        flags.append(["--flush-denormals", "--channels-last"])
    # On some machines the default settings are the fastest, so they are tried too.
    return [(environment, flag) for environment in [*environments, default_setting(threads)[0]] for flag in flags]


def default_setting(threads):
    environment = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"} if threads == 1 else {}
    return environment, []


def python_with_torch(python):
    """Returns the version of its PyTorch, and the modes of compiling that this version has."""
    ask = "import torch; print(torch.__version__, hasattr(torch, 'compile'))"
    try:
        probe = subprocess.run([python, "-c", ask], capture_output=True, text=True)
    except OSError as error:
        sys.exit(f"run: --python {python}: {error.strerror}")
    if probe.returncode:
        sys.exit(f"run: {python} has no torch (Debian: apt-get install python3-torch); --python names another")
    version, can_compile = probe.stdout.split()
    return version, ["compile_default", "compile"] if can_compile == "True" else []


def succeed(command, **environment):
    result = subprocess.run([str(word) for word in command], env={**os.environ, **environment}, capture_output=True,
                            text=True)
    if result.returncode:
        sys.exit(f"run: {' '.join(str(word) for word in command)} exited {result.returncode}\n{result.stderr}")
    return result.stdout


class Vaec:
    """Builds executables into `folder` and runs them."""

    def __init__(self, folder):
        self.folder, self.built = pathlib.Path(folder), 0

    def build(self, program, *definitions, cache=None):
        self.built += 1
        exe = self.folder / f"{pathlib.Path(program).stem}-{self.built}"
        succeed([BIN / "vaec", "build", program, "-o", exe,
                 *(word for definition in definitions for word in ("-D", definition))],
                **({"VAEC_CACHE": cache} if cache else {}))
        return exe

    def bench(self, exe, batch, threads, steps, *flags):
        """Returns what `bench --json` prints."""
        return json.loads(succeed([exe, "bench", "--json", "--batch", batch, "--threads", threads, "--steps", steps,
                                   *flags]))

    def utilities(self, exe, batch, steps, window, *flags):
        """The utility of each player: its mean over the last `window` steps of a run."""
        run = self.folder / f"run-{time.monotonic_ns()}"
        first = steps - window
        for end in (first, steps):
            where = ["--resume", run] if run.exists() else ["--out", run]
            succeed([exe, "train", "--quiet", "--steps", end, "--batch", batch, "--schedule", "constant", "--every",
                     f"log={steps},{QUIET}", *flags, *where])
        return json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])["utility"]

    def first_step(self, program, batch):
        """Three times in seconds. The first is of a build without any cached kernel. The second is of another build
        with the same nets, after an edit of a learn block. The third is from the start of the first build to the end
        of its first step."""
        text, count = re.subn(r"(?<=\bsteps = )[\d_]+", "12_345", pathlib.Path(program).read_text(), count=1)
        assert count, f"{program} has no learn block with steps"
        edited = self.folder / f"edited-{time.monotonic_ns()}.vae"
        edited.write_text(text)
        with tempfile.TemporaryDirectory(dir=self.folder) as cache:
            begin = time.perf_counter()
            exe = self.build(program, cache=cache)
            built = time.perf_counter()
            succeed([exe, "train", "--quiet", "--steps", 1, "--batch", batch, "--every", QUIET, "--out",
                     self.folder / f"first-{self.built}"])
            stepped = time.perf_counter()
            self.build(edited, cache=cache)
            return built - begin, time.perf_counter() - stepped, stepped - begin


class Torch:
    def __init__(self, python):
        self.python = python
        self.version, self.compiled = python_with_torch(python)

    def run(self, script, setting, *flags):
        environment, own_flags = setting
        return json.loads(succeed([self.python, TORCH / f"{script}.py", *own_flags, *flags], **environment))

    def bench(self, script, setting, batch, steps, *flags):
        return self.run(script, setting, "--batch", batch, "--steps", steps, *flags)

    def utilities(self, script, setting, batch, steps, window):
        return self.run(script, setting, "--batch", batch, "--steps", steps, "--window", window)["utility"]

    def first_step(self, script, batch):
        begin = time.perf_counter()
        self.run(script, default_setting(0), "--batch", batch, "--steps", 1)
        return time.perf_counter() - begin
