#!/usr/bin/env python3
"""Tests `evaluate --metrics fd --features FILE.pt`. A network in TorchScript computes the features, for a model with
known distances."""
import json
import zipfile

from distances_test import trained

import pytest

from executable import call, succeed

SCRIPT = """op_version_set = 1
class M(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  def forward(self: __torch__.M, x: Tensor) -> Tensor:
    return BODY
"""


def need_torch(vaec):
    if not (vaec.parent.parent / "lib/libvaert_torch.so").exists():
        pytest.skip("built without LibTorch")


def write_script(path, body):
    """Writes the file that torch.jit.save writes for a module without parameters."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
        file.writestr("m/data.pkl", b"\x80\x02c__torch__\nM\nq\x00)\x81}(X\x08\x00\x00\x00training\x89ub.")
        file.writestr("m/code/__torch__.py", SCRIPT.replace("BODY", body))
        file.writestr("m/constants.pkl", b"\x80\x02).")
        file.writestr("m/version", b"3\n")


def test_distance_on_a_networks_features_is_its_closed_form(folder, vaec):
    need_torch(vaec)
    exe = trained(folder, vaec, 1)
    flags = ["--metrics", "fd", "--limiting", "0", "--rows", "2000", "--n", "2000", "--features"]
    write_script(folder / "half.pt", "torch.mul(x, 0.5)")
    write_script(folder / "first.pt", "torch.slice(x, 1, 0, 1)")
    half, first = (json.loads(succeed(exe, "evaluate", "--run", "run", "--json", *flags, file, cwd=folder).stdout)["results"][0]
                   for file in ("half.pt", "first.pt"))
    assert (half["width"], first["width"]) == (3, 1) and half["distance"] == "FD-half", (half, first)
    assert half["features"] == "half.pt" and len(half["hash"]) == 16 and half["hash"] != first["hash"], half
    # Samples and data are N(m, 2) in each coordinate, with m = 1 and m = 0. Only |m|^2 remains of the
    # distance.
    for fd, expected in (half, 3 / 4), (first, 1):
        draws = fd["samples"][0]
        assert abs(draws["value"] - expected) < 5 * draws["standard_error"] + 0.02, fd
    text = succeed(exe, "evaluate", "--run", "run", *flags, "half.pt", cwd=folder).stdout.splitlines()
    assert text[0] == f"FD-half of x to 2000 rows of rows (3 features of half.pt, hash {half['hash'][:8]})", text


def test_networks_that_give_no_features(folder, vaec):
    need_torch(vaec)
    exe = trained(folder, vaec, 0)
    write_script(folder / "sum.pt", "torch.sum(x)")
    write_script(folder / "wide.pt", "torch.reshape(x, [-1, 28])")
    (folder / "text.pt").write_text("no archive\n")
    for file, words in [("sum.pt", "it fails on rows of x: forward gives a tensor without a row for each of the batch"),
                        ("wide.pt", "it fails on rows of x: "), ("text.pt", "it is no TorchScript: ")]:
        result = call(exe, "evaluate", "--run", "run", "--metrics", "fd", "--features", file, cwd=folder)
        assert result.returncode == 65 and result.stdout == "", result
        assert result.stderr.startswith(f"shifted evaluate: --features {file}: {words}"), result
        assert len(result.stderr.splitlines()) == 1, result
