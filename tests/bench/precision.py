"""Compares fp32 and bf16 in alternation: the time of a step, and the utilities after the same number of steps."""
import statistics

from programs import ROOT

PRECISIONS = "fp32", "bf16"
SEEDS = range(3)


def flags(precision):
    return "--precision", precision, "--backend", "onednn"


def speed(vaec, model, exe, batch, steps, options):
    for threads in options.threads:
        rounds = [[vaec.bench(exe, model.flag(batch), threads, steps, *flags(precision)) for precision in PRECISIONS]
                  for _ in range(options.rounds)]
        kernels = [statistics.median(result["kernels_milliseconds"] for result in results)
                   for results in zip(*rounds)]
        products = [statistics.median(
            sum(kernel["milliseconds"] for kernel in result["kernels"] if kernel["kind"] in ("gemm", "convolution"))
            for result in results) for results in zip(*rounds)]
        ratios = sorted(whole["kernels_milliseconds"] / rounded["kernels_milliseconds"] for whole, rounded in rounds)
        print(f"| {model.name} | {batch} | {threads} | {kernels[0]:.2f} | {kernels[1]:.2f} | "
              f"{statistics.median(ratios):.1f} ({ratios[0]:.1f}–{ratios[-1]:.1f}) | {products[0] / products[1]:.1f} |",
              flush=True)


def utilities(vaec, model, exe, batch, steps):
    ends = {precision: [vaec.utilities(exe, model.flag(batch), steps, max(1, steps // 5), "--seed", seed,
                                       *flags(precision)) for seed in SEEDS] for precision in PRECISIONS}
    for player in ends["fp32"][0]:
        texts = []
        for precision in PRECISIONS:
            reached = sorted(end[player] for end in ends[precision])
            texts.append(f"{statistics.mean(reached):.2f} ({reached[0]:.2f} to {reached[-1]:.2f})")
        print(f"| {model.name} | {batch} | {steps} | {player} | {texts[0]} | {texts[1]} |", flush=True)


def measure(vaec, models, options):
    programs = [(model, vaec.build(ROOT / model.program)) for model in models]
    print("\n| model | batch | threads | in kernels, fp32 ms | bf16 ms | fp32 / bf16 | of products alone |\n"
          "|---|---|---|---|---|---|---|")
    for model, exe in programs:
        for batch in options.batches or list(model.batches)[1:2]:
            speed(vaec, model, exe, batch, 3 if options.quick else model.batches.get(batch, 10), options)
    print(f"\n| model | batch | steps | player | fp32, {len(SEEDS)} seeds | bf16 |\n|---|---|---|---|---|---|")
    for model, exe in programs:
        batch, steps = model.check
        utilities(vaec, model, exe, batch, 5 if options.quick else 4 * steps)
