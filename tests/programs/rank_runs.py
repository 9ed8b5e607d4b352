"""Functions that the tests of ranks share: they train on several ranks and compare parameters."""
import pathlib
import socket
import struct

import pytest

from executable import call, safetensors


def need_c10d(vaec):
    """Skips the test if this vaec has no libvaert_c10d.so."""
    if not (vaec.parent.parent / "lib/libvaert_c10d.so").exists():
        pytest.skip("this vaec was built without libtorch-dev or libgloo-dev")


def need_mpi(vaec):
    if not (vaec.parent.parent / "lib/libvaert_mpi.so").exists():
        pytest.skip("this vaec was built without libopenmpi-dev")


def parameters(run, step, file="model.safetensors"):
    """Returns a dict from the name of each tensor of a checkpoint to its numbers."""
    tensors = safetensors(pathlib.Path(run) / "checkpoints" / f"step-{step}" / file)
    return {name: struct.unpack(f"<{len(values) // 4}f", values) for name, (_, values) in tensors.items()}


def differences(run, other, step):
    """Returns the absolute differences of all parameters."""
    ours, theirs = parameters(run, step), parameters(other, step)
    assert ours.keys() == theirs.keys()
    return [abs(a - b) for name in ours for a, b in zip(ours[name], theirs[name], strict=True)]


def largest_difference(run, other, step):
    return max(differences(run, other, step))


def agree_up_to_rounding(run, other, step):
    """Whether parameters differ by less than 1e-5. Adam divides a gradient by its size. If the terms of a gradient
    cancel, it multiplies their rounding, so one in ten thousand parameters may differ by more, but by less than an
    update (1e-3)."""
    found = differences(run, other, step)
    return max(found) < 1e-3 and sum(difference > 1e-5 for difference in found) <= len(found) / 10_000


def train(exe, run, *arguments, ranks="off", cwd=None, **options):
    """Trains quietly into the folder `run`. Returns the result of the process."""
    return call(exe, "train", "--ranks", ranks, "--out", run, "--threads", 1, "--quiet", *arguments, cwd=cwd,
                **options)


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]
