#!/usr/bin/env python3
"""Tests how a user resumes a run: the settings that it began with, other numbers of steps, kills, signals, and the
files of TensorBoard."""
import json
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import time

from executable import GLYPHS, SMALL_MODEL, build, call, digest, metrics, safetensors, succeed, write

COSINE = GLYPHS.replace("batch = 32;", "batch = 32; schedule = cosine(5);")


def glyphs(folder, vaec, text=GLYPHS):
    return build(vaec, write(folder, "glyphs.vae", text), folder)


def checkpoints(run):
    return sorted(int(path.name[5:]) for path in (run / "checkpoints").glob("step-*"))


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def event_fields(data):
    """Yields the number and the value of each field of a protocol buffer."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        else:
            size = {1: 8, 5: 4}[key & 7]
            value, at = data[at:at + size], at + size
        yield key >> 3, value


def event_steps(run):
    """Returns (step, tag) of every value in the event files, in the order of the files. Every record must be
    complete."""
    found = []
    for path in sorted(run.glob("events.out.tfevents.*")):
        content, at = path.read_bytes(), 0
        while at < len(content):
            size = struct.unpack("<Q", content[at:at + 8])[0]
            assert at + size + 16 <= len(content), f"{path} is cut within a record"
            fields = dict(event_fields(content[at + 12:at + 12 + size]))
            for number, value in event_fields(fields.get(5, b"")):
                tag = dict(event_fields(value))[1].decode()
                found.append((fields.get(2, 0), tag))
            at += size + 16
    return found


def wait_for(condition, process, seconds=120):
    stop = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < stop and process.poll() is None, process.poll()
        time.sleep(0.01)


def test_a_resumed_run_needs_the_run_it_began_from_no_more(folder, vaec):
    exe = glyphs(folder, vaec)
    succeed(exe, "train", "--quiet", "--steps", "20", "--seed", "5", "--out", "first", cwd=folder)
    for out in ("whole", "parts"):
        succeed(exe, "train", "--quiet", "--steps", "40" if out == "whole" else "20", "--start", "first", "--out", out,
                cwd=folder)
    assert json.loads((folder / "parts/config.json").read_text())["start"] == str(folder.resolve() / "first")
    (folder / "elsewhere").mkdir()
    shutil.rmtree(folder / "first")
    succeed(exe, "train", "--quiet", "--steps", "40", "--resume", "../parts", cwd=folder / "elsewhere")
    assert digest(folder / "whole", 40) == digest(folder / "parts", 40)


def test_a_run_without_a_checkpoint_begins_from_its_start_also_elsewhere(folder, vaec):
    exe = glyphs(folder, vaec)
    succeed(exe, "train", "--quiet", "--steps", "20", "--seed", "5", "--out", "first", cwd=folder)
    succeed(exe, "train", "--quiet", "--steps", "20", "--start", "first", "--out", "run", cwd=folder)
    before = digest(folder / "run", 20)
    record = [line["terms"] for line in metrics(folder / "run")]
    for name in ("checkpoints", "samples"):
        shutil.rmtree(folder / "run" / name)
    (folder / "elsewhere").mkdir()
    said = succeed(exe, "train", "--resume", "../run", cwd=folder / "elsewhere").stdout
    assert "note: it has no checkpoint yet: it begins at step 0" in said, said
    assert digest(folder / "run", 20) == before
    assert [line["terms"] for line in metrics(folder / "run")] == record
    result = call(exe, "train", "--resume", "run", "--start", "first", cwd=folder)
    assert (result.returncode, result.stderr) == \
        (64, "glyphs train: --start first: a resumed run begins from its own checkpoint\n"), result


def test_a_run_begins_from_the_tensors_that_agree(folder, vaec):
    exe = glyphs(folder, vaec)
    succeed(exe, "train", "--quiet", "--steps", "20", "--out", "first", cwd=folder)
    other = build(vaec, write(folder, "other.vae", GLYPHS.replace("dense(relu(dense(x, 64)), 16)", "dense(relu(dense("
                                                                  "x, 32)), 16)")), folder)
    said = succeed(other, "train", "--steps", "0", "--start", "first", "--out", "run", cwd=folder).stdout
    first, begun = (safetensors(folder / f"{run}/checkpoints/step-{step}/model.safetensors")
                    for run, step in (("first", 20), ("run", 0)))
    same = {name for name in begun if begun[name] == first.get(name)}
    fresh = set(begun) - same
    assert same >= {name for name in begun if name.startswith("p.")} and fresh, (same, fresh)
    note = next(line for line in said.splitlines() if line.startswith("note: start: "))
    assert f"{len(same)} of {len(begun)} tensors are from" in note and all(name in note for name in fresh), note
    assert "([64, 784] there, [32, 784] here)" in note, note
    # No tensor has the same name and shape.
    strange = build(vaec, write(folder, "strange.vae", SMALL_MODEL), folder)
    result = call(strange, "train", "--start", "first", "--out", "none", cwd=folder)
    assert result.returncode == 78 and "no tensor of this model's names and shapes" in result.stderr, result


def test_no_run_goes_back(folder, vaec):
    exe = glyphs(folder, vaec)
    succeed(exe, "train", "--quiet", "--steps", "10", "--out", "run", cwd=folder)
    config = (folder / "run/config.json").read_bytes()
    result = call(exe, "train", "--resume", "run", "--steps", "3", cwd=folder)
    assert (result.returncode, result.stderr) == \
        (64, "glyphs train: --steps 3: run has done 10 steps already, and no run goes back\n"), result
    assert (folder / "run/config.json").read_bytes() == config
    (folder / "run/config.json").write_text(config.decode().replace('"steps": 10', '"steps": 9'))
    result = call(exe, "train", "--resume", "run", cwd=folder)
    assert (result.returncode, result.stderr) == \
        (65, 'glyphs train: run/config.json: "steps" is 9, and its last checkpoint is of step 10\n'), result


def test_more_steps_of_a_schedule_that_ends_say_what_becomes_of_the_rate(folder, vaec):
    exe = glyphs(folder, vaec, COSINE)
    succeed(exe, "train", "--quiet", "--steps", "40", "--out", "run", cwd=folder)
    said = succeed(exe, "train", "--resume", "run", "--steps", "75", cwd=folder).stdout
    assert "note: schedule cosine is now of 75 steps, not 40: at step 40 the learning rate rises from 0 to 0.5 of its " \
           "full value" in said, said
    said = succeed(exe, "train", "--resume", "run", cwd=folder).stdout
    assert "schedule" not in said, said
    constant = glyphs(folder, vaec)
    succeed(constant, "train", "--quiet", "--steps", "40", "--out", "constant", cwd=folder)
    assert "schedule" not in succeed(constant, "train", "--resume", "constant", "--steps", "60", cwd=folder).stdout


def test_settings_that_a_resumed_run_takes_anew_are_said(folder, vaec):
    exe = glyphs(folder, vaec)
    succeed(exe, "train", "--quiet", "--steps", "10", "--out", "run", cwd=folder)
    said = succeed(exe, "train", "--resume", "run", "--steps", "12", "--seed", "3", "--clip", "q=2", cwd=folder).stdout
    for note in ("note: seed is 3 from step 10 on; before it was 0", "note: clip is ", "; before it was "):
        assert note in said, said
    assert "note: steps" not in said and "note: batch" not in said, said
    said = succeed(exe, "train", "--resume", "run", "--steps", "14", cwd=folder).stdout
    assert "before it was" not in said and json.loads((folder / "run/config.json").read_text())["seed"] == 3, said


def test_a_run_in_which_nobody_learns_says_so(folder, vaec):
    exe = glyphs(folder, vaec)
    note = "note: no player learns: every optimizer is none"
    assert note in succeed(exe, "train", "--steps", "2", "--optimizer", "none", "--out", "none", cwd=folder).stdout
    assert note not in succeed(exe, "train", "--steps", "2", "--optimizer", "p=none", "--out", "q", cwd=folder).stdout


def test_after_a_kill_no_step_is_in_the_record_twice(folder, vaec):
    exe = glyphs(folder, vaec)
    quiet = ["train", "--quiet", "--steps", "4000", "--every", "log=1,sample=50,checkpoint=1500"]
    process = subprocess.Popen([exe, *quiet, "--out", "run"], cwd=folder)
    run = folder / "run"
    wait_for(lambda: checkpoints(run) and (run / "metrics.jsonl").read_bytes().count(b"\n") > 1650, process)
    process.kill()
    process.wait()
    kept = checkpoints(run)[-1]
    assert event_steps(run)[-1][0] > kept, "killed too early"
    (run / "checkpoints/.step-3000.partial").mkdir()
    succeed(exe, "train", "--quiet", "--resume", "run", cwd=folder)
    values = event_steps(run)
    assert len(values) == len(set(values)), "a step occurs twice"
    assert sorted({step for step, tag in values if tag == "utility/p"}) == list(range(1, 4001))
    assert sorted({step for step, tag in values if tag == "samples"}) == list(range(50, 4001, 50))
    assert [line["step"] for line in metrics(run)] == list(range(1, 4001))
    assert not list((run / "checkpoints").glob(".*"))


def test_a_record_that_a_kill_cut_short_is_dropped(folder, vaec):
    exe = glyphs(folder, vaec)
    succeed(exe, "train", "--quiet", "--steps", "40", "--out", "run", cwd=folder)
    shutil.rmtree(folder / "run/checkpoints/step-40")
    events = next((folder / "run").glob("events.out.tfevents.*"))
    with events.open("ab") as file:
        file.write(struct.pack("<Q", 1000) + b"half")
    with (folder / "run/metrics.jsonl").open("a") as file:
        file.write('{"step": 41, "utility": {"p"')
    succeed(exe, "train", "--quiet", "--resume", "run", cwd=folder)
    assert [step for step, tag in event_steps(folder / "run") if tag == "utility/p"] == [10, 20, 30, 40]
    assert [line["step"] for line in metrics(folder / "run")] == [10, 20, 30, 40]


def test_what_version_control_does_not_keep_or_somebody_broke_stops_no_run(folder, vaec):
    exe = glyphs(folder, vaec)
    succeed(exe, "train", "--quiet", "--steps", "40", "--out", "run", cwd=folder)
    shutil.rmtree(folder / "run/samples")
    (folder / "run/model.vae").unlink()
    lines = (folder / "run/metrics.jsonl").read_text().splitlines()
    (folder / "run/metrics.jsonl").write_text("\n".join([lines[0], "garbage", '{"step": "two"}', *lines[1:]]) + "\n")
    succeed(exe, "train", "--quiet", "--steps", "100", "--resume", "run", cwd=folder)
    assert (folder / "run/report.html").exists() and (folder / "run/samples/step-100.png").exists()
    assert [line["step"] for line in metrics(folder / "run")] == list(range(10, 101, 10))
    assert (folder / "run/model.vae").read_text() == GLYPHS


def test_an_unfinished_beginning_is_no_dead_end(folder, vaec):
    exe = glyphs(folder, vaec)
    for name in ("samples", "checkpoints"):  # as if killed before config.json was written
        (folder / "run" / name).mkdir(parents=True)
    (folder / "run/config.json.123.part").write_text("{")
    succeed(exe, "train", "--quiet", "--steps", "20", "--out", "run", cwd=folder)
    quick = ["--samples", "2", "--rows", "10", "--limiting", "0", "--steps", "10"]
    succeed(exe, "compare", *quick, "--out", "both", cwd=folder)
    whole = digest(folder / "both/symmetric-seed-0", 10)
    shutil.rmtree(folder / "both/symmetric-seed-0/checkpoints")
    succeed(exe, "compare", *quick, "--out", "both", cwd=folder)
    assert digest(folder / "both/symmetric-seed-0", 10) == whole
    for path in (folder / "both/symmetric-seed-0").iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    succeed(exe, "compare", *quick, "--out", "both", cwd=folder)
    assert digest(folder / "both/symmetric-seed-0", 10) == whole


def test_a_hangup_makes_a_checkpoint_unless_it_is_ignored(folder, vaec):
    exe = glyphs(folder, vaec)
    endless = [exe, "train", "--quiet", "--steps", "100000000", "--out"]
    for name, number in (("hangup", signal.SIGHUP), ("terminated", signal.SIGTERM), ("interrupted", signal.SIGINT)):
        process = subprocess.Popen([*endless, name], cwd=folder, stderr=subprocess.PIPE, text=True)
        wait_for(lambda: checkpoints(folder / name), process)
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 130 and len(errors.splitlines()) == 1, (name, process.returncode, errors)
        step = checkpoints(folder / name)[-1]
        succeed(exe, "train", "--quiet", "--steps", step + 1, "--resume", name, cwd=folder)
    process = subprocess.Popen([*endless, "nohup"], cwd=folder, stderr=subprocess.PIPE, text=True,
                               preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    wait_for(lambda: checkpoints(folder / "nohup"), process)
    process.send_signal(signal.SIGHUP)
    step = checkpoints(folder / "nohup")[-1]
    wait_for(lambda: checkpoints(folder / "nohup")[-1] > step + 100, process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 130


def test_a_signal_at_any_time_ends_cleanly(folder, vaec):
    exe = glyphs(folder, vaec)
    chance = random.Random(1)
    for round_number in range(20):
        run = folder / f"run-{round_number}"
        process = subprocess.Popen([exe, "train", "--quiet", "--steps", "2000", "--every", "checkpoint=7", "--out", run],
                                   stderr=subprocess.PIPE, text=True)
        time.sleep(chance.uniform(0, 0.6))
        number = chance.choice([signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
        # Before training begins the signal ends the process; after the end of training the signal comes too
        # late.
        assert process.returncode in (-number, 0, 130), (process.returncode, errors)
        assert len(errors.splitlines()) == (process.returncode == 130), errors
        if process.returncode == 130:
            succeed(exe, "train", "--quiet", "--steps", checkpoints(run)[-1] + 1, "--resume", run)


def test_training_goes_on_without_a_reader(folder, vaec):
    exe = glyphs(folder, vaec)
    for flags in ([], ["--json"]):
        out = "run" + "".join(flags)
        process = subprocess.Popen([exe, "train", "--steps", "4000", *flags, "--out", out], cwd=folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read().decode()
        assert process.wait(timeout=60) == 73, errors
        assert errors.splitlines()[-1] == "glyphs train: cannot write the output: Broken pipe", errors
        assert checkpoints(folder / out)[-1] == 4000
    result = subprocess.run(["sh", "-c", f"exec {exe} train --steps 20 --out closed >&-"], cwd=folder,
                            capture_output=True, text=True)
    assert result.returncode == 73 and "cannot write the output" in result.stderr, result
    assert checkpoints(folder / "closed") == [20]
    for path in pathlib.Path(folder / "closed").rglob("*"):
        assert not path.is_file() or b"steps/s " not in path.read_bytes(), path
