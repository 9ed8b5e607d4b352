"""Tests that a bundle runs on a system with only a C library, and that an executable finds its data after it was
moved."""
import os
import pathlib
import re
import shutil

import pytest

import executable
from executable import GLYPHS, ROOT, call, skip_if_sanitized, succeed, write

TABLE = """
var a : real
var z : real
source rows  { a = csv("rows.csv", "a") }
source codes { z ~ Normal(0) }
decoder p { a | z ~ Normal(dense(z, 1), 0) }
encoder q { z | a ~ Normal(dense(a, 1), 0) }
learn symmetric { steps = 2; batch = 2; every = {log: 1, sample: 0, checkpoint: 0, evaluate: 0} }
"""


def make_root(folder):
    """Makes a root folder with only the libraries of the C library, copied from this machine."""
    root = folder / "root"
    (root / "lib64").mkdir(parents=True)
    shutil.copy("/lib64/ld-linux-x86-64.so.2", root / "lib64")
    libraries = pathlib.Path("/lib/x86_64-linux-gnu")
    (root / "lib/x86_64-linux-gnu").mkdir(parents=True)
    for name in ("libc.so.6", "libm.so.6", "libmvec.so.1", "libdl.so.2", "libpthread.so.0", "librt.so.1",
                 "libresolv.so.2"):
        shutil.copy(libraries / name, root / "lib/x86_64-linux-gnu")
    return root


def need_chroot():
    if os.geteuid() != 0 or not pathlib.Path("/lib64/ld-linux-x86-64.so.2").exists():
        pytest.skip("only root may enter another root folder, and only on x86-64")


def test_a_bundle_runs_with_nothing_but_a_c_library(folder, vaec):
    need_chroot()
    root = make_root(folder)
    program = write(folder, "small.vae", GLYPHS)
    succeed(vaec, "build", program, "--bundle", root / "opt/small")
    skip_if_sanitized(vaec, "a sanitized runtime needs /proc")
    (root / "work").mkdir()
    # Without HOME, PATH and /proc, and from a different folder than the executable's.
    enter = ["env", "-i", shutil.which("unshare"), f"--root={root}", "--wd=/work"]
    succeed(*enter, "/opt/small/small", "train", "--steps", "3", "--quiet", "--out", "run")
    succeed(*enter, "/opt/small/small", "sample", "--run", "run", "--n", "4", "--out", "s.png")
    assert (root / "work/s.png").read_bytes().startswith(b"\x89PNG")
    assert "libvaert" not in call(*enter, "/opt/small/small", "info").stderr
    # Started by a relative path, and through a link.
    succeed("env", "-i", shutil.which("unshare"), f"--root={root}", "--wd=/opt", "small/small", "info")
    (root / "link").symlink_to("opt/small/small")
    succeed(*enter, "/link", "info")
    # The results equal those of an executable without a bundle.
    succeed(vaec, "build", program, "-o", folder / "plain")
    succeed(folder / "plain", "train", "--steps", "3", "--quiet", "--out", folder / "run")
    model = "checkpoints/step-3/model.safetensors"
    assert (root / "work/run" / model).read_bytes() == (folder / "run" / model).read_bytes()
    # Without its libraries the executable says what is missing.
    (root / "opt/small/lib/libvaert.so.0").unlink()
    result = call(*enter, "/opt/small/small", "info")
    assert (result.returncode, result.stderr.count("\n")) == (78, 1), result
    assert "/opt/small/lib/libvaert.so.0" in result.stderr, result


# Functions of the runtime that generated code calls, including samplers.
FUNCTIONS = """
var a : real
var g : positive
source rows { a = csv("rows.csv", "a") }
source generated { }
decoder p { g ~ Gamma(parameter([]), parameter([])); a | g ~ Normal(log(g) + atan2(g, 2), 0) }
encoder q { g | a ~ Gamma(dense(a, 1), dense(a, 1)) }
learn symmetric { steps = 3; batch = 4; every = {log: 1, sample: 0, checkpoint: 0, evaluate: 0} }
"""


def test_a_bundle_can_be_moved_and_its_code_calls_the_runtime(folder, vaec):
    skip_if_sanitized(vaec, "only a sanitized program opens a sanitized runtime, and a bundle's start is not one")
    write(folder, "rows.csv", "a\n1\n2\n3\n")
    succeed(vaec, "build", write(folder, "gammas.vae", FUNCTIONS), "--bundle", folder / "made")
    succeed(vaec, "build", folder / "gammas.vae", "-o", folder / "gammas")
    (folder / "made").rename(folder / "moved")
    for exe, run in (("moved/gammas", "a"), ("gammas", "b")):
        succeed(folder / exe, "train", "--quiet", "--out", folder / run, env={"LD_BIND_NOW": "1"})
    assert executable.digest(folder / "a", 3) == executable.digest(folder / "b", 3)
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", succeed("readelf", "-d", folder / "moved/gammas").stdout)
    assert needed == ["libc.so.6"], needed
    assert "[$ORIGIN/lib]" in succeed("readelf", "-d", folder / "moved/gammas").stdout
    # All libraries come from the bundle: those that are opened, and, by their RPATH, all libraries that these
    # link.
    for library in (folder / "moved/lib").glob("libvaert*.so*"):
        lines = succeed("ldd", library).stdout.splitlines()
        outside = [line for line in lines if "=> /" in line and str(folder) not in line]
        assert all(re.search(r"lib(c|m|mvec|dl|pthread|rt|resolv)\.so", line) for line in outside), (library, outside)


def test_the_start_of_bundles_has_every_function_of_the_interface(folder, vaec):
    start = (ROOT / "runtime/start/start.c").read_text()
    headers = (ROOT / "runtime/abi.h").read_text() + (ROOT / "runtime/choose_image.h").read_text()
    declared = set(re.findall(r"\b(vaert_\w+)\(", headers))
    others = {name for name in declared if re.match(r"vaert_(onednn|torch|version)", name)}
    for name in declared - others:
        assert f"FUNCTION({name})" in start, name


def test_bundle_refuses_what_makes_no_sense(folder, vaec):
    write(folder, "small.vae", GLYPHS)
    for words in (["-o", "x"], ["--emit=object"]):
        result = call(vaec, "build", "small.vae", "--bundle", "made", *words, cwd=folder)
        assert (result.returncode, result.stderr.count("\n")) == (64, 1), result
    result = call(vaec, "build", "small.vae", "--bundle", "", cwd=folder)
    assert (result.returncode, result.stderr.count("\n")) == (64, 1) and "--bundle" in result.stderr, result
    write(folder, "lib.vae", GLYPHS)
    result = call(vaec, "build", "lib.vae", "--bundle", "made", cwd=folder)
    assert (result.returncode, result.stderr.count("\n")) == (64, 1) and "lib" in result.stderr, result
    (folder / "lib.vae").unlink()
    write(folder, "file", "")
    result = call(vaec, "build", "small.vae", "--bundle", "file", cwd=folder)
    assert (result.returncode, result.stderr.count("\n")) == (73, 1) and "file" in result.stderr, result
    assert sorted(path.name for path in folder.iterdir()) == ["file", "small.vae"]


def first_rows(exe, cwd):
    """Trains in `cwd`. The error message names a value that is not a number, and so shows which data file was read."""
    return call(exe, "train", "--quiet", "--out", "run", cwd=cwd)


def test_a_moved_executable_looks_beside_itself_first(folder, vaec):
    for name in ("source", "bin", "elsewhere", "current"):
        (folder / name).mkdir()
    succeed(vaec, "build", write(folder / "source", "table.vae", TABLE), "-o", folder / "bin/table")
    text = "a\n{}\n"
    write(folder / "source", "rows.csv", text.format("source"))
    # At the place where it was built, it searches relative to the .vae file.
    write(folder / "current", "rows.csv", text.format("current"))
    assert "source" in first_rows(folder / "bin/table", folder / "current").stderr
    # After it was moved it searches its own folder, then the current folder, then the folder where it was
    # built.
    moved = folder / "elsewhere/table"
    (folder / "bin/table").rename(moved)
    write(folder / "elsewhere", "rows.csv", text.format("beside"))
    for place in ("beside", "current", "source"):
        result = first_rows(moved, folder / "current")
        assert result.returncode == 65 and f'"{place}"' in result.stderr, (place, result)
        (folder / {"beside": "elsewhere"}.get(place, place) / "rows.csv").unlink()
    result = first_rows(moved, folder / "current")
    assert result.returncode == 66, result
    places = [result.stderr.find(f"{folder}/{name}/rows.csv") for name in ("elsewhere", "current", "source")]
    assert -1 not in places and places == sorted(places), result.stderr
    # If it is started in its own folder, the two folders are the same and are listed once.
    result = first_rows("./table", folder / "elsewhere")
    assert result.stderr.count("rows.csv,") + result.stderr.count("rows.csv ") >= 1, result.stderr
    assert result.stderr.count(f"{folder}/elsewhere/rows.csv") == 1, result.stderr


def test_a_moved_executable_finds_the_run_it_starts_from(folder, vaec):
    (folder / "a").mkdir()
    (folder / "b").mkdir()
    text = GLYPHS.replace("steps = 100;", 'steps = 4; start = "first";')
    exe = executable.build(vaec, write(folder / "a", "small.vae", text), folder / "a")
    plain = executable.build(vaec, write(folder / "a", "plain.vae", GLYPHS), folder / "a")
    shutil.move(exe, folder / "b/small")
    succeed(plain, "train", "--steps", "2", "--quiet", "--out", folder / "b/first")
    succeed(folder / "b/small", "train", "--quiet", "--out", folder / "run", cwd="/")
