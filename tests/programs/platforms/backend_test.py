#!/usr/bin/env python3
"""Tests the library operations on LibTorch. Training reaches the same utilities as with oneDNN, the run records its
backend, and it continues bit for bit. LibTorch is loaded only if the user asks for it."""
import json
import os
import re
import resource
import shutil
import subprocess

import pytest

from executable import GLYPHS, build, call, digest, metrics, skip_if_sanitized, succeed, write

BY_ITSELF = {"VAEC_BACKEND": ""}  # whichever backend the other tests use


def glyphs(folder, vaec):
    return build(vaec, write(folder, "glyphs.vae", GLYPHS), folder)


def need_torch(vaec):
    if not (vaec.parent.parent / "lib/libvaert_torch.so").exists():
        pytest.skip("built without LibTorch")


def mapped(*command, folder):
    """Returns the names of the shared libraries that the command loads."""
    trace = folder / "trace"
    succeed(*command, env={**BY_ITSELF, "LD_DEBUG": "files", "LD_DEBUG_OUTPUT": str(trace)}, cwd=folder)
    text = "".join(path.read_text(errors="replace") for path in folder.glob("trace.*"))
    for path in folder.glob("trace.*"):
        path.unlink()
    return set(re.findall(r"calling init: \S*/([^/\s]+)\s", text))


def test_both_backends_learn_alike_and_say_which_it_was(folder, vaec):
    need_torch(vaec)
    exe = glyphs(folder, vaec)
    for backend in "onednn", "torch":
        succeed(exe, "train", "--backend", backend, "--out", folder / backend, "--steps", "20", "--quiet", env=BY_ITSELF)
        for file in "config.json", "env.json":
            assert json.loads((folder / backend / file).read_text())["backend"] == backend
    one, other = (metrics(folder / backend)[-1]["utility"] for backend in ("onednn", "torch"))
    assert all(abs(one[player] - other[player]) < 1e-3 * abs(one[player]) for player in one), (one, other)
    for command in (["sample", "--n", "4", "--out", "s.npy"], ["infer", "z | x", "--given", "x=images", "--out", "z.npy"],
                    ["evaluate", "--rows", "20"]):
        succeed(exe, command[0], "--run", folder / "torch", *command[1:], "--backend", "torch", cwd=folder, env=BY_ITSELF)


def test_memory_that_libtorch_does_not_get_is_bad_configuration(folder, vaec):
    need_torch(vaec)
    skip_if_sanitized(vaec, "AddressSanitizer takes more address space than the limit")
    exe = glyphs(folder, vaec)
    steps = ["train", "--backend", "torch", "--steps", "1", "--quiet", "--threads", "1", "--batch"]
    codes, texts = set(), ""
    for i, batch in enumerate((100, 20_000, 300_000, 500_000)):
        for gigabytes in (2, 3):
            limit = (gigabytes << 30, gigabytes << 30)
            result = subprocess.run([exe, *steps, f"images={batch},codes=10", "--out", folder / f"{i}-{gigabytes}"],
                                    env={**os.environ, **BY_ITSELF}, capture_output=True, text=True, timeout=600,
                                    preexec_fn=lambda limit=limit: resource.setrlimit(resource.RLIMIT_AS, limit))
            codes.add(result.returncode)
            texts += result.stderr
            assert result.returncode in (0, 78), result
            assert len(result.stderr.splitlines()) <= 1, result
    assert codes == {0, 78} and "batch" in texts and ("out of memory" in texts or "of memory" in texts), texts


def test_the_environment_names_the_backend_in_memory_too(folder, vaec):
    need_torch(vaec)
    exe = glyphs(folder, vaec)
    short = ["--steps", "20", "--quiet"]
    succeed(exe, "train", "--backend", "torch", "--out", folder / "flag", *short, env=BY_ITSELF)
    succeed(exe, "train", "--out", folder / "word", *short, env={"VAEC_BACKEND": "torch"})
    succeed(vaec, "run", folder / "glyphs.vae", "train", "--backend", "torch", "--out", folder / "memory", *short,
            env=BY_ITSELF)
    assert digest(folder / "flag", 20) == digest(folder / "word", 20) == digest(folder / "memory", 20)


def test_a_resumed_run_keeps_its_backend_and_its_bits(folder, vaec):
    need_torch(vaec)
    exe = glyphs(folder, vaec)
    succeed(exe, "train", "--backend", "torch", "--out", folder / "whole", "--steps", "40", "--quiet", env=BY_ITSELF)
    succeed(exe, "train", "--backend", "torch", "--out", folder / "halves", "--steps", "20", "--quiet", env=BY_ITSELF)
    succeed(exe, "train", "--resume", folder / "halves", "--steps", "40", "--quiet", env=BY_ITSELF)
    assert json.loads((folder / "halves/config.json").read_text())["backend"] == "torch"
    assert digest(folder / "whole", 40) == digest(folder / "halves", 40)


def test_libtorch_is_loaded_by_nothing_that_does_not_ask_for_it(folder, vaec):
    exe = glyphs(folder, vaec)
    train = [exe, "train", "--steps", "1", "--quiet", "--out"]
    for command in ([exe, "info"], [*train, "plain"], [vaec, "check", "glyphs.vae"]):
        libraries = mapped(*command, folder=folder)
        assert "libc.so.6" in libraries and not [name for name in libraries if "torch" in name], libraries
    need_torch(vaec)
    assert "libvaert_torch.so" in mapped(*train, "torch", "--backend", "torch", folder=folder)


def test_an_installation_without_libtorch_says_so(folder, vaec):
    write(folder, "glyphs.vae", GLYPHS)
    for part in "bin/vaec", "lib/libvaert.so":
        (folder / part).parent.mkdir()
        shutil.copy(vaec.parent.parent / part, folder / part)
    result = call(folder / "bin/vaec", "run", "glyphs.vae", "train", "--backend", "torch", cwd=folder, env=BY_ITSELF)
    missing = os.path.realpath(folder / "lib/libvaert_torch.so")
    assert result.returncode == 78 and result.stdout == "", result
    assert result.stderr.startswith(f"glyphs train: --backend torch: this installation cannot open {missing}: "), result
    assert result.stderr.count("\n") == 1 and not (folder / "runs").exists(), result
    succeed(folder / "bin/vaec", "run", "glyphs.vae", "train", "--steps", "1", "--quiet", cwd=folder, env=BY_ITSELF)


OWN_LIBRARY = """
#include <stdio.h>
const char* dnnl_status2str(int status) { return "its own oneDNN"; }  /* libdnnl, which the runtime uses, has it too */
const void* vaert_torch(const void* options, char* error, unsigned long size) {
  snprintf(error, size, "%s", dnnl_status2str(0));
  return 0;
}
"""


def test_libtorch_uses_the_onednn_that_it_contains(folder, vaec):
    skip_if_sanitized(vaec, "sanitizers do not work with a library that looks into itself first")
    (folder / "bin").mkdir()
    (folder / "lib").mkdir()
    shutil.copy(vaec, folder / "bin/vaec")
    for library in (vaec.parent.parent / "lib").glob("*.so*"):
        if library.name != "libvaert_torch.so":
            (folder / "lib" / library.name).symlink_to(library)
    # The copy is a file, because the runtime looks for other libraries beside itself.
    (folder / "lib/libvaert.so").unlink()
    shutil.copy(vaec.parent.parent / "lib/libvaert.so", folder / "lib/libvaert.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "lib/libvaert_torch.so", write(folder, "own.c", OWN_LIBRARY)],
                   check=True)
    exe = build(folder / "bin/vaec", write(folder, "glyphs.vae", GLYPHS), folder)
    result = call(exe, "train", "--backend", "torch", "--steps", "1", "--out", "run", cwd=folder, env=BY_ITSELF)
    assert result.returncode == 78 and "--backend torch: its own oneDNN" in result.stderr, result
