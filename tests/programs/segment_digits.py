"""Digits of seven segments in the files of MNIST, for tests of examples that make their data from MNIST."""
import random
import struct

# The segments of each digit, and the position of each segment's bar in a field of 19 x 11: y, x, height,
# width.
LIT = ["abcdef", "bc", "abdeg", "abcdg", "bcfg", "acdfg", "acdefg", "abc", "abcdefg", "abcdfg"]
BARS = {"a": (0, 0, 3, 11), "g": (8, 0, 3, 11), "d": (16, 0, 3, 11), "f": (0, 0, 11, 3), "b": (0, 8, 11, 3), "e": (8, 0, 11, 3),
        "c": (8, 8, 11, 3)}


def digit_image(digit, draw):
    top, left = 4 + draw.randint(-1, 1), 8 + draw.randint(-1, 1)
    image = bytearray(28 * 28)
    for segment in LIT[digit]:
        y, x, height, width = BARS[segment]
        for row in range(top + y, top + y + height):
            image[28 * row + left + x:28 * row + left + x + width] = b"\xff" * width
    return bytes(image)


def write_mnist(folder, rows):
    folder.mkdir(parents=True)
    draw = random.Random(0)
    for split, n in (("train", rows), ("t10k", rows // 5)):
        labels = bytes(draw.randrange(10) for _ in range(n))
        images = b"".join(digit_image(label, draw) for label in labels)
        (folder / f"{split}-images-idx3-ubyte").write_bytes(struct.pack(">4I", 0x803, n, 28, 28) + images)
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, n) + labels)
