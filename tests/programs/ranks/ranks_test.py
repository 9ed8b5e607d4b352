#!/usr/bin/env python3
"""Tests training on several ranks of this machine: the parameters are those of one rank, rank 0 alone writes the run,
the run resumes on another number of ranks, signals stop all ranks at one step, and a lost rank ends the others."""
import array
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import time

import pytest

from executable import GLYPHS, SMALL_MODEL, build, call, digest, metrics, safetensors, write
from hdf5_file import write_hdf5
from oracle_test import write_npy
from pictures import png
from rank_runs import free_port, largest_difference, need_c10d, parameters, train

ENDLESS = 1_000_000

# Rows with missing values, an enumerated label, and a source of one row.
MISSING = """
var x : real[2]
var y : real
var c : category(3)
source table { let t = csv("t.csv", ["a", "b", "y", "c"]); x = csv("t.csv", ["a", "b"]); y = t.y; c = t.c }
source generated { }
player k { c | x ~ Categorical(dense(x, 3)) }
decoder p { x | c ~ Normal(dense(c, 2)); y | c, x ~ Normal(dense(concat(c, x), 1)) }
learn symmetric { steps = 20; batch = 9 }
"""


ROWS = """
var x : binary[SIZE]
var z : binary[8]
source rows  { x = READER > 0.5 }
source codes { z ~ Bernoulli(0) }
decoder p { x | z ~ Bernoulli(dense(z, SIZE)) }
encoder q { z | x ~ Bernoulli(dense(x, 8)) }
learn symmetric { steps = 10; batch = 21; every = {log: 10, sample: 0, checkpoint: 0, evaluate: 0} }
"""


def glyphs(folder, vaec, text=GLYPHS):
    need_c10d(vaec)
    return build(vaec, write(folder, "glyphs.vae", text), folder)


def start(exe, run, *arguments, ranks=2):
    return subprocess.Popen([exe, "train", "--ranks", str(ranks), "--threads", "1", "--out", run, "--quiet",
                             *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env={**os.environ, "VAEC_DATA_URL": "none"})


def children(process):
    return [int(child) for child in
            pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def wait_for_steps(run, steps, process):
    """Waits until the record has a line of this step."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if (run / "metrics.jsonl").exists() and any(line["step"] >= steps for line in metrics(run)):
            return
        time.sleep(0.02)
    raise AssertionError(process.communicate() if process.poll() is not None else "no steps")


def end(process, timeout=30):
    try:
        return process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def kill_a_rank(process, victim):
    """Kills it: the others must end soon and name it."""
    pid = children(process)[victim]
    os.kill(pid, signal.SIGKILL)
    begun = time.monotonic()
    _, err = end(process)
    assert time.monotonic() - begun < 20
    assert process.returncode == 75, (process.returncode, err)
    assert f"rank {victim} (host" in err and f"process {pid})" in err and "after step" in err, err


def let_a_rank_hang(process):
    """Stops rank 1 of two: rank 0 must give it up and name it. Returns what it says."""
    pid = children(process)[1]
    os.kill(pid, signal.SIGSTOP)
    try:
        deadline = time.monotonic() + 20
        while len(children(process)) > 1 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert children(process) == [pid], "rank 0 waits for ever"
    finally:
        os.kill(pid, signal.SIGKILL)
    _, err = end(process)
    assert process.returncode == 75 and "rank 1 (host" in err, err
    return err


def test_every_batch_is_shared_also_if_it_has_fewer_rows_than_there_are_ranks(folder, vaec):
    exe = glyphs(folder, vaec)
    for batch in (1, 2, 32):
        for ranks in ("off", 2, 3):
            result = train(exe, folder / f"{batch}-{ranks}", "--steps", 20, "--batch", batch, ranks=ranks)
            assert result.returncode == 0, (batch, ranks, result.stderr)
        for ranks in (2, 3):
            assert largest_difference(folder / f"{batch}-off", folder / f"{batch}-{ranks}", 20) < 1e-5, (batch, ranks)


def test_the_record_is_that_of_one_rank(folder, vaec):
    exe = glyphs(folder, vaec)
    for ranks in ("off", 3):
        assert train(exe, folder / str(ranks), "--steps", 20, ranks=ranks).returncode == 0
    for one, several in zip(metrics(folder / "off"), metrics(folder / "3"), strict=True):
        for term, value in one["terms"].items():
            assert abs(several["terms"][term] - value) < 1e-4 * abs(value), (term, value, several)
    files = [sorted(path.name.split(".")[0] for path in (folder / run).iterdir()) for run in ("off", "3")]
    assert files[0] == files[1], "each file is written once"


def test_the_baseline_of_score_and_free_bits_see_the_whole_batch(folder, vaec):
    text = GLYPHS.replace("learn symmetric { ", "learn elbo { estimator = score; free_bits = 5; ")
    exe = glyphs(folder, vaec, text)
    for ranks in ("off", 2, 3):
        assert train(exe, folder / str(ranks), "--steps", 20, "--batch", 5, ranks=ranks).returncode == 0
    for ranks in (2, 3):
        assert largest_difference(folder / "off", folder / str(ranks), 20) < 1e-5, ranks


def test_rows_with_missing_values_are_shared(folder, vaec):
    need_c10d(vaec)
    draw = random.Random(1)
    cell = lambda text: "" if draw.random() < 0.3 else text  # noqa: E731
    lines = [f"{cell(f'{draw.gauss(0, 1):.3f}')},{draw.gauss(0, 1):.3f},{cell(f'{draw.gauss(0, 1):.3f}')},"
             f"{cell(str(draw.randrange(3)))}" for _ in range(60)]
    write(folder, "t.csv", "a,b,y,c\n" + "\n".join(lines) + "\n")
    exe = build(vaec, write(folder, "missing.vae", MISSING), folder)
    for ranks in ("off", 2, 3):
        result = train(exe, folder / str(ranks), ranks=ranks)
        assert result.returncode == 0, result.stderr
    for ranks in (2, 3):
        assert largest_difference(folder / "off", folder / str(ranks), 20) < 1e-5, ranks


def write_pictures(folder, draw):
    (folder / "pictures").mkdir()
    for number in range(3000):  # more than are kept in memory
        (folder / f"pictures/{number}.png").write_bytes(png(draw.randbytes(36), 6))


def write_numbers(folder, draw):
    write_npy(folder / "rows.npy", [[draw.random() for _ in range(100)] for _ in range(3000)])


def write_dataset(folder, draw, rows_of_chunk=0):
    numbers = array.array("f", [draw.random() for _ in range(3000 * 100)])
    write_hdf5(folder / "rows.h5", "a", 3000, 100, numbers.tobytes(), rows_of_chunk)


# Source of the streamed rows, the number of values of a row, who writes them, and how reading a row looks in strace.
ROW = r"pread64\(\d+<[^>]*/rows\.{}>, .*, 400, \d+\)"
STREAMED = {
    "pictures": ('images("pictures", gray = true)', 36, write_pictures, r"openat\(.*/pictures/"),
    "npy": ('npy("rows.npy")', 100, write_numbers, ROW.format("npy")),
    "hdf5": ('hdf5("rows.h5", "a")', 100, write_dataset, ROW.format("h5")),
    "hdf5 in chunks": ('hdf5("rows.h5", "a")', 100, lambda folder, draw: write_dataset(folder, draw, 1),
                       ROW.format("h5")),
}


@pytest.mark.parametrize("kind", STREAMED)
def test_a_rank_reads_only_its_own_rows_of_streamed_data(folder, vaec, kind):
    """strace counts how often a rank reads a row in steps 11 to 40: one rank draws 30 * 21 of them, and a few
    are drawn twice."""
    need_c10d(vaec)
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    if subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True).returncode != 0:
        pytest.skip("processes must not be traced here")
    reader, size, write_rows, reading = STREAMED[kind]
    text = ROWS.replace("READER", reader).replace("SIZE", str(size))
    exe = build(vaec, write(folder, "rows.vae", text.replace("[36]", "[6, 6]")), folder)
    write_rows(folder, random.Random(1))

    def read(ranks, steps):
        port = str(free_port())
        run = folder / f"{ranks}-{steps}"
        command = [exe, "train", "--quiet", "--threads", "1", "--steps", str(steps), "--out", run]
        started = [subprocess.Popen(["strace", "-f", "-y", "-e", "trace=openat,pread64", "-o", f"{run}.trace{rank}",
                                     *command], stderr=subprocess.PIPE, text=True,
                                    env={**os.environ, "VAEC_DATA_MEMORY": "0", "RANK": str(rank), "MASTER_PORT": port,
                                         "WORLD_SIZE": str(ranks), "MASTER_ADDR": "127.0.0.1"})
                   for rank in range(ranks)]
        said = [end(rank, 120) for rank in started]
        assert not any(rank.returncode for rank in started), said
        return [len(re.findall(reading, pathlib.Path(f"{run}.trace{rank}").read_text())) for rank in range(ranks)]

    of_steps = lambda ranks: [b - a for a, b in zip(read(ranks, 10), read(ranks, 40))]  # noqa: E731
    one, three = of_steps(1), of_steps(3)
    assert 400 < one[0] <= 30 * 21 and all(130 < rank <= 30 * 7 for rank in three), (one, three)
    assert largest_difference(folder / "1-10", folder / "3-10", 10) < 1e-5


def test_a_run_resumes_on_another_number_of_ranks(folder, vaec):
    exe = glyphs(folder, vaec)
    assert train(exe, folder / "whole", "--steps", 60).returncode == 0
    assert train(exe, folder / "run", "--steps", 20, ranks=3).returncode == 0
    for ranks, steps in ((2, 40), ("off", 60)):
        result = call(exe, "train", "--resume", folder / "run", "--ranks", ranks, "--steps", steps, "--quiet")
        assert result.returncode == 0, (ranks, result.stderr)
    assert largest_difference(folder / "whole", folder / "run", 60) < 1e-5
    checkpoint = folder / "run/checkpoints/step-20"
    assert not [path for path in checkpoint.iterdir() if b"rank" in path.read_bytes()], "it knows of ranks"
    assert [line["step"] for line in metrics(folder / "run")] == list(range(10, 61, 10))


def test_a_signal_at_any_rank_stops_all_at_one_step(folder, vaec):
    exe = glyphs(folder, vaec)
    for number, kind in ((0, signal.SIGTERM), (1, signal.SIGINT), (2, signal.SIGTERM)):
        run = folder / f"run-{number}"
        process = start(exe, run, "--steps", ENDLESS, ranks=3)
        wait_for_steps(run, 10, process)
        os.kill(children(process)[number], kind)
        out, err = end(process)
        assert process.returncode == 130, err
        stopped = re.search(r"stopped at step (\d+)", err)
        assert stopped and err.count("\n") == 1, err
        assert parameters(run, int(stopped.group(1)))
        result = call(exe, "train", "--resume", run, "--ranks", "off", "--steps", int(stopped.group(1)) + 1,
                      "--quiet")
        assert result.returncode == 0, result.stderr


def test_a_signal_to_the_whole_group_stops_it(folder, vaec):
    exe = glyphs(folder, vaec)
    process = start(exe, folder / "run", "--steps", ENDLESS)
    wait_for_steps(folder / "run", 10, process)
    process.send_signal(signal.SIGTERM)
    _, err = end(process)
    assert process.returncode == 130 and "stopped at step" in err, err


def test_a_killed_rank_ends_the_others_which_name_it(folder, vaec):
    exe = glyphs(folder, vaec)
    draw = random.Random(5)
    moments = int(os.environ.get("VAEC_RANK_KILLS", "4"))
    for number in range(moments):
        run = folder / f"run-{number}"
        process = start(exe, run, "--steps", ENDLESS, "--every", "log=5,checkpoint=7,sample=11", ranks=3)
        wait_for_steps(run, 5, process)
        time.sleep(draw.random())
        victim = draw.randrange(3)
        kill_a_rank(process, victim)
        assert not list((run / "checkpoints").glob("*.partial")) or victim == 0
        result = call(exe, "train", "--resume", run, "--ranks", 2, "--quiet", "--steps",
                      metrics(run)[-1]["step"] + 20)
        assert result.returncode == 0, result.stderr


def test_a_rank_that_hangs_is_given_up(folder, vaec):
    exe = glyphs(folder, vaec)
    process = start(exe, folder / "run", "--steps", ENDLESS, "--rank-timeout", 3)
    wait_for_steps(folder / "run", 5, process)
    assert "no answer within 3" in let_a_rank_hang(process)


def test_a_failure_before_the_first_step_is_said_once(folder, vaec):
    need_c10d(vaec)
    exe = build(vaec, write(folder, "absent.vae", SMALL_MODEL.replace(
        "source generated { }", 'source images { x = npy("absent.npy") }')), folder)
    result = train(exe, folder / "run", ranks=3)
    assert result.returncode == 66 and result.stderr.count("\n") == 1 and "absent.npy" in result.stderr, result
    assert not (folder / "run").exists()


def test_a_term_that_is_not_finite_ends_all_ranks_before_the_update(folder, vaec):
    exe = glyphs(folder, vaec)
    one = train(exe, folder / "one", "--steps", 50, "--lr", "1e30")
    several = train(exe, folder / "several", "--steps", 50, "--lr", "1e30", ranks=3)
    assert one.returncode == several.returncode == 1, (one, several)
    assert one.stderr.replace("one", "several") == several.stderr, (one.stderr, several.stderr)


def test_a_run_that_cannot_be_written_ends_all_ranks(folder, vaec):
    exe = glyphs(folder, vaec)
    write(folder, "file", "")
    result = train(exe, folder / "file", ranks=2)
    assert result.returncode == 73 and result.stderr.count("\n") == 1, result


def test_flags_of_ranks_are_checked(folder, vaec):
    exe = glyphs(folder, vaec)
    for arguments, code, text in ((["--ranks", "many"], 64, "--ranks many: it must be auto, off, or a number"),
                                  (["--ranks", "2", "--ranks-transport", "mpi"], 64, "mpirun -n 2"),
                                  (["--ranks", "2", "--device", "cuda"], 78, "this executable has no code for GPUs"),
                                  (["--rank-timeout", "0"], 64, "--rank-timeout")):
        result = call(exe, "train", "--out", folder / "run", *arguments)
        assert result.returncode == code and text in result.stderr, (arguments, result)
        assert not (folder / "run").exists()


def test_several_ranks_write_what_one_rank_writes(folder, vaec):
    """The same bits for the same number of ranks: nothing depends on when messages arrive."""
    exe = glyphs(folder, vaec)
    for name in ("a", "b"):
        assert train(exe, folder / name, "--steps", 20, ranks=2).returncode == 0
    assert digest(folder / "a", 20) == digest(folder / "b", 20)


def overwrite(pid, old, new):
    """Replaces bytes in the writable memory of a process. Returns how often they were there."""
    found = 0
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
        for line in maps.readlines():
            place, rights = line.split()[:2]
            if not rights.startswith("rw") or line.rstrip().endswith(("[vvar]", "[vsyscall]")):
                continue
            begin, end_of_map = (int(number, 16) for number in place.split("-"))
            try:
                memory.seek(begin)
                content = memory.read(end_of_map - begin)
            except OSError:  # not readable, or the process has ended meanwhile
                continue
            at = content.find(old)
            if at >= 0:
                memory.seek(begin + at)
                memory.write(new)
                found += 1
    return found


def test_ranks_whose_parameters_have_drifted_apart_stop(folder, vaec):
    """A bit flips in the memory of rank 1, in a parameter that no update changes."""
    frozen = GLYPHS.replace("learn symmetric { ", "learn symmetric { optimizer = {p: adam(1e-3), q: none}; ")
    exe = glyphs(folder, vaec, frozen)
    process = start(exe, folder / "run", "--steps", ENDLESS, ranks=3)
    wait_for_steps(folder / "run", 30, process)
    weights = safetensors(folder / "run/checkpoints/step-20/model.safetensors")["q.z.dense1.weight"][1]
    pid = children(process)[1]
    try:
        flipped = overwrite(pid, weights[:256], bytes([weights[0] ^ 1]) + weights[1:256])
    except PermissionError:
        process.terminate()
        end(process)
        pytest.skip("this user may not write into the memory of processes")
    assert flipped > 0
    _, err = end(process)
    assert process.returncode == 75, err
    assert "the parameters of rank 1 (host" in err and "have drifted away from those of the other ranks" in err, err


def test_ranks_that_resume_from_other_parameters_do_not_start(folder, vaec):
    exe = glyphs(folder, vaec)
    for rank in range(2):
        (folder / str(rank)).mkdir()
        result = train(exe, "run", "--steps", 20, "--lr", f"1e-{3 + rank}", cwd=folder / str(rank))
        assert result.returncode == 0, result.stderr
    port = str(free_port())
    ranks = [subprocess.Popen([exe, "train", "--resume", "run", "--steps", "40", "--quiet", "--lr", "1e-3"],
                              cwd=folder / str(rank), stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1",
                                   "MASTER_PORT": port}) for rank in range(2)]
    said = [rank.communicate(timeout=60)[1] for rank in ranks]
    assert [rank.returncode for rank in ranks] == [65, 65], said
    assert "the parameters before the first step: rank 0" in said[0], said


def test_slurm_may_announce_the_end_of_a_job_by_sigusr1(folder, vaec):
    exe = build(vaec, write(folder, "glyphs.vae", GLYPHS), folder)
    process = subprocess.Popen([exe, "train", "--steps", str(ENDLESS), "--out", folder / "run", "--quiet"],
                               stderr=subprocess.PIPE, text=True, env={**os.environ, "SLURM_JOB_ID": "1"})
    wait_for_steps(folder / "run", 10, process)
    process.send_signal(signal.SIGUSR1)
    _, err = end(process)
    assert process.returncode == 130 and "stopped at step" in err, err
