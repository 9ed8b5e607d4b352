#!/usr/bin/env python3
"""Tests what may be in the folder between two programs that exchange rows, and what may be in place of the folder."""
import json
import math
import os
import resource
import signal
import struct
import subprocess
import time

from executable import call, metrics, succeed
from spool_folder import QUIET, ROWS, SITE, Site, published, refused, site, spool


def overlapping(step):
    """Returns a file with many tensors that share the same bytes."""
    content = published(step, *ROWS)
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:8 + length])
    for number in range(100):
        header[f"y{number}"] = header["x"]
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content[8 + length:]


def test_a_file_that_cannot_be_used_is_left_out(folder, vaec):
    exe = site(folder, vaec)
    good = published(3, *ROWS)
    cases = {
        "step-20.safetensors": good[:-5],
        "step-19.safetensors": b"",
        "step-18.safetensors": b"hello, this is no such file",
        "step-17.safetensors": good,  # the file of another step
        "step-16.safetensors": published(16, *ROWS).replace(b"vaec published", b"some published"),
        "step-15.safetensors": published(15, [0, 1, 7, 1], ROWS[1]),
        "step-14.safetensors": published(14, ROWS[0], [[0, 1, 0, 0.5]] * 4),
        "step-13.safetensors": published(13, ROWS[0], [[0, 1, 0, math.nan]] * 4),
        "step-12.safetensors": published(12, [0, 1], ROWS[1]),
        "step-11.safetensors": published(11, *ROWS, types=("F32", "C64")),
        "step-10.safetensors": published(10, ROWS[0], [[0, 1, 0, 2]] * 4, types=("I64", "U8")),
        "step-9.safetensors": published(9, ROWS[0], [[0, 1, 0, math.inf]] * 4),
        "step-8.safetensors": good.replace(b'"variables"', b'"something"').replace(b'"step": "3"', b'"step": "8"'),
        "step-7.safetensors": good.replace(b'"step": "3"', b'"step": 7.5'),
        "step-6.safetensors": overlapping(6),
        "step-3.safetensors": good,
        "step-x.safetensors": b"no step", "notes.txt": b"a note", ".step-30.safetensors.aBcDeF": good[:9],
    }
    path = spool(folder, cases)
    os.mkfifo(path / "step-30.safetensors")
    (path / "step-29.safetensors").symlink_to(folder / "nowhere")
    (path / "step-28.safetensors").symlink_to("/dev/zero")
    (path / "step-27.safetensors").mkdir()
    said = succeed(exe, "train", "--threads", "1", "--out", "run", "--peer", "b=spool", cwd=folder, timeout=60).stdout
    left_out = sorted(int(line.split("step-")[1].split(".")[0]) for line in said.splitlines() if "left out" in line)
    assert left_out == [*range(6, 21), 27, 28, 30], said
    for words in ("cut short", "not a regular file", "no `publish` wrote it", "holds rows of step 3", "not finite",
                  "rows, the ones before have", "type `C64`, which are not read", "has no whole number `step`",
                  "lists no `variables`", "tensors overlap"):
        assert words in said, (words, said)
    assert metrics(folder / "run")[-1]["exchange"]["peers"]["b"]["step"] == 3
    # A file that was still being copied is used as soon as it is complete.
    (path / "step-20.safetensors").write_bytes(published(20, *ROWS))
    succeed(exe, *QUIET, "--out", "again", "--peer", "b=spool", "--steps", 20, cwd=folder)
    assert metrics(folder / "again")[-1]["exchange"]["peers"]["b"]["step"] == 20
    # A link to a file, or to the folder, is accepted.
    (path / "step-21.safetensors").symlink_to(path / "step-20.safetensors")
    (folder / "link").symlink_to(path)
    succeed(exe, *QUIET, "--out", "linked", "--peer", "b=link", "--steps", 20, cwd=folder)
    # Numbers of other types are accepted if they lie in the domain.
    (path / "step-22.safetensors").write_bytes(published(22, *ROWS, types=("I64", "F64")))
    succeed(exe, *QUIET, "--out", "types", "--peer", "b=spool", "--steps", 20, cwd=folder)
    assert metrics(folder / "types")[-1]["exchange"]["peers"]["b"]["step"] == 22
    # A file that is too large for the memory is not read.
    with open(path / "step-40.safetensors", "wb") as file:
        file.truncate(1 << 40)
    said = succeed(exe, "train", "--threads", "1", "--out", "large", "--peer", "b=spool", cwd=folder, timeout=60).stdout
    assert "more than the memory for data" in said, said


def test_domains_and_shapes_of_both_sides_agree(folder, vaec):
    exe = site(folder, vaec)
    cases = {
        "narrow": (published(0, ROWS[0], [[0, 1, 0]] * 4, domains=("category(3)", "binary[3]")), "binary[3]"),
        "more": (published(0, *ROWS, domains=("category(4)", "binary[4]")), "category(4)"),
        "real": (published(0, *ROWS, domains=("category(3)", "real[4]")), "real[4]"),
        "other": (published(0, *ROWS, names=("c", "y")), "publishes no x; it publishes c, y"),
    }
    for name, (content, words) in cases.items():
        spool(folder, {"step-0.safetensors": content})
        refused(65, words, call(exe, *QUIET, "--out", name, "--peer", "b=spool", cwd=folder, timeout=60))
    # The file differs from what its `publish` says, so the fault is in the file.
    spool(folder, {"step-0.safetensors": published(0, ROWS[0], [[0, 1, 0]] * 4)})
    result = call(exe, *QUIET, "--out", "none", "--peer", "b=spool", "--peer-wait", 1, cwd=folder, timeout=60)
    refused(66, "no rows of peer b came", result)
    assert "a file was left out: " in result.stderr and "step-0.safetensors" in result.stderr, result


def test_nobody_waits_for_ever(folder, vaec):
    exe = site(folder, vaec)
    wait = ["--peer", "b=spool", "--peer-wait", 1]
    result = call(exe, *QUIET, "--out", "run", *wait, cwd=folder, timeout=60)
    refused(66, "step 0: no rows of peer b came into", result)
    assert "there is no such folder" in result.stderr and "step-0" in result.stderr, result
    (folder / "spool").write_bytes(b"")
    refused(66, "this is no folder", call(exe, *QUIET, "--resume", "run", cwd=folder, timeout=60))
    (folder / "spool").unlink()
    spool(folder, {"step-0.safetensors": published(0, *ROWS)})
    succeed(exe, *QUIET, "--resume", "run", cwd=folder)
    # A resumed run keeps the rows that it had. If they are gone, it waits for rows that are not too old.
    (folder / "spool/step-0.safetensors").unlink()
    succeed(exe, *QUIET, "--resume", "run", "--steps", 60, "--max-age", 10, cwd=folder)
    spool(folder, {"step-49.safetensors": published(49, *ROWS)})
    (folder / "run/checkpoints/step-60/peer-b.safetensors").unlink()
    refused(66, "step 60: no rows", call(exe, *QUIET, "--resume", "run", "--steps", 80, cwd=folder, timeout=60))
    spool(folder, {"step-50.safetensors": published(50, *ROWS)})
    succeed(exe, *QUIET, "--resume", "run", "--steps", 80, cwd=folder)
    # In lockstep the file of the same step is needed.
    result = call(exe, *QUIET, "--out", "lockstep", *wait, "--lockstep", cwd=folder, timeout=60)
    refused(66, "step 0: no rows for this step of peer b", result)
    # The user can end a run that waits.
    (folder / "empty").mkdir()
    waiting = Site(exe, "train", "--threads", "1", "--out", "stopped", "--peer", "b=empty", cwd=folder)
    waiting.wait_until((folder / "stopped/published/step-0.safetensors").exists)
    time.sleep(0.2)
    assert "stopped at step 0" in waiting.end(130, stop=signal.SIGINT)
    assert (folder / "stopped/checkpoints/step-0").is_dir()


def test_a_folder_is_of_one_publisher_and_can_be_written(folder, vaec):
    exe = site(folder, vaec)
    spool(folder, {"step-0.safetensors": published(0, *ROWS)})
    first = Site(exe, *QUIET, "--out", "first", "--peer", "b=spool", "--publish", "out", "--steps", 10**9, cwd=folder)
    first.wait_until((folder / "out/step-0.safetensors").exists)
    peer = ["--peer", "b=spool"]
    refused(73, "another process publishes into this folder",
            call(exe, *QUIET, "--out", "second", *peer, "--publish", "out", cwd=folder))
    first.end(130, stop=signal.SIGTERM)
    # A new start of the same site.
    succeed(exe, *QUIET, "--out", "third", *peer, "--publish", "out", cwd=folder)
    assert max(int(path.stem[5:]) for path in (folder / "out").iterdir()) == 40
    (folder / "file").write_bytes(b"")
    refused(73, "this folder cannot be made", call(exe, *QUIET, "--out", "fourth", *peer, "--publish", "file", cwd=folder))

    def small_disk():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    process = subprocess.run([exe, *QUIET, "--out", "full", *peer, "--publish-rows", "100000"], cwd=folder,
                             preexec_fn=small_disk, capture_output=True, text=True, timeout=60, check=False)
    refused(73, "cannot write", process)
    assert list((folder / "full/published").iterdir()) == [], list((folder / "full/published").iterdir())


def test_rows_of_a_peer_are_data_like_others(folder, vaec):
    text = SITE.replace("x = s.x", "x = (s.y * 2 - 1) > 0").replace("source others", "source others weight 2")
    exe = site(folder, vaec, text)
    spool(folder, {"step-0.safetensors": published(0, ROWS[0], [[0.2, 0.9, 0.4, 0.7]] * 4,
                                                   domains=("category(3)", "real[4]"), names=("c", "y"))})
    succeed(exe, *QUIET, "--out", "run", "--peer", "b=spool", cwd=folder)
    # Like all rows that are drawn at every step, they are not used in evaluations.
    text = SITE.replace("source others", "source others weight 0")
    held = site(folder, vaec, text, "held.vae")
    said = succeed(held, "train", "--out", "held-run", "--peer", "b=spool", "--every", "evaluate=10", "--evaluate",
                   "loglik", cwd=folder).stdout
    assert "no evaluation of loglik while training" in said, said
