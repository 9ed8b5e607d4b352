"""Makes pictures that programs read in tests."""
import struct
import zlib


def png(pixels, width, channels=1):
    """Returns an 8-bit PNG picture, gray or RGB."""
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    line = width * channels
    lines = b"".join(b"\0" + bytes(pixels[i:i + line]) for i in range(0, len(pixels), line))
    header = struct.pack(">IIBBBBB", width, len(pixels) // line, 8, 0 if channels == 1 else 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
