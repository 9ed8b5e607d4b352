"""Tests that `bench` reports where the time of a step goes, and that `train --profile` writes a trace of it."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest

from executable import GLYPHS, ROOT, build, call, succeed, write

sys.path.insert(0, str(ROOT / "tests/bench"))
import growth  # noqa: E402


def glyphs(folder, vaec):
    return build(vaec, write(folder, "glyphs.vae", GLYPHS), folder)


def test_bench_counts_the_kernels_of_a_step(folder, vaec):
    result = json.loads(succeed(glyphs(folder, vaec), "bench", "--batch", "20", "--steps", "9", "--threads", "1",
                                "--json", cwd=folder).stdout)
    assert result["learn"] == "symmetric" and result["threads"] == 1 and result["steps"] == 9
    assert result["batch"] == {"images": 20, "codes": 20}
    assert abs(result["steps_per_second"] * result["milliseconds"] - 1000) < 1
    kernels = result["kernels"]
    assert abs(sum(kernel["share"] for kernel in kernels) - 1) < 1e-6
    times = [kernel["milliseconds"] for kernel in kernels]
    assert times == sorted(times, reverse=True)
    calls = {kind: sum(kernel["calls"] for kernel in kernels if kernel["kind"] == kind)
             for kind in ("gemm", "update", "gather")}
    # Each half of a step has two networks forward, one adjoint of a hidden layer and two of weights.
    assert calls == {"gemm": 14, "update": 2, "gather": 1}
    # Multiply-adds per row: four networks forward, the weights of two networks, and the adjoints of the
    # hidden layers.
    a_network = 64 * (784 + 16)
    assert abs(result["gigaflops"] * 1e9 / 20 - 2 * (6 * a_network + 64 * 784 + 64 * 16)) < 1
    assert all(0 < kernel["of_peak"] < 1.5 for kernel in kernels if kernel["kind"] == "gemm")
    update = next(kernel for kernel in kernels if kernel["name"] == "update p")
    parameters = a_network + 64 + 784
    moved = update["gigabytes_per_second"] * 1e9 * update["milliseconds"] * 1e-3
    # Adam reads a gradient, and reads and writes the parameters and two moments.
    assert abs(moved - 7 * 4 * parameters) < 1
    assert not (folder / "runs").exists()


def test_bench_prints_a_table(folder, vaec):
    lines = succeed(glyphs(folder, vaec), "bench", "--steps", "3", "--threads", "1", cwd=folder).stdout.splitlines()
    assert lines[0] == "glyphs, learn symmetric, batch codes=32, images=32", lines[0]
    assert "steps a second" in lines[2]
    assert any("dense p.x" in line and "% f" in line for line in lines)
    assert any("rows of x  32 x 28 x 28" in line and "% m" in line for line in lines)
    assert lines[-1].startswith("100.0 %")


def test_bench_refuses_what_is_not_there(folder, vaec):
    exe = glyphs(folder, vaec)
    wrong = call(exe, "bench", "--learn", "elbo", cwd=folder)
    assert wrong.returncode == 64 and "symmetric" in wrong.stderr, wrong.stderr
    wrong = call(exe, "bench", "--steps", "0", cwd=folder)
    assert wrong.returncode == 64 and len(wrong.stderr.splitlines()) == 1, wrong.stderr


def processors_of(pid):
    """The processors on which each thread of the process may run."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        status = (task / "status").read_text()
        found.append(re.search(r"^Cpus_allowed_list:\s*(\S+)", status, re.M).group(1))
    return found


@pytest.mark.parametrize("ranks", [1, 2])
def test_pinned_threads_have_a_processor_each(folder, vaec, ranks):
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("this machine has one processor")
    exe = glyphs(folder, vaec)
    flags = ["--pin", "--threads", str(2 // ranks), "--ranks", "2" if ranks == 2 else "off"]
    too_many = call(exe, "bench", "--pin", "--threads", len(os.sched_getaffinity(0)) + 1, cwd=folder)
    assert too_many.returncode == 64 and "--pin" in too_many.stderr, too_many.stderr
    training = subprocess.Popen([exe, "train", "--quiet", "--steps", "1000000", "--every", "log=0,sample=0", *flags],
                                cwd=folder, start_new_session=True)
    try:
        end = time.monotonic() + 60
        pinned = set()
        while len(pinned) < 2 and training.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
            children = pathlib.Path(f"/proc/{training.pid}/task/{training.pid}/children").read_text().split()
            lists = [each for pid in children or [training.pid] for each in processors_of(pid)]
            pinned = {each for each in lists if each.isdigit()}
        assert len(pinned) == 2, lists
    finally:
        os.killpg(training.pid, signal.SIGKILL)
        training.wait()


def events_of(path):
    return json.loads(path.read_text())["traceEvents"]


def test_a_profile_is_a_chrome_trace(folder, vaec):
    exe = glyphs(folder, vaec)
    succeed(exe, "train", "--quiet", "--steps", "5", "--profile", "--out", folder / "run")
    events = events_of(folder / "run" / "trace-step-0.json")
    assert all(event["ph"] == "X" and event["dur"] >= 0 and event["ts"] >= 0 for event in events)
    steps = [event for event in events if event["name"] == "step"]
    assert [event["args"]["step"] for event in steps] == [0, 1, 2, 3, 4]
    assert {"log", "sample", "checkpoint"} <= {event["name"] for event in events}
    # Every kernel lies within a step, and every step has the same kernels.
    kernels = [event for event in events if event["cat"] != "run"]
    counts = [sum(step["ts"] <= event["ts"] and event["ts"] + event["dur"] <= step["ts"] + step["dur"] + 0.01
                  for event in kernels) for step in steps]
    assert sum(counts) == len(kernels) and len(set(counts)) == 1 and counts[0] > 20, counts
    # A resumed run gets a trace of its own.
    succeed(exe, "train", "--quiet", "--steps", "6", "--profile", "--resume", folder / "run")
    later = events_of(folder / "run" / "trace-step-5.json")
    assert [event["args"]["step"] for event in later if event["name"] == "step"] == [5]


def test_a_trace_is_bounded_and_changes_nothing(folder, vaec):
    exe = glyphs(folder, vaec)
    settings = ["--quiet", "--steps", "1500", "--batch", "2", "--threads", "1", "--every",
                "log=0,sample=0,checkpoint=0,evaluate=0"]
    succeed(exe, "train", *settings, "--profile", "--out", folder / "traced")
    succeed(exe, "train", *settings, "--out", folder / "plain")
    trace = folder / "traced" / "trace-step-0.json"
    assert len(events_of(trace)) == 30_000 and trace.stat().st_size < 8e6
    assert not (folder / "plain" / "trace-step-0.json").exists()
    model = "checkpoints/step-1500/model.safetensors"
    assert (folder / "traced" / model).read_bytes() == (folder / "plain" / model).read_bytes()


def test_the_models_of_the_benchmarks_compile(folder, vaec):
    for program in sorted((ROOT / "tests/bench").glob("*.vae")):
        succeed(vaec, "check", program)
    for sources, codes in (1, 2), (8, 2), (1, 8):
        model = write(folder, "model.vae", growth.model(sources, codes))
        explained = json.loads(succeed(vaec, "explain", "--format", "json", model).stdout)
        assert len(explained["players"]) == codes + 1, explained["players"]
        assert len(explained["sources"]) == sources + 1
