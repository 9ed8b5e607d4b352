"""Tests how many threads a step uses: small models do not wake the thread pool."""
import os
import pathlib
import subprocess
import time

from executable import build, call, metrics, succeed, write

# A step with many small kernels, and parameters in many small tensors.
SMALL = """
let points = moebius(1000, 3, seed = 1)
var x : real[3]
var z : unit[3]
source train { x = points.x }
source generated { }
decoder p {
  z     ~ Uniform()
  x | z ~ Normal(dense(relu(dense(relu(dense(z, 30)), 30)), 3), 0)
}
encoder q { z | x ~ LogitNormal(dense(relu(dense(x, 30)), 3), dense(relu(dense(x, 30)), 3)) }
learn symmetric {
  steps = 100_000_000
  batch = 64
  every = {log: 1000, sample: 0, checkpoint: 0, evaluate: 0}
}
"""


def switches(process):
    """Returns how often all threads except the first went to sleep, and how many such threads there are."""
    others = [task for task in pathlib.Path(f"/proc/{process}/task").iterdir() if task.name != str(process)]
    counts = [int(line.split()[1]) for task in others for line in (task / "status").read_text().splitlines()
              if line.startswith("voluntary_ctxt_switches")]
    return sum(counts), len(others)


def wait_for_lines(run, lines):
    stop = time.monotonic() + 60
    while time.monotonic() < stop:
        if (run / "metrics.jsonl").exists() and len(metrics(run)) >= lines:
            return
        time.sleep(0.02)
    raise AssertionError("no steps are made")


def test_a_step_of_small_kernels_never_wakes_the_pool(folder, vaec):
    exe, run = build(vaec, write(folder, "small.vae", SMALL), folder), folder / "run"
    # LibTorch is not tested, because its BLAS may have threads of its own.
    process = subprocess.Popen([exe, "train", "--quiet", "--threads", "3", "--backend", "onednn", "--out", run])
    try:
        wait_for_lines(run, 1)
        before, others = switches(process.pid)
        wait_for_lines(run, 4)
        after, _ = switches(process.pid)
    finally:
        process.kill()
        process.wait()
    assert others == 2, f"{others} threads besides the first"
    # If steps woke the threads, each step would do so at least once.
    assert after - before < 100, f"the pool was woken {after - before} times in 3000 steps"


def test_no_more_threads_than_the_machine_has_use_for(folder, vaec):
    exe = build(vaec, write(folder, "small.vae", SMALL), folder)
    cores = len(os.sched_getaffinity(0))
    for command, *more in (["train"], ["bench"], ["evaluate", "--run", "none"]):
        result = call(exe, command, *more, "--threads", 100 * cores, cwd=folder)
        cause = f"this machine has {cores} core{'s' if cores > 1 else ''}; at most {4 * cores} threads are allowed"
        assert (result.returncode, result.stderr) == (64, f"small {command}: --threads {100 * cores}: {cause}\n"), result
        result = call(exe, command, *more, cwd=folder, env={"VAEC_THREADS": "100000"})
        assert (result.returncode, result.stderr) == (64, f"small {command}: VAEC_THREADS=100000: {cause}\n"), result
    result = call(exe, "train", "--threads", "99999999999999999999", cwd=folder)
    assert result.returncode == 64 and len(result.stderr.splitlines()) == 1, result
    said = succeed(exe, "train", "--steps", "2", cwd=folder, env={"OMP_NUM_THREADS": "5000"}).stdout
    assert f" {4 * cores} threads, " in said, said
