"""Measures how the cost of a step grows with the batch, with width and depth, and with the number of sources and of
players."""
import statistics

from programs import ROOT

WIDE = ROOT / "tests/bench/wide.vae"

HEAD = """
var x : binary[28, 28]
{variables}
{sources}
source generated {{ }}
net mlp(input, output) = dense(relu(dense(input, 256)), output)
decoder p {{
  {priors}
  x | {codes} ~ Bernoulli(mlp(concat({codes}), 28 * 28))
}}
{encoders}
learn symmetric {{ steps = 100; batch = 64; optimizer = adam(1e-3) }}
"""


def model(sources, codes):
    """A program with `codes` codes (two or more) of 16 bits. Each code has its own encoder. The program reads the
    same data in `sources` sources."""
    names = [f"z{i}" for i in range(codes)]
    return HEAD.format(
        variables="\n".join(f"var {name} : binary[16]" for name in names),
        sources="\n".join(f'source images{i} {{ x = mnist("train").image > 0.4375 }}' for i in range(sources)),
        priors="\n  ".join(f"{name} ~ Bernoulli(0)" for name in names),
        codes=", ".join(names),
        encoders="\n".join(f"encoder q{i} {{ {name} | x ~ Bernoulli(mlp(x, 16)) }}" for i, name in enumerate(names)))


def table(title, column, rows):
    print(f"\n{title}\n\n| {column} | ms a step | times the line before | kernels ms | MB |\n|---|---|---|---|---|")
    before = None
    for name, results in rows:
        ms = statistics.median(result["milliseconds"] for result in results)
        kernels = statistics.median(result["kernels_milliseconds"] for result in results)
        memory = max(result["peak_memory_megabytes"] for result in results)
        ratio = f"{ms / before:.2f}" if before else ""
        print(f"| {name} | {ms:.2f} | {ratio} | {kernels:.2f} | {memory:.0f} |", flush=True)
        before = ms


def measure(vaec, quick):
    rounds, steps = (1, 3) if quick else (5, 40)

    def of(variants, batch):
        """Measures all variants in every round, so that a machine whose speed drifts slows all of them."""
        results = [(name, []) for name, _ in variants]
        for _ in range(rounds):
            for (_, found), (name, exe) in zip(results, variants):
                found.append(vaec.bench(exe, batch if batch else name, 0, steps))
        return results

    digits = vaec.build(ROOT / "examples/digits/digits.vae")
    table("`digits` by batch", "batch", of([(batch, digits) for batch in (32, 64, 128, 256, 512, 1024, 2048)], None))
    widths = (256, 512) if quick else (256, 512, 1024, 2048)
    table("`wide` of four layers by width, batch 128", "width",
          of([(width, vaec.build(WIDE, f"width={width}")) for width in widths], 128))
    depths = (1, 2) if quick else (1, 2, 4, 8)
    table("`wide` of width 1024 by depth, batch 128", "depth",
          of([(depth, vaec.build(WIDE, f"depth={depth}", f"width={256 if quick else 1024}")) for depth in depths], 128))
    generated = {}
    for sources, codes in ((1, 2), (2, 2), (4, 2), (8, 2), (1, 4), (1, 8)):
        path = vaec.folder / f"sources{sources}codes{codes}.vae"
        path.write_text(model(sources, codes))
        generated[sources, codes] = vaec.build(path)
    table("By sources (of 64 images each; three players)", "sources",
          of([(sources, generated[sources, 2]) for sources in (1, 2, 4, 8)], 64))
    table("By players (a decoder of all codes, an encoder for each; one source of 64 images)", "players",
          of([(codes + 1, generated[1, codes]) for codes in (2, 4, 8)], 64))
