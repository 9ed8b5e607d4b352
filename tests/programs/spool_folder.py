"""For tests of programs that exchange rows through a folder: a site, its files, and a process that runs beside
others."""
import json
import random
import struct
import subprocess
import tempfile
import time

from executable import build, write
from oracle_test import write_npy

# One of two sites, with a small model.
SITE = """
var c : category(3)
var x : binary[4]
source own    { c = npy("c.npy"); x = npy("x.npy") }
source others { let s = peer("b"); c = s.c; x = s.x }
publish (c, x)
decoder p { c ~ Categorical(parameter([3])); x | c ~ Bernoulli(dense(c, 4)) }
learn symmetric { steps = 40; batch = 16; optimizer = adam(0.02); every = {log: 10, checkpoint: 10, sample: 0} }
"""

QUIET = ["train", "--quiet", "--threads", "1"]


def write_rows(folder, prefix, seed, count=64):
    rng = random.Random(seed)
    write_npy(folder / f"{prefix}c.npy", [rng.randrange(3) for _ in range(count)])
    write_npy(folder / f"{prefix}x.npy",
              [[float(rng.random() < 0.3 + 0.1 * seed) for _ in range(4)] for _ in range(count)])


class Site:
    """A process that runs beside others. Its output goes into a file, so the process never waits for a reader."""

    def __init__(self, exe, *arguments, cwd):
        self.said = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([str(part) for part in (exe, *arguments)], cwd=cwd, stdout=self.said,
                                        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    def wait_until(self, condition, seconds=120):
        stop = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > stop or self.process.poll() is not None:
                self.process.kill()
                raise AssertionError(f"it did not come to this: exit {self.process.wait()}, {self.text()}")
            time.sleep(0.005)

    def end(self, code=0, stop=None):
        """Waits for the process to end and returns its output. `stop` is a signal to send first."""
        if stop:
            self.process.send_signal(stop)
        seen = self.process.wait(timeout=300)
        assert abs(seen) == code, (seen, self.text())
        return self.text()

    def text(self):
        self.said.seek(0)
        return self.said.read()


def refused(code, words, result):
    assert result.returncode == code and words in result.stderr, result
    assert len(result.stderr.splitlines()) == 1, result


def published(step, c, x, domains=("category(3)", "binary[4]"), names=("c", "x"), types=("F32", "F32")):
    """Returns a file of published rows, as the program of another site writes it."""
    values = [(names[0], (len(c),), c, types[0]), (names[1], (len(x), len(x[0])), [v for row in x for v in row], types[1])]
    variables = [{"name": name, "domain": domain} for name, domain in zip(names, domains)]
    header = {"__metadata__": {"format": "vaec published rows 1", "program": "other", "step": str(step), "every": "1",
                               "variables": json.dumps(variables)}}
    body = b""
    for name, shape, numbers, kind in values:
        letter, number = ("B", int) if kind == "U8" else ("q", int) if kind == "I64" else ("d", float) \
            if kind == "F64" else ("f", float)
        data = struct.pack(f"<{len(numbers)}{letter}", *map(number, numbers))
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


ROWS = ([0, 1, 2, 1], [[0, 1, 0, 1], [1, 1, 0, 0], [0, 0, 0, 1], [1, 1, 1, 1]])


def spool(folder, files):
    """Makes a folder with files that another site could have left there."""
    path = folder / "spool"
    path.mkdir(exist_ok=True)
    for name, content in files.items():
        (path / name).write_bytes(content)
    return path


def site(folder, vaec, text=SITE, name="site.vae"):
    write_rows(folder, "", 1)
    return build(vaec, write(folder, name, text), folder)
