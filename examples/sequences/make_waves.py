#!/usr/bin/env python3
"""Writes waves.npz: 1,200 noisy waves of three kinds, with 24 to 48 steps. The columns are `x` [48] (0 after the end
of the wave), `m` [48] (1 as long as the wave lasts) and `kind` (0 sine, 1 square, 2 saw).
"""
import array
import math
import pathlib
import random
import zipfile

ROWS, STEPS = 1200, 48


def wave(draw):
    kind, length = draw.randrange(3), draw.randrange(STEPS // 2, STEPS + 1)
    period, phase, height = draw.uniform(10, 24), draw.random(), draw.uniform(0.6, 1.4)
    values = []
    for step in range(length):
        turn = (step / period + phase) % 1
        shape = (math.sin(2 * math.pi * turn), 1 if turn < 0.5 else -1, 2 * turn - 1)[kind]
        values.append(height * shape + draw.gauss(0, 0.1))
    rest = [0] * (STEPS - length)
    return values + rest, [1] * length + rest, kind


def npy(values, kind, shape):
    """An array as the bytes of a NumPy file, format version 1.0."""
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + values.tobytes()


if __name__ == "__main__":
    draw = random.Random(1)
    rows = [wave(draw) for _ in range(ROWS)]
    with zipfile.ZipFile(pathlib.Path(__file__).parent / "waves.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        flat = [[v for row in rows for v in row[i]] for i in (0, 1)]
        archive.writestr("x.npy", npy(array.array("f", [round(v, 3) for v in flat[0]]), "<f4", (ROWS, STEPS)))
        archive.writestr("m.npy", npy(array.array("B", flat[1]), "|u1", (ROWS, STEPS)))
        archive.writestr("kind.npy", npy(array.array("B", [row[2] for row in rows]), "|u1", (ROWS,)))
