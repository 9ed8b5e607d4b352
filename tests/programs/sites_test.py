#!/usr/bin/env python3
"""Games between programs, as real processes: `publish`, `peer`, and what may be in the folder between them."""
import json
import math
import os
import random
import resource
import signal
import struct
import subprocess
import tempfile
import time

from executable import build, call, digest, main, metrics, safetensors, succeed, write
from oracle_test import distance, normalised, write_npy

# Both sites of a game in one file. A process that is one site has the other's names too, but none of its rows.
GAME = """
var ca, cb : category(3)
var xa, xb : binary[4]
var za : binary[2]
var zb : binary[3]
source own_a { ca = npy("KNOWN_A_c.npy"); xa = npy("KNOWN_A_x.npy") }
source own_b { cb = npy("KNOWN_B_c.npy"); xb = npy("KNOWN_B_x.npy") }
source others_a { let s = peer("PEER"); ca = s.cb; xa = s.xb }
source others_b { let s = peer("PEER"); cb = s.ca; xb = s.xa }
source generated { }
publish (ca, xa, cb, xb)
decoder pa { ca ~ Categorical(parameter([3])); za ~ Bernoulli(parameter([2]))
             xa | ca, za ~ Bernoulli(dense(ca, 4) + dense(za, 4)) }
encoder qa { za | ca, xa ~ Bernoulli(dense(ca, 2) + dense(xa, 2)) }
decoder pb { cb ~ Categorical(parameter([3])); zb ~ Bernoulli(parameter([3]))
             xb | cb, zb ~ Bernoulli(dense(relu(dense(cb, 5) + dense(zb, 5)), 4)) }
encoder qb { zb | cb, xb ~ Bernoulli(dense(cb, 3) + dense(xb, 3)) }
learn symmetric { steps = 30; batch = 16; optimizer = adam(0.02); every = {log: 10, checkpoint: 10, sample: 0} }
"""

# One site of two, small.
SITE = """
var c : category(3)
var x : binary[4]
source own    { c = npy("c.npy"); x = npy("x.npy") }
source others { let s = peer("b"); c = s.c; x = s.x }
publish (c, x)
decoder p { c ~ Categorical(parameter([3])); x | c ~ Bernoulli(dense(c, 4)) }
learn symmetric { steps = 40; batch = 16; optimizer = adam(0.02); every = {log: 10, checkpoint: 10, sample: 0} }
"""

QUIET = ["train", "--quiet", "--threads", "1"]


def write_rows(folder, prefix, seed, count=64):
    rng = random.Random(seed)
    write_npy(folder / f"{prefix}c.npy", [rng.randrange(3) for _ in range(count)])
    write_npy(folder / f"{prefix}x.npy",
              [[float(rng.random() < 0.3 + 0.1 * seed) for _ in range(4)] for _ in range(count)])


class Site:
    """A process that runs beside others; what it says goes into a file, so that it never waits for a reader."""

    def __init__(self, exe, *arguments, cwd):
        self.said = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([str(part) for part in (exe, *arguments)], cwd=cwd, stdout=self.said,
                                        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    def wait_until(self, condition, seconds=120):
        stop = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > stop or self.process.poll() is not None:
                self.process.kill()
                raise AssertionError(f"it did not come to this: exit {self.process.wait()}, {self.text()}")
            time.sleep(0.005)

    def end(self, code=0, stop=None):
        """What it said; `stop`: the signal that ends it."""
        if stop:
            self.process.send_signal(stop)
        seen = self.process.wait(timeout=300)
        assert abs(seen) == code, (seen, self.text())
        return self.text()

    def text(self):
        self.said.seek(0)
        return self.said.read()


def refused(code, words, result):
    assert result.returncode == code and words in result.stderr, result
    assert len(result.stderr.splitlines()) == 1, result


def published(step, c, x, domains=("category(3)", "binary[4]"), names=("c", "x")):
    """A file of published rows, as the program of another site writes it."""
    values = [(names[0], (len(c),), [float(value) for value in c]),
              (names[1], (len(x), len(x[0])), [float(value) for row in x for value in row])]
    variables = [{"name": name, "domain": domain} for name, domain in zip(names, domains)]
    header = {"__metadata__": {"format": "vaec published rows 1", "program": "other", "step": str(step), "every": "1",
                               "variables": json.dumps(variables)}}
    body = b""
    for name, shape, numbers in values:
        data = struct.pack(f"<{len(numbers)}f", *numbers)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


ROWS = ([0, 1, 2, 1], [[0, 1, 0, 1], [1, 1, 0, 0], [0, 0, 0, 1], [1, 1, 1, 1]])


def spool(folder, files):
    """A folder of files as another site left them."""
    path = folder / "spool"
    path.mkdir(exist_ok=True)
    for name, content in files.items():
        (path / name).write_bytes(content)
    return path


def site(folder, vaec, text=SITE, name="site.vae"):
    write_rows(folder, "", 1)
    return build(vaec, write(folder, name, text), folder)


def test_in_lockstep_two_processes_play_the_game_of_one(folder, vaec):
    for place, known_a, known_b, peer in (("one", "a", "b", "all"), ("a", "a", "none", "b"), ("b", "none", "b", "a")):
        (folder / place).mkdir()
        write_rows(folder / place, "none_", 0)
        for known, seed in ((known_a, 1), (known_b, 2)):
            if known != "none":
                write_rows(folder / place, f"{known}_", seed)
        text = GAME.replace("KNOWN_A", known_a).replace("KNOWN_B", known_b).replace("PEER", peer)
        build(vaec, write(folder / place, "game.vae", text), folder / place)
    lockstep = [*QUIET, "--lockstep", "--out", "run"]
    succeed("./game", *lockstep, "--peer", "all=run/published", cwd=folder / "one")
    sites = [Site("./game", *lockstep, "--peer", f"{peer}=../{peer}/run/published", cwd=folder / place)
             for place, peer in (("a", "b"), ("b", "a"))]
    for one in sites:
        one.end()
    learned = {place: safetensors(folder / place / "run/checkpoints/step-30/model.safetensors")
               for place in ("one", "a", "b")}
    for place in ("a", "b"):
        names = [name for name in learned["one"] if name.startswith((f"p{place}.", f"q{place}."))]
        assert len(names) > 6, names
        for name in names:
            assert learned[place][name] == learned["one"][name], (place, name)
    # What the other site would be without its rows is another matter.
    assert any(learned["a"][name] != value for name, value in learned["one"].items() if name.startswith("pb."))


def test_in_lockstep_a_game_depends_on_no_clock_and_on_no_interruption(folder, vaec):
    exe = site(folder, vaec)
    other = build(vaec, write(folder, "other.vae", SITE.replace('"b"', '"a"').replace('"c.npy"', '"b_c.npy"')
                              .replace('"x.npy"', '"b_x.npy"')), folder)
    write_rows(folder, "b_", 3)

    def play(name, pieces, kill=False):
        runs = {exe: (f"{name}-a", f"b={name}-b/published"), other: (f"{name}-b", f"a={name}-a/published")}
        for number, steps in enumerate(pieces):
            pair = []
            for program, (run, peer) in runs.items():
                out = ["--resume", run] if number else ["--out", run, "--lockstep", "--peer", peer]
                pair.append(Site(program, *QUIET, *out, "--steps", steps, cwd=folder))
                time.sleep(0.3 * number)
            if kill and number == 0:
                pair[0].wait_until((folder / f"{name}-a/checkpoints/step-10").exists)
                pair[0].end(9, stop=signal.SIGKILL)
                pair[0] = Site(exe, *QUIET, "--resume", f"{name}-a", cwd=folder)
            for one in pair:
                one.end()
        return [digest(folder / run, 40) for run, _ in runs.values()]

    whole = play("whole", [40])
    assert play("again", [40]) == whole
    assert play("killed", [40], kill=True) == whole
    # Both end, and go on.
    assert play("parts", [20, 40]) == whole
    files = sorted(int(path.stem[5:]) for path in (folder / "whole-a/published").iterdir())
    assert files == list(range(41)), files


def test_what_is_learned_from_a_peer_is_its_joint(folder, vaec):
    joint = [[40, 5], [10, 20], [5, 20]]
    rows = [(c, x) for c in range(3) for x in range(2) for _ in range(joint[c][x])]
    write_npy(folder / "c.npy", [c for c, _ in rows])
    write_npy(folder / "x.npy", [x for _, x in rows])
    head = "var c : category(3)\nvar x : binary\n"
    learn = "learn symmetric { steps = 1500; batch = 200; optimizer = adam(0.02); schedule = cosine(0) }\n"
    b = build(vaec, write(folder, "b.vae", head + 'source own { c = npy("c.npy"); x = npy("x.npy") }\npublish (x, c)\n'
                          "decoder p { c ~ Categorical(parameter([3])); x | c ~ Bernoulli(dense(c, 1, bias = false)) }"
                          "\n" + learn), folder)
    a = build(vaec, write(folder, "a.vae", head + 'source others { let s = peer("b"); c = s.c; x = s.x }\n'
                          "player r { x ~ Bernoulli(parameter([])); c | x ~ Categorical(dense(x, 3)) }\n" + learn),
              folder)
    succeed(b, *QUIET, "--out", "run-b", "--publish", "spool", "--publish-rows", 20000, cwd=folder)
    kept = list((folder / "spool").iterdir())
    assert len(kept) == 10, kept
    content = safetensors(folder / "spool/step-1500.safetensors")
    assert {name: shape for name, (shape, _) in content.items()} == {"c": (20000,), "x": (20000,)}, content.keys()
    assert len(content["c"][1]) == len(content["x"][1]) == 20000  # a byte each
    succeed(a, *QUIET, "--out", "run-a", "--peer", "b=spool", cwd=folder)
    tensors = safetensors(folder / "run-a/checkpoints/step-1500/model.safetensors")
    learned = {name: struct.unpack(f"<{len(data) // 4}f", data) for name, (_, data) in tensors.items()}
    (logit,) = next(value for name, value in learned.items() if name.startswith("r.x."))
    assert abs(1 / (1 + math.exp(-logit)) - 0.45) < 0.03, logit
    weight = next(value for name, value in learned.items() if name.endswith("weight"))
    bias = next(value for name, value in learned.items() if name.endswith("bias"))
    for x in range(2):
        found = normalised([math.exp(bias[c] + x * weight[c]) for c in range(3)])
        assert distance(found, normalised([row[x] for row in joint])) < 0.05, (x, found)
    record = metrics(folder / "run-a")[-1]["exchange"]["peers"]["b"]
    assert record["step"] == 1500 and record["bytes"] > 40000, record
    record = metrics(folder / "run-b")[-1]["exchange"]["published"]
    assert record["files"] >= 15 and record["bytes"] > 15 * 40000, record


def test_a_site_that_dies_holds_nobody_up(folder, vaec):
    exe = site(folder, vaec)
    forever = ["train", "--threads", "1", "--steps", 10**9]
    every = ["--publish-every", 10]
    a = Site(exe, *forever, *every, "--out", "a", "--peer", "b=b/published", "--every", "log=10,checkpoint=0", cwd=folder)
    b = Site(exe, *forever, *every, "--out", "b", "--peer", "b=a/published", cwd=folder)
    b.wait_until((folder / "b/checkpoints/step-100").exists)
    b.end(9, stop=signal.SIGKILL)
    newest = max(int(path.stem[5:]) for path in (folder / "b/published").glob("step-*.safetensors"))

    def heard(what):
        lines = metrics(folder / "a") if (folder / "a/metrics.jsonl").exists() else []
        return lines[-1]["exchange"]["peers"]["b"][what] if lines else 0

    a.wait_until(lambda: heard("age") > 200)
    # What it left unfinished goes when it starts again, and its new rows are heard.
    (folder / "b/published/step-7.safetensors.123.part").write_bytes(b"half")
    b = Site(exe, *forever, "--resume", "b", cwd=folder)
    a.wait_until(lambda: heard("step") > newest)
    assert not list((folder / "b/published").glob("*.123.part"))
    b.end(130, stop=signal.SIGINT)
    a.end(130, stop=signal.SIGINT)
    # Rows that are too old stay in use until there are others; that is said once.
    old = spool(folder, {"step-0.safetensors": published(0, *ROWS)})
    said = succeed(exe, "train", "--out", "old", "--peer", f"b={old}", "--max-age", 20, cwd=folder).stdout
    assert said.count("nothing at most 20 steps old") == 1, said
    assert metrics(folder / "old")[-1]["exchange"]["peers"]["b"]["step"] == 0


def test_a_file_that_cannot_be_used_is_left_out(folder, vaec):
    exe = site(folder, vaec)
    good = published(3, *ROWS)
    cases = {
        "step-20.safetensors": good[:-5],
        "step-19.safetensors": b"",
        "step-18.safetensors": b"hello, this is no such file",
        "step-17.safetensors": good,  # of another step
        "step-16.safetensors": published(16, *ROWS).replace(b"vaec published", b"some published"),
        "step-15.safetensors": published(15, [0, 1, 7, 1], ROWS[1]),
        "step-14.safetensors": published(14, ROWS[0], [[0, 1, 0, 0.5]] * 4),
        "step-13.safetensors": published(13, ROWS[0], [[0, 1, 0, math.nan]] * 4),
        "step-12.safetensors": published(12, [0, 1], ROWS[1]),
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
    assert left_out == [*range(12, 21), 27, 28, 30], said
    for words in ("cut short", "not a regular file", "no `publish` wrote it", "holds rows of step 3", "not finite",
                  "rows, the ones before have"):
        assert words in said, (words, said)
    assert metrics(folder / "run")[-1]["exchange"]["peers"]["b"]["step"] == 3
    # One that was being copied is used as soon as it is whole.
    (path / "step-20.safetensors").write_bytes(published(20, *ROWS))
    succeed(exe, *QUIET, "--out", "again", "--peer", "b=spool", "--steps", 20, cwd=folder)
    assert metrics(folder / "again")[-1]["exchange"]["peers"]["b"]["step"] == 20
    # A link to a file, and to the folder, is as good as the file.
    (path / "step-21.safetensors").symlink_to(path / "step-20.safetensors")
    (folder / "link").symlink_to(path)
    succeed(exe, *QUIET, "--out", "linked", "--peer", "b=link", "--steps", 20, cwd=folder)
    # A file of any size is not read.
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
    # What its `publish` says and what the file holds differ: the file is at fault.
    spool(folder, {"step-0.safetensors": published(0, ROWS[0], [[0, 1, 0]] * 4)})
    refused(66, "no rows of peer b came", call(exe, *QUIET, "--out", "none", "--peer", "b=spool", "--peer-wait", 1,
                                               cwd=folder, timeout=60))


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
    # A resumed run keeps the rows that it had; without them, rows that are too old are waited for.
    (folder / "spool/step-0.safetensors").unlink()
    succeed(exe, *QUIET, "--resume", "run", "--steps", 60, "--max-age", 10, cwd=folder)
    spool(folder, {"step-49.safetensors": published(49, *ROWS)})
    (folder / "run/checkpoints/step-60/peer-b.safetensors").unlink()
    refused(66, "step 60: no rows", call(exe, *QUIET, "--resume", "run", "--steps", 80, cwd=folder, timeout=60))
    spool(folder, {"step-50.safetensors": published(50, *ROWS)})
    succeed(exe, *QUIET, "--resume", "run", "--steps", 80, cwd=folder)
    # In lockstep it is the file of the step.
    result = call(exe, *QUIET, "--out", "lockstep", *wait, "--lockstep", cwd=folder, timeout=60)
    refused(66, "step 0: no rows for this step of peer b", result)
    # The user need not wait either.
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
    succeed(exe, *QUIET, "--out", "third", *peer, "--publish", "out", cwd=folder)  # a new start of the site
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


def test_flags_are_about_what_the_program_has(folder, vaec):
    exe = site(folder, vaec)
    alone = build(vaec, write(folder, "alone.vae", SITE.replace("source others", "// ").replace("publish", "// ")), folder)
    for program, flags, words in (
            (exe, ["--peer", "c=x"], "the program reads no peer c"), (exe, ["--peer", "b"], "write --peer NAME=FOLDER"),
            (exe, ["--peer", "b=x", "--peer", "b=y"], "peer b has a folder already"),
            (exe, [], "--peer b=FOLDER"), (alone, ["--peer", "b=x"], "reads no peer b"),
            (alone, ["--publish", "x"], "has no `publish`"), (alone, ["--publish-every", 5], "has no `publish`"),
            (alone, ["--publish-rows", 5], "has no `publish`"), (alone, ["--max-age", 5], "reads no peer"),
            (alone, ["--peer-wait", 5], "reads no peer"), (alone, ["--lockstep"], "reads no peer")):
        refused(64, words, call(program, *QUIET, "--out", "never", *flags, cwd=folder))
        assert not (folder / "never").exists(), flags
    for flags in (["--publish-every", 0], ["--publish-rows", 0], ["--max-age", -1], ["--peer-wait", "x"]):
        assert call(exe, *QUIET, "--peer", "b=spool", *flags, cwd=folder).returncode == 64, flags
    # Other commands have no peers.
    spool(folder, {"step-0.safetensors": published(0, *ROWS)})
    succeed(exe, *QUIET, "--out", "run", "--peer", "b=spool", cwd=folder)
    said = json.loads(succeed(exe, "evaluate", "--run", "run", "--metrics", "loglik", "--json", cwd=folder).stdout)
    assert [result["source"] for result in said["results"]] == ["own"], said
    refused(78, "rows of peer b are read by `train` alone", call(exe, "bench", cwd=folder))
    refused(64, "rows of peer b are needed", call(exe, "compare", "--learn", "symmetric", "--out", "c", cwd=folder))
    succeed(exe, "sample", "--run", "run", "--out", "x.npy", cwd=folder)


def test_rows_of_a_peer_are_data_like_others(folder, vaec):
    text = SITE.replace("x = s.x", "x = (s.y * 2 - 1) > 0").replace("source others", "source others weight 2")
    exe = site(folder, vaec, text)
    spool(folder, {"step-0.safetensors": published(0, ROWS[0], [[0.2, 0.9, 0.4, 0.7]] * 4,
                                                   domains=("category(3)", "real[4]"), names=("c", "y"))})
    succeed(exe, *QUIET, "--out", "run", "--peer", "b=spool", cwd=folder)
    # As rows that are drawn anew they are in no evaluation.
    text = SITE.replace("source others", "source others weight 0")
    held = site(folder, vaec, text, "held.vae")
    said = succeed(held, "train", "--out", "held-run", "--peer", "b=spool", "--every", "evaluate=10", "--evaluate",
                   "loglik", cwd=folder).stdout
    assert "no evaluation of loglik while training" in said, said


if __name__ == "__main__":
    main(globals())
