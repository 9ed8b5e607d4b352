#!/usr/bin/env python3
"""Tests training on several ranks with a GPU each, on the fake CUDA driver and the fake NCCL of tests/device. The
parameters are those of one rank with a GPU. A lost rank, a signal and a term that is not finite end all ranks."""
import json
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from chain_test import SEMI, write_joint
from device_test import LABELS, LIBI, Fake, write_labelled
from executable import GLYPHS, ROOT, call, metrics, need_mnist, succeed, write
from missing_test import TABLES, write_rows
from rank_runs import agree_up_to_rounding, differences, free_port, need_c10d, need_mpi, parameters
from ranks_launchers_test import mpirun
from ranks_test import ENDLESS, children, end, kill_a_rank, let_a_rank_hang, wait_for_steps
from simulator_test import LEARNER, trained_simulator

EVERY_EXAMPLE = [path for path in sorted((ROOT / "examples").glob("*/*.vae")) if not (path.parent / "prepare").exists()]
# VAEC_RANKS_EXAMPLES=all takes every example, which takes an hour. In `estimators`, rounding moves a draw of `score`
# to the other side of its probability.
EXAMPLES = [path for path in EVERY_EXAMPLE
            if os.environ.get("VAEC_RANKS_EXAMPLES") == "all" or path.stem == "table"]


class Gpus(Fake):
    """A machine with some fake GPUs, and a program that is built for it."""

    def __init__(self, folder, vaec, text=GLYPHS, gpus=3):
        need_c10d(vaec)
        super().__init__(folder, vaec)
        self.gpus, self.exe = gpus, self.build("model", text)

    def environment(self, exe, **more):
        # Kernels may run on a thread of the fake driver, which would use all cores.
        return {**super().environment(exe), "OMP_NUM_THREADS": "1", "FAKE_CUDA_DEVICES": str(self.gpus),
                "TMPDIR": str(self.folder), **more}

    def run(self, run, *arguments, ranks=2, device="cuda", command="train", **more):
        flags = ["--out", run] if command == "train" and "--resume" not in arguments else []
        return call(self.exe, command, "--ranks", ranks, "--device", device, "--threads", 1, *flags, *arguments,
                    cwd=self.folder, env=self.environment(self.exe, **more))

    def start(self, run, *arguments, ranks=3):
        return subprocess.Popen(
            [self.exe, "train", "--ranks", str(ranks), "--device", "cuda", "--threads", "1", "--out", run, "--quiet",
             "--steps", str(ENDLESS), "--every", "log=5,sample=0,checkpoint=7,evaluate=0", *map(str, arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.folder,
            env={**os.environ, "VAEC_DATA_URL": "none", **self.environment(self.exe)})


def expect_equal(gpus, *arguments, steps=20, ranks=(2, 3)):
    """Checks that several ranks have the parameters and the record of one."""
    flags = ["--quiet", "--steps", steps, "--every", f"log=5,sample=0,checkpoint={steps},evaluate=0", *arguments]
    for count in ("off", *ranks):
        result = gpus.run(f"run-{count}", *flags, ranks=count)
        assert result.returncode == 0, (count, result.stderr)
    one = gpus.folder / "run-off"
    for count in ranks:
        run = gpus.folder / f"run-{count}"
        assert agree_up_to_rounding(one, run, steps), (count, max(differences(one, run, steps)))
        for there, here in zip(metrics(run), metrics(one), strict=True):
            for name, value in here["terms"].items():
                assert abs(there["terms"][name] - value) < 1e-3 * max(1, abs(value)), (count, name, there, here)
    assert not list(gpus.folder.glob("fake-nccl-*"))


def test_the_parameters_are_those_of_one_rank(folder, vaec):
    gpus = Gpus(folder, vaec)
    expect_equal(gpus)
    calls = json.loads((folder / "calls.json").read_text())
    # A step is one graph, with a sum for each player. The first step is not recorded.
    assert (calls["captures"], calls["replays"], calls["sums"]) == (1, 19, 4), calls
    assert calls["communicators"] == calls["destroyed communicators"] == 1, calls
    assert json.loads((folder / "run-3/config.json").read_text())["device"] == "cuda"
    assert json.loads((folder / "run-3/env.json").read_text())["ranks"]["nccl"] == "2.21.5"


@pytest.mark.parametrize("batch", (1, 2))
def test_a_batch_may_have_fewer_rows_than_there_are_ranks(folder, vaec, batch):
    expect_equal(Gpus(folder, vaec), "--batch", batch)


def test_players_that_learn_together_with_averages_and_clips(folder, vaec):
    text = GLYPHS.replace("steps = 100;", "steps = 100; order = simultaneous; average = 0.8; clip = {p: 0.5, q: 0};"
                          " optimizer = {p: sgd(0.1, momentum = 0.9), q: adamw(0.01, weight_decay = 0.1)};")
    expect_equal(Gpus(folder, vaec, text))


def test_the_baseline_of_score_and_free_bits_see_the_whole_batch(folder, vaec):
    text = GLYPHS.replace("learn symmetric { ", "learn elbo { estimator = score; free_bits = 5; ")
    expect_equal(Gpus(folder, vaec, text), "--batch", 5)


def test_a_bound_of_several_samples(folder, vaec):
    expect_equal(Gpus(folder, vaec, GLYPHS.replace("learn symmetric { ", "learn rws { samples = 3; ")), steps=8)


def test_the_phases_of_libi(folder, vaec):
    expect_equal(Gpus(folder, vaec, LIBI))


@pytest.mark.parametrize("order", ("alternating", "simultaneous"))
def test_rows_that_miss_values(folder, vaec, order):
    write_labelled(folder)
    expect_equal(Gpus(folder, vaec, LABELS.replace("ORDER", order)))


def test_chains(folder, vaec):
    write_joint(folder)
    text = SEMI.replace("WEIGHT", "2").replace("SWEEPS", "3").replace("STEPS", "12").replace("ORDER", "simultaneous")
    expect_equal(Gpus(folder, vaec, text), steps=12)


def test_chains_of_rows_that_miss_values(folder, vaec):
    write_rows(folder / "t.csv", 300, 0.3, 1)
    text = TABLES.replace("ORDER", "alternating").replace("batch = 300", "batch = 60")
    expect_equal(Gpus(folder, vaec, text), steps=12)


def test_rows_of_another_model(folder, vaec):
    trained_simulator(folder, vaec)
    expect_equal(Gpus(folder, vaec, LEARNER))


def test_rank_0_publishes_rows_of_parameters_that_all_ranks_fetch(folder, vaec):
    gpus = Gpus(folder, vaec, GLYPHS + "publish (z, x)\n")
    expect_equal(gpus, "--publish-every", 6)
    rows = {ranks: sorted(path.name for path in (folder / f"run-{ranks}/published").rglob("*") if path.is_file())
            for ranks in ("off", 2, 3)}
    assert rows["off"] and rows["off"] == rows[2] == rows[3], rows


@pytest.mark.parametrize("program", EXAMPLES, ids=lambda program: program.stem)
def test_examples(folder, vaec, program):
    if "mnist(" in program.read_text():
        need_mnist()
    shutil.copytree(program.parent, folder, dirs_exist_ok=True)
    gpus = Gpus(folder, vaec, program.read_text())
    wrong = []
    for learn in json.loads(succeed(gpus.exe, "info", "--json").stdout)["learns"]:
        name = learn["name"]
        flags = ["--quiet", "--learn", name, "--steps", 20, "--batch", 7, "--every",
                 "log=20,sample=0,checkpoint=20,evaluate=0"]
        if learn["settings"]["start"]:
            flags += ["--start", "off-0"]
        if not learn["available"]:
            continue
        results = {ranks: gpus.run(f"{ranks}-{name}", *flags, ranks=ranks) for ranks in ("off", 2, 3)}
        if "rows of peer" in results["off"].stderr:  # it learns beside other programs
            continue
        if not (folder / "off-0").exists():
            (folder / "off-0").symlink_to(folder / f"off-{name}")
        assert not any(result.returncode for result in results.values()), (name, results)
        for ranks in (2, 3):
            runs = (folder / f"off-{name}", folder / f"{ranks}-{name}", 20)
            if not agree_up_to_rounding(*runs):
                wrong.append((name, ranks, sorted(differences(*runs))[-20:]))
    assert not wrong, wrong


def test_a_killed_rank_ends_the_others_which_name_it(folder, vaec):
    gpus = Gpus(folder, vaec)
    for victim in (0, 2):
        run = folder / f"run-{victim}"
        process = gpus.start(run)
        wait_for_steps(run, 10, process)
        kill_a_rank(process, victim)
        result = gpus.run(run, "--resume", run, "--quiet", "--steps", metrics(run)[-1]["step"] + 20)
        assert result.returncode == 0, result.stderr


def test_a_rank_that_hangs_is_given_up(folder, vaec):
    gpus = Gpus(folder, vaec)
    process = gpus.start(folder / "run", "--rank-timeout", 3, ranks=2)
    wait_for_steps(folder / "run", 5, process)
    let_a_rank_hang(process)


def test_a_rank_that_fails_alone_ends_the_others(folder, vaec):
    gpus = Gpus(folder, vaec)
    process = gpus.start(folder / "run")
    wait_for_steps(folder / "run", 10, process)
    shutil.rmtree(folder / "run/checkpoints")
    write(folder / "run", "checkpoints", "no folder")
    _, err = end(process)
    assert process.returncode == 73 and err.count("rank 0 (host") == 2 and "failed: " in err, err


def test_an_error_that_nccl_reports_ends_the_ranks(folder, vaec):
    gpus = Gpus(folder, vaec)
    result = gpus.run("run", "--quiet", "--steps", 5, ranks=2, FAKE_NCCL_STUCK="3")
    assert result.returncode == 75, result
    assert "NCCL: a sum over the ranks: unhandled system error (run with NCCL_DEBUG=INFO" in result.stderr, result


def test_a_signal_at_any_rank_stops_all_at_one_step(folder, vaec):
    gpus = Gpus(folder, vaec)
    for number, kind in ((0, signal.SIGTERM), (2, signal.SIGINT)):
        run = folder / f"run-{number}"
        process = gpus.start(run)
        wait_for_steps(run, 10, process)
        os.kill(children(process)[number], kind)
        _, err = end(process)
        assert process.returncode == 130, err
        stopped = re.search(r"stopped at step (\d+)", err)
        assert stopped and err.count("\n") == 1, err
        assert parameters(run, int(stopped.group(1)))
        result = gpus.run(run, "--resume", run, "--quiet", "--steps", int(stopped.group(1)) + 5)
        assert result.returncode == 0, result.stderr


def test_a_term_that_is_not_finite_ends_all_ranks(folder, vaec):
    gpus = Gpus(folder, vaec)
    flags = ["--quiet", "--steps", 50, "--lr", "1e30"]
    one, several = (gpus.run(str(ranks), *flags, ranks=ranks) for ranks in ("off", 3))
    assert one.returncode == several.returncode == 1, (one, several)
    assert one.stderr == several.stderr, (one, several)


def test_a_run_resumes_on_other_ranks_and_devices(folder, vaec):
    gpus = Gpus(folder, vaec)

    def device():
        return json.loads((folder / "run/config.json").read_text())["device"]

    assert gpus.run("whole", "--quiet", "--steps", 50, ranks="off").returncode == 0
    assert gpus.run("run", "--quiet", "--steps", 20, ranks=2).returncode == 0 and device() == "cuda"
    for ranks, steps, chosen, kept in ((3, 30, "auto", "cuda"), ("off", 40, "auto", "cuda"), (2, 50, "cpu", "cpu")):
        result = gpus.run("run", "--resume", "run", "--quiet", "--steps", steps, ranks=ranks, device=chosen)
        assert result.returncode == 0 and device() == kept, (ranks, device(), result)
    assert agree_up_to_rounding(folder / "whole", folder / "run", 50)


def test_each_rank_needs_a_gpu_of_its_own(folder, vaec):
    gpus = Gpus(folder, vaec, gpus=1)
    for device in ("cuda", "cuda:0"):
        result = gpus.run("never", "--steps", 1, ranks=2, device=device)
        assert result.returncode == 78 and result.stderr.count("\n") == 1, result
        assert "rank 0 (host" in result.stderr and "would share one GPU (0000:01:00.0)" in result.stderr, result
    result = gpus.run("never", "--steps", 1, "--exact-ranks", 2, ranks=2)
    assert result.returncode == 78 and "--exact-ranks: the sums of NCCL have no order" in result.stderr, result
    assert not (folder / "never").exists()


def without_nccl(folder, gpus):
    """A folder of drivers in which NCCL is no library. The system may have another one, which must not be found."""
    drivers = folder / "drivers"
    drivers.mkdir()
    for path in gpus.drivers.iterdir():
        if not path.name.startswith("libnccl"):
            (drivers / path.name).symlink_to(path)
    write(drivers, "libnccl.so.2", "")
    return str(drivers)


def test_nccl_must_be_there_and_new_enough(folder, vaec):
    gpus = Gpus(folder, vaec)
    for more, cause in (({"LD_LIBRARY_PATH": without_nccl(folder, gpus)}, "libnccl.so.2 cannot be opened; install it"),
                        ({"FAKE_NCCL_VERSION": "2804"}, "libnccl.so.2 is too old (its number is 2804)")):
        result = gpus.run("never", "--steps", 1, **more)
        assert result.returncode == 78 and result.stderr.count("\n") == 1 and cause in result.stderr, result
        assert not (folder / "never").exists()
        # One rank needs no NCCL.
        assert gpus.run("alone", "--steps", 1, ranks="off", **more).returncode == 0
        shutil.rmtree(folder / "alone")


def test_auto_takes_gpus_if_every_rank_has_one(folder, vaec):
    gpus = Gpus(folder, vaec, gpus=2)
    flags = ["--quiet", "--steps", 2]
    for ranks, device in ((2, "Fake GPU"), (3, "cpu")):
        result = gpus.run(f"auto-{ranks}", *flags, ranks=ranks, device="auto")
        assert result.returncode == 0, result
        assert json.loads((folder / f"auto-{ranks}/env.json").read_text())["device"] == device
        said = "training on the processor: rank 0 (host" if device == "cpu" else ""
        assert result.stderr.startswith(said) and result.stderr.count("\n") == bool(said), result
    result = gpus.run("no-nccl", *flags, device="auto", LD_LIBRARY_PATH=without_nccl(folder, gpus))
    assert result.returncode == 0 and "several ranks on GPUs need NCCL" in result.stderr, result
    result = gpus.run("no-driver", *flags, device="auto", FAKE_CUDA_DEVICES="0")
    assert result.returncode == 0 and "there is no NVIDIA GPU here" in result.stderr, result


def test_ranks_of_a_launcher_need_the_same_kind_of_device(folder, vaec):
    gpus = Gpus(folder, vaec)
    port = str(free_port())
    ranks = [subprocess.Popen([gpus.exe, "train", "--steps", "2", "--quiet", "--threads", "1", "--device", device],
                              cwd=folder, stderr=subprocess.PIPE, text=True,
                              env={**os.environ, **gpus.environment(gpus.exe), "RANK": str(rank), "WORLD_SIZE": "2",
                                   "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port})
             for rank, device in enumerate(("cuda", "cpu"))]
    said = [rank.communicate(timeout=60)[1] for rank in ranks]
    assert [rank.returncode for rank in ranks] == [65, 65], said
    assert "--device: rank 0" in said[0], said


def test_ranks_of_mpirun(folder, vaec):
    need_mpi(vaec)
    gpus = Gpus(folder, vaec)
    flags = ["--quiet", "--steps", 12, "--every", "log=4,sample=0,checkpoint=12,evaluate=0"]
    assert gpus.run("one", *flags, ranks="off").returncode == 0
    result = call(*mpirun(), "-n", 2, gpus.exe, "train", "--ranks-transport", "mpi", "--device", "cuda", "--threads", 1,
                  "--out", "two", *flags, cwd=folder, env=gpus.environment(gpus.exe))
    assert result.returncode == 0, result.stderr
    assert agree_up_to_rounding(folder / "one", folder / "two", 12)


def test_compare_trains_each_block_on_gpus_by_auto(folder, vaec):
    gpus = Gpus(folder, vaec, GLYPHS + "learn elbo { steps = 100; batch = 32 }\n")
    result = gpus.run("", "--steps", 10, "--out", "compared", device="auto", command="compare")
    assert result.returncode == 0, result
    devices = [json.loads(path.read_text())["device"] for path in (folder / "compared").rglob("env.json")]
    assert devices == ["Fake GPU"] * 2, devices


def test_bench_times_several_gpus(folder, vaec):
    gpus = Gpus(folder, vaec)
    flags = ["--steps", 6]
    result = gpus.run("", *flags, "--json", command="bench")
    assert result.returncode == 0, result
    found = json.loads(result.stdout)["devices"]
    assert [device["device"] for device in found] == ["Fake GPU"] and found[0]["ranks"]["size"] == 2, found
    result = gpus.run("", *flags, command="bench")
    assert result.stdout.splitlines()[1].startswith("2 ranks with a GPU each, Fake GPU, fp32: "), result
    both = gpus.run("", *flags, "--json", command="bench", device="auto")
    assert [device["device"] for device in json.loads(both.stdout)["devices"]] == ["cpu", "Fake GPU"], both
