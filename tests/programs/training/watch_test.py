"""Tests what a run shows while it trains in a terminal: one line that fits the width, the last metrics after the end,
and colours if they are wanted. Also tests the parts of a bound, and that every command can read any checkpoint of a
run."""
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

from executable import build, call, has_terminals, metrics, safetensors, succeed, write

MODEL = """
var x : binary[28, 28]; var z : real[4]
source images { x = glyphs(400, seed = 3).image > 0.5 }
source heldout weight 0 { x = glyphs(60, seed = 4).image > 0.5 }
decoder p { z ~ Normal(0); x | z ~ Bernoulli(dense(relu(dense(z, 64)), 784)) }
encoder q { let h = relu(dense(x, 64)); z | x ~ Normal(dense(h, 4), dense(h, 4)) }
learn elbo { steps = STEPS; batch = 64; beta = 4; evaluate = [loglik, elbo]
             every = {log: 10, sample: 0, checkpoint: 20, evaluate: 20} }
"""
ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def on_terminal(columns, *command, cwd, **env):
    """Returns what the command writes to a terminal of that many columns."""
    if not has_terminals():
        pytest.skip("there are no pseudo-terminals")
    mine, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    clean = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    process = subprocess.Popen([str(word) for word in command], cwd=cwd, stdin=subprocess.DEVNULL, stdout=its, stderr=its,
                               env={**clean, "TERM": "xterm", "VAEC_DATA_URL": "none", **env})
    os.close(its)
    text = b""
    while True:
        try:
            part = os.read(mine, 65536)
        except OSError:  # the program has closed its end
            break
        if not part:
            break
        text += part
    os.close(mine)
    assert process.wait() == 0, text
    return text.decode()


def test_the_line_keeps_to_the_width_and_the_last_metrics_stay(folder, vaec):
    exe = build(vaec, write(folder, "model.vae", MODEL.replace("STEPS", "1500")), folder)
    for columns in (20, 40, 79, 200):
        text = on_terminal(columns, exe, "train", "--out", f"r{columns}", cwd=folder)
        drawn = [part for part in re.split(r"[\r\n]", ESCAPE.sub("", text)) if re.match(r"(\[[#.]+\] )?\d+/1500\b", part)]
        assert len(drawn) > 2, text
        assert all(len(part) < columns for part in drawn), (columns, drawn)
        # Each line is drawn over the previous one, and the last one is erased.
        assert text.count("\r\x1b[K") >= len(drawn), text
        end = re.sub(r"\s+", " ", ESCAPE.sub("", text.rpartition("\x1b[K")[2]))
        assert re.match(r"\s*step 1500/1500 [\d.]+ steps/s elbo -[\d.]+ reconstruction -[\d.]+ kl [\d.]+ "
                        r"loglik@heldout -[\d.]+ elbo@heldout -[\d.]+ 1500 steps in", end), end
        wide = [part for part in drawn if part.startswith("[")]
        assert bool(wide) == (columns == 200), (columns, drawn)
        assert all(("kl" in part) == (columns > 40) for part in drawn[1:]), (columns, drawn)


def test_colours_are_for_terminals_that_want_them(folder, vaec):
    exe = build(vaec, write(folder, "model.vae", MODEL.replace("STEPS", "40")), folder)
    colour = re.compile(r"\x1b\[[0-9;]*m")
    assert colour.search(on_terminal(80, exe, "train", "--out", "a", cwd=folder))
    assert not colour.search(on_terminal(80, exe, "train", "--out", "b", cwd=folder, NO_COLOR="1"))
    dumb = on_terminal(80, exe, "train", "--out", "c", cwd=folder, TERM="dumb")
    assert "\x1b" not in dumb and re.search(r"step 40  [\d.]+ steps/s  elbo", dumb), dumb
    assert "\x1b" not in succeed(exe, "train", "--out", "d", cwd=folder).stdout
    assert on_terminal(80, exe, "train", "--out", "e", "--quiet", cwd=folder) == ""


def test_the_parts_of_a_bound_are_in_record_and_events(folder, vaec):
    exe = build(vaec, write(folder, "model.vae", MODEL.replace("STEPS", "40")), folder)
    said = succeed(exe, "train", "--out", "run", cwd=folder).stdout
    for line in metrics(folder / "run"):
        terms = line["terms"]
        assert line["reconstruction"] == terms["p.x@images"] and line["kl"] == terms["kl.z@images"], line
        assert abs(line["elbo"] - (line["reconstruction"] - line["kl"])) < 1e-9 * abs(line["elbo"]), line
        assert abs(line["objective"] - (line["reconstruction"] - 4 * line["kl"])) < 1e-6 * abs(line["objective"]), line
        assert f"elbo {line['elbo']:.2f}  reconstruction {line['reconstruction']:.2f}  kl {line['kl']:.2f}" in said, said
    events = b"".join(path.read_bytes() for path in (folder / "run").glob("events*"))
    for tag in (b"elbo/training", b"reconstruction/training", b"kl/training", b"elbo/heldout", b"loglik/heldout"):
        assert tag in events, tag


def test_every_command_reads_any_checkpoint(folder, vaec):
    exe = build(vaec, write(folder, "model.vae", MODEL.replace("STEPS", "60")), folder)
    succeed(exe, "train", "--quiet", "--out", "run", "--stop", "early(loglik, 100)", "--keep", "2", cwd=folder)
    assert sorted(path.name for path in (folder / "run/checkpoints").iterdir()) == ["best", "step-40", "step-60"]

    def evaluated(*flags):
        return json.loads(succeed(exe, "evaluate", "--metrics", "elbo", "--json", *flags, cwd=folder).stdout)
    assert evaluated("--run", "run")["step"] == 60 and evaluated("--run", "run", "--checkpoint", "40")["step"] == 40
    # The folder of a checkpoint may be given as the run at that step.
    assert evaluated("--run", "run/checkpoints/step-40") == evaluated("--run", "run", "--checkpoint", "40")
    for words in (["sample", "--n", "2"], ["infer", "z | x", "--given", "x=heldout"]):
        outputs = []
        for name, flags in (("a", ["--checkpoint", "40"]), ("b", ["--checkpoint", "best"]), ("c", [])):
            succeed(exe, *words, "--run", "run", *flags, "--out", f"{name}.npy", cwd=folder)
            outputs.append((folder / f"{name}.npy").read_bytes())
        assert outputs[0] != outputs[2], words
    # Training that starts from a checkpoint, even if it is stopped before its own first checkpoint.
    for which, step in (("40", "step-40"), ("best", "best")):
        succeed(exe, "train", "--quiet", "--start", "run", "--checkpoint", which, "--steps", "0", "--out", f"from-{which}",
                cwd=folder)
        taken = safetensors(folder / f"from-{which}/checkpoints/step-0/model.safetensors")
        assert taken == safetensors(folder / f"run/checkpoints/{step}/model.safetensors")
        assert json.loads((folder / f"from-{which}/config.json").read_text())["start"].endswith(f"checkpoints/{step}")
    table = succeed(exe, "compare", "--steps", "60", "--checkpoint", "40", "--metrics", "elbo", "--json", "--limiting", "0",
                    "--out", "both", "--every", "checkpoint=20", cwd=folder).stdout
    compared = json.loads(table)["methods"][0]["summary"]
    again = evaluated("--run", "both/elbo-seed-0", "--checkpoint", "40")["results"][0]["mean"]
    assert compared["elbo the bound of log p(x)@heldout"]["mean"] == again, (compared, again)
    for words, code, cause in (
            (["train", "--checkpoint", "best", "--out", "none"], 64, "one of the run that --start names"),
            (["train", "--checkpoint", "40", "--resume", "run"], 64, "continues from its last checkpoint"),
            (["train", "--start", "run", "--checkpoint", "41", "--out", "none"], 66, "no checkpoint of step 41"),
            (["evaluate", "--run", "run/checkpoints/best", "--checkpoint", "40"], 64, "is a checkpoint already"),
            (["evaluate", "--run", "run/checkpoints"], 66, "is no run directory")):
        result = call(exe, *words, cwd=folder)
        assert result.returncode == code and cause in result.stderr and len(result.stderr.splitlines()) == 1, result
        assert not (folder / "none").exists()
