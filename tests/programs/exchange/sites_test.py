#!/usr/bin/env python3
"""Tests games between programs that run as real processes: `publish`, `peer`, and sites that stop, fall behind and
start again."""
import json
import math
import signal
import struct
import time

from executable import build, call, digest, metrics, safetensors, succeed, write
from oracle_test import distance, normalised, write_npy
from spool_folder import QUIET, ROWS, SITE, Site, published, refused, site, spool, write_rows

# Both sites of a game in one file. A process for one site knows the names of the other site too, but has none
# of its rows.
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
    # What a site learns about the other site's players without their rows does not matter.
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
    # Both sites end and are resumed.
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
    assert len(content["c"][1]) == len(content["x"][1]) == 20000  # one byte per value
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
    a = Site(exe, *forever, *every, "--out", "a", "--peer", "b=b/published", "--every", "log=10,checkpoint=0",
             cwd=folder)
    b = Site(exe, *forever, *every, "--out", "b", "--peer", "b=a/published", cwd=folder)
    b.wait_until((folder / "b/checkpoints/step-100").exists)
    b.end(9, stop=signal.SIGKILL)
    newest = max(int(path.stem[5:]) for path in (folder / "b/published").glob("step-*.safetensors"))

    def heard(what):
        lines = metrics(folder / "a") if (folder / "a/metrics.jsonl").exists() else []
        return lines[-1]["exchange"]["peers"]["b"][what] if lines else 0

    a.wait_until(lambda: heard("age") > 200)
    # When a site starts again, it removes a file that it left incomplete, and its peer reads its new rows.
    (folder / "b/published/step-7.safetensors.123.part").write_bytes(b"half")
    b = Site(exe, *forever, "--resume", "b", cwd=folder)
    a.wait_until(lambda: heard("step") > newest)
    # A site that only stands still is treated like one that died. Its rows are read as soon as it continues.
    b.process.send_signal(signal.SIGSTOP)
    newest = max(int(path.stem[5:]) for path in (folder / "b/published").glob("step-*.safetensors"))
    a.wait_until(lambda: heard("age") > 200)
    b.process.send_signal(signal.SIGCONT)
    a.wait_until(lambda: heard("step") > newest)
    assert not list((folder / "b/published").glob("*.123.part"))
    b.end(130, stop=signal.SIGINT)
    a.end(130, stop=signal.SIGINT)
    # Rows that are too old stay in use until there are newer ones. This is said once.
    old = spool(folder, {"step-0.safetensors": published(0, *ROWS)})
    said = succeed(exe, "train", "--out", "old", "--peer", f"b={old}", "--max-age", 20, cwd=folder).stdout
    assert said.count("nothing at most 20 steps old") == 1, said
    assert metrics(folder / "old")[-1]["exchange"]["peers"]["b"]["step"] == 0


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
    # Only `train` has peers.
    spool(folder, {"step-0.safetensors": published(0, *ROWS)})
    succeed(exe, *QUIET, "--out", "run", "--peer", "b=spool", cwd=folder)
    said = json.loads(succeed(exe, "evaluate", "--run", "run", "--metrics", "loglik", "--json", cwd=folder).stdout)
    assert [result["source"] for result in said["results"]] == ["own"], said
    refused(78, "rows of peer b are read by `train` alone", call(exe, "bench", cwd=folder))
    refused(64, "rows of peer b are needed", call(exe, "compare", "--learn", "symmetric", "--out", "c", cwd=folder))
    succeed(exe, "sample", "--run", "run", "--out", "x.npy", cwd=folder)
