#!/usr/bin/env python3
"""Checks four rules. No module includes a module that comes after it. Only the modules that may use a library
include its headers. Code that depends on the version of a library stands in one header, NAME_version.h. No folder
has more than 25 source files."""
import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
COMPILER = ["base", "syntax", "semantics", "game", "tensor", "lower"]
# Folders of the driver, which may include every module.
DRIVER = ["commands", "lsp", "sweep"]
RUNTIME = {
    "shared": {"shared"},
    "schema": {"schema"},
    "start": {"start"},
    "completion": {"completion"},
    "hdf5": {"hdf5"},
    "sqlite": {"sqlite"},
    "fetch": {"fetch"},
    "onnx": {"onnx"},
    "data": {"hdf5", "sqlite", "fetch", "data"},
    "onednn": {"onednn"},
    "metrics": {"metrics"},
    "device": {"device"},
    "torch": {"torch"},
    "ranks": {"ranks"},
    "core": {"core", "completion", "data", "metrics", "onednn", "onnx", "torch", "ranks"},
}
# Folders inside a module, lowest first ("" is the module's own folder). Folders of one line may include each
# other; a folder includes no folder of a later line.
FLOORS = {
    "compiler/semantics": [{"graph"}, {"", "expressions", "families", "data", "learn"}],
    "compiler/tensor": [{"", "launches", "passes"}, {"build"}],
    "compiler/lower": [{""}, {"loops"}, {"objects"}, {"device"}, {"image"}],
    "compiler/lsp": [{"protocol"}, {"names"}, {""}],
    "compiler/game": [{"", "rows"}, {"explain"}],
    "runtime/core": [{"", "machine", "ranks"}, {"execution", "inference", "exchange", "run"}, {"learning"}, {"evaluation"},
                     {"embedding"}, {"commands"}],
}
# Folders for compiler and runtime. shared: small helpers that both use. schema: what they agree on about programs
# and settings. completion: a module of plain indices, used by the game and by the modules after it.
SHARED = {module: {"runtime/shared"} for module in ("base", "syntax")}
SHARED["semantics"] = {"runtime/shared", "runtime/schema"}
SHARED |= {module: SHARED["semantics"] | {"runtime/completion"} for module in ("game", "tensor", "lower")}
LARGEST_FOLDER = 25
LIBRARIES = {
    r"antlr4-runtime": {"compiler/syntax"},
    r"llvm/|llvm-c/": {"compiler/lower"},
    r"dnnl|oneapi/|libxsmm": {"runtime/onednn"},
    r"hdf5\.h|H5": {"runtime/hdf5"},
    r"sqlite3\.h": {"runtime/sqlite"},
    r"Eigen/": {"runtime/metrics"},
    r"onnx/|google/protobuf/": {"runtime/onnx"},
    r"curl/|openssl/": {"runtime/fetch"},
    r"torch/|ATen/|c10/": {"runtime/torch", "runtime/ranks"},
    r"mpi\.h": {"runtime/ranks"},
}
# A preprocessor condition on the version of a library or of a compiler.
VERSION = re.compile(r"\s*#\s*(?:el)?if.*(?:_VERSION|_VER\b|_MAJOR|_MINOR|H5_USE_|__GNUC|__clang|_GLIBCXX_|GLIBC)")


def modules_seen_by(folder):
    part, *rest = folder.split("/")
    if part == "compiler":
        if not rest:
            return {f"compiler/{module}" for module in COMPILER + DRIVER} | {"compiler"} | SHARED["semantics"]
        if rest[0] in DRIVER:
            return modules_seen_by("compiler") | {f"compiler/{rest[0]}"}
        before = {f"compiler/{module}" for module in COMPILER[: COMPILER.index(rest[0]) + 1]}
        return before | SHARED.get(rest[0], set())
    shared = {"runtime", "runtime/shared"}
    if not rest:
        return shared | {f"runtime/{module}" for module in RUNTIME}
    if rest[0] != "shared":
        shared.add("runtime/schema")
    return shared | {f"runtime/{module}" for module in RUNTIME[rest[0]]}


def floor(folder):
    """The position of a folder inside its module, in the order FLOORS; a folder that is not in it is the last."""
    parts = folder.split("/")
    name = parts[2] if len(parts) > 2 else ""
    order = FLOORS["/".join(parts[:2])]
    return next((i for i, names in enumerate(order) if name in names), len(order))


def large_folders(root):
    sources = [path for part in ("compiler", "runtime", "tests", "python") for path in root.glob(f"{part}/**/*")
               if path.suffix in (".h", ".cpp", ".def", ".inc", ".py") and "build" not in path.parts]
    counts = collections.Counter(path.parent.relative_to(root) for path in sources)
    return [f"{folder}: {count} source files, at most {LARGEST_FOLDER}"
            for folder, count in sorted(counts.items()) if count > LARGEST_FOLDER]


def violations(root):
    found = large_folders(root)
    for path in sorted([*root.glob("compiler/**/*"), *root.glob("runtime/**/*")]):
        if path.suffix not in (".h", ".cpp", ".def", ".inc"):
            continue
        folder = "/".join(path.parent.relative_to(root).parts[:2])
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if VERSION.match(line) and not path.name.endswith("_version.h"):
                found.append(f"{path.relative_to(root)}:{number}: only a header *_version.h asks for a version")
            include = re.match(r'\s*#\s*include\s*[<"]([^">]+)[">]', line)
            if not include:
                continue
            target = include.group(1)
            where = f"{path.relative_to(root)}:{number}"
            if target.startswith(("compiler/", "runtime/")):
                module = "/".join(target.split("/")[:-1][:2])
                if module == folder and folder in FLOORS:
                    if floor(target.rpartition("/")[0]) > floor(str(path.parent.relative_to(root))):
                        found.append(f"{where}: {path.parent.name} includes {target}")
                abi = target == "runtime/abi.h" and folder == "compiler/lower"
                if module not in modules_seen_by(folder) and not abi:
                    found.append(f"{where}: {folder} includes {target}")
            for pattern, modules in LIBRARIES.items():
                if re.match(pattern, target) and folder not in modules:
                    found.append(f"{where}: only {', '.join(sorted(modules))} may include {target}")
    return found


def self_test():
    """The check itself must find includes of later modules, a condition on a version, and a large folder."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "compiler/base").mkdir(parents=True)
        (root / "compiler/base/a.h").write_text('#include "compiler/game/game.h"\n#include <llvm/IR/Module.h>\n'
                                               '#include "runtime/version.h"\n#include "runtime/shared/cache_folder.h"\n')
        (root / "runtime/core/learning").mkdir(parents=True)
        (root / "runtime/core/learning/a.h").write_text('#include "runtime/core/commands/b.h"\n')
        for name in ("onednn_version.h", "gemm.cpp"):
            (root / "runtime/core" / name).write_text("#if DNNL_VERSION_MAJOR >= 3\n#endif\n")
        (root / "python").mkdir()
        for number in range(LARGEST_FOLDER + 1):
            (root / f"python/{number}.py").touch()
        return len(violations(root)) == 6


if __name__ == "__main__":
    found = violations(ROOT)
    print("\n".join(found))
    if not self_test():
        found.append("the check does not see what it must refuse")
        print(found[-1])
    sys.exit(1 if found else 0)
