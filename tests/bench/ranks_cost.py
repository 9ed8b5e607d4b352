#!/usr/bin/env python3
"""Prints the computed cost of a step on many ranks, as a table for docs/distributed.md.

usage: ranks_cost.py [--milliseconds MS] [--megabytes MB] [--latency MICROSECONDS]

A rank computes its rows in MS milliseconds. Then the ranks add MB megabytes of gradients by a ring: each sends and
receives 2 (W - 1) / W of them, in 2 (W - 1) messages. Nothing is hidden behind the computation, so these are lower
bounds of the efficiency: the share of a step in which the rank computes."""
import argparse

SPEEDS = {"1 Gbit/s": 0.125e9, "10 Gbit/s": 1.25e9, "100 Gbit/s": 12.5e9}
RANKS = [2, 4, 8, 16, 32, 64, 128, 256]


def ring_seconds(ranks, nbytes, bytes_per_second, latency):
    return 2 * (ranks - 1) / ranks * nbytes / bytes_per_second + 2 * (ranks - 1) * latency


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--milliseconds", type=float, default=153)
    parser.add_argument("--megabytes", type=float, default=12)
    parser.add_argument("--latency", type=float, default=50)
    given = parser.parse_args()
    print("| ranks | " + " | ".join(SPEEDS) + " |")
    print("|---" * (1 + len(SPEEDS)) + "|")
    for ranks in RANKS:
        cells = []
        for speed in SPEEDS.values():
            seconds = ring_seconds(ranks, 1e6 * given.megabytes, speed, 1e-6 * given.latency)
            compute = 1e-3 * given.milliseconds
            cells.append(f"{1e3 * seconds:.1f} ms, {100 * compute / (compute + seconds):.0f} %")
        print(f"| {ranks} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
