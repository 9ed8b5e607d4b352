"""Finding the compiler and compiling a file."""
import json
import os
import pathlib
import shutil
import tempfile

from . import commands
from .errors import CompileError, Error, warn
from .model import Model


def _places():
    """Where the compiler may be: what the user names, the tree of this package, the search path."""
    here = pathlib.Path(__file__).resolve()
    places = []
    if os.environ.get("VAEC_HOME"):
        places.append(pathlib.Path(os.environ["VAEC_HOME"]) / "bin/vaec")
    places.append(here.parents[2] / "build/release/bin/vaec")  # python/vaec of a checkout
    if len(here.parents) > 4:
        places.append(here.parents[4] / "bin/vaec")  # lib/python3/dist-packages/vaec under a prefix
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
    """The version of the compiler, such as "0.2.0"."""
    return commands.succeed(find_compiler(), "--version").stdout.split()[-1]


def _diagnostics(compiler, path, defines):
    lines = commands.call(compiler, "check", path, *defines, "--error-format", "json").stderr.splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def compile(path, *, params=None, target=None, **more):
    """Compiles a .vae file; keywords replace the values of its params. Returns a Model.

    `params` is a dict of more of them, for those named `params` or `target`. `target` is "cpu" (the default), "cuda"
    or "auto". Errors of the file are raised as CompileError; its warnings become warnings of Python."""
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
