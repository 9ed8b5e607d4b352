#!/usr/bin/env python3
"""Tests `evaluate --metrics fd,consistency` on models with known distances, and on MNIST."""
import json
import math
import random
import struct

from executable import build, call, need_mnist, succeed, write

# x = z + SHIFT + noise, with standard normal z and noise: x ~ N(SHIFT, 2) in each of three coordinates. EXACT
# is the posterior, so the chain x -> z -> x keeps that distribution.
SHIFTED = """
var x : real[3]
var z : real[3]
source rows            { x = npy("rows.npy") }
source heldout weight 0 { x = npy("heldout.npy") }
source codes           { z ~ Normal(0) }
decoder p { x | z ~ Normal(z + parameter([3], init = SHIFT)) }
encoder q { z | x ~ ENCODER }
learn symmetric { steps = 1; batch = 2; optimizer = none; every = {log: 1, sample: 0, checkpoint: 0, evaluate: 0} }
"""


def write_npy(path, rows):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({len(rows)}, {len(rows[0])}), }}"
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    numbers = [number for row in rows for number in row]
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() +
                     struct.pack(f"<{len(numbers)}f", *numbers))


def normal_rows(count, seed):
    generator = random.Random(seed)
    return [[generator.gauss(0, math.sqrt(2)) for _ in range(3)] for _ in range(count)]


EXACT = "Normal((x - SHIFT) / 2 + parameter([3], init = 0), -0.5 * log(2))"


def trained(folder, vaec, shift, encoder=EXACT):
    write_npy(folder / "rows.npy", normal_rows(8000, 1))
    write_npy(folder / "heldout.npy", normal_rows(4000, 2))
    exe = build(vaec, write(folder, "shifted.vae", SHIFTED.replace("ENCODER", encoder).replace("SHIFT", str(shift))),
                folder)
    succeed(exe, "train", "--quiet", "--out", "run", cwd=folder)
    return exe


def measured(exe, folder, *flags):
    features = ["--features", "pca64"] if {"fd", "consistency"} & set(",".join(flags).split(",")) else []
    result = succeed(exe, "evaluate", "--run", "run", *features, "--json", *flags, cwd=folder)
    return json.loads(result.stdout)["results"]


def near(found, expected, largest_error=0.1):
    assert abs(found["value"] - expected) < 4 * found["standard_error"] + 0.01, (found, expected)
    assert 0 <= found["standard_error"] < largest_error, found


def test_distance_of_a_model_that_is_right(folder, vaec):
    exe = trained(folder, vaec, 0)
    fd, consistency, fit = measured(exe, folder, "--metrics", "fd,consistency", "--limiting", "5")
    assert fd["distance"] == "FD-PCA64" and fd["width"] == 3 and fd["rows"] == 4000, fd
    assert fd["fitted_rows"] == 4000 and fd["data_rows"] == 4000, fd
    assert fd["floor"]["source"] == "heldout" and fd["floor"]["rows"] == 4000, fd
    near(fd["floor"], 0)
    near(fd["floor"]["kid"], 0)
    draws = [sample for sample in fd["samples"] if sample["values"] == "draws"]
    assert [sample["codes"] for sample in draws] == ["random", "limiting"], fd
    for sample in draws:
        near(sample, 0)
        near(sample["kid"], 0)
    # Means vary less: the distance is (sqrt(2) - 1)^2 in each coordinate, in units of the data's variance 2.
    means = [sample for sample in fd["samples"] if sample["values"] == "means"]
    for sample in means:
        near(sample, 3 * (math.sqrt(2) - 1) ** 2 / 2)
    near(consistency, 0)
    near(consistency["kid"], 0)
    # The entropy of N(mean, 1 / 2) in three coordinates, for samples and for data.
    entropy = 3 * 0.5 * (math.log(math.pi) + 1)
    assert fit["metric"] == "encoder_fit" and fit["of"] == "log q(z | x)" and fit["source"] == "heldout", fit
    near(fit["on_samples"], -entropy)
    near(fit["on_data"], -entropy)


def test_encoder_of_a_model_that_is_shifted(folder, vaec):
    # Codes are drawn from N(x / 2, 1 / 2), and x = z + 1 + noise. Then (z - x / 2)^2 has the mean 1/2 + 1/4.
    exe = trained(folder, vaec, 1, encoder="Normal(x / 2 + parameter([3], init = 0), -0.5 * log(2))")
    fit = measured(exe, folder, "--metrics", "consistency", "--limiting", "1", "--n", "4000")[1]
    near(fit["on_samples"], -3 * (0.5 * math.log(math.pi) + 0.75))
    near(fit["on_data"], -3 * (0.5 * math.log(math.pi) + 0.5))


def gaussian_discrepancy(shift, variance):
    """The squared discrepancy of N(shift, variance) and N(0, variance) in three coordinates, as the mean over three
    kernels. For the kernel of width w, E exp(-|x - y|^2 / 2w) is (w / (w + 2 variance))^(3/2) exp(-3 shift^2 / (2 (w
    + 2 variance))). 2.366 is the median of chi^2 with three degrees of freedom."""
    median = 2 * variance * 2.366
    widths = [factor * median for factor in (0.25, 1, 4)]
    return sum(2 * (w / (w + 2 * variance)) ** 1.5 * (1 - math.exp(-3 * shift ** 2 / (2 * (w + 2 * variance))))
               for w in widths) / 3


def test_discrepancies_are_their_closed_form(folder, vaec):
    exe = trained(folder, vaec, 1)
    samples, codes = measured(exe, folder, "--metrics", "mmd")
    assert samples["between"] == "samples and data" and samples["of"] == "x" and samples["rows"] == 4000, samples
    assert codes["between"] == "codes of the data and their prior" and codes["of"] == "z", codes
    near(samples, gaussian_discrepancy(1, 2))
    # The codes are (x - 1) / 2 + noise with x ~ N(0, 2), so N(-1/2, 1). The prior is N(0, 1).
    near(codes, gaussian_discrepancy(0.5, 1))
    assert samples["value"] > 10 * samples["standard_error"], samples


def test_distance_of_a_model_that_is_shifted(folder, vaec):
    exe = trained(folder, vaec, 1)
    fd, = measured(exe, folder, "--metrics", "fd", "--limiting", "0", "--rows", "3000", "--n", "2000")
    assert fd["rows"] == 2000 and fd["data_rows"] == 3000 and len(fd["samples"]) == 2, fd
    # The distance is 1 in each of three coordinates, in units of the variance 2.
    near(fd["samples"][0], 3 / 2)
    # E (x.y / d + 1)^3 for x ~ N(a, 1), y ~ N(b, 1) in d dimensions, from the third moments of normal
    # numbers. With M = |m|^2, the squared discrepancy of N(m, 1) and N(0, 1) is 3 M/d + 3 (M/d)^2 + (M^3 + 6
    # M^2 + (3d + 6) M)/d^3.
    near(fd["samples"][0]["kid"], 3 / 2 + 3 / 4 + (1.5 ** 3 + 6 * 1.5 ** 2 + 15 * 1.5) / 27, largest_error=0.3)
    text = succeed(exe, "evaluate", "--run", "run", "--features", "pca64", "--metrics", "fd", "--limiting", "0",
                   cwd=folder).stdout.splitlines()
    assert text[0] == "FD-PCA64 of x to 4000 rows of rows (3 features)", text
    assert text[1].split()[0] == "floor" and text[2].startswith("  random codes, draws"), text


def test_distances_that_cannot_be_had(folder, vaec):
    exe = trained(folder, vaec, 0)

    def refused(code, words, *flags, env=None):
        result = call(exe, "evaluate", "--run", "run", *flags, cwd=folder, env=env)
        assert result.returncode == code and words in result.stderr, (flags, result)
        assert len(result.stderr.splitlines()) <= 2, result

    refused(78, "--features lenet needs pictures of 28 x 28 pixels in one channel; x is real[3]. --features pca64 works for "
            "any variable", "--metrics", "fd")
    refused(64, "--features fid: known are lenet, pca64, and files of TorchScript, FILE.pt", "--metrics", "fd",
            "--features", "fid")
    refused(66, "inception.pt", "--metrics", "fd", "--features", "inception.pt")
    refused(64, "--of y: the model generates no variable of this name", "--metrics", "fd", "--of", "y")
    refused(78, "--n: distances need 20 rows at least, not 19", "--metrics", "fd", "--features", "pca64", "--n", "19")
    refused(78, "consistency needs steps of the chain: --limiting N", "--metrics", "consistency", "--features", "pca64",
            "--limiting", "0")


def test_lenet_needs_mnist(folder, vaec):
    write(folder, "glyphs.vae", """
var x : binary[28, 28]
var z : binary[4]
source images { x = glyphs(100, seed = 3).image > 0.5 }
source codes  { z ~ Bernoulli(0) }
decoder p { x | z ~ Bernoulli(dense(z, 784)) }
encoder q { z | x ~ Bernoulli(dense(x, 4)) }
learn symmetric { steps = 1; batch = 2 }
""")
    exe = build(vaec, folder / "glyphs.vae", folder)
    succeed(exe, "train", "--quiet", "--out", "run", cwd=folder)
    result = call(exe, "evaluate", "--run", "run", "--metrics", "fd", cwd=folder,
                  env={"VAEC_DATA": "", "XDG_CACHE_HOME": str(folder / "cache")})
    assert result.returncode == 66, result
    assert "--features pca64 needs no classifier" in result.stderr.splitlines()[-1], result
    # Without held-out data the floor is the distance between two halves of the data.
    fd, = measured(exe, folder, "--metrics", "fd", "--limiting", "0")
    assert fd["floor"]["source"] == "images" and fd["floor"]["rows"] == 25, fd


# The classifier is trained if the cache does not have it, which takes a minute or two.
def test_lenet_on_mnist(folder, vaec):
    need_mnist()
    write(folder, "bits.vae", """
var x : binary[28, 28]
var z : binary[16]
source images { x = mnist("train").image > 0.4375 }
source codes  { z ~ Bernoulli(0) }
source heldout weight 0 { x = mnist("test").image > 0.4375 }
decoder p { x | z ~ Bernoulli(dense(z, 784)) }
encoder q { z | x ~ Bernoulli(dense(x, 16)) }
learn symmetric { steps = 200; batch = 64; every = {log: 100, sample: 0, checkpoint: 0, evaluate: 0} }
""")
    exe = build(vaec, folder / "bits.vae", folder)
    succeed(exe, "train", "--quiet", "--out", "run", cwd=folder)
    flags = ["evaluate", "--run", "run", "--metrics", "fd", "--rows", "3000", "--n", "500", "--limiting", "3", "--json"]
    first = succeed(exe, *flags, cwd=folder)
    fd, = json.loads(first.stdout)["results"]
    classifier = fd["classifier"]
    assert fd["distance"] == "FD-LeNet" and 64 <= fd["width"] <= 128, fd
    assert classifier["accuracy"] >= 0.99 and classifier["test_rows"] == 10000 and classifier["seed"] == 0, fd
    assert 0 < fd["floor"]["value"] < 2 and len(fd["samples"]) == 4, fd
    assert all(sample["value"] > 10 * fd["floor"]["value"] for sample in fd["samples"]), fd
    # With the cached features, in another process and in memory, the figures are the same and nothing is
    # trained.
    again = succeed(vaec, "run", "bits.vae", *flags, cwd=folder)
    assert again.stderr == "" and json.loads(again.stdout)["results"] == [fd], again
