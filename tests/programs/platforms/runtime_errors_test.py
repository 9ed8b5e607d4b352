#!/usr/bin/env python3
"""Tests what an executable prints when it fails: the whole line and the exit code. No file of the user is
lost."""
import array
import gzip
import json
import math
import os
import re
import resource
import shutil
import struct
import subprocess
import time

import pytest

from executable import GLYPHS, build, call, digest, succeed, write

NEEDS_FILES = """
var x : binary[4]
var c : category(3)
var u : unit
var z : binary[2]
source data  { x = npy("x.npy"); c = csv("table.csv", ["c"]); u = csv("table.csv", ["u"]) }
source codes { z ~ Bernoulli(0) }
decoder p {
  x | z ~ Bernoulli(dense(z, 4))
  c | z ~ Categorical(dense(z, 3))
  u | z ~ LogitNormal(dense(z, 1))
}
encoder q { z | x, c, u ~ Bernoulli(dense(concat(x, c, u), 2)) }
learn symmetric { steps = 20; batch = 8; every = {log: 10, sample: 0, checkpoint: 10, evaluate: 0} }
learn elbo { steps = 20; estimator = zgr }
"""


def refused(code, line, *command, **options):
    result = call(*command, **options)
    assert (result.returncode, result.stderr) == (code, line + "\n"), \
        f"{command}\nexit {result.returncode}, {result.stderr!r}\nexpected {code}, {line!r}"


def npy(path, rows, width, values):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {width}), }}"
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
                     + array.array("f", values).tobytes())


def model_of_files(folder, vaec):
    """Builds the executable and writes data that it accepts. Returns the executable and the text of the table."""
    npy(folder / "x.npy", 10, 4, [i % 2 for i in range(40)])
    table = "c,u,name\n" + "".join(f"{i % 3},{i / 10},a\n" for i in range(10))
    write(folder, "table.csv", table)
    return build(vaec, write(folder, "files.vae", NEEDS_FILES), folder), table


def glyphs(folder, vaec):
    return build(vaec, write(folder, "glyphs.vae", GLYPHS), folder)


def test_flags_of_another_type_are_named_with_what_they_must_be(folder, vaec):
    exe = glyphs(folder, vaec)
    whole, number = "this must be a whole number of at least", "this must be a number of at least 0"
    for flag, text, cause in [
            ("steps", "ten", f"{whole} 0"), ("steps", "1.5", f"{whole} 0"), ("steps", "-5", f"{whole} 0"),
            ("batch", "0", f"{whole} 1"), ("batch", "images=x", "x must be a whole number of at least 1"),
            ("batch", "image=10", "there is no source image; known: codes, images"),
            ("lr", "fast", number), ("lr", "-1", number), ("lr", "r=1", "there is no player r; known: p, q"),
            ("clip", "-1", number), ("seed", "x", f"{whole} 0"),
            ("order", "together", "this must be one of alternating, simultaneous"),
            ("precision", "fp16", "this must be one of fp32, tf32, bf16"),
            ("optimizer", "adma(1e-3)", "an optimizer is adam(lr), adamw(lr), sgd(lr, momentum) or none"),
            ("optimizer", "adam(1e-3", "a `)` is missing"),
            ("optimizer", "adam(x)", "x must be a number of at least 0"),
            ("optimizer", "adam(1e-3, gamma=3)", "adam takes lr, beta1, beta2, eps"),
            ("optimizer", "adam(1e-3, 1)", "beta1 must be less than 1"),
            ("schedule", "linear", "a schedule is constant, cosine(warmup) or step(every, factor)"),
            ("schedule", "step(0, 0.5)", "every must be at least 1 step: step(every = 10000, factor = 0.5)"),
            ("sources", "images,code", "there is no source code to learn from; known: codes, images"),
            ("every", "5", "say log=N, sample=N, checkpoint=N or evaluate=N"),
            ("every", "logs=5", "there is no event logs; known: checkpoint, evaluate, log, sample"),
            ("device", "tpu", "this must be one of auto, cpu, cuda, cuda:0 ..."),
            ("device", "cuda:x", "this must be one of auto, cpu, cuda, cuda:0 ..."),
            ("backend", "blas", "this must be one of onednn, torch")]:
        refused(64, f"glyphs train: --{flag} {text}: {cause}", exe, "train", f"--{flag}", text, cwd=folder)
    assert not (folder / "runs").exists()


def test_a_value_from_the_environment_is_named_as_such(folder, vaec):
    exe = glyphs(folder, vaec)
    refused(64, "glyphs train: VAEC_STEPS=ten: this must be a whole number of at least 0", exe, "train",
            cwd=folder, env={"VAEC_STEPS": "ten"})
    for name, value in (("THREADS", "many"), ("SEED", "x"), ("SEED", "-1")):
        refused(64, f"glyphs sample: VAEC_{name}: {value} is no whole number of at least 0; see glyphs sample --help",
                exe, "sample", "--run", "r", "--out", "x.png", cwd=folder, env={f"VAEC_{name}": value})
        # Commands without the flag, and help, do not read it.
        for words in ["info"], ["--help"], ["sample", "--help"]:
            succeed(exe, *words, cwd=folder, env={f"VAEC_{name}": value})
    # A seed may be larger than what can be counted, and the flag replaces the variable.
    large = {"VAEC_SEED": "3000000000"}
    succeed(exe, "train", "--steps", "1", "--quiet", "--out", "run", cwd=folder, env=large)
    assert json.loads((folder / "run/config.json").read_text())["seed"] == 3000000000
    sampled = []
    for env, words in (large, []), ({}, ["--seed", "3000000000"]), ({"VAEC_SEED": "x"}, ["--seed", "3000000000"]), ({}, []):
        succeed(exe, "sample", "--run", "run", "--n", "3", "--out", "x.csv", *words, cwd=folder, env=env)
        sampled.append((folder / "x.csv").read_bytes())
    assert sampled[0] == sampled[1] == sampled[2] != sampled[3]


def test_words_that_no_command_knows(folder, vaec):
    exe = glyphs(folder, vaec)
    commands = ("the commands are train, sample, infer, latents, traverse, interpolate, evaluate, export, compare, bench, "
                "info")
    refused(64, f"glyphs: a command is needed; {commands}", exe)
    refused(64, "glyphs: there is no command trian; did you mean train?", exe, "trian")
    refused(64, f"glyphs: there is no command learn; {commands}", exe, "learn")
    refused(64, "glyphs train: there is no flag --step (did you mean --steps?); see glyphs train --help", exe, "train", "--step", "10")
    refused(64, "glyphs train: extra is one word too many; see glyphs train --help", exe, "train", "extra")
    refused(64, "glyphs train: --out: the path is empty; see glyphs train --help", exe, "train", "--out", "")
    refused(64, "glyphs train: --threads: many is no whole number of at least 0; see glyphs train --help", exe,
            "train", "--threads", "many")
    refused(64, "glyphs sample: --run is required; see glyphs sample --help", exe, "sample")
    refused(64, "glyphs train: there is no learn block elbow; known: symmetric", exe, "train", "--learn", "elbow")


def test_what_this_version_has_not_exits_78(folder, vaec):
    exe, _ = model_of_files(folder, vaec)
    refused(78, "files train: precision tf32 works only on a CUDA device: on the CPU use --precision fp32 or bf16", exe,
            "train", "--precision", "tf32")
    refused(78, "files train: precision bf16: this processor has no instructions for it (AVX512_BF16 or AMX), or "
            "DNNL_MAX_CPU_ISA forbids them: use --precision fp32", exe, "train", "--precision", "bf16",
            env={"DNNL_MAX_CPU_ISA": "AVX512_CORE", "VAEC_BACKEND": ""})
    refused(78, "files evaluate: --device cuda: in this version only train and bench use a GPU; leave it out", exe, "evaluate",
            "--run", "none", "--device", "cuda", cwd=folder)
    nothing = build(vaec, write(folder, "nothing.vae", "var x : binary\nplayer p { x ~ Bernoulli(0) }\n"), folder)
    refused(78, "nothing train: nothing has no learn block: add `learn symmetric { steps = 20_000 }`", nothing,
            "train")
    assert not (folder / "runs").exists()


def test_a_missing_file_is_named_with_every_place_tried(folder, vaec):
    exe, _ = model_of_files(folder, vaec)
    (folder / "x.npy").unlink()
    refused(66, f"files train: there is no file `x.npy`; looked for {folder}/x.npy, /data/x.npy, "
            "/home/me/.cache/vaec/x.npy", exe, "train", env={"VAEC_DATA": "/data", "HOME": "/home/me"})
    refused(66, f"files train: there is no file `x.npy`; looked for {folder}/x.npy, "
            "/home/me/.cache/vaec/x.npy ($VAEC_DATA is not set)", exe, "train",
            env={"VAEC_DATA": "", "HOME": "/home/me"})
    program = NEEDS_FILES.replace('npy("x.npy")', 'mnist("train").image[0 : 10] > 0.5').replace("binary[4]",
                                                                                              "binary[28, 28]")
    program = program.replace("Bernoulli(dense(z, 4))", "Bernoulli(dense(z, 784))").replace("concat(x,",
                                                                                           "concat(flatten(x),")
    images = build(vaec, write(folder, "digits.vae", program), folder)
    result = call(images, "train", cwd=folder, env={"VAEC_DATA": "/data", "HOME": "/home/me"})
    assert result.returncode == 66 and len(result.stderr.splitlines()) == 1, result
    for place in ("/data/mnist/train-images-idx3-ubyte", "/home/me/.cache/vaec/mnist/train-images-idx3-ubyte",
                  f"{folder}/mnist/train-images-idx3-ubyte"):
        assert place in result.stderr, result.stderr


def test_arrays_of_a_wrong_shape_or_range_name_the_row_and_the_value(folder, vaec):
    exe, _ = model_of_files(folder, vaec)
    data = folder / "x.npy"

    def refuses(line, code=65):
        refused(code, "files train: " + line, exe, "train", "--out", folder / "run")
        assert not (folder / "run").exists()

    given = '`x` (binary[4]) from npy("x.npy"): '
    npy(data, 10, 5, [0] * 50)
    refuses(given + "its rows have the shape [5], the variable needs [4]")
    npy(data, 9, 4, [0] * 36)
    refuses("source data: `c` has 10 rows, but the columns before it have 9; all columns of a source need the same number of rows")
    npy(data, 0, 4, [])
    refuses('npy("x.npy"): there are no rows')
    npy(data, 10, 4, [0] * 20 + [0.5] * 20)
    refuses(given + "row 5 holds 0.5, which must be 0 or 1 (compare, as in `> 0.5`)")
    npy(data, 10, 4, [0] * 39 + [7])
    refuses(given + "row 9 holds 7, which must be 0 or 1")
    npy(data, 10, 4, [0] * 38 + [float("-inf"), 0])
    refuses(given + "row 9 holds an infinity, or a number beyond 3.4e38")
    npy(data, 10, 4, [0, float("nan"), 0, 0] * 10)
    refuses(given + "the value is missing in every row")
    npy(data, 10, 4, [0] * 40)
    whole = data.read_bytes()
    data.write_bytes(whole[:-10])
    refuses(f"{data}: ends after {data.stat().st_size} bytes, within an array of shape [10, 4] (160 bytes)")
    data.write_bytes(b"some text that is no array")
    refuses(f"{data}: not an NPY file")
    data.unlink()
    data.mkdir()
    refuses(f"{data} is a folder, not a file", code=66)
    data.rmdir()
    packed = folder / "x.npy.gz"
    packed.write_bytes(gzip.compress(whole)[:60])
    refuses(f"{packed}: the gzip stream is truncated")
    corrupt = bytearray(gzip.compress(whole))
    corrupt[-8] ^= 255  # the checksum
    packed.write_bytes(corrupt)
    refuses(f"{packed}: the gzip stream is corrupt (incorrect data check)")


def test_tables_that_do_not_fit_name_the_line_and_the_column(folder, vaec):
    exe, table = model_of_files(folder, vaec)
    path = folder / "table.csv"
    for changed, line in [
            (table.replace("c,u,", "k,u,"), f"{path} has no column `c`; it has `k`, `u`, `name`"),
            (table.replace("1,0.1,", "4,0.1,"),
             '`c` (category(3)) from csv("table.csv", ["c"]).c: row 1 holds 4, which must be a class from 0 to 2'),
            (table.replace("1,0.1,", "1,1.5,"),
             '`u` (unit) from csv("table.csv", ["u"]).u: row 1 holds 1.5, which must be from 0 to 1'),
            (table.replace("1,0.1,", "1,inf,"), '`u` (unit) from csv("table.csv", ["u"]).u: row 1 holds an infinity, or a number beyond 3.4e38'),
            (table.replace("1,0.1,", "one,0.1,"),
             '`c` (category(3)) from csv("table.csv", ["c"]).c: has 4 different words ("0", "1", "2", "one"), but the '
             f'variable has 3 classes ({path}: line 3, column `c`: "one" is not a number)'),
            (table.replace("1,0.1,a", "1,0.1"), f"{path}: line 3 has 2 cells, the header row has 3"),
            ("", f"{path}: line 1: the file is empty, it needs a header row of names")]:
        path.write_text(changed)
        refused(65, "files train: " + line, exe, "train", "--out", folder / "run")


def test_a_folder_that_cannot_be_written_exits_73(folder, vaec):
    exe = glyphs(folder, vaec)
    write(folder, "mine", "of the user")
    refused(73, "glyphs train: cannot write mine: it is a file; a run needs a folder", exe, "train", "--out", "mine",
            cwd=folder)
    refused(73, "glyphs train: cannot write mine: Not a directory", exe, "train", "--out", "mine/run", cwd=folder)
    refused(73, "glyphs train: cannot write /proc/run: No such file or directory", exe, "train", "--out", "/proc/run")
    (folder / "taken").mkdir()
    write(folder / "taken", "notes", "of the user")
    refused(73, "glyphs train: cannot write taken: it is there already; --resume continues a run", exe, "train",
            "--out", "taken", cwd=folder)
    assert (folder / "mine").read_text() == (folder / "taken/notes").read_text() == "of the user"


def test_a_run_that_ended_before_its_first_checkpoint_does_not_block_its_name(folder, vaec):
    exe = glyphs(folder, vaec)
    run = folder / "run"
    endless = ["train", "--quiet", "--steps", "100000000", "--every", "checkpoint=0,log=1", "--out", "run"]
    process = subprocess.Popen([exe, *endless], cwd=folder)
    while not (run / "metrics.jsonl").exists() or not (run / "metrics.jsonl").read_text():
        time.sleep(0.05)
    refused(73, "glyphs train: cannot write run: another process is training there", exe, *endless, cwd=folder)
    process.kill()
    process.wait()
    (run / "checkpoints/.step-20.partial").mkdir()
    succeed(exe, "train", "--quiet", "--steps", "2", "--out", "run", cwd=folder)
    assert os.listdir(run / "checkpoints") == ["step-2"]
    before = (run / "config.json").read_text()
    refused(73, "glyphs train: cannot write run: it is there already; --resume continues a run", exe, "train", "--out",
            "run", cwd=folder)
    # Files that a user puts beside the files of a run are not removed.
    shutil.rmtree(run / "checkpoints/step-2")
    write(run, "notes", "of the user")
    refused(73, "glyphs train: cannot write run: it is there already; --resume continues a run", exe, "train", "--out",
            "run", cwd=folder)
    assert (run / "notes").exists() and (run / "config.json").read_text() == before


def test_a_full_disk_keeps_the_last_checkpoint(folder, vaec):
    exe = glyphs(folder, vaec)
    tiny = folder / "tiny"
    tiny.mkdir()
    if call("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", tiny).returncode != 0:
        pytest.skip("this user may not mount")
    try:
        refused(73, "glyphs train: cannot write tiny/run/checkpoints/.step-40.partial/optimizer.safetensors: "
                "No space left on device (the last checkpoint is tiny/run/checkpoints/step-20)", exe, "train",
                "--quiet", "--out", "tiny/run", cwd=folder)
        assert os.listdir(tiny / "run/checkpoints") == ["step-20"]
        succeed(exe, "sample", "--run", "tiny/run", "--n", "4", "--out", "s.npy", cwd=folder)
    finally:
        call("umount", tiny)


def test_a_limit_on_file_sizes_is_reported_and_does_not_kill(folder, vaec):
    exe = glyphs(folder, vaec)

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
    result = subprocess.run([exe, "train", "--quiet", "--out", "run"], cwd=folder, capture_output=True, text=True,
                            preexec_fn=limit)
    assert result.returncode == 73, result
    assert result.stderr == ("glyphs train: cannot write run/checkpoints/.step-20.partial/model.safetensors: "
                             "File too large (there is no checkpoint yet)\n"), result.stderr


def test_output_that_nobody_can_read_is_an_error(folder, vaec):
    exe = glyphs(folder, vaec)
    with open("/dev/full", "w") as full:
        result = subprocess.run([exe, "info"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert (result.returncode, result.stderr) == \
        (73, "glyphs info: cannot write the output: No space left on device\n"), result
    # Neither the output nor the message about it.
    with open("/dev/full", "w") as full:
        assert subprocess.run([exe, "info"], stdout=full, stderr=full).returncode == 73
        assert subprocess.run([exe, "train", "--steps", "40", "--out", "run"], stdout=full, stderr=full,
                              cwd=folder).returncode == 73
        assert subprocess.run([exe, "train", "--resume", "nowhere"], stderr=full, cwd=folder).returncode == 66
    assert (folder / "run/checkpoints/step-40").is_dir()


def test_what_cannot_be_resumed(folder, vaec):
    exe = glyphs(folder, vaec)
    succeed(exe, "train", "--quiet", "--steps", "40", "--out", "run", cwd=folder)
    (folder / "empty").mkdir()
    refused(66, "glyphs train: empty is no run directory: it has no config.json", exe, "train", "--resume", "empty",
            cwd=folder)
    refused(64, "glyphs train: --out excludes --resume; see glyphs train --help", exe, "train", "--resume", "run",
            "--out", "other", cwd=folder)
    refused(64, "glyphs train: run is a run of learn symmetric, not elbo", exe, "train", "--resume", "run", "--learn",
            "elbo", cwd=folder)
    wide = build(vaec, write(folder, "wide.vae", GLYPHS.replace("64", "32")), folder)
    refused(78, "wide train: run/checkpoints/step-40/model.safetensors: p.x.dense1.weight has the shape [64, 16], "
            "this model needs [32, 16]", wide, "train", "--resume", "run", cwd=folder)
    named = build(vaec, write(folder, "named.vae", GLYPHS.replace("images", "pictures")), folder)
    refused(78, "named train: run is a run of another model, or of another version of its file: "
            "learn symmetric has no source images: codes, images", named, "train", "--resume", "run", cwd=folder)
    before = digest(folder / "run", 40)
    succeed(exe, "train", "--quiet", "--steps", "60", "--resume", "run", cwd=folder)
    assert digest(folder / "run", 40) == before


def test_a_damaged_checkpoint_is_named_and_the_one_before_still_serves(folder, vaec):
    exe = glyphs(folder, vaec)
    succeed(exe, "train", "--quiet", "--steps", "40", "--out", "run", cwd=folder)
    last = "copy/checkpoints/step-40"
    way_out = f"; without {last} the run continues from the checkpoint before"
    resume = (exe, "train", "--quiet", "--steps", "60", "--resume", "copy")

    def copy():
        shutil.rmtree(folder / "copy", ignore_errors=True)
        shutil.copytree(folder / "run", folder / "copy")

    def cut(name, size):
        path = folder / last / name
        path.write_bytes(path.read_bytes()[:size])

    for name, size, cause in [
            ("model.safetensors", 5, "not a safetensors file"),
            ("model.safetensors", 100000, "the file is cut short: tensor `p.x.dense2.weight` does not fit, "
                                          "it ends at byte 208192 of 99312")]:
        copy()
        cut(name, size)
        refused(65, f"glyphs train: {last}/{name}: {cause}{way_out}", *resume, cwd=folder)
    copy()
    cut("state.json", 20)
    refused(65, f"glyphs train: {last}/state.json is not JSON{way_out}", *resume, cwd=folder)
    (folder / last / "state.json").write_text("{}")
    refused(65, f'glyphs train: {last}/state.json: "step" is missing: a whole number from 0 to 9007199254740992 is '
            f"needed{way_out}", *resume, cwd=folder)
    (folder / last / "model.safetensors").unlink()
    refused(66, f"glyphs train: cannot open {last}/model.safetensors: No such file or directory{way_out}", *resume,
            cwd=folder)
    shutil.rmtree(folder / last)
    succeed(*resume, cwd=folder)
    copy()
    shutil.rmtree(folder / "copy/checkpoints/step-20")
    cut("optimizer.safetensors", 0)
    refused(65, f"glyphs train: {last}/optimizer.safetensors: not a safetensors file; it is of the run's only "
            "checkpoint", *resume, cwd=folder)
    shutil.rmtree(folder / "copy/checkpoints")
    refused(66, "glyphs sample: copy holds no checkpoint", exe, "sample", "--run", "copy", "--out", "s.npy", cwd=folder)
    copy()
    (folder / "copy/config.json").write_text('{"steps":')
    refused(65, "glyphs train: copy/config.json is not JSON", *resume, cwd=folder)
    deep = 1_000_000
    (folder / "copy/config.json").write_text('{"steps": ' + "[" * deep + "]" * deep + "}")
    refused(65, "glyphs train: copy/config.json nests deeper than 64 brackets", *resume, cwd=folder)


def test_a_state_that_no_run_writes_names_the_file_and_the_key(folder, vaec):
    exe = glyphs(folder, vaec)
    succeed(exe, "train", "--quiet", "--steps", "20", "--out", "run", cwd=folder)
    file = "run/checkpoints/step-20/state.json"
    state = json.loads((folder / file).read_text())
    whole = "a whole number from 0 to 9007199254740992 is needed"
    for changes, cause in [
            ({"step": -1}, f'"step" is -1: {whole}'), ({"step": 2.5}, f'"step" is 2.5: {whole}'),
            ({"step": 2**64 - 1}, f'"step" is 18446744073709551615: {whole}'),
            ({"step": "20"}, f'"step" is "20": {whole}'),
            ({"step": 19}, '"step" is 19: 20, as the folder\'s name says, is needed'),
            ({"updates": {"p": 20}}, f'"updates.q" is missing: {whole}'),
            ({"updates": {"p": -3, "q": 1}}, f'"updates.p" is -3: {whole}'),
            ({"updates": [1]}, '"updates" is [1]: an object is needed'),
            ({"sums": {"p.x@images": None}}, '"sums.p.x@images" is null: a number from -1.7976931348623157e+308 to '
                                             "1.7976931348623157e+308 is needed"),
            ({"summed_steps": {"p.x@images": 21}}, '"summed_steps.p.x@images" is 21: a whole number from 0 to 20 is '
                                                   "needed"),
            ({"seconds": "long"}, '"seconds" is "long": a number from 0 to 1.7976931348623157e+308 is needed')]:
        (folder / file).write_text(json.dumps({**state, **changes}))
        refused(65, f"glyphs train: {file}: {cause}; it is of the run's only checkpoint", exe, "train", "--quiet",
                "--steps", "40", "--resume", "run", cwd=folder)
    (folder / file).write_text(json.dumps(state))
    succeed(exe, "train", "--quiet", "--steps", "40", "--resume", "run", cwd=folder)


def test_settings_that_no_run_writes_name_the_file_and_the_key(folder, vaec):
    exe = glyphs(folder, vaec)
    succeed(exe, "train", "--quiet", "--steps", "20", "--out", "run", cwd=folder)
    file = "run/config.json"
    config = json.loads((folder / file).read_text())
    batch, other = "a whole number from 1 to 2147483647 is needed", "run is a run of another model, or of another version " \
        "of its file: "

    def changed(path, value):
        copy = json.loads(json.dumps(config))
        inner = copy
        *above, last = path.split(".")
        for key in above:
            inner = inner[key]
        if value is None:
            del inner[last]
        else:
            inner[last] = value
        return copy

    for path, value, cause in [
            ("batch.images", 4611686018427387905, f'"batch.images" is 4611686018427387905: {batch}'),
            ("batch.images", 0, f'"batch.images" is 0: {batch}'), ("batch", 32, '"batch" is 32: an object is needed'),
            ("batch", None, '"batch" is missing: an object is needed'),
            ("steps", -3, '"steps" is -3: a whole number from 0 to 9007199254740992 is needed'),
            ("steps", 1.5, '"steps" is 1.5: a whole number from 0 to 9007199254740992 is needed'),
            ("seed", 2**64 - 1, '"seed" is 18446744073709551615: a whole number from 0 to 9007199254740992 is needed'),
            ("threads", 100000, '"threads" is 100000: a whole number from 0 to 65536 is needed'),
            ("backend", "../../x", '"backend" is "../../x": one of onednn, torch is needed'),
            ("device", "tpu", '"device" is "tpu": cpu or cuda:N is needed'),
            ("order", "any", '"order" is "any": one of alternating, simultaneous is needed'),
            ("every.log", -1, '"every.log" is -1: a whole number from 0 to 9007199254740992 is needed'),
            ("optimizers.p.lr", -1, '"optimizers.p.lr" is -1: a number from 0 to 3.4028234663852886e+38 is needed'),
            ("optimizers.p.beta1", 1, '"optimizers.p.beta1" is 1: a number from 0 to 0.9999999999999999 is needed'),
            ("optimizers.p.kind", "adma", '"optimizers.p.kind" is "adma": one of adam, adamw, sgd, none is needed'),
            ("schedule", "cosine", '"schedule" is "cosine": an object is needed'),
            ("sources", "images", '"sources" is "images": a list of texts is needed')]:
        (folder / file).write_text(json.dumps(changed(path, value)))
        refused(65, f"glyphs train: {file}: {cause}", exe, "train", "--steps", "40", "--resume", "run", cwd=folder)
    for path, value, cause in [
            ("optimizers.p", None, "player p has no optimizer"),
            ("optimizers.r", {"kind": "none"}, "there is no player r"),
            ("batch.codes", None, "learn symmetric has no source codes: images"),
            ("method", "elbo", "learn symmetric is symmetric, not elbo")]:
        (folder / file).write_text(json.dumps(changed(path, value)))
        refused(78, f"glyphs train: {other}{cause}", exe, "train", "--steps", "40", "--resume", "run", cwd=folder)
    (folder / file).write_text("[1]")
    refused(65, f"glyphs train: {file} holds no JSON object", exe, "train", "--resume", "run", cwd=folder)
    (folder / file).write_text(json.dumps(changed("threads", 4096)))
    said = succeed(exe, "train", "--steps", "40", "--resume", "run", cwd=folder).stdout
    assert "note: the run is of 4096 threads, too many for this machine" in said, said


def test_no_key_takes_more_than_it_can_mean(folder, vaec):
    exe = glyphs(folder, vaec)
    most = "a whole number of at most 2147483647"
    refused(64, f"glyphs train: --batch 4611686018427387905: this must be {most}", exe, "train", "--batch",
            "4611686018427387905", cwd=folder)
    refused(64, f"glyphs train: --batch images=3e9: 3e9 must be {most}", exe, "train", "--batch", "images=3e9", cwd=folder)
    refused(64, "glyphs sample: --n: 4611686018427387905 is more than 2147483647; see glyphs sample --help", exe,
            "sample", "--run", "run", "--n", "4611686018427387905", "--out", "s.npy", cwd=folder)
    wrong = write(folder, "wrong.vae", GLYPHS.replace("batch = 32", "batch = 4611686018427387905"))
    result = call(vaec, "check", wrong)
    assert result.returncode == 1 and "`batch` must be 2147483647 or less" in result.stderr, result


def test_memory_that_is_not_there_names_who_asks_for_it(folder, vaec):
    exe = glyphs(folder, vaec)
    result = call(exe, "train", "--batch", "2147483647", "--out", "run", cwd=folder)
    assert result.returncode == 78 and len(result.stderr.splitlines()) == 1, result
    assert re.match(r"glyphs train: --batch codes=2147483647,images=2147483647 needs \d+\.\d GB of memory; this process may "
                    r"have \d+\.\d GB\n", result.stderr), result.stderr
    assert not (folder / "run").exists()
    succeed(exe, "train", "--quiet", "--steps", "1", "--out", "run", cwd=folder)
    result = call(exe, "sample", "--run", "run", "--n", "2147483647", "--out", "s.npy", cwd=folder)
    assert result.returncode == 78 and "--n 2147483647 needs 13469.0 GB" in result.stderr, result


def test_queries_that_cannot_be_answered(folder, vaec):
    exe = glyphs(folder, vaec)
    succeed(exe, "train", "--quiet", "--steps", "20", "--out", "run", cwd=folder)
    npy(folder / "bad.npy", 3, 5, [0] * 15)
    write(folder, "text.txt", "hello")
    infer = (exe, "infer", "--run", "run")
    for code, line, *arguments in [
            (64, '"z | y": there is no variable `y`; known: x, z', "z | y"),
            (64, '"z": say "targets | known", as in "z | x"', "z"),
            (64, '"x | x": x is on both sides; --mask x=FILE says which of its elements are known', "x | x"),
            (64, "the values of x are needed: --given x=FILE", "z | x"),
            (64, "--given w=x.npy: say VARIABLE=FILE; the variables are x, z", "z | x", "--given", "w=x.npy"),
            (64, "--given x=codes: the source does not give x", "z | x", "--given", "x=codes"),
            (66, "there is no file or source x.npy for x", "z | x", "--given", "x=x.npy"),
            (65, f'`x` (binary[28, 28]) from npy("{folder}/bad.npy"): its rows have the shape [5], '
                 "the variable needs [28, 28]", "z | x", "--given", "x=bad.npy"),
            (65, f"{folder}/text.txt: not an IDX file (begins with the bytes 68 65 6c 6c)", "z | x", "--given",
             "x=text.txt")]:
        refused(code, "glyphs infer: " + line, *infer, *arguments, "--out", "out.npy", cwd=folder)
    refused(64, "glyphs infer: --out o.txt: the file must end in .png, .npy, .npz, .csv or .safetensors", *infer, "z | x",
            "--given", "x=images", "--out", "o.txt", cwd=folder)
    refused(64, "glyphs infer: --out o.png: none of the results is an image", *infer, "z | x", "--given", "x=images",
            "--out", "o.png", cwd=folder)
    refused(73, "glyphs infer: cannot write none/o.npy: No such file or directory", *infer, "z | x", "--given",
            "x=images", "--out", "none/o.npy", cwd=folder)
    assert not (folder / "out.npy").exists()


def test_samples_and_measures_that_cannot_be_had(folder, vaec):
    exe = glyphs(folder, vaec)
    refused(66, "glyphs sample: nowhere is no run directory: it has no config.json", exe, "sample", "--run",
            "nowhere", "--out", "s.npy", cwd=folder)
    refused(64, "glyphs sample: --n: 0 is no whole number of at least 1; see glyphs sample --help", exe, "sample",
            "--run", "run", "--n", "0", "--out", "s.npy", cwd=folder)
    refused(64, "glyphs sample: --out s.jpg: the file must end in .png, .npy, .npz, .csv or .safetensors", exe, "sample",
            "--run", "run", "--out", "s.jpg", cwd=folder)
    refused(64, "glyphs evaluate: there is no metric fid; known: loglik, elbo, kl, gap, mi, active_units, accuracy, "
            "fd, consistency, mmd, mcc, ima, self_consistency", exe, "evaluate", "--run", "run",
            "--metrics", "loglik,fid", cwd=folder)


def test_the_log_likelihood_of_a_model_without_a_decoder_is_refused(folder, vaec):
    write(folder, "pair.vae", """var x : binary[6]
var z : binary[4]
source rows { x ~ Bernoulli(0.5); z ~ Bernoulli(0) }
player p { x | z ~ Bernoulli(dense(z, 6)) }
player q { z | x ~ Bernoulli(dense(x, 4)) }
learn symmetric { steps = 2 }
""")
    succeed(vaec, "run", "pair.vae", "train", "--quiet", "--out", "run", cwd=folder)
    refused(78, "pair evaluate: the metrics loglik, elbo, kl and gap need a decoder, and pair declares none: write "
            "`decoder` instead of `player` for the player that models the data", vaec, "run", "pair.vae", "evaluate", "--run", "run",
            cwd=folder)


def test_divergence_names_step_player_and_last_checkpoint(folder, vaec):
    exe = glyphs(folder, vaec)
    refused(1, "glyphs train: step 2: player p's term p.x@images is not a number; a lower learning rate or clip may "
            "help (there is no checkpoint yet)", exe, "train", "--quiet", "--lr", "1e30", "--out", "new", cwd=folder)
    succeed(exe, "train", "--quiet", "--steps", "40", "--out", "run", cwd=folder)
    before = digest(folder / "run", 40)
    refused(1, "glyphs train: step 42: player p's term p.x@images is not a number; a lower learning rate or clip may "
            "help (the last checkpoint is run/checkpoints/step-40)", exe, "train", "--quiet", "--steps", "60",
            "--lr", "1e30", "--resume", "run", cwd=folder)
    assert digest(folder / "run", 40) == before
    assert os.listdir(folder / "run/checkpoints").count("step-60") == 0


def test_a_step_that_ends_in_no_number_leaves_no_checkpoint(folder, vaec):
    # The term of this step is finite, but its derivative is not.
    exe = build(vaec, write(folder, "root.vae", """
var x : real[2]
source data { x ~ Normal(0, 1) }
decoder p { x ~ Normal(parameter([2]), 1 + sqrt(parameter([2], init = 0))) }
learn symmetric { steps = 1; batch = 8; every = {log: 1, sample: 0, checkpoint: 1, evaluate: 0} }
"""), folder)
    result = call(exe, "train", "--quiet", "--out", "run", cwd=folder)
    assert result.returncode == 1 and len(result.stderr.splitlines()) == 1, result
    assert re.match(r"root train: step 1: player p's \S+ is (not a number|infinite); a lower learning rate or clip may "
                    r"help \(there is no checkpoint yet\)\n", result.stderr), result.stderr
    assert os.listdir(folder / "run/checkpoints") == []


def test_a_checkpoint_with_infinities_is_not_written_and_not_read(folder, vaec):
    exe = glyphs(folder, vaec)
    settings = ["--quiet", "--every", "log=1,checkpoint=1,sample=0", "--optimizer", "sgd(1e38)"]
    succeed(exe, "train", "--quiet", "--steps", "20", "--out", "run", cwd=folder)
    before = digest(folder / "run", 20)
    result = call(exe, "train", *settings, "--steps", "40", "--resume", "run", cwd=folder)
    assert result.returncode == 1 and len(result.stderr.splitlines()) == 1, result
    last = re.search(r"the last checkpoint is run/checkpoints/step-(\d+)\)", result.stderr).group(1)
    assert sorted(os.listdir(folder / "run/checkpoints"))[-1] == f"step-{last}" and digest(folder / "run", 20) == before
    model = folder / f"run/checkpoints/step-{last}/model.safetensors"
    size = struct.unpack("<Q", model.read_bytes()[:8])[0]
    assert all(math.isfinite(value) for value in array.array("f", model.read_bytes()[8 + size:]))
    model.write_bytes(model.read_bytes()[:-4] + struct.pack("<f", float("nan")))
    name = model.relative_to(folder)
    refused(65, f"glyphs evaluate: {name}: q.z.dense2.weight holds a value that is not a number", exe, "evaluate", "--run",
            "run", cwd=folder)
