"""Tests that kernels of an earlier compilation are taken from the cache folder, and only if they are unchanged."""
import os
import re
import shutil
import subprocess

import pytest

from executable import GLYPHS, call, device_functions_missing, succeed, write


def compiled(vaec, program, cache, *arguments, **environment):
    """Builds a program. Returns the number of its kernels, the number of pieces of code that were compiled anew, and
    the bytes of the executable."""
    exe = program.with_suffix("")
    said = succeed(vaec, "build", program, "-o", exe, "--timings", *arguments,
                   env={"XDG_CACHE_HOME": str(cache), **environment}).stderr
    kernels, anew = map(int, re.search(r"(\d+) kernels, (\d+) compiled anew", said).groups())
    return kernels, anew, exe.read_bytes()


def entries(cache):
    return sorted(path for path in (cache / "vaec/kernels").iterdir() if path.name != "tidied")


def test_a_second_build_compiles_no_kernel_and_writes_the_same_bytes(folder, vaec):
    cache, program = folder / "cache", write(folder, "small.vae", GLYPHS)
    kernels, anew, first = compiled(vaec, program, cache)
    assert anew >= kernels > 5, (kernels, anew)
    kept = entries(cache)
    assert compiled(vaec, program, cache) == (kernels, 0, first)
    assert compiled(vaec, program, cache, VAEC_CACHE="off") == (kernels, anew, first)
    assert compiled(vaec, program, folder / "another") == (kernels, anew, first)
    assert entries(cache) == kept
    # A folder that VAEC_CACHE names is used as it is.
    assert compiled(vaec, program, "/proc", VAEC_CACHE=str(cache / "vaec")) == (kernels, 0, first)
    # `run`, which compiles in memory, uses the cached kernels too.
    result = succeed(vaec, "run", program, "train", "--steps", 2, "--out", "run", cwd=folder,
                     env={"XDG_CACHE_HOME": str(cache)})
    assert entries(cache) == kept, result.stdout


def test_an_object_is_made_of_the_same_kernels(folder, vaec):
    cache, program = folder / "cache", write(folder, "small.vae", GLYPHS)

    def emitted(**environment):
        succeed(vaec, "build", program, "--emit=object", "-o", folder / "small.o", env={"XDG_CACHE_HOME": str(cache), **environment})
        return (folder / "small.o").read_bytes()

    first = emitted()
    kept = entries(cache)
    assert emitted() == emitted(VAEC_CACHE="off") == first and entries(cache) == kept
    assert compiled(vaec, program, cache)[1] == 0
    # The kernel is read from the cache, not only written to it.
    kept[0].write_bytes(b"")
    assert emitted() == first and kept[0].stat().st_size > 0
    # Linked by hand, the object does the same as the executable.
    runtime = vaec.parent.parent / "lib/libvaert.so"
    sanitized = ["-fsanitize=address"] if b"__asan_init" in runtime.read_bytes() else []
    succeed("cc", folder / "small.o", runtime, f"-Wl,-rpath,{runtime.parent}", *sanitized, "-o", folder / "linked")
    for exe in ("linked", "small"):
        succeed(folder / exe, "train", "--steps", 2, "--out", folder / f"run-{exe}", "--quiet")
    models = [(folder / f"run-{exe}/checkpoints/step-2/model.safetensors").read_bytes() for exe in ("linked", "small")]
    assert models[0] == models[1]
    # Without a linker, or without a temporary folder, there is one line of error and the old object stays.
    for broken, words in (({"PATH": "/none"}, "install binutils"), ({"TMPDIR": "/none"}, "TMPDIR")):
        result = call(vaec, "build", program, "--emit=object", "-o", folder / "small.o", env={**os.environ, **broken})
        assert result.returncode == 78 and words in result.stderr and result.stderr.count("\n") == 1, result
    assert (folder / "small.o").read_bytes() == first


def test_an_edit_costs_what_it_changed(folder, vaec):
    cache, program = folder / "cache", write(folder, "small.vae", GLYPHS)
    kernels, all_of_them, _ = compiled(vaec, program, cache)
    for old, new in (("steps = 100; batch = 32", "steps = 7; batch = 16; seed = 9"), ("seed = 3", "seed = 4"),
                     ("var x", "// a remark\nvar x"), ("decoder p", "decoder other")):
        text = GLYPHS.replace(old, new)
        assert text != GLYPHS
        assert compiled(vaec, write(folder, "edited.vae", text), cache)[:2] == (kernels, 0), new
    net = GLYPHS.replace("relu(dense(x, 64))", "tanh(dense(x, 64))")
    assert 0 < compiled(vaec, write(folder, "edited.vae", net), cache)[1] < all_of_them / 2


def test_a_broken_entry_is_made_anew(folder, vaec):
    cache, program = folder / "cache", write(folder, "small.vae", GLYPHS)
    kernels, _, first = compiled(vaec, program, cache)
    whole = {path: path.read_bytes() for path in entries(cache)}
    a, b, *others = whole
    breaks = [lambda old: b"", lambda old: old[:-1], lambda old: old + b"x", lambda old: b"\xff" * 99, lambda old: whole[b],
              lambda old: old[:-40] + bytes([old[-40] ^ 1]) + old[-39:]]
    for broken in breaks:
        a.write_bytes(broken(whole[a]))
        assert compiled(vaec, program, cache) == (kernels, 1, first)
        assert a.read_bytes() == whole[a]


def test_a_folder_that_cannot_be_written_fails_no_build(folder, vaec):
    program = write(folder, "small.vae", GLYPHS)
    kernels, anew, first = compiled(vaec, program, folder / "cache")
    (folder / "file").write_text("")
    for cache in (folder / "file", "relative", "", "/proc"):
        assert compiled(vaec, program, cache, HOME="/dev/null") == (kernels, anew, first), cache
    for cache in (folder / "file", "relative", "/proc/none"):
        assert compiled(vaec, program, folder / "cache", VAEC_CACHE=str(cache)) == (kernels, anew, first), cache
    assert not os.path.exists("relative")


def test_builds_side_by_side_share_the_folder(folder, vaec):
    cache, program = folder / "cache", write(folder, "small.vae", GLYPHS)
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "VAEC_CACHE": ""}
    running = [subprocess.Popen([vaec, "build", program, "-o", folder / f"exe{i}"], env=environment) for i in range(4)]
    assert [process.wait() for process in running] == [0] * 4
    assert len({(folder / f"exe{i}").read_bytes() for i in range(4)}) == 1
    assert compiled(vaec, program, cache)[1] == 0
    assert not [path for path in entries(cache) if "." in path.name]


def test_another_build_of_vaec_takes_nothing_from_this_one(folder, vaec):
    cache, program = folder / "cache", write(folder, "small.vae", GLYPHS)
    kernels, anew, first = compiled(vaec, program, cache)
    notes = call("readelf", "-n", vaec).stdout
    identity = bytes.fromhex(re.search(r"Build ID: ([0-9a-f]+)", notes).group(1))
    content = vaec.read_bytes()
    assert content.count(identity) == 1
    (folder / "bin").mkdir()
    (folder / "lib").symlink_to(vaec.parent.parent / "lib")
    other = folder / "bin/vaec"
    other.write_bytes(content.replace(identity, identity[::-1]))
    shutil.copymode(vaec, other)
    assert compiled(other, program, cache)[:2] == (kernels, anew)
    assert compiled(vaec, program, cache) == (kernels, 0, first)


def test_ptx_is_taken_kernel_by_kernel(folder, vaec):
    cache, program = folder / "cache", write(folder, "small.vae", GLYPHS)
    kernels, anew, first = compiled(vaec, program, cache, "--target", "auto")
    kept = entries(cache)
    times = {path: path.stat().st_mtime_ns for path in kept}
    assert first.count(b".visible .entry kernel_") > 5 and first.count(b".address_size 64\n") == 1
    assert compiled(vaec, program, cache, "--target", "auto") == (kernels, 0, first)
    assert entries(cache) == kept and all(path.stat().st_mtime_ns > times[path] for path in kept)
    assert compiled(vaec, program, cache, "--target", "auto", VAEC_CACHE="off")[2] == first

    # After an edit of a net only the kernels that it changed are compiled. The bytes equal those without a
    # cache.
    edited = write(folder, "edited.vae", GLYPHS.replace("relu(dense(x, 64))", "tanh(dense(x, 64))"))
    _, anew, other = compiled(vaec, edited, cache, "--target", "auto")
    fresh = len(entries(cache)) - len(kept)
    assert other != first and anew < fresh < len(kept) / 2, (anew, fresh, len(kept))
    assert compiled(vaec, edited, cache, "--target", "auto", VAEC_CACHE="off")[2] == other


def test_kernels_that_call_functions_share_them_in_ptx(folder, vaec):
    """In the PTX of a program, each function is defined only once."""
    program = write(folder, "counts.vae", """
var x : count[4]
var z : real[2]
source data { x = npy("x.npy") }
source codes { z ~ Normal(0, 1) }
decoder p { x | z ~ Poisson(dense(z, 4)) }
encoder q { z | x ~ Normal(dense(log(1 + x), 2), exp(parameter([2]))) }
learn symmetric { steps = 4; batch = 4 }
""")
    environment = {"XDG_CACHE_HOME": str(folder / "cache")}
    if device_functions_missing(vaec):
        refused = call(vaec, "check", "--emit=ptx", program, env=environment)
        assert refused.returncode == 78 and "built without clang++-19" in refused.stderr, refused
        pytest.skip("this vaec was built without clang++-19")
    first = succeed(vaec, "check", "--emit=ptx", program, env=environment).stdout
    assert first.count(".func  (.param .b32 func_retval0) vaert_lgamma(") == 1, first
    for memory in ("", "off"):
        assert succeed(vaec, "check", "--emit=ptx", program, env={**environment, "VAEC_CACHE": memory}).stdout == first
