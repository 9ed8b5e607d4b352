"""Every family of the standard library learns the parameters that its data were drawn with, from zero."""
import struct

from executable import main, safetensors, succeed, write

# Domain, family, its parameters, what else it takes.
FAMILIES = [
    ("binary", "Bernoulli", [0.5], ""), ("category(3)", "Categorical", [[0.8, 0.2, -1.0]], ""),
    ("real", "Normal", [1.0, 0.5], ""), ("positive", "LogNormal", [1.0, 0.5], ""),
    ("unit", "LogitNormal", [1.0, 0.5], ""), ("count", "Poisson", [1.0], ""),
    ("positive", "Exponential", [1.0], ""), ("positive", "Gamma", [1.0, 0.5], ""), ("unit", "Beta", [1.0, 0.5], ""),
    ("real", "Laplace", [1.0], ", location = 2"), ("count", "Geometric", [-1.0], ""),
    ("count", "NegativeBinomial", [-0.5], ", size = 3"), ("count", "Binomial", [1.0], ", size = 5"),
    ("angle", "VonMises", [1.0, 0.5], ""), ("simplex(3)", "Dirichlet", [[1.0, 0.5, 0.0]], ""),
    ("unit", "ContinuousBernoulli", [2.0], "")]


def test_each_recovers_its_parameters(folder, vaec):
    variables, drawn, given = [], [], []
    for i, (domain, family, values, more) in enumerate(FAMILIES):
        parameters = ["parameter([3])" if isinstance(value, list) else "parameter([])" for value in values]
        variables.append(f"var x{i} : {domain}")
        drawn.append(f"  x{i} ~ {family}({', '.join(map(str, values))}{more})")
        given.append(f"  x{i} ~ {family}({', '.join(parameters)}{more})")
    write(folder, "all.vae", "\n".join([
        *variables, "source data {", *drawn, "}", "player p {", *given, "}",
        "learn symmetric { steps = 1500; batch = 512; optimizer = adam(0.02); schedule = cosine() }", ""]))
    succeed(vaec, "run", "all.vae", "train", "--quiet", "--out", "run", cwd=folder)
    found = {name: struct.unpack(f"<{len(data) // 4}f", data)
             for name, (_, data) in safetensors(folder / "run/checkpoints/step-1500/model.safetensors").items()}
    for i, (_, family, values, _) in enumerate(FAMILIES):
        for k, value in enumerate(values):
            learned = found[f"p.x{i}.parameter{k + 1}"]
            wanted = value if isinstance(value, list) else [value]
            # Logits of a category count up to a constant.
            shift = sum(learned) / 3 - sum(wanted) / 3 if family == "Categorical" else 0
            for a, b in zip(learned, wanted):
                assert abs(a - shift - b) < 0.1, f"{family}: {learned}, drawn with {values}"


if __name__ == "__main__":
    main(globals())
