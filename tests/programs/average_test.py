"""The moving average of parameters: what it is the mean of, that it is kept over an interruption, who uses it."""
import json
import struct

from executable import GLYPHS, build, call, digest, main, safetensors, succeed, write


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
    # Training itself does not know of it.
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
    result = call(exe, "train", "--average", "1", "--out", "none", cwd=folder)
    assert result.returncode == 64 and "less than 1" in result.stderr, result


if __name__ == "__main__":
    main(globals())
