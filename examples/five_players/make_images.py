#!/usr/bin/env python3
"""Writes coloured digits in five styles: {train,test}_{images,digits,styles}.npy and test_masks.npy. The files lie
beside this script, or in FOLDER. No player learns from test_masks.npy.

usage: make_images.py MNIST [ROWS] [FOLDER]
  MNIST: the folder with the four files of MNIST; `vaec data get mnist` prints it
  ROWS: number of rows of the training set (default 20,000); the test set has a fifth as many

The shapes are MNIST's digits. The ink and the ground of a picture show the same texture, each in its own pair of
colours. The style is the kind of texture: stripes, rings, checks, waves or grain. The place and the turn of the
texture are random, and so are the shades of the four colours. They have the same distribution in all styles.
"""
import gzip
import math
import pathlib
import random
import struct
import sys

SIDE = 28
PIXELS = [(y, x) for y in range(SIDE) for x in range(SIDE)]
INK = ((0.90, 0.45, 0.15), (1.00, 0.90, 0.60))
GROUND = ((0.05, 0.08, 0.25), (0.10, 0.40, 0.50))


def mnist(folder, split):
    """The images and the labels, as bytes."""
    def content(name):
        packed = folder / f"{name}.gz"
        return gzip.decompress(packed.read_bytes()) if packed.is_file() else (folder / name).read_bytes()
    return content(f"{split}-images-idx3-ubyte")[16:], content(f"{split}-labels-idx1-ubyte")[8:]


def texture(style, draw):
    """A number in [0, 1] for every pixel."""
    turn, dy, dx = draw.uniform(-0.15, 0.15), draw.uniform(-1.5, 1.5) - 13.5, draw.uniform(-1.5, 1.5) - 13.5
    cos, sin = math.cos(turn), math.sin(turn)
    places = [(cos * (y + dy) + sin * (x + dx), cos * (x + dx) - sin * (y + dy)) for y, x in PIXELS]
    if style == 0:  # stripes
        return [0.5 + 0.5 * math.sin(0.65 * (y + x)) for y, x in places]
    if style == 1:  # rings
        return [0.5 + 0.5 * math.cos(0.9 * math.hypot(y, x)) for y, x in places]
    if style == 2:  # checks
        return [float(math.sin(0.7 * y) * math.sin(0.7 * x) > 0) for y, x in places]
    if style == 3:  # long waves
        return [0.5 + 0.25 * math.sin(0.3 * y) + 0.25 * math.cos(0.25 * x) for y, x in places]
    return [draw.random() for _ in PIXELS]  # grain


def picture(shape, style, draw):
    pattern = texture(style, draw)
    ink, ground = ([[channel + draw.uniform(-0.1, 0.1) for channel in colour] for colour in pair] for pair in (INK, GROUND))
    planes = []
    for channel in range(3):
        (a, b), (e, f) = ((pair[0][channel], pair[1][channel]) for pair in (ink, ground))
        planes.append(bytes(int(255 * min(1, max(0, m * (a + (b - a) * t) + (1 - m) * (e + (f - e) * t))))
                            for m, t in zip((value / 255 for value in shape), pattern)))
    return b"".join(planes)


def write_npy(path, shape, content):
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + content)


def write(folder, name, shapes, rows, seed):
    images, labels = shapes
    rows = min(rows, len(labels))
    draw = random.Random(seed)
    styles = bytes(draw.randrange(5) for _ in range(rows))
    pictures = [picture(images[784 * i:784 * (i + 1)], styles[i], draw) for i in range(rows)]
    write_npy(folder / f"{name}_images.npy", (rows, 3, SIDE, SIDE), b"".join(pictures))
    write_npy(folder / f"{name}_digits.npy", (rows,), labels[:rows])
    write_npy(folder / f"{name}_styles.npy", (rows,), styles)
    if name == "test":  # inferred masks are compared with these
        write_npy(folder / "test_masks.npy", (rows, SIDE, SIDE), bytes(value > 127 for value in images[:784 * rows]))


def main():
    if len(sys.argv) < 2:
        print("usage: make_images.py MNIST [ROWS] [FOLDER]", file=sys.stderr)
        sys.exit(64)
    known = pathlib.Path(sys.argv[1])
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 20_000
    folder = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else pathlib.Path(__file__).resolve().parent
    write(folder, "train", mnist(known, "train"), rows, 1)
    write(folder, "test", mnist(known, "t10k"), max(1, rows // 5), 2)


if __name__ == "__main__":
    main()
