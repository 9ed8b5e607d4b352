#!/usr/bin/env python3
"""Shows what more threads bring: a step with one thread and with several, kernel by kernel, and what follows for
machines of more cores.

usage: scaling.py PROGRAM [--batch N] [--threads N] [--rounds N] [--steps N] [--pin]

Both are measured in turn; each kernel has its median over the rounds. By Amdahl's law a kernel (or a step) with the
time t1 on one thread and tN on N has a serial share of (N * tN / t1 - 1) / (N - 1). "Lost" is tN - t1 / N: what the
step would gain if the kernel scaled perfectly."""
import argparse
import statistics
import sys
import tempfile

from programs import ROOT, Vaec

CORES = [2, 4, 8, 16, 32, 64]


def serial_share(one, several, threads):
    return (threads * several / one - 1) / (threads - 1)


def speedup(share, cores):
    return 1 / (share + (1 - share) / cores)


def by_kernel(results):
    """Of each kernel (a name and a shape): the median over the rounds of its milliseconds in a step."""
    times = {}
    for result in results:
        of_round = {}
        for kernel in result["kernels"]:
            key = " ".join([kernel["name"], kernel.get("shape", "")]).strip()
            of_round[key] = of_round.get(key, 0) + kernel["milliseconds"]
        for key, milliseconds in of_round.items():
            times.setdefault(key, []).append(milliseconds)
    return {key: statistics.median(values) for key, values in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", default=ROOT / "examples/digits/digits.vae")
    parser.add_argument("--batch", default="128")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--pin", action="store_true")
    given = parser.parse_args()
    if given.threads < 2:
        sys.exit("scaling.py: --threads must be 2 or more")
    flags = ["--pin"] if given.pin else []
    with tempfile.TemporaryDirectory() as folder:
        vaec = Vaec(folder)
        exe = vaec.build(given.program)
        rounds = [[vaec.bench(exe, given.batch, threads, given.steps, *flags) for threads in (1, given.threads)]
                  for _ in range(given.rounds)]
    one, several = [[result[i] for result in rounds] for i in (0, 1)]
    steps = [statistics.median(result["milliseconds"] for result in side) for side in (one, several)]
    kernels = [by_kernel(side) for side in (one, several)]
    outside = [step - sum(side.values()) for step, side in zip(steps, kernels)]
    rows = [(name, kernels[0][name], kernels[1][name]) for name in kernels[0] if name in kernels[1]]
    rows.append(("outside the kernels", *outside))
    rows.sort(key=lambda row: row[2] - row[1] / given.threads, reverse=True)
    print(f"{exe.name}, batch {given.batch}, medians of {given.rounds} rounds: {steps[0]:.2f} ms on one thread, "
          f"{steps[1]:.2f} ms on {given.threads}: {steps[0] / steps[1]:.2f} times as fast\n")
    print(f"| kernel | ms, 1 thread | ms, {given.threads} threads | faster | lost ms |")
    print("|---|---|---|---|---|")
    for name, alone, shared in rows[:20]:
        print(f"| {name} | {alone:.3f} | {shared:.3f} | {alone / shared if shared > 0 else 0:.2f} | "
              f"{shared - alone / given.threads:.3f} |")
    share = serial_share(steps[0], steps[1], given.threads)
    print(f"\nserial share of the step: {100 * share:.1f} %; computed from it, how many times as fast as one thread:\n")
    print("| cores | " + " | ".join(str(cores) for cores in CORES) + " |")
    print("|---" * (1 + len(CORES)) + "|")
    print("| faster | " + " | ".join(f"{speedup(max(share, 0), cores):.1f}" for cores in CORES) + " |")


if __name__ == "__main__":
    main()
