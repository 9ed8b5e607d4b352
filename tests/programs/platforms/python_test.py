"""Tests the Python package: runs its own tests with an interpreter that has numpy and pytest, and checks what pip
makes of the package."""
import os
import re
import subprocess
import sys

import pytest

import executable
from executable import ROOT, call, has_terminals


def interpreter(*modules):
    """The first Python that has the modules. The second candidate is Debian's Python, which has the modules of
    Debian's packages. They are not imported: Debian 12's setuptools cannot be imported after pip."""
    look = "import importlib.util, sys; sys.exit(not all(map(importlib.util.find_spec, sys.argv[1:])))"
    for python in (sys.executable, "/usr/bin/python3"):
        found = subprocess.run([python, "-c", look, *modules], capture_output=True)
        if found.returncode == 0:
            return python
    pytest.skip(f"no Python here has {' and '.join(modules)}")


def environment(vaec, folder):
    return {"VAEC_HOME": str(vaec.parent.parent), "VAEC_CACHE": str(folder / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}


def test_the_package_passes_its_tests(folder, vaec):
    python = interpreter("numpy", "pytest")
    result = call(python, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", ROOT / "python/tests", cwd=folder,
                  env=environment(vaec, folder), timeout=850)
    assert result.returncode == 0 and " passed" in result.stdout, result.stdout + result.stderr
    skips = [line for line in result.stdout.splitlines() if line.startswith("SKIPPED")]
    for line in skips:
        print("skipped: test_the_package_passes_its_tests:", line)
    # Nothing else is skipped, and only if the reason is true.
    assert all("pseudo-terminals" in line for line in skips), result.stdout
    assert not (skips and has_terminals()), result.stdout


def test_pip_installs_the_package(folder, vaec):
    python = interpreter("numpy", "pip", "setuptools", "wheel")
    # Tested on a copy, because setuptools writes files beside the package.
    (folder / "copy").mkdir()
    succeed = executable.succeed
    succeed("cp", "-r", ROOT / "python", ROOT / "CMakeLists.txt", folder / "copy")
    succeed(python, "-m", "pip", "install", "--no-build-isolation", "--no-index", "--no-deps", "--quiet", "--target",
            folder / "site", folder / "copy/python", env={"PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    version = re.search(r"^project\(vaec VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text(), re.M).group(1)
    assert (folder / f"site/vaec-{version}.dist-info").is_dir(), os.listdir(folder / "site")
    said = succeed(python, "-c", "import vaec; print(vaec.__file__, vaec.version())", cwd=folder,
                   env={**environment(vaec, folder), "PYTHONPATH": str(folder / "site")})
    assert said.stdout.split() == [str(folder / "site/vaec/__init__.py"), version]
