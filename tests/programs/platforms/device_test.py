#!/usr/bin/env python3
"""Tests training on the fake CUDA driver (tests/device). The driver runs the kernels as code of the processor, so
these tests cover the host's side. A step must compute the same as on the processor. Between two lines of the record
the host must not wait."""
import ctypes
import json
import os
import shutil
import struct
import subprocess

import executable
from chain_test import SEMI, write_joint
from missing_test import TABLES, write_rows
from simulator_test import LEARNER, trained_simulator
from executable import GLYPHS, call, metrics, safetensors, succeed, write

os.environ["VAEC_BACKEND"] = "onednn"  # the only LibTorch in these tests is the fake one of the GPU


def has_driver():
    try:
        ctypes.CDLL("libcuda.so.1")
        return True
    except OSError:
        return False


class Fake:
    """An installation with the LibTorch and the CUDA driver of tests/device."""

    def __init__(self, folder, vaec):
        lib, self.tool = vaec.parent.parent / "lib", vaec.parent / "emulated_kernels"
        self.folder, self.vaec, self.drivers = folder, folder / "fake/bin/vaec", lib / "fake"
        (folder / "fake/bin").mkdir(parents=True)
        (folder / "fake/lib").mkdir()
        shutil.copy(vaec, self.vaec)
        for library in [*lib.glob("*.so*"), lib / "fake/libvaert_torch.so"]:
            link = folder / "fake/lib" / library.name
            link.unlink(missing_ok=True)
            link.symlink_to(library)

    def build(self, name, text, target="auto"):
        path = write(self.folder, f"{name}.vae", text)
        succeed(self.tool, path, self.folder / f"{name}.o")
        subprocess.run(["cc", "-shared", "-o", self.folder / f"{name}.kernels", self.folder / f"{name}.o"], check=True)
        return executable.build(self.vaec, path, self.folder, "--target", target)

    def environment(self, exe, **more):
        return {"LD_LIBRARY_PATH": str(self.drivers), "FAKE_CUDA_KERNELS": str(exe) + ".kernels",
                "FAKE_CUDA_LOG": str(self.folder / "calls.json"), **more}

    def train(self, exe, out, *arguments, device="cuda", **more):
        result = call(exe, "train", "--device", device, "--threads", "1", "--out", out, "--quiet", *arguments,
                      cwd=self.folder, env=self.environment(exe, **more))
        assert result.returncode == 0, result.stderr
        return json.loads((self.folder / "calls.json").read_text()) if device != "cpu" else {}


def values(path):
    return {name: struct.unpack(f"<{len(data) // 4}f", data) for name, (_, data) in safetensors(path).items()}


def expect_equal(folder, steps, tolerance=1e-4):
    """Checks that the runs `gpu` and `cpu` agree within rounding: parameters, optimizer states and records."""
    for file in ("model.safetensors", "optimizer.safetensors", "average.safetensors"):
        if not (folder / f"cpu/checkpoints/step-{steps}" / file).exists():
            continue
        there, here = (values(folder / run / f"checkpoints/step-{steps}" / file) for run in ("gpu", "cpu"))
        assert there.keys() == here.keys()
        for name in here:
            worst = max((abs(a - b) / max(1, abs(b)) for a, b in zip(there[name], here[name], strict=True)), default=0)
            assert worst < tolerance, (file, name, worst)
    for there, here in zip(metrics(folder / "gpu"), metrics(folder / "cpu"), strict=True):
        for name, value in here["terms"].items():
            assert abs(there["terms"][name] - value) < 1e-3 * max(1, abs(value)), (name, there, here)


def expect_training_equal(folder, vaec, text, *arguments, steps=20, **options):
    fake = Fake(folder, vaec)
    exe = fake.build("model", text)
    flags = ["--steps", steps, "--every", f"log=5,sample=0,checkpoint={steps},evaluate=0", *arguments]
    calls = fake.train(exe, "gpu", *flags)
    fake.train(exe, "cpu", *flags, device="cpu")
    expect_equal(folder, steps, **options)
    return calls


def test_a_step_is_one_graph_and_the_host_waits_only_for_the_record(folder, vaec):
    calls = expect_training_equal(folder, vaec, GLYPHS, steps=20)
    assert (calls["captures"], calls["replays"]) == (1, 19), calls
    assert calls["waits"] == calls["downloads"] and calls["downloads"] <= 4 * 2 + 6, calls
    assert json.loads((folder / "gpu/env.json").read_text())["device"] == "Fake GPU"
    assert json.loads((folder / "gpu/config.json").read_text())["device"] == "cuda:0"


def test_libtorch_keeps_the_memory_of_graphs(folder, vaec):
    fake = Fake(folder, vaec)
    exe = fake.build("glyphs", GLYPHS)
    calls = fake.train(exe, "kept", "--steps", "3")
    assert calls["begun pools"] == calls["ended pools"] == calls["captures"] == 1, calls
    result = call(exe, "train", "--device", "cuda", "--steps", "3", "--out", "without", "--quiet", cwd=folder,
                  env=fake.environment(exe, FAKE_TORCH_NO_POOLS="1"))
    assert result.returncode == 0, result
    assert result.stderr.startswith("note: libvaert_torch.so was built without CUDA's headers"), result


def test_convolutions_chosen_by_timing(folder, vaec):
    fake = Fake(folder, vaec)
    exe = fake.build("model", GLYPHS)

    def what(run):
        return (json.loads((folder / run / "config.json").read_text())["cudnn_benchmark"],
                json.loads((folder / run / "env.json").read_text())["libtorch"])

    flags = ["--steps", "2", "--every", "sample=0"]
    fake.train(exe, "plain", *flags)
    fake.train(exe, "timed", *flags, "--cudnn-benchmark")
    assert (what("plain"), what("timed")) == ((False, "fake"), (True, "fake, cudnn.benchmark"))
    resumed = call(exe, "train", "--resume", "timed", "--steps", "3", cwd=folder, env=fake.environment(exe))
    assert resumed.returncode == 0 and what("timed")[0], resumed
    refused = call(exe, "train", "--device", "cpu", "--cudnn-benchmark", *flags, cwd=folder, env=fake.environment(exe))
    assert refused.returncode == 78, refused
    assert refused.stderr.endswith("--cudnn-benchmark works only on a CUDA device: leave it out on the CPU\n"), refused


def test_a_resumed_run_keeps_its_device(folder, vaec):
    fake = Fake(folder, vaec)
    exe = fake.build("model", GLYPHS)

    def device(run, *arguments, **more):
        result = call(exe, "train", *arguments, "--every", "sample=0", cwd=folder, env=fake.environment(exe, **more))
        assert result.returncode == 0, result
        return json.loads((folder / run / "config.json").read_text())["device"]

    assert device("there", "--out", "there", "--steps", "2") == "cuda:0"
    assert device("here", "--out", "here", "--steps", "2", "--device", "cpu") == "cpu"
    assert device("here", "--resume", "here", "--steps", "3") == "cpu"
    assert device("here", "--resume", "here", "--steps", "4", "--device", "cuda") == "cuda:0"
    assert device("here", "--resume", "here", "--steps", "5") == "cuda:0"
    # If its GPU is missing, a run continues without it and says so. It is still a run of that GPU.
    result = call(exe, "train", "--resume", "there", "--steps", "3", cwd=folder, env=fake.environment(exe, FAKE_CUDA_DEVICES="0"))
    assert result.returncode == 0 and "note: the run is of cuda:0, " in result.stdout, result
    assert device("there", "--resume", "there", "--steps", "4") == "cuda:0"

    file = folder / "there/config.json"
    config = json.loads(file.read_text())
    for recorded, code, said in (("cuda:1", 78, "; the run was trained on cuda:1: --device says otherwise"),
                                 ("cuda:x", 65, 'config.json: "device" is "cuda:x": cpu or cuda:N is needed')):
        file.write_text(json.dumps({**config, "device": recorded}))
        result = call(exe, "train", "--resume", "there", "--steps", "5", cwd=folder, env=fake.environment(exe))
        assert result.returncode == code and result.stderr.strip().endswith(said), result
        assert result.stderr.count("\n") == 1, result


def test_a_run_of_the_processor_goes_on_without_the_gpu_that_it_was_built_for(folder, vaec):
    fake = Fake(folder, vaec)
    exe = fake.build("model", GLYPHS, target="cuda")
    fake.train(exe, "here", "--steps", "2", "--every", "sample=0", device="cpu")
    result = call(exe, "train", "--resume", "here", "--steps", "3", cwd=folder, env=fake.environment(exe, FAKE_CUDA_DEVICES="0"))
    assert result.returncode == 0, result


def test_players_that_move_together_and_every_optimizer(folder, vaec):
    text = GLYPHS.replace("steps = 100;", "steps = 100; order = simultaneous; clip = 0.5;"
                          " optimizer = {p: sgd(0.1, momentum = 0.9), q: adamw(0.01, weight_decay = 0.1)};"
                          " schedule = cosine(5);")
    expect_training_equal(folder, vaec, text)


def test_averages_schedules_and_a_clip_for_each_player(folder, vaec):
    text = GLYPHS.replace("steps = 100;", "steps = 100; average = 0.8; clip = {p: 0.5, q: 0};"
                          " weight = {images: linear(0.5, 2, 10), codes: cyclical(0, 1, 6)};")
    calls = expect_training_equal(folder, vaec, text)
    assert calls["captures"] == 1 and (folder / "gpu/checkpoints/step-20/average.safetensors").exists(), calls


def test_rates_of_more_steps_than_the_gpu_holds_at_once(folder, vaec):
    """The GPU has the rates of 512 steps; each step prepares those of the next one."""
    write(folder, "t.csv", "a,b\n" + "".join(f"{i / 7:.3f},{i / 5 - 1:.3f}\n" for i in range(20)))
    expect_training_equal(folder, vaec, """
        var u, v : real
        source rows { let t = csv("t.csv", ["a", "b"]); u = t.a; v = t.b }
        player p { u | v ~ Normal(dense(v, 1), std = 1) }
        learn symmetric { steps = 600; batch = 8; average = 0.7; optimizer = adam(0.01); schedule = cosine(600) }
    """, steps=530)


def test_a_conditional_that_reads_an_average(folder, vaec):
    write(folder, "t.csv", "a,b\n" + "".join(f"{i / 7:.3f},{i / 5 - 1:.3f}\n" for i in range(20)))
    expect_training_equal(folder, vaec, """
        var u, v, w : real
        source rows { let t = csv("t.csv", ["a", "b"]); u = t.a; v = t.b; w = t.a }
        player p { u | v ~ Normal(dense(v, 1), std = 1) }
        player q { let (m, s) = average(p).u(v); w | v ~ Normal(m + dense(v, 1), std = 1) }
        learn symmetric { steps = 20; batch = 8; average = 0.7; optimizer = sgd(0.05) }
    """)


def test_a_bound_whose_keys_follow_schedules(folder, vaec):
    text = LIBI.replace("learn libi { samples = 3; epsilon = 0.1; fit_steps = 8; constrain_steps = 6; refit_steps = 6; ",
                        "learn elbo { beta = linear(0, 2, 8); free_bits = cyclical(0, 4, 6); ")
    expect_training_equal(folder, vaec, text, steps=12, tolerance=1e-3)


def test_chains_sweep_in_the_order_that_the_host_draws(folder, vaec):
    write_joint(folder)
    text = SEMI.replace("WEIGHT", "2").replace("SWEEPS", "3").replace("STEPS", "12").replace("ORDER", "simultaneous")
    calls = expect_training_equal(folder, vaec, text, steps=12)
    # One replay per sweep for both chains, and two programs.
    assert 12 * 3 < calls["replays"] <= 12 * (2 * 3 + 2), calls


def test_a_bound_of_several_samples_a_row(folder, vaec):
    text = GLYPHS.replace("learn symmetric { ", "learn rws { samples = 5; ")
    expect_training_equal(folder, vaec, text, steps=5, tolerance=1e-3)


LIBI = GLYPHS.replace("binary[16]", "real[3]").replace("z ~ Bernoulli(0)", "z ~ Normal(0, 0)").replace(
    "q { z | x ~ Bernoulli(dense(relu(dense(x, 64)), 16)) }",
    "q { let h = relu(dense(x, 64)); z | x ~ Normal(dense(h, 3), dense(h, 3)) }").replace(
    "p { ", "p { z ~ Normal(0); ").replace("source codes  { z ~ Normal(0, 0) }\n", "").replace(
    "learn symmetric { ", "learn libi { samples = 3; epsilon = 0.1; fit_steps = 8; constrain_steps = 6; refit_steps = 6; ")


def test_libi_s_phases_and_its_multiplier(folder, vaec):
    calls = expect_training_equal(folder, vaec, LIBI, steps=20, tolerance=1e-3)
    # One graph for the steps of each phase, and one for the 64 batches on which the second phase is measured.
    assert (calls["captures"], calls["replays"]) == (3 + 1, 17 + 64), calls
    for there, here in zip(metrics(folder / "gpu"), metrics(folder / "cpu"), strict=True):
        there, here = there["libi"], here["libi"]
        assert there.keys() == here.keys() and there["phase"] == here["phase"], (there, here)
        for name in set(here) - {"phase"}:
            assert abs(there[name] - here[name]) < 1e-3 * max(1, abs(here[name])), (there, here)
    assert [line["libi"]["phase"] for line in metrics(folder / "gpu")] == ["fit", "constrain", "refit", "refit"]
    assert metrics(folder / "gpu")[1]["libi"]["multiplier"] != 1


def test_rows_of_another_model_are_drawn_before_each_step(folder, vaec):
    trained_simulator(folder, vaec)
    calls = expect_training_equal(folder, vaec, LEARNER, steps=20)
    assert (calls["captures"], calls["replays"]) == (1, 19), calls
    assert calls["waits"] == calls["downloads"], calls


LABELS = """
var x : binary[4]
var c : category(3)
source rows weight 2 { x = csv("t.csv", ["k", "l", "m", "n"]); c = csv("t.csv").c }
source generated { c ~ Categorical(0) }
decoder p { x | c ~ Bernoulli(dense(relu(dense(c, 8)), 4)) }
encoder q { c | x ~ Categorical(dense(relu(dense(x, 8)), 3)) }
learn symmetric { steps = 100; batch = {rows: 60, generated: 20}; optimizer = adam(0.02); clip = 1; order = ORDER }
"""


def write_labelled(folder):
    """Writes labelled and unlabelled pictures. Two thirds of the rows have no class. Of the others, some have no
    picture or one pixel missing; both cases are the same pattern of missing values."""
    lines = ["k,l,m,n,c"]
    for row in range(90):
        pixels = [str((row >> bit) & 1) for bit in range(4)]
        if row % 3 == 0:
            misses = {1: 4, 2: 1}.get(row // 3 % 5, 0)
            lines.append(",".join([""] * misses + pixels[misses:] + [str(row % 16 % 3)]))
        else:
            lines.append(",".join([*pixels, ""]))
    (folder / "t.csv").write_text("\n".join(lines) + "\n")


def test_rows_that_miss_values_are_one_graph_too(folder, vaec):
    write_labelled(folder)
    for order in ("alternating", "simultaneous"):
        place = folder / order
        place.mkdir()
        shutil.copy(folder / "t.csv", place)
        calls = expect_training_equal(place, vaec, LABELS.replace("ORDER", order))
        assert (calls["captures"], calls["replays"]) == (1, 19), calls
        assert calls["waits"] == calls["downloads"] and calls["downloads"] <= 4 * 2 + 6, calls
        terms = metrics(place / "gpu")[-1]["terms"]
        assert set(terms) == {"p.x@rows", "q.c@rows", "q.c@generated"}, (terms, calls)


def test_chains_of_rows_that_miss_values(folder, vaec):
    for order in ("alternating", "simultaneous"):
        place = folder / order
        place.mkdir()
        write_rows(place / "t.csv", 300, 0.3, 1)
        calls = expect_training_equal(place, vaec, TABLES.replace("ORDER", order).replace("batch = 300", "batch = 60"))
        assert calls["waits"] == calls["downloads"], calls
        # A sweep in any order is one replay. Apart from first runs, hardly anything is launched on its own.
        assert calls["launches"] < 600, calls


def test_a_chain_of_many_players_is_replayed_by_player(folder, vaec):
    names = "abcde"
    cells = [[str((row * 7 + place * 3) // 2 % 2) for place in range(5)] for row in range(40)]
    lines = [",".join(row[:1] + [""] * 4 if number % 2 else row) for number, row in enumerate(cells)]
    files = {"missing": lines, "whole": lines[::2], "alone": [row[0] for row in cells]}
    declared = f"var {', '.join(names)} : binary\n"
    for name in names:
        others = ", ".join(other for other in names if other != name)
        declared += f"player p{name} {{ {name} | {others} ~ Bernoulli(dense(concat({others}), 1)) }}\n"
    learn = "learn symmetric { steps = 100; batch = 20; optimizer = adam(0.02); order = simultaneous }\n"

    def source(name, file, variables):
        columns = "; ".join(f'{variable} = csv("{file}.csv").{variable}' for variable in variables)
        return f"source {name} {{ {columns} }}\n"

    programs = {"patterns": source("rows", "missing", names),
                "sources": source("all", "whole", names) + source("some", "alone", "a")}
    for place, sources in programs.items():
        (folder / place).mkdir()
        for file, rows in files.items():
            header = ",".join(names[:rows[0].count(",") + 1])
            (folder / place / f"{file}.csv").write_text("\n".join([header, *rows]) + "\n")
        calls = expect_training_equal(folder / place, vaec, declared + sources + learn, steps=10)
        assert calls["replays"] > 300, calls  # ten sweeps of four players in all steps except the first ones


BOTH = """
let other = run("simulator.vae", from = "simulator-run")
var a : category(3)
var b : binary
source drawn { a = other.c; b = other.x }
source rows { a = csv("t.csv").a; b = csv("t.csv").b }
source mixed { a = other.c; b = csv("t.csv").b }
player p { a | b ~ Categorical(dense(b, 3)) }
player q { b | a ~ Bernoulli(dense(a, 1)) }
learn symmetric { steps = 100; batch = 40; optimizer = {p: adam(0.02), q: none} }
"""


def test_rows_that_miss_values_beside_rows_of_another_model(folder, vaec):
    trained_simulator(folder, vaec)
    (folder / "t.csv").write_text("a,b\n" + "1,0\n2,\n,1\n0,1\n1,\n" * 9)
    calls = expect_training_equal(folder, vaec, BOTH, steps=20)
    assert (calls["captures"], calls["replays"]) == (1, 19), calls


def test_a_run_continues_with_the_same_bits(folder, vaec):
    fake = Fake(folder, vaec)
    write_rows(folder / "t.csv", 100, 0.3, 1)
    # The schedule depends on the number of all steps.
    tables = TABLES.replace("ORDER", "simultaneous").replace("schedule = cosine(0);", "")
    for name, text in (("glyphs", GLYPHS), ("tables", tables)):
        exe = fake.build(name, text)
        every = ["--every", "log=5,sample=0,checkpoint=10,evaluate=0"]
        fake.train(exe, f"{name}-whole", "--steps", "20", *every)
        fake.train(exe, f"{name}-part", "--steps", "10", *every)
        succeed(exe, "train", "--device", "cuda", "--resume", f"{name}-part", "--steps", "20", "--quiet", cwd=folder,
                env=fake.environment(exe))
        for file in ("model.safetensors", "optimizer.safetensors"):
            whole, part = (executable.digest(folder / f"{name}-{run}", 20, file) for run in ("whole", "part"))
            assert whole == part, (name, file)


def test_what_is_not_finite_ends_the_run_at_the_next_line(folder, vaec):
    fake = Fake(folder, vaec)
    exe = fake.build("glyphs", GLYPHS)
    result = call(exe, "train", "--device", "cuda", "--steps", "20", "--lr", "1e38", "--out", "run", "--quiet", cwd=folder,
                  env=fake.environment(exe))
    assert result.returncode == 1 and "is infinite or not a number" in result.stderr, result


def refused(fake, exe, words, *arguments, **more):
    result = call(exe, "train", "--steps", "1", "--out", "never", *arguments, cwd=fake.folder,
                  env=fake.environment(exe, **more))
    assert (result.returncode, result.stdout) == (78, ""), result
    assert words in result.stderr and result.stderr.count("\n") == 1, result
    assert not (fake.folder / "never").exists()


def test_what_is_missing_for_a_gpu_is_said(folder, vaec):
    fake = Fake(folder, vaec)
    exe = fake.build("glyphs", GLYPHS)
    refused(fake, exe, "there is no NVIDIA GPU here", "--device", "cuda", FAKE_CUDA_DEVICES="0")
    refused(fake, exe, "there is one GPU here, from cuda:0 on", "--device", "cuda:3")
    refused(fake, exe, "the driver does not take this executable's code: /none", "--device", "cuda", FAKE_CUDA_KERNELS="/none")
    result = call(exe, "sample", "--run", "x", "--out", "x.npy", "--device", "cuda", cwd=folder)
    assert result.returncode == 78 and "only train and bench use a GPU" in result.stderr, result
    if not has_driver():
        refused(fake, exe, "no NVIDIA driver is installed here", "--device", "cuda", LD_LIBRARY_PATH="")
        # Auto chooses the processor then, and says why.
        result = succeed(exe, "train", "--steps", "1", "--out", "auto", "--quiet", cwd=folder)
        assert result.stderr.startswith("training on the processor: no NVIDIA driver is installed here"), result
        assert json.loads((folder / "auto/env.json").read_text())["device"] == "cpu"
        only = fake.build("glyphs", GLYPHS, target="cuda")
        refused(fake, only, "built for one: --device cpu trains without", LD_LIBRARY_PATH="")
    refused(fake, exe, "LibTorch does not name the stream", "--device", "cuda", FAKE_TORCH_NO_STREAM="1")
    refused(fake, exe, "Fake GPU has no memory for", "--device", "cuda", FAKE_CUDA_ALLOCATION="2")
    broken = call(exe, "train", "--steps", "1", "--out", "never", "--device", "cuda", cwd=folder,
                  env=fake.environment(exe, FAKE_CUDA_ALLOCATION="1"))
    assert broken.returncode == 70 and "cuMemAlloc_v2: invalid argument" in broken.stderr, broken
    # Auto asks whether the GPU and the libraries can run the program.
    exe = fake.build("glyphs", GLYPHS)
    for cause, more in {"the driver does not take": {"FAKE_CUDA_KERNELS": "/none"},
                        "LibTorch does not name": {"FAKE_TORCH_NO_STREAM": "1"}}.items():
        result = call(exe, "train", "--steps", "1", "--out", cause, "--quiet", cwd=folder,
                      env=fake.environment(exe, **more))
        assert result.returncode == 0 and result.stderr.startswith(f"training on the processor: {cause}"), result
    (folder / "fake/lib/libvaert_torch.so").unlink()
    refused(fake, exe, "libvaert_torch.so", "--device", "cuda")
    plain = fake.build("glyphs", GLYPHS, target="cpu")
    refused(fake, plain, "this executable has no code for GPUs; build it with --target cuda or auto", "--device", "cuda")


def test_a_player_without_parameters_launches_nothing(folder, vaec):
    fake = Fake(folder, vaec)
    text = GLYPHS.replace("decoder", "var y : real[2]\nplayer fixed { y | z ~ Normal(0) }\ndecoder")
    counts = fake.train(fake.build("fixed", text), "run", "--steps", "2", "--average", "0.9")
    assert counts["vae_average"] == 4, counts  # two players learn, in one step that runs and one that is recorded


def test_auto_takes_the_gpu_and_info_names_it(folder, vaec):
    fake = Fake(folder, vaec)
    exe = fake.build("glyphs", GLYPHS)
    calls = fake.train(exe, "run", "--steps", "3", device="auto")
    assert calls["replays"] == 2 and calls["modules"] == 1, calls  # the check whether it can run is not repeated
    assert json.loads(succeed(exe, "info", "--json").stdout)["targets"] == ["cpu", "cuda"]
    assert "and NVIDIA GPUs" in succeed(exe, "info").stdout
    plain = executable.build(vaec, folder / "glyphs.vae", folder)
    assert json.loads(succeed(plain, "info", "--json").stdout)["targets"] == ["cpu"]


def test_bench_times_the_steps_of_each_device(folder, vaec):
    fake = Fake(folder, vaec)
    exe = fake.build("glyphs", GLYPHS)

    def bench(*arguments, **more):
        result = call(exe, "bench", "--steps", "6", "--threads", "1", *arguments, cwd=folder, env=fake.environment(exe, **more))
        assert result.returncode == 0, result
        return result

    both = json.loads(bench("--json").stdout)
    assert [device["device"] for device in both["devices"]] == ["cpu", "Fake GPU"], both["devices"]
    assert both["kernels"] and all(device["steps_per_second"] > 0 for device in both["devices"])
    only = json.loads(bench("--json", "--device", "cuda").stdout)
    assert [device["precision"] for device in only["devices"]] == ["fp32"] and "kernels" not in only
    assert json.loads((folder / "calls.json").read_text())["captures"] == 1
    assert bench("--device", "cuda").stdout.splitlines()[1].startswith("Fake GPU, fp32: ")
    tf32 = json.loads(bench("--json", "--precision", "tf32").stdout)
    assert [device["precision"] for device in tf32["devices"]] == ["tf32"]
    (folder / "fake/lib/libvaert_torch.so").unlink()
    without = bench("--json")
    assert without.stderr.startswith("note: no GPU is timed: ") and without.stderr.count("\n") == 1
    assert [device["device"] for device in json.loads(without.stdout)["devices"]] == ["cpu"]
