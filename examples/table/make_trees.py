#!/usr/bin/env python3
"""Writes trees.csv (2,000 rows; at random, a fifth of all cells is empty) and test.csv (1,000 rows without empty
cells).

A tree has a species, a number of rings (its age), a height in metres and an altitude in hundreds of metres. Each
species has its own usual altitude. A tree grows towards the final height of its species. It grows more slowly the
higher its place is.
"""
import math
import pathlib
import random

# share, mean and spread of the altitude, mean age, final height, growth per year
SPECIES = [(0.35, 4.0, 1.5, 60, 32, 0.030), (0.30, 9.0, 2.0, 90, 38, 0.022), (0.20, 15.0, 2.0, 110, 20, 0.015),
           (0.15, 3.0, 1.0, 30, 14, 0.080)]
NAMES = ["species", "rings", "height", "altitude"]


def tree(draw):
    species = draw.choices(range(len(SPECIES)), [share for share, *_ in SPECIES])[0]
    _, centre, spread, age, final, growth = SPECIES[species]
    altitude = draw.gauss(centre, spread)
    rings = int(draw.gammavariate(3, age / 3))
    slowed = growth * math.exp(-0.04 * (altitude - centre))
    height = 0.3 + final * (1 - math.exp(-slowed * rings)) * math.exp(draw.gauss(0, 0.12))
    return [str(species), str(rings), f"{height:.2f}", f"{altitude:.2f}"]


def write(path, rows, seed, missing):
    draw = random.Random(seed)
    lines = [",".join(NAMES)]
    while len(lines) <= rows:
        cells = [cell if draw.random() >= missing else "" for cell in tree(draw)]
        if any(cells):
            lines.append(",".join(cells))
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    here = pathlib.Path(__file__).parent
    write(here / "trees.csv", 2000, 1, 0.2)
    write(here / "test.csv", 1000, 2, 0)
