#!/usr/bin/env python3
"""Tests `evaluate --metrics ima,self_consistency` on decoders whose contrast and posterior have closed forms."""
import json
import math
import random

from distances_test import write_npy
from executable import build, call, succeed, write

# Nothing is learned, so the parameters keep their initial values. The columns (3, 0, 4) and (0, 2, 0) are
# orthogonal. The prior is N(0, 1) and the noise has precision 4, so the exact posterior of code k is N(.., 1
# / (1 + 4 |w_k|^2)).
LINEAR = """
var x : real[3]
var z : real[2]
source rows { x = npy("x.npy") }
decoder p {
  z ~ Normal(0)
  x | z ~ Normal(concat(3 * z[0], 2 * z[1] + SHEAR * z[0], 4 * z[0]) + parameter([3]), log(0.5))
}
encoder q {
  z | x ~ Normal(concat((12 * x[0] + 16 * x[2]) / 101, 8 * x[1] / 17) + parameter([2]),
                 concat(log(1 / 101) / 2, log(1 / 17) / 2))
}
learn elbo { steps = 1; batch = 2; optimizer = none; every = {log: 1, sample: 0, checkpoint: 0, evaluate: 0} }
"""


def trained(folder, vaec, program, width=3, rows=2000):
    generator = random.Random(1)
    write_npy(folder / "x.npy", [[generator.gauss(0, 2) for _ in range(width)] for _ in range(rows)])
    exe = build(vaec, write(folder, "model.vae", program), folder)
    succeed(exe, "train", "--quiet", "--out", "run", cwd=folder)
    return exe


def measured(exe, folder, metrics, *flags):
    result = succeed(exe, "evaluate", "--run", "run", "--metrics", metrics, "--json", *flags, cwd=folder)
    return json.loads(result.stdout)["results"]


def test_orthogonal_columns_have_no_contrast_and_the_posterior_is_the_closed_form(folder, vaec):
    exe = trained(folder, vaec, LINEAR.replace("SHEAR", "0"))
    contrast, consistent = measured(exe, folder, "ima,self_consistency")
    assert contrast["of"] == "x" and contrast["codes"] == "z" and contrast["rows"] == 2000, contrast
    assert abs(contrast["value"]) < 1e-6 and contrast["dependent"] == 0, contrast
    assert abs(contrast["mean_jacobian"]["value"]) < 1e-6 and contrast["mean_jacobian"]["rows"] == 64, contrast
    for unit, exact in zip(consistent["variances"], (1 / 101, 1 / 17), strict=True):
        assert abs(unit["value"] - exact) < 0.01 * exact, (unit, exact)
        assert abs(unit["predicted"]["value"] - exact) < 0.01 * exact, (unit, exact)
    # The posterior mean of f(s) is smaller than s by 1/101 and 1/17 of it. E s^2 is that of the codes of data
    # with variance 4.
    second = [(12 ** 2 + 16 ** 2) * 4 / 101 ** 2 + 1 / 101, 64 * 4 / 17 ** 2 + 1 / 17]
    exact = (second[0] / 101 ** 2 + second[1] / 17 ** 2) / 2
    assert abs(consistent["value"] - exact) < 5 * consistent["standard_error"], (consistent, exact)
    text = succeed(exe, "evaluate", "--run", "run", "--metrics", "ima,self_consistency", "--rows", "100",
                   cwd=folder).stdout.splitlines()
    assert text[0].startswith("rows: IMA contrast of x in z = ") and "(100 rows)" in text[0], text
    assert text[1].startswith("rows: mean squared difference of z and its encoding from the mean of x = "), text
    assert text[2].startswith("  code   0  variance 0.0") and "  predicted 0.0" in text[2], text


def test_a_shear_has_the_contrast_of_its_columns_angle(folder, vaec):
    exe = trained(folder, vaec, LINEAR.replace("SHEAR", "1.5"))
    contrast, = measured(exe, folder, "ima")
    cosine = 1.5 / math.sqrt(9 + 1.5 ** 2 + 16)
    assert abs(contrast["value"] + math.log(1 - cosine ** 2) / 2) < 1e-5, contrast
    assert abs(contrast["mean_jacobian"]["value"] - contrast["value"]) < 1e-5, contrast


# x = (r cos a, r sin a) with a = 3 z^2: the columns are orthogonal at every point, but their mean over a is
# not.
def test_a_map_is_orthogonal_at_every_point_though_not_in_the_mean(folder, vaec):
    exe = trained(folder, vaec, """
var x : real[2]
var z : unit[2]
source rows { x = npy("x.npy") }
net polar(z) = concat((1 + z[0]) * cos(3 * square(z[1])), (1 + z[0]) * sin(3 * square(z[1])))
decoder p {
  z ~ Uniform()
  x | z ~ Normal(polar(z) + parameter([2]), log(0.01))
}
encoder q { z | x ~ LogitNormal(x + parameter([2]), log(0.3)) }
learn elbo { steps = 1; batch = 2; optimizer = none; every = {log: 1, sample: 0, checkpoint: 0, evaluate: 0} }
""", 2)
    contrast, consistent = measured(exe, folder, "ima,self_consistency")
    assert contrast["value"] < 1e-5, contrast
    assert contrast["mean_jacobian"]["value"] > 0.001, contrast
    # A uniform prior adds no curvature: the variance is 1 / (10^4 |J_k|^2), and |J_0| = 1.
    assert abs(consistent["variances"][0]["predicted"]["value"] - 1e-4) < 1e-6, consistent


def test_what_has_no_jacobian_is_refused(folder, vaec):
    exe = trained(folder, vaec, """
var x : real[3]
var z : binary[2]
source rows { x = npy("x.npy") }
decoder p { z ~ Bernoulli(0); x | z ~ Normal(dense(z, 3)) }
encoder q { z | x ~ Bernoulli(dense(x, 2)) }
learn elbo { steps = 1; batch = 2 }
""")
    result = call(exe, "evaluate", "--run", "run", "--metrics", "ima", cwd=folder)
    assert result.returncode == 78 and "no source has rows of such" in result.stderr, result


def test_fewer_outputs_than_codes_and_dead_codes_are_refused(folder, vaec):
    for mean, words in (("dense(z, 1)", "`x` has size 1, `z` has size 2"),
                        ("0 * z[0] + parameter([])", "linearly dependent")):
        program = LINEAR.split("decoder")[0].replace("real[3]", "real" if "dense" in mean else "real[2]") + f"""
decoder p {{ z ~ Normal(0); x | z ~ Normal({mean}) }}
encoder q {{ z | x ~ Normal(dense(x, 2)) }}
learn elbo {{ steps = 1; batch = 2 }}
"""
        exe = trained(folder, vaec, program, 1 if "dense" in mean else 2)
        result = call(exe, "evaluate", "--run", "run", "--metrics", "ima", cwd=folder)
        assert result.returncode == 78 and words in result.stderr, result
        for path in sorted((folder / "run").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        (folder / "run").rmdir()
