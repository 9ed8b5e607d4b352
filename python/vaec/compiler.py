"""Finds the compiler and compiles a file."""
import json
import os
import pathlib
import shutil
import tempfile

from . import commands
from .errors import CompileError, Error, warn
from .model import Model


def _places():
    """The places where the compiler may be, the first one preferred: VAEC_HOME, then the tree that holds this
    package. find_compiler() searches PATH after them."""
    here = pathlib.Path(__file__).resolve()
    places = []
    if os.environ.get("VAEC_HOME"):
        places.append(pathlib.Path(os.environ["VAEC_HOME"]) / "bin/vaec")
    places.append(here.parents[2] / "build/release/bin/vaec")  # in a checkout: python/vaec
    if len(here.parents) > 4:
        places.append(here.parents[4] / "bin/vaec")  # installed: lib/python3/dist-packages/vaec
    return places


def find_compiler():
    places = _places()
    for place in places:
        if os.access(place, os.X_OK) and place.is_file():
            return place
    found = shutil.which("vaec")
    if found:
        return pathlib.Path(found)
    tried = ", ".join(str(place) for place in places)
    raise Error(f"there is no compiler: looked for {tried}, and for vaec in PATH; set VAEC_HOME to the folder that "
                "has it in bin", 78)


def version():
    """The version of the compiler, for example "0.2.0"."""
    return commands.succeed(find_compiler(), "--version").stdout.split()[-1]


def _diagnostics(compiler, path, defines):
    lines = commands.call(compiler, "check", path, *defines, "--error-format", "json").stderr.splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def compile(path, *, params=None, target=None, **more):
    """Compiles a .vae file and returns a Model. Keywords replace the values of its params.

    The dict `params` holds further values, for params that are called `params` or `target`. `target` is "cpu" (the
    default), "cuda" or "auto". Errors in the file raise CompileError; its warnings become Python warnings."""
    compiler, path = find_compiler(), pathlib.Path(path)
    defines = []
    for name, value in {**(params or {}), **more}.items():
        defines += ["-D", f"{name}={commands.value_text(value)}"]
    folder = tempfile.TemporaryDirectory(prefix="vaec-")
    executable = pathlib.Path(folder.name) / path.stem
    result = commands.call(compiler, "build", path, *defines, *commands.flags({"target": target}), "-o", executable)
    if result.returncode == 1:
        raise CompileError(result.stderr.strip(), _diagnostics(compiler, path, defines))
    if result.returncode != 0:
        raise Error(result.stderr.strip(), result.returncode)
    warn(result.stderr)
    return Model(path, executable, [compiler, "explain", path, *defines], folder)
