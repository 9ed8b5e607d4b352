"""Tests a model that is built as a library. Programs in C and C++ link it, and get the same results as from the
executable."""
import ctypes
import math
import re
import shutil
import struct
import threading

import pytest

import executable
from executable import ROOT, call, skip_if_sanitized, succeed, write

EXAMPLE = ROOT / "examples/embedded"

LINE = """
var a : real
var z : real[2]
source rows { a = npy("rows.npy") }
source codes { z ~ Normal(0) }
decoder p { a | z ~ Normal(dense(z, 1), 0.5) }
encoder q { z | a ~ Normal(dense(a, 2), -1) }
learn symmetric { steps = 3; batch = 2; every = {log: 1, sample: 0, checkpoint: 0, evaluate: 0} }
"""


def write_npy(path, values, shape):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {tuple(shape)!r}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
                     + struct.pack(f"<{len(values)}f", *values))


def floats(tensor):
    return struct.unpack(f"<{len(tensor[1]) // 4}f", tensor[1])


class Array(ctypes.Structure):
    _fields_ = [("variable", ctypes.c_char_p), ("values", ctypes.POINTER(ctypes.c_float)), ("size", ctypes.c_int64)]


def arrays(values):
    return (Array * max(1, len(values)))(*[Array(name.encode(), buffer, len(buffer)) for name, buffer in values.items()])


class Library:
    """The functions of NAME.h, called by ctypes."""

    def __init__(self, path, name, run):
        self.functions = ctypes.CDLL(str(path))
        self.name, self.error = name, ctypes.create_string_buffer(300)
        opened = self.function("open", ctypes.c_void_p)
        self.model = opened(str(run).encode(), ctypes.c_int32(1), self.error, ctypes.c_size_t(300))

    def function(self, suffix, result=ctypes.c_int32):
        function = getattr(self.functions, f"{self.name}_{suffix}")
        function.restype = result
        return function

    def call(self, suffix, *arguments):
        code = self.function(suffix)(ctypes.c_void_p(self.model), *arguments, self.error, ctypes.c_size_t(300))
        return code, self.error.value.decode()

    def sample(self, seed, rows, given, results):
        return self.call("sample", ctypes.c_uint64(seed), ctypes.c_int64(rows), arrays(given), len(given),
                         arrays(results), len(results))

    def infer(self, query, rows, given, results):
        return self.call("infer", query.encode(), ctypes.c_uint64(0), ctypes.c_int64(rows), arrays(given), len(given),
                         arrays(results), len(results))

    def log_density(self, conditional, rows, given, values):
        return self.call("log_density", conditional.encode(), ctypes.c_int64(rows), arrays(given), len(given), values,
                         ctypes.c_int64(len(values)))


def refuse_sanitized(vaec):
    skip_if_sanitized(vaec, "a sanitized library is opened by a sanitized program alone")


def made(folder, vaec, text=LINE):
    """Makes an executable, a run of it, and the library of the same program."""
    refuse_sanitized(vaec)
    write_npy(folder / "rows.npy", [1, 2, 3, 4], [4])
    program = write(folder, "line.vae", text)
    exe = executable.build(vaec, program, folder)
    succeed(exe, "train", "--quiet", "--out", folder / "run")
    succeed(vaec, "build", program, "--emit=library", "-o", folder / "libline.so")
    return exe, Library(folder / "libline.so", "line", folder / "run")


def buffer(*values):
    return (ctypes.c_float * len(values))(*values)


def test_inference_and_samples_are_those_of_the_executable(folder, vaec):
    exe, library = made(folder, vaec)
    assert library.model and library.function("step", ctypes.c_int64)(ctypes.c_void_p(library.model)) == 3
    a, z = buffer(1, 2, 3, 4), buffer(*[0] * 8)
    assert library.infer("z | a", 4, {"a": a}, {"z": z}) == (0, "")
    succeed(exe, "infer", "z | a", "--run", folder / "run", "--given", f"a={folder}/rows.npy", "--out",
            folder / "z.safetensors")
    assert tuple(z) == floats(executable.safetensors(folder / "z.safetensors")["z"])
    drawn, codes = buffer(*[0] * 64), buffer(*[0] * 128)
    assert library.sample(5, 64, {}, {"a": drawn, "z": codes}) == (0, "")
    succeed(exe, "sample", "--run", folder / "run", "--seed", "5", "--n", "64", "--out", folder / "a.safetensors")
    expected = executable.safetensors(folder / "a.safetensors")
    assert tuple(drawn) == floats(expected["a"]) and tuple(codes) == floats(expected["z"])
    # More rows than fit into one batch; another seed gives other rows.
    more, other = buffer(*[0] * 700), buffer(*[0] * 700)
    assert library.sample(5, 700, {}, {"a": more})[0] == library.sample(6, 700, {}, {"a": other})[0] == 0
    assert len(set(more)) > 690 and not set(more) & set(other)


def test_the_log_density_is_that_of_the_parameters(folder, vaec):
    _, library = made(folder, vaec)
    tensors = executable.safetensors(folder / "run/checkpoints/step-3/model.safetensors")
    w, b = floats(tensors["p.a.dense1.weight"]), floats(tensors["p.a.dense1.bias"])
    a, z, found = buffer(1, -2, 0.5), buffer(0.1, 0.2, -1, 2, 3, 1), buffer(0, 0, 0)
    assert library.log_density("p.a", 3, {"a": a, "z": z}, found) == (0, "")
    for row in range(3):
        mean = w[0] * z[2 * row] + w[1] * z[2 * row + 1] + b[0]
        expected = -0.5 * ((a[row] - mean) / math.exp(0.5)) ** 2 - 0.5 - 0.5 * math.log(2 * math.pi)
        assert abs(found[row] - expected) < 1e-5 * max(1, abs(expected)), (row, found[row], expected)


def test_failures_are_codes_with_a_text(folder, vaec):
    _, library = made(folder, vaec)
    a, z = buffer(1, 2), buffer(*[0] * 4)
    for result, code, words in (
            (library.infer("z | b", 2, {"a": a}, {"z": z}), 64, "`b`"),
            (library.infer("z | a", 2, {}, {"z": z}), 64, "behind the bar"),
            (library.infer("z | a", 2, {"a": a}, {"a": z}), 64, "before the bar"),
            (library.infer("z | a", 0, {"a": a}, {"z": z}), 64, "at least one"),
            (library.infer("z | a", 2, {"a": buffer(1, math.inf)}, {"z": z}), 65, "a"),
            (library.infer("z | a", 2, {"a": buffer(1, math.nan)}, {"z": z}), 65, "NaN"),
            (library.sample(0, 2, {"y": a}, {"a": z}), 64, "`y`"),
            (library.sample(0, 2, {}, {}), 64, "no result"),
            (library.sample(0, 5, {}, {"z": z}), 64, "result `z`: 5 rows of 2 floats do not fit in an array of 4"),
            (library.infer("z | a", 3, {"a": a}, {"z": buffer(*[0] * 6)}), 64, "given `a`"),
            (library.infer("z |", 2, {"a": a}, {"z": z}), 64, "behind the bar"),
            (library.infer("z, a | a", 2, {"a": a}, {"z": z}), 64, "both sides"),
            (library.infer("z | | a", 2, {"a": a}, {"z": z}), 64, "z | | a"),
            (library.log_density("p.a", 2, {"a": a, "z": z}, buffer(0)), 64, "values"),
            (library.log_density("p.z", 2, {"a": a, "z": z}, z), 64, "p.a"),
            (library.log_density("p.a", 2, {"a": a}, z), 64, "z")):
        assert result[0] == code and words in result[1], (result, code, words)
    missing = Library(folder / "libline.so", "line", folder / "none")
    assert not missing.model and str(folder / "none") in missing.error.value.decode()


def test_threads_are_checked_and_the_callers_settings_stay(folder, vaec):
    """A thread that did not open the model gets the same numbers, and the library does not change how the thread
    treats denormal numbers."""
    _, library = made(folder, vaec)
    for threads in (-1, 100000):
        model = library.function("open", ctypes.c_void_p)(str(folder / "run").encode(), ctypes.c_int32(threads),
                                                          library.error, ctypes.c_size_t(300))
        assert not model and str(threads) in library.error.value.decode(), library.error.value
    tiny = 1e-310
    assert tiny / 2 > 0
    found = [buffer(*[0] * 600) for _ in range(2)]
    assert library.sample(3, 600, {}, {"a": found[0]})[0] == 0
    assert tiny / 2 > 0

    def draw():
        assert library.sample(3, 600, {}, {"a": found[1]})[0] == 0
    other = threading.Thread(target=draw)
    other.start()
    other.join()
    assert list(found[0]) == list(found[1])


def test_a_run_of_another_model_is_refused(folder, vaec):
    made(folder, vaec)
    exe = executable.build(vaec, write(folder, "other.vae", LINE.replace("real[2]", "real[3]").replace("a, 2", "a, 3")), folder)
    succeed(exe, "train", "--quiet", "--out", folder / "other-run")
    (folder / "run/checkpoints/step-3/model.safetensors").write_bytes(b"not a checkpoint")
    for run in ("other-run", "run"):
        library = Library(folder / "libline.so", "line", folder / run)
        assert not library.model and run in library.error.value.decode(), library.error.value


def test_nothing_but_its_functions_is_visible(folder, vaec):
    made(folder, vaec)
    lines = succeed("nm", "-D", "--defined-only", folder / "libline.so").stdout.splitlines()
    declared = set(re.findall(r"\b(line_\w+)\(", (folder / "line.h").read_text()))
    assert {line.split()[2] for line in lines} == declared and len(declared) == 7, lines
    assert "soname: [libline.so]" in succeed("readelf", "-d", folder / "libline.so").stdout


def test_other_names_and_places(folder, vaec):
    refuse_sanitized(vaec)
    write(folder, "line.vae", LINE)
    succeed(vaec, "build", "line.vae", "--emit=library", cwd=folder)
    assert (folder / "libline.so").exists() and (folder / "line.h").exists()
    (folder / "out").mkdir()
    succeed(vaec, "build", "line.vae", "--emit=library", "-o", "out/2-d.so", cwd=folder)
    assert "_2_d_open(" in (folder / "out/_2_d.h").read_text()
    for compiler, ending in (("cc", "c"), ("c++", "cpp")):
        source = write(folder, f"both.{ending}", '#include "line.h"\n#include "out/_2_d.h"\nint main(void) { return 0; }\n')
        succeed(compiler, "-Wall", "-Wextra", "-Werror", "-pedantic", "-c", source, "-o", folder / "both.o")


def test_the_examples_in_c_and_cpp(folder, vaec):
    refuse_sanitized(vaec)
    if not shutil.which("cmake"):
        pytest.skip("cmake is not installed")
    succeed("cmake", "--install", vaec.parent.parent, "--prefix", folder / "tree")
    shutil.copytree(EXAMPLE, folder / "example")
    succeed("cmake", "-S", folder / "example", "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={folder}/tree")
    succeed("cmake", "--build", folder / "build")
    exe = executable.build(folder / "tree/bin/vaec", folder / "example/embedded.vae", folder)
    succeed(exe, "train", "--steps", "300", "--quiet", "--every", "sample=0", "--out", folder / "run")
    said = succeed(folder / "build/embedded_c", folder / "run")
    lines = said.stdout.splitlines()
    assert lines[:4] == ["step 300", "x: binary, 784 numbers", "c: category, 10 numbers", "z: binary, 12 numbers"], lines
    rows = [re.fullmatch(r"digit (\d): probability (\S+), log (\S+)", line) for line in lines[-10:]]
    for row in rows:
        probability, log = float(row[2]), float(row[3])
        assert probability < 0.001 or abs(math.exp(log) - probability) < 1e-3, row[0]
    assert sum(float(row[2]) > 0.5 for row in rows) > 5, lines[-10:]
    assert "4 threads, the same draws" in succeed(folder / "build/embedded_cpp", folder / "run").stdout
    assert said.stderr == ""
    refused = call(folder / "build/embedded_cpp", folder / "none")
    assert refused.returncode == 1 and str(folder / "none") in refused.stderr, refused
