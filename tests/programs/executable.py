"""Functions that the program tests share: they build an executable, run it, and read what it wrote. A test is a
function test_*(folder, vaec); conftest.py defines these two arguments."""
import hashlib
import json
import os
import pathlib
import shutil
import struct
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def need_mnist():
    folder = os.environ.get("VAEC_DATA")
    if not folder or not (pathlib.Path(folder) / "mnist").is_dir():
        pytest.skip("VAEC_DATA does not hold mnist")


def has_terminals():
    """Whether this machine has pseudo-terminals. They need /dev/pts, which is not mounted in a bare chroot."""
    try:
        for end in os.openpty():
            os.close(end)
    except OSError:
        return False
    return True


def call(*command, cwd=None, env=None, timeout=600, stdin=None):
    """Runs a command and returns its result with text output. The command downloads nothing, unless the environment
    allows it."""
    merged = {"VAEC_DATA_URL": "none", **os.environ, **(env or {})}
    if env and "XDG_CACHE_HOME" in env and "VAEC_CACHE" not in env:
        merged.pop("VAEC_CACHE", None)  # else the caller's VAEC_CACHE would be used
    return subprocess.run([str(part) for part in command], cwd=cwd, env=merged, capture_output=True, text=True,
                          timeout=timeout, stdin=stdin or subprocess.DEVNULL)


def succeed(*command, **options):
    result = call(*command, **options)
    assert result.returncode == 0, f"{command} exited {result.returncode}\n{result.stdout}{result.stderr}"
    return result


def skip_if_sanitized(vaec, why):
    if b"__asan_init" in (vaec.parent.parent / "lib/libvaert.so").read_bytes():
        pytest.skip(why)


def device_functions_missing(vaec):
    """Whether this vaec was built without clang++ 19. Such a vaec makes no PTX of kernels that call functions."""
    line = next(line for line in call(vaec, "doctor").stdout.splitlines() if line.startswith("gpu "))
    return line.split()[1] != "ok"


def build(vaec, program, folder, *arguments):
    exe = pathlib.Path(folder) / pathlib.Path(program).stem
    succeed(vaec, "build", program, "-o", exe, *arguments)
    return exe


def install(vaec, folder, without=None):
    """Copies the installation into a new folder, except the library `without`. Returns its compiler."""
    for part in ("bin", "lib"):
        (folder / part).mkdir(parents=True)
    shutil.copy(vaec, folder / "bin/vaec")
    for library in (vaec.parent.parent / "lib").glob("libvaert*.so*"):
        if library.name != without:
            (folder / "lib" / library.name).symlink_to(library)
    return folder / "bin/vaec"


def safetensors(path):
    """Returns a dict from name to (shape, values as bytes)."""
    content = pathlib.Path(path).read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:8 + size])
    body = content[8 + size:]
    return {name: (tuple(entry["shape"]), body[entry["data_offsets"][0]:entry["data_offsets"][1]])
            for name, entry in header.items() if name != "__metadata__"}


def digest(run, step, file="model.safetensors"):
    return hashlib.sha256((pathlib.Path(run) / "checkpoints" / f"step-{step}" / file).read_bytes()).hexdigest()


def metrics(run):
    return [json.loads(line) for line in (pathlib.Path(run) / "metrics.jsonl").read_text().splitlines()]


# A model without data.
SMALL_MODEL = """
var x : binary[4]
var z : binary[2]
source codes { z ~ Bernoulli(0) }
source generated { }
decoder p { x | z ~ Bernoulli(dense(z, 4)) }
encoder q { z | x ~ Bernoulli(dense(x, 2)) }
learn symmetric { steps = 1 }
"""

# A model that needs no file: it uses the built-in glyphs.
GLYPHS = """
var x : binary[28, 28]
var z : binary[16]
source images { x = glyphs(500, seed = 3).image > 0.5 }
source codes  { z ~ Bernoulli(0) }
decoder p { x | z ~ Bernoulli(dense(relu(dense(z, 64)), 784)) }
encoder q { z | x ~ Bernoulli(dense(relu(dense(x, 64)), 16)) }
learn symmetric { steps = 100; batch = 32; every = {log: 10, sample: 50, checkpoint: 20, evaluate: 0} }
"""


def write(folder, name, text):
    path = pathlib.Path(folder) / name
    path.write_text(text)
    return path
