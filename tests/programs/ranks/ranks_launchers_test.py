#!/usr/bin/env python3
"""Tests training under launchers: the real torchrun and mpirun, and processes with the environment that Slurm, PMI or a
user sets."""
import functools
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

from executable import GLYPHS, build, call, digest, metrics, write
from rank_runs import free_port, largest_difference, need_c10d, need_mpi, train
from ranks_test import wait_for_steps

STEPS = 20


def glyphs(folder, vaec):
    need_c10d(vaec)
    return build(vaec, write(folder, "glyphs.vae", GLYPHS), folder)


@functools.cache
def python_with_torch():
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-c", "import torch.distributed.run"], capture_output=True).returncode == 0:
            return python
    pytest.skip("python3-torch is not installed")


@functools.cache
def can_serve():
    """Whether torchrun can serve a store. The PyTorch 2.6 of Debian 13 cannot, because it is built without libuv."""
    serve = "import torch.distributed as d; d.TCPStore('127.0.0.1', 0, 1, True)"
    return subprocess.run([python_with_torch(), "-c", serve], capture_output=True).returncode == 0


def torchrun(folder, job, elastic=False):
    """The command line of torchrun. Its agents meet at a port, or at a file of the folder (docs/distributed.md).
    PyTorch 1.13 on Python 3.11 needs -r and -t."""
    command = [python_with_torch(), "-m", "torch.distributed.run", "-r", "1", "-t", "1", "--no_python", f"--rdzv_id={job}"]
    if not can_serve():
        os.environ["TORCH_DISABLE_SHARE_RDZV_TCP_STORE"] = "1"
        place = folder / f"meeting-{time.monotonic_ns()}"
        return [*command, "--rdzv_backend=c10d", f"--rdzv_endpoint={place}", "--rdzv_conf=store_type=file",
                "--local_addr=127.0.0.1"]
    if elastic:
        return [*command, "--rdzv_backend=c10d", f"--rdzv_endpoint=127.0.0.1:{free_port()}"]
    return [*command, f"--master_port={free_port()}"]


def mpirun():
    if not shutil.which("mpirun"):
        pytest.skip("openmpi-bin is not installed")
    return ["mpirun", "--allow-run-as-root", "--oversubscribe"]


def together(exe, run, environments, *arguments):
    """Starts a rank in each environment. Returns their results."""
    command = [exe, "train", "--out", run, "--threads", "1", "--quiet", "--steps", str(STEPS), *arguments]
    ranks = [subprocess.Popen(command, env={**os.environ, **env}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True)
             for env in environments]
    return [(rank.communicate(timeout=120), rank.returncode) for rank in ranks]


def one_rank(exe, folder, steps=STEPS):
    assert train(exe, folder / "one", "--steps", steps).returncode == 0
    return folder / "one"


def test_torchrun_gives_the_parameters_of_one_rank(folder, vaec):
    exe = glyphs(folder, vaec)
    result = call(*torchrun(folder, "two"), "--nproc_per_node=2", exe, "train", "--out", folder / "run", "--quiet",
                  "--steps", STEPS)
    assert result.returncode == 0, result.stderr
    assert largest_difference(one_rank(exe, folder), folder / "run", STEPS) < 1e-5


@pytest.mark.parametrize("named", [True, False])
def test_torchrun_restarts_and_the_run_goes_on_from_its_checkpoint(folder, vaec, named):
    """A rank is killed. The parameters are those of a run that nobody interrupted, in every bit."""
    exe = glyphs(folder, vaec)
    steps = 400
    out = ["--out", folder / "run"] if named else []
    process = subprocess.Popen([*torchrun(folder, "restarts"), "--nproc_per_node=2", "--max_restarts=2", exe, "train",
                                *out, "--quiet", "--threads", "1", "--steps", str(steps)],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder,
                               start_new_session=True)
    run = folder / ("run" if named else "runs/glyphs-symmetric-1")
    try:
        wait_for_steps(run, 40, process)
        os.kill(rank_process(process, 1), signal.SIGKILL)
        _, err = process.communicate(timeout=240)
    finally:
        end_group(process)
    assert process.returncode == 0, err
    result = call(exe, "train", "--ranks", 2, "--threads", 1, "--quiet", "--steps", steps, "--out", folder / "whole")
    assert result.returncode == 0, result.stderr
    assert digest(run, steps) == digest(folder / "whole", steps)
    assert [line["step"] for line in metrics(run)] == list(range(10, steps + 1, 10))
    assert not (folder / "runs/glyphs-symmetric-2").exists()


def rank_process(launcher, rank, variable="RANK"):
    """The id of the process of this rank, which the launcher has started."""
    for pid in os.listdir("/proc"):
        try:
            with open(f"/proc/{pid}/stat") as file:
                is_child = file.read().rsplit(")", 1)[1].split()[1] == str(launcher.pid)
            with open(f"/proc/{pid}/environ", "rb") as file:
                if is_child and f"{variable}={rank}".encode() in file.read().split(b"\0"):
                    return int(pid)
        except OSError:  # no process, or one that has ended
            continue
    raise AssertionError(f"no process of rank {rank}")


def end_group(process):
    """Kills the process and its children, if it still runs."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_torchrun_goes_on_with_fewer_ranks_if_a_machine_is_lost(folder, vaec):
    """Two agents stand for two machines. One is killed with its rank: the other resumes alone, without --resume."""
    if not can_serve():
        pytest.skip("this torchrun cannot serve a store, and its agents do not go on alone if they meet at a file")
    try:
        socket.getaddrinfo("localhost", None)
    except OSError:
        pytest.skip("localhost has no address here (there is no /etc/hosts), which the agents of torchrun need")
    exe = glyphs(folder, vaec)
    steps = 300
    command = [*torchrun(folder, "shrinking", elastic=True), "--nnodes=1:2", "--nproc_per_node=1", "--max_restarts=3",
               exe, "train", "--out", folder / "run", "--quiet", "--threads", "1", "--steps", str(steps)]
    machines = []
    try:
        for _ in range(2):
            machines.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                             start_new_session=True))
            time.sleep(1)  # the first one has the store of the rendezvous
        wait_for_steps(folder / "run", 30, machines[0])
        environment = json.loads((folder / "run/env.json").read_text())
        assert environment["ranks"]["size"] == 2, environment
        end_group(machines[1])
        _, err = machines[0].communicate(timeout=240)
    finally:
        for machine in machines:
            end_group(machine)
    assert machines[0].returncode == 0, err
    lines = metrics(folder / "run")
    assert [line["step"] for line in lines] == list(range(10, steps + 1, 10))
    assert json.loads((folder / "run/config.json").read_text())["resumed"], "it did not begin anew"
    assert largest_difference(one_rank(exe, folder, steps), folder / "run", steps) < 1e-3


def test_a_second_launch_of_a_job_with_fewer_ranks_resumes_its_run(folder, vaec):
    exe = glyphs(folder, vaec)
    for ranks, steps, job in ((3, 20, "again"), (2, 40, "again"), (1, 60, "again"), (2, 60, "other")):
        result = call(*torchrun(folder, job), f"--nproc_per_node={ranks}", exe, "train", "--out", folder / "run", "--quiet",
                      "--threads", 1, "--steps", steps)
        if job == "other":
            assert result.returncode != 0 and "--resume continues a run" in result.stderr, result.stderr
        else:
            assert result.returncode == 0, (ranks, result.stderr)
    assert largest_difference(one_rank(exe, folder, 60), folder / "run", 60) < 1e-5
    assert json.loads((folder / "run/config.json").read_text())["resumed"] == [20, 40]


@pytest.mark.parametrize("transport", ["mpi", "c10d"])
def test_mpirun_gives_the_parameters_of_one_rank(folder, vaec, transport):
    exe = glyphs(folder, vaec)
    need_mpi(vaec)
    result = call(*mpirun(), "-n", 3, exe, "train", "--out", folder / "run", "--quiet", "--threads", 1,
                  "--steps", STEPS, "--ranks-transport", transport, timeout=240)
    assert result.returncode == 0, result.stderr
    assert largest_difference(one_rank(exe, folder), folder / "run", STEPS) < 1e-5


def start_mpirun(exe, run, ranks, *arguments):
    return subprocess.Popen([*mpirun(), "-n", str(ranks), exe, "train", "--out", run, "--quiet", "--threads", "1",
                             "--steps", "1000000", "--ranks-transport", "mpi", *arguments], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, start_new_session=True)


@pytest.mark.parametrize("victim", [0, 1])
def test_a_rank_that_is_killed_under_mpi_is_named(folder, vaec, victim):
    """Both by the ranks of its host, with the step, and by mpirun, which ends all ranks."""
    exe = glyphs(folder, vaec)
    need_mpi(vaec)
    process = start_mpirun(exe, folder / "run", 3)
    try:
        wait_for_steps(folder / "run", 20, process)
        pid = rank_process(process, victim, "OMPI_COMM_WORLD_RANK")
        os.kill(pid, signal.SIGKILL)
        _, err = process.communicate(timeout=60)
    finally:
        end_group(process)
    assert process.returncode != 0
    assert re.search(rf"of 3: rank {victim} \(host [^ ]+, process {pid}\) does not answer any more, after step \d+ "
                     r"\(its process has ended\)", err), err
    assert f"noticed that process rank {victim}" in err, err
    result = call(exe, "train", "--resume", folder / "run", "--ranks", "off", "--quiet", "--steps",
                  metrics(folder / "run")[-1]["step"] + 20)
    assert result.returncode == 0, result.stderr


def test_a_rank_that_hangs_under_mpi_is_given_up(folder, vaec):
    """MPI does not say which rank it is, so the message says that."""
    exe = glyphs(folder, vaec)
    need_mpi(vaec)
    process = start_mpirun(exe, folder / "run", 2, "--rank-timeout", "3")
    try:
        wait_for_steps(folder / "run", 20, process)
        os.kill(rank_process(process, 1, "OMPI_COMM_WORLD_RANK"), signal.SIGSTOP)
        _, err = process.communicate(timeout=60)
    finally:
        end_group(process)
    assert process.returncode == 75, err
    assert ("rank 0 of 2: another rank does not answer any more; MPI does not say which, but no rank of this host has "
            "ended, after step ") in err and "(no answer within 3" in err, err


def test_the_environments_of_slurm_pmi_and_a_user(folder, vaec):
    exe = glyphs(folder, vaec)
    one = one_rank(exe, folder)
    job = random.Random(os.getpid() + int(time.time())).randrange(1 << 20)
    slurm = [{"SLURM_STEP_ID": "0", "SLURM_NTASKS": "2", "SLURM_PROCID": str(r), "SLURM_LOCALID": str(r),
              "SLURM_JOB_ID": str(job), "SLURM_STEP_NODELIST": "localhost,n[001-003]"} for r in range(2)]
    port = str(free_port())
    pmi = [{"PMI_RANK": str(r), "PMI_SIZE": "2", "MPI_LOCALRANKID": str(r), "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": port} for r in range(2)]
    port = str(free_port())
    by_hand = [{"RANK": str(r), "WORLD_SIZE": "3", "MASTER_ADDR": "localhost", "MASTER_PORT": port} for r in range(3)]
    for name, environments in (("slurm", slurm), ("pmi", pmi), ("by-hand", by_hand)):
        results = together(exe, folder / name, environments)
        assert [code for _, code in results] == [0] * len(environments), results
        assert largest_difference(one, folder / name, STEPS) < 1e-5, name


def test_a_launcher_that_says_too_little_is_refused(folder, vaec):
    exe = glyphs(folder, vaec)
    for env, text in (({"RANK": "0", "WORLD_SIZE": "2"}, "MASTER_ADDR is not set"),
                      ({"RANK": "2", "WORLD_SIZE": "2", "MASTER_ADDR": "localhost"}, "RANK=2"),
                      ({"RANK": "0", "WORLD_SIZE": "two", "MASTER_ADDR": "localhost"}, "WORLD_SIZE=two"),
                      ({"PMI_RANK": "0", "PMI_SIZE": "2"}, "MASTER_ADDR is not set"),
                      ({"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "no.such.host.invalid"}, "no.such.host.invalid"),
                      ({"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "localhost", "VAEC_IFNAME": "none0"},
                       "VAEC_IFNAME=none0")):
        result = call(exe, "train", "--out", folder / "run", "--rank-timeout", 5, env={"MASTER_PORT": str(free_port()),
                                                                                      **env})
        assert result.returncode in (75, 78) and text in result.stderr, (env, result)
        assert not (folder / "run").exists()
    alone = call(exe, "train", "--out", folder / "alone", "--ranks", "off", "--steps", 2, "--quiet",
                 env={"RANK": "0", "WORLD_SIZE": "2"})
    assert alone.returncode == 0, alone.stderr


def test_a_rank_that_does_not_come_is_named(folder, vaec):
    exe = glyphs(folder, vaec)
    result = call(exe, "train", "--out", folder / "run", "--rank-timeout", 2,
                  env={"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())})
    assert result.returncode == 75 and "rank 1 has not come within 2 s" in result.stderr, result


def test_a_rank_that_others_cannot_reach_says_what_to_set(folder, vaec):
    """Two host names on one machine: the ranks would meet at the loopback."""
    exe = glyphs(folder, vaec)
    other = ["unshare", "--uts", "sh", "-c", 'hostname elsewhere && exec "$@"', "sh"]
    if subprocess.run([*other, "true"], capture_output=True).returncode != 0:
        pytest.skip("this user may not change the host name of a process")
    port = str(free_port())
    ranks = [subprocess.Popen([*(other if rank else []), exe, "train", "--out", folder / "run"], stderr=subprocess.PIPE,
                              text=True, env={**os.environ, "RANK": str(rank), "WORLD_SIZE": "2",
                                              "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port})
             for rank in range(2)]
    for rank in ranks:
        _, err = rank.communicate(timeout=60)
        assert rank.returncode == 78 and "set VAEC_IFNAME" in err, err


def threads_of(run):
    return json.loads((run / "env.json").read_text())["threads"]


def test_ranks_divide_the_cores_that_they_share(folder, vaec):
    """OMP_NUM_THREADS=1, which torchrun sets, does not count."""
    exe = glyphs(folder, vaec)
    cores = sorted(os.sched_getaffinity(0))
    command = [exe, "train", "--quiet", "--steps", 2, "--out"]
    environment = {"OMP_NUM_THREADS": "1"}
    for ranks in (2, 3):
        result = call(*command, folder / str(ranks), "--ranks", ranks, env=environment)
        assert result.returncode == 0, result.stderr
        assert threads_of(folder / str(ranks)) == max(1, len(cores) // ranks)
    if len(cores) < 2:
        return
    # Rank 0 may use two cores, rank 1 only one of them: they do not share the same cores.
    port = str(free_port())
    ranks = [subprocess.Popen(["taskset", "-c", ",".join(map(str, cores[:2 - rank])), *map(str, command),
                               folder / "pinned"], stderr=subprocess.PIPE, text=True,
                              env={**os.environ, **environment, "RANK": str(rank), "WORLD_SIZE": "2",
                                   "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}) for rank in range(2)]
    said = [rank.communicate(timeout=60)[1] for rank in ranks]
    assert [rank.returncode for rank in ranks] == [0, 0], said
    assert threads_of(folder / "pinned") == 2


def test_doctor_says_which_transports_exist(folder, vaec):
    lines = call(vaec, "doctor").stdout.splitlines()
    for transport in ("c10d", "mpi"):
        line = next(line for line in lines if line.split()[0] == transport)
        exists = (vaec.parent.parent / f"lib/libvaert_{transport}.so").exists()
        assert (line.split()[1] == "ok") == exists, line
        assert exists or "--ranks" in line, line
    assert next(line for line in lines if line.split()[0] == "nccl").split()[1] in ("ok", "missing"), lines


def test_ranks_with_other_data_or_another_program_do_not_start(folder, vaec):
    exe = glyphs(folder, vaec)
    other = build(vaec, write(folder, "other.vae", GLYPHS.replace("glyphs(500", "glyphs(499")), folder)
    port = str(free_port())
    ranks = [subprocess.Popen([program, "train", "--out", folder / "run", "--quiet"], stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1",
                                   "MASTER_PORT": port})
             for rank, program in enumerate((exe, other))]
    said = [rank.communicate(timeout=60)[1] for rank in ranks]
    assert [rank.returncode for rank in ranks] == [65, 65], said
    assert "the program: rank 0" in said[0] and not said[1], said


def test_exact_ranks_give_the_same_bits_for_every_number_of_ranks(folder, vaec):
    exe = glyphs(folder, vaec)
    port = str(free_port())
    exact = ["--exact-ranks", "4"]
    for ranks in ("off", "2", "4"):
        result = train(exe, folder / ranks, "--steps", STEPS, *exact, ranks=ranks)
        assert result.returncode == 0, result.stderr
    by_hand = [{"RANK": str(r), "WORLD_SIZE": "2", "MASTER_ADDR": "localhost", "MASTER_PORT": port} for r in range(2)]
    results = together(exe, folder / "by-hand", by_hand, *exact)
    assert [code for _, code in results] == [0, 0], results
    assert len({digest(folder / name, STEPS) for name in ("off", "2", "4", "by-hand")}) == 1
    assert largest_difference(one_rank(exe, folder), folder / "off", STEPS) < 1e-5
    refused = train(exe, folder / "refused", *exact, ranks=3)
    assert refused.returncode == 64 and "must be a multiple of the 3 ranks" in refused.stderr, refused


def test_bench_shows_the_share_of_communication(folder, vaec):
    exe = glyphs(folder, vaec)
    result = call(exe, "bench", "--ranks", 2, "--threads", 1, "--steps", 5)
    assert result.returncode == 0, result.stderr
    line = next(line for line in result.stdout.splitlines() if line.startswith("2 ranks (c10d): rank 0 waits "))
    assert "MB of gradients" in line and line.endswith("% of the step"), line
