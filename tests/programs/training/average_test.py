"""Tests the moving average of parameters: which values it averages, that an interruption keeps it, and who uses it."""
import json
import math
import struct

from executable import GLYPHS, build, call, digest, safetensors, succeed, write


def numbers(data):
    return struct.unpack(f"<{len(data) // 4}f", data)


def test_the_average_weighs_the_steps(folder, vaec):
    text = GLYPHS.replace("checkpoint: 20", "checkpoint: 1")
    exe = build(vaec, write(folder, "glyphs.vae", text), folder)
    succeed(exe, "train", "--quiet", "--steps", "4", "--average", "0.75", "--out", "run", cwd=folder)
    steps = [safetensors(folder / f"run/checkpoints/step-{t}/model.safetensors") for t in range(1, 5)]
    shares = [0.75 ** (4 - t) * 0.25 / (1 - 0.75 ** 4) for t in range(1, 5)]
    averages = safetensors(folder / "run/checkpoints/step-4/average.safetensors")
    assert set(averages) == set(steps[0])
    for name, (_, data) in averages.items():
        parts = [numbers(step[name][1]) for step in steps]
        for i, value in enumerate(numbers(data)):
            expected = sum(share * part[i] for share, part in zip(shares, parts))
            assert abs(value - expected) < 1e-6, (name, i, value, expected)


def test_an_interrupted_average_goes_on_as_it_was(folder, vaec):
    text = GLYPHS.replace("learn symmetric {", "learn symmetric { average = 0.9;")
    exe = build(vaec, write(folder, "glyphs.vae", text), folder)
    succeed(exe, "train", "--quiet", "--steps", "40", "--out", "whole", cwd=folder)
    succeed(exe, "train", "--quiet", "--steps", "20", "--out", "parts", cwd=folder)
    succeed(exe, "train", "--quiet", "--resume", "parts", "--steps", "40", cwd=folder)
    for file in ("model.safetensors", "average.safetensors"):
        assert digest(folder / "whole", 40, file) == digest(folder / "parts", 40, file), file
    # Training itself does not depend on the average.
    succeed(exe, "train", "--quiet", "--steps", "40", "--average", "0", "--out", "without", cwd=folder)
    assert digest(folder / "whole", 40) == digest(folder / "without", 40)
    assert not (folder / "without/checkpoints/step-40/average.safetensors").exists()


def test_commands_use_the_average_unless_told(folder, vaec):
    exe = build(vaec, write(folder, "glyphs.vae", GLYPHS), folder)
    succeed(exe, "train", "--quiet", "--steps", "40", "--average", "0.95", "--out", "run", cwd=folder)
    succeed(exe, "train", "--quiet", "--steps", "40", "--out", "without", cwd=folder)

    def loglik(run, *weights):
        told = succeed(exe, "evaluate", "--run", run, "--rows", "50", "--json", *weights, cwd=folder).stdout
        return json.loads(told)["results"]
    assert loglik("run") == loglik("run", "--weights", "average")
    assert loglik("run") != loglik("run", "--weights", "last")
    assert loglik("run", "--weights", "last") == loglik("without")
    for command in (["sample", "--n", "5"], ["infer", "z | x", "--given", "x=images"]):
        files = []
        for weights in ("average", "last"):
            files.append(folder / f"{command[0]}-{weights}.npy")
            succeed(exe, *command, "--run", "run", "--weights", weights, "--out", files[-1], cwd=folder)
        assert files[0].read_bytes() != files[1].read_bytes(), command
    result = call(exe, "evaluate", "--run", "without", "--weights", "average", cwd=folder)
    assert result.returncode == 66 and "no averages" in result.stderr, result
    (folder / "run/checkpoints/step-40/average.safetensors").unlink()
    for weights in ([], ["--weights", "average"]):
        result = call(exe, "evaluate", "--run", "run", "--rows", "50", *weights, cwd=folder)
        assert result.returncode == 66 and "average.safetensors is missing" in result.stderr, result
    assert loglik("run", "--weights", "last") == loglik("without")
    result = call(exe, "train", "--average", "1", "--out", "none", cwd=folder)
    assert result.returncode == 64 and "less than 1" in result.stderr, result


TEACHER = """
var x : real[2]
var y, w : real
source rows { x = npy("x.npy"); y = npy("y.npy"); w = npy("w.npy") }
player student { y | x ~ Normal(dense(x, 1), std = 1) }
player teacher { let (m, s) = average(student).y(x); w | x ~ Normal(m, std = 1) }
player reader { let (m, s) = average(student).y(x); w | x ~ Normal(m + parameter([]), std = 1) }
learn METHOD { steps = 6; batch = 4; optimizer = sgd(0.2); average = 0.6; order = ORDER
               every = {log: 1, sample: 0, checkpoint: 1, evaluate: 0} }
"""


def npy(path, rows):
    """Writes a .npy file with rows of float32."""
    width = len(rows[0])
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({len(rows)}, {width}), }}"
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    values = [number for row in rows for number in row]
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() +
                     struct.pack(f"<{len(values)}f", *values))


def values_of(run, step, file):
    return {name: numbers(data) for name, (_, data) in safetensors(run / f"checkpoints/step-{step}/{file}").items()}


def test_a_conditional_reads_the_average_as_a_constant(folder, vaec):
    for name, row in (("x", [0.5, -1.0]), ("y", [2.0]), ("w", [-1.0])):
        npy(folder / f"{name}.npy", [row] * 8)
    for method, order in (("symmetric", "alternating"), ("symmetric", "simultaneous"), ("supervised", "alternating")):
        name = f"{method}_{order}"
        text = TEACHER.replace("METHOD", method).replace("ORDER", order)
        exe = build(vaec, write(folder, f"{name}.vae", text), folder)
        succeed(exe, "train", "--quiet", "--out", f"run_{name}", cwd=folder)
        run = folder / f"run_{name}"
        lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        for step in range(2, 7):
            # What the previous steps made of the student, and of the reader, which has one parameter.
            student = values_of(run, step - 1, "average.safetensors")
            shift = [v for k, v in values_of(run, step - 1, "model.safetensors").items() if k.startswith("reader.")][0][0]
            weights = next(v for k, v in student.items() if k.startswith("student.") and k.endswith("weight"))
            bias = next(v for k, v in student.items() if k.startswith("student.") and k.endswith("bias"))
            mean = weights[0] * 0.5 - weights[1] + bias[0] + shift
            expected = -0.5 * (-1 - mean) ** 2 - 0.5 * math.log(2 * math.pi)
            found = lines[step - 1]["terms"]["reader.w@rows"]
            assert abs(found - expected) < 1e-4, (name, step, found, expected)
        # The student learns only from y. It must learn the same without players that read its average.
        alone = text.replace("player reader", "player other").replace("Normal(m + parameter", "Normal(parameter")
        other = build(vaec, write(folder, f"alone_{name}.vae", alone), folder)
        succeed(other, "train", "--quiet", "--out", f"alone_run_{name}", cwd=folder)
        both = [values_of(folder / f"{kind}run_{name}", 6, "model.safetensors") for kind in ("", "alone_")]
        for key in both[0]:
            if key.startswith("student."):
                assert both[0][key] == both[1][key], (name, key)


def test_a_teacher_is_the_average_in_every_command(folder, vaec):
    for name, row in (("x", [0.5, -1.0]), ("y", [2.0]), ("w", [-1.0])):
        npy(folder / f"{name}.npy", [row] * 8)
    exe = build(vaec, write(folder, "teacher.vae", TEACHER.replace("METHOD", "symmetric").replace(
        "ORDER", "alternating").replace("player reader { let (m, s) = average(student).y(x); w | x ~ Normal(m + parameter([]), std = 1) }",
                                        "")), folder)
    succeed(exe, "train", "--quiet", "--out", "run", cwd=folder)

    def inferred(variable, *flags):
        out = folder / "out.npy"
        succeed(exe, "infer", f"{variable} | x", "--given", "x=x.npy", "--run", "run", "--out", out, *flags, cwd=folder)
        return struct.unpack("<f", out.read_bytes()[-4:])[0]

    def mean(file):
        values = values_of(folder / "run", 6, file)
        weights = next(v for k, v in values.items() if k.endswith("weight"))
        bias = next(v for k, v in values.items() if k.endswith("bias"))
        return weights[0] * 0.5 - weights[1] + bias[0]
    average, last = mean("average.safetensors"), mean("model.safetensors")
    assert abs(average - last) > 1e-3
    for variable, flags, expected in (("y", (), average), ("w", (), average), ("y", ("--weights", "last"), last),
                                      ("w", ("--weights", "last"), average)):
        assert abs(inferred(variable, *flags) - expected) < 1e-5, (variable, flags, expected)
    result = call(exe, "train", "--average", "0", "--out", "none", cwd=folder)
    assert result.returncode == 78 and "needs an average above 0" in result.stderr, result
