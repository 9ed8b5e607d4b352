"""Tests that CMakeLists.txt defines the only version: the compiler, the runtime, executables and the changelog show
it."""
import ctypes
import json
import re

import executable
from executable import ROOT, SMALL_MODEL, succeed


def project_version():
    return re.search(r"^project\(vaec VERSION (\d+\.\d+\.\d+)", (ROOT / "CMakeLists.txt").read_text(), re.M).group(1)


def test_compiler_and_runtime_say_the_version_of_the_project(folder, vaec):
    version = project_version()
    assert succeed(vaec, "--version").stdout == f"vaec {version}\n"
    doctor = succeed(vaec, "doctor").stdout.splitlines()
    assert doctor[0].split() == ["vaec", "ok", version], doctor
    assert doctor[2].split()[:2] == ["runtime", "ok"], doctor
    runtime = ctypes.CDLL(str(vaec.parent.parent / "lib/libvaert.so"))
    runtime.vaert_version.restype = ctypes.c_char_p
    assert runtime.vaert_version().decode() == version


def test_an_executable_carries_the_version_that_made_it(folder, vaec):
    (folder / "model.vae").write_text(SMALL_MODEL)
    exe = executable.build(vaec, folder / "model.vae", folder)
    version = project_version()
    assert succeed(exe, "--version").stdout == f"vaec {version}\n"
    assert json.loads(succeed(exe, "info", "--json").stdout)["vaec"] == version


def test_the_changelog_begins_with_this_version(folder, vaec):
    sections = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    released = [section for section in sections if section != "[Unreleased]"]
    assert re.match(rf"\[?{re.escape(project_version())}\]? ", released[0]), released
