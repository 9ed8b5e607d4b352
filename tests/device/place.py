"""A machine with a GPU and a packed folder on it: libvaert_torch.so, the executables, the time left and the results."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

SHORTEST_CALL, LONGEST_CALL = 30, 150  # seconds


def say(*words):
    print(*words, flush=True)


class Place:
    def __init__(self, home, folder, options):
        """`home` is the packed folder. `folder` is an empty folder for runs."""
        import torch

        self.home, self.folder, self.file = home, folder, options.json
        self.end = time.monotonic() + 60 * options.minutes
        gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no GPU"
        say(f"PyTorch {torch.__version__}, {gpu}")
        self.results = {"torch": torch.__version__, "gpu": gpu, "check": [], "bench": []}
        libraries = pathlib.Path(torch.__file__).parent / "lib"
        if not (home / "lib/libvaert_torch.so").exists():
            self.build_torch(torch)
        paths = [str(home / "lib"), str(libraries), *filter(None, [os.environ.get("LD_LIBRARY_PATH")])]
        self.environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(paths)}

    def build_torch(self, torch):
        """Builds libvaert_torch.so with the PyTorch that this Python imports."""
        build = self.folder / "build"
        for command in (["cmake", "-S", self.home / "runtime/torch", "-B", build, "-DCMAKE_BUILD_TYPE=Release",
                         f"-DCMAKE_PREFIX_PATH={pathlib.Path(torch.__file__).parent}",
                         f"-DVAERT_TORCH_CXX11_ABI={int(torch.compiled_with_cxx11_abi())}"],
                        ["cmake", "--build", build]):
            result = subprocess.run(command, capture_output=True, text=True)
            if result.returncode != 0:
                sys.exit(f"run: libvaert_torch.so was not built\n{result.stdout[-4000:]}{result.stderr[-4000:]}")
        shutil.copy(next(build.glob("**/libvaert_torch.so")), self.home / "lib")

    def left(self):
        """The seconds until no new measurement or check may begin."""
        return self.end - time.monotonic()

    def note(self, part, result):
        """Adds a result and writes the file at once, so that an interrupted call leaves all results so far."""
        self.results[part].append(result)
        self.file.write_text(json.dumps(self.results, indent=1) + "\n")

    def call(self, exe, *arguments):
        environment, tables = self.environment, self.home / "data" / exe
        if tables.is_dir():  # the data files that lie beside the program in the repository
            environment = {**environment, "VAEC_CACHE": str(tables)}
        command = [str(word) for word in (self.home / "bin" / exe, *arguments)]
        # So that a program that hangs does not use up all the time.
        limit = max(SHORTEST_CALL, min(LONGEST_CALL, self.left()))
        try:
            return subprocess.run(command, env=environment, cwd=self.folder, capture_output=True, text=True, timeout=limit)
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, 124, "", f"no end after {limit:.0f} s")

    def train(self, exe, run, device, steps, every, checkpoint, *arguments):
        return self.call(exe, "train", "--device", device, "--steps", steps, "--out", self.folder / run, "--quiet",
                         "--every", f"log={every},sample=0,evaluate=0,checkpoint={checkpoint}", *arguments)

    def lines(self, run):
        return [json.loads(line) for line in (self.folder / run / "metrics.jsonl").read_text().splitlines()]
