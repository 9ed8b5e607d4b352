#!/usr/bin/env python3
"""Writes pictures of a digit and a stroke on a textured ground, and their masks: {pair,image,test}_images.npy and
{pair,mask,test}_masks.npy. The files lie beside this script, or in FOLDER.

usage: make_scenes.py MNIST [ROWS] [FOLDER]
  MNIST: the folder with the four files of MNIST; `vaec data get mnist` prints it
  ROWS: number of pictures without a mask, and of masks without a picture (default 2,000, at most 29,000)

There are also 2,000 pairs of a picture and its mask (fewer if ROWS is smaller), and ROWS / 5 for the test, at most 400.

A picture has 3 x 64 x 64 bytes. A mask says for each pixel whether it shows the ground (0), the stroke (1), a digit
from 0 to 4 (2) or a digit from 5 to 9 (3). The digits are MNIST's, turned, slanted, scaled, moved and thickened. All
pictures have different colours; stroke and digit have colours of the same distribution, lighter than the ground. The
texture has the same energy in each octave. Then there are scraps of other colours, light from one side, and noise.
The same seeds give the same files.
"""
import gzip
import math
import multiprocessing
import pathlib
import random
import struct
import sys

SIDE = 64
PLACES = range(SIDE * SIDE)
GROUND, STROKE, LOW, HIGH = range(4)
MEAN, SPREAD = (SIDE - 1) / 2, SIDE / 2  # the middle of the picture, and half its side
PAIRS, ROWS, TESTS = 2000, 2000, 400


def mnist(folder, split):
    """The images and the labels, as bytes."""
    def content(name):
        packed = folder / f"{name}.gz"
        return gzip.decompress(packed.read_bytes()) if packed.is_file() else (folder / name).read_bytes()
    return content(f"{split}-images-idx3-ubyte")[16:], content(f"{split}-labels-idx1-ubyte")[8:]


def thicker(pixels):
    """The pixels and their four neighbours."""
    near = set(pixels)
    for y, x in pixels:
        near.update(((y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)))
    return {(y, x) for y, x in near if 0 <= y < SIDE and 0 <= x < SIDE}


def digit(shape, draw):
    """The pixels of a digit, from its 28 x 28 bytes."""
    turn, size, slant, tall = draw.uniform(-0.35, 0.35), draw.uniform(1.9, 2.6), draw.uniform(-0.25, 0.25), draw.uniform(0.85, 1.18)
    down, across = MEAN + draw.uniform(-6, 6), MEAN + draw.uniform(-6, 6)
    cos, sin = math.cos(turn), math.sin(turn)

    def value(y, x):
        return shape[28 * y + x] if 0 <= y < 28 and 0 <= x < 28 else 0

    pixels = set()
    for place in PLACES:
        dy, dx = place // SIDE - down, place % SIDE - across
        v = (-sin * dy + cos * dx) * tall / size
        u = (cos * dy + sin * dx) / (size * tall) - slant * v
        y, x = math.floor(u + 13.5), math.floor(v + 13.5)
        a, b = u + 13.5 - y, v + 13.5 - x
        grey = ((1 - a) * ((1 - b) * value(y, x) + b * value(y, x + 1))
                + a * ((1 - b) * value(y + 1, x) + b * value(y + 1, x + 1)))
        if grey > 90:
            pixels.add((place // SIDE, place % SIDE))
    for _ in range(draw.randint(1, 2)):
        pixels = thicker(pixels)
    return pixels


def stroke(draw):
    """The pixels along a curve from one edge to the opposite one."""
    radius = draw.uniform(2, 4)
    bend = [(draw.uniform(-8, SIDE + 8), draw.uniform(-8, SIDE + 8)) for _ in range(3)]
    along = draw.randrange(2)
    ends = [(-4, SIDE / 2, SIDE + 4)[i] for i in range(3)]
    bend = [tuple(ends[i] if axis == along and i != 1 else point[axis] for axis in range(2)) for i, point in enumerate(bend)]
    reach = math.ceil(radius)
    pixels = set()
    for i in range(81):
        t = i / 80
        y, x = ((1 - t) ** 2 * bend[0][axis] + 2 * t * (1 - t) * bend[1][axis] + t * t * bend[2][axis] for axis in range(2))
        for v in range(max(0, round(y) - reach), min(SIDE, round(y) + reach + 1)):
            for u in range(max(0, round(x) - reach), min(SIDE, round(x) + reach + 1)):
                if (v - y) ** 2 + (u - x) ** 2 < radius * radius:
                    pixels.add((v, u))
    return pixels


def twice(lines):
    """Lines of n + 1 numbers each, n + 1 of them, as 2 n + 1 lines of 2 n + 1 numbers: between two neighbours, their mean."""
    def between(line):
        return [value for pair in zip(line, map(lambda a, b: (a + b) / 2, line, line[1:])) for value in pair] + line[-1:]
    wide = [between(line) for line in lines]
    middle = [[(a + b) / 2 for a, b in zip(above, below)] for above, below in zip(wide, wide[1:])]
    return [line for pair in zip(wide, middle) for line in pair] + wide[-1:]


def texture(draw):
    """A number for each pixel, with mean 0 and standard deviation 1: noise on grids of 4, 8, 16, 32 and 64 squares a
    side, all enlarged to the size of the picture and added. So each octave has about the same energy."""
    lines = [[draw.gauss(0, 1) for _ in range(5)] for _ in range(5)]
    while len(lines) <= SIDE:
        lines = [[value + draw.gauss(0, 1) for value in line] for line in twice(lines)]
    total = [value for line in lines[:SIDE] for value in line[:SIDE]]
    mean = sum(total) / len(total)
    spread = math.sqrt(sum((value - mean) ** 2 for value in total) / len(total))
    return [(value - mean) / spread for value in total]


def masked(shape, label, draw):
    mask = bytearray(len(PLACES))
    for pixels, kind in ((stroke(draw), STROKE), (digit(shape, draw), LOW if label < 5 else HIGH)):
        for y, x in pixels:
            mask[SIDE * y + x] = kind
    return bytes(mask)


def picture(mask, draw):
    ground = [draw.uniform(0.05, 0.5) for _ in range(3)]
    light, lighter = ([max(draw.uniform(0.45, 1), channel + 0.12) for channel in ground] for _ in range(2))
    colours = (ground, light, lighter, lighter)
    grains = texture(draw), texture(draw)
    planes = []
    for channel in range(3):
        turn = draw.uniform(0, math.pi / 2)
        first, second = 0.07 * math.cos(turn), 0.07 * math.sin(turn)
        planes.append([colours[kind][channel] + (1 if kind == GROUND else 0.5) * (first * a + second * b)
                       for kind, a, b in zip(mask, *grains)])
    for _ in range(draw.randint(2, 5)):  # scraps
        top, left = draw.randrange(SIDE - 4), draw.randrange(SIDE - 4)
        bottom, right = min(SIDE, top + draw.randint(2, 7)), min(SIDE, left + draw.randint(2, 7))
        colour = [draw.uniform(0.1, 0.9) for _ in range(3)]
        for channel in range(3):
            for y in range(top, bottom):
                planes[channel][SIDE * y + left:SIDE * y + right] = [colour[channel]] * (right - left)
    down, across, bright = draw.gauss(0, 0.2), draw.gauss(0, 0.2), draw.gauss(0, 0.15)
    shade = [math.exp(down * (i // SIDE - MEAN) / SPREAD + across * (i % SIDE - MEAN) / SPREAD + bright) for i in PLACES]
    return b"".join(bytes(round(255 * min(1, max(0, value * light + draw.gauss(0, 0.04)))) for value, light in zip(plane, shade))
                    for plane in planes)


def scene(task):
    """A picture (unless it is not wanted) and its mask, from (digit, label, seed, wanted)."""
    shape, label, seed, wanted = task
    draw = random.Random(seed)
    mask = masked(shape, label, draw)
    return picture(mask, draw) if wanted else b"", mask


def write_npy(path, shape, rows):
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + b"".join(rows))


def write(folder, name, shapes, order, kinds):
    """Writes the scenes of the digits in `order`, or only their pictures or masks."""
    images, labels = shapes
    tasks = [(images[784 * i:784 * (i + 1)], labels[i], f"{name} {i}", "images" in kinds) for i in order]
    with multiprocessing.Pool() as pool:
        scenes = pool.map(scene, tasks, chunksize=16)
    if "images" in kinds:
        write_npy(folder / f"{name}_images.npy", (len(scenes), 3, SIDE, SIDE), [image for image, _ in scenes])
    if "masks" in kinds:
        write_npy(folder / f"{name}_masks.npy", (len(scenes), SIDE, SIDE), [mask for _, mask in scenes])


def main():
    if len(sys.argv) < 2:
        print("usage: make_scenes.py MNIST [ROWS] [FOLDER]", file=sys.stderr)
        sys.exit(64)
    known = pathlib.Path(sys.argv[1])
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else ROWS
    folder = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else pathlib.Path(__file__).resolve().parent
    if not 1 <= rows <= 29_000:
        print("make_scenes.py: ROWS must lie between 1 and 29,000: MNIST has 60,000 digits to learn from", file=sys.stderr)
        sys.exit(64)
    train, test = mnist(known, "train"), mnist(known, "t10k")
    pairs, tests = min(PAIRS, rows), max(1, min(TESTS, rows // 5))
    order = random.Random(0).sample(range(len(train[1])), pairs + 2 * rows)
    write(folder, "pair", train, order[:pairs], ("images", "masks"))
    write(folder, "image", train, order[pairs:pairs + rows], ("images",))
    write(folder, "mask", train, order[pairs + rows:], ("masks",))
    write(folder, "test", test, range(tests), ("images", "masks"))


if __name__ == "__main__":
    main()
