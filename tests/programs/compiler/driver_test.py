"""Tests the command line of vaec: exit codes, which text is written where, and that a failure writes no output."""
import json
import re
import shutil

import pytest

import executable
from executable import GLYPHS, SMALL_MODEL, call, install, skip_if_sanitized, succeed, write


def test_build_names_the_executable_after_the_file(folder, vaec):
    write(folder, "small.vae", GLYPHS)
    succeed(vaec, "build", "small.vae", cwd=folder)
    assert sorted(path.name for path in folder.iterdir()) == ["small", "small.vae"]
    succeed(folder / "small", "info")


def test_build_replaces_a_running_executable(folder, vaec):
    write(folder, "small.vae", GLYPHS)
    succeed(vaec, "build", "small.vae", "-o", "exe", cwd=folder)
    first = (folder / "exe").stat().st_ino
    succeed(vaec, "build", "small.vae", "-o", "exe", cwd=folder)
    assert (folder / "exe").stat().st_ino != first


def test_define_replaces_a_param(folder, vaec):
    write(folder, "small.vae", "param code = 16\n" + GLYPHS.replace("16", "code"))
    succeed(vaec, "build", "-D", "code=7", "small.vae", cwd=folder)
    assert "z : binary[7]" in succeed(folder / "small", "info").stdout
    assert call(vaec, "build", "-D", "code", "small.vae", cwd=folder).returncode == 64


def test_a_file_is_imported_once_however_its_path_is_written(folder, vaec):
    (folder / "lib").mkdir()
    write(folder / "lib", "base.vae", "net twice(h) = 2 * h\n")
    (folder / "link.vae").symlink_to(folder / "lib/base.vae")
    write(folder / "lib", "other.vae", f'import "{folder}/lib/base.vae"\nnet four(h) = twice(twice(h))\n')
    write(folder, "small.vae", 'import "link.vae"\nimport "lib/other.vae"\n'
          + GLYPHS.replace("decoder p", "net eight(h) = twice(four(h))\ndecoder p"))
    succeed(vaec, "check", "small.vae", cwd=folder)
    write(folder, "small.vae", 'import "link.vae"\nimport "lib/base.vae"\n' + GLYPHS)
    twice = call(vaec, "check", "small.vae", cwd=folder)
    assert twice.returncode == 1 and "E0208" in twice.stderr, twice
    write(folder, "lib/base.vae", 'import "../link.vae"\n')
    write(folder, "small.vae", 'import "lib/base.vae"\n' + GLYPHS)
    cycle = call(vaec, "check", "small.vae", cwd=folder)
    assert cycle.returncode == 1 and "E0209" in cycle.stderr, cycle


def test_a_variable_may_have_the_name_of_a_familys_extent(folder, vaec):
    write(folder, "small.vae", """
var K : real
var x : real[3]
source s { x = npy("x.npy"); K = 1 }
family Standard(m : real[K]) over y : real[K] {
  statistic     = y
  natural       = m
  log_partition = 0.5 * sum(m * m)
  log_base      = -0.5 * sum(y * y) - 0.5 * K * log(2 * pi)
  sample        = m + normal()
}
player p { x ~ Standard(parameter([3])) }
player q { K ~ Normal(parameter([])) }
learn symmetric { steps = 1 }
""")
    succeed(vaec, "check", "small.vae", cwd=folder)


def test_run_computes_what_the_executable_computes(folder, vaec):
    write(folder, "small.vae", GLYPHS)
    succeed(vaec, "run", "small.vae", "train", "--steps", "20", "--out", "a", "--quiet", cwd=folder)
    succeed(vaec, "build", "small.vae", cwd=folder)
    succeed(folder / "small", "train", "--steps", "20", "--out", "b", "--quiet", cwd=folder)
    assert executable.digest(folder / "a", 20) == executable.digest(folder / "b", 20)


def test_errors_go_to_stderr_and_leave_no_executable(folder, vaec):
    write(folder, "wrong.vae", "var x : binary[4\n")
    result = call(vaec, "build", "wrong.vae", cwd=folder)
    assert result.returncode == 1 and result.stdout == "" and "wrong.vae:1" in result.stderr, result
    assert [path.name for path in folder.iterdir()] == ["wrong.vae"]


def test_errors_as_json_are_one_object_a_line(folder, vaec):
    write(folder, "wrong.vae", "var x : binary[4\nvar y : nothing\n")
    result = call(vaec, "check", "wrong.vae", "--error-format", "json", cwd=folder)
    assert result.returncode == 1
    for line in result.stderr.splitlines():
        assert {"code", "message", "line", "column"} <= json.loads(line).keys()


def test_exit_codes(folder, vaec):
    write(folder, "small.vae", GLYPHS)
    assert call(vaec).returncode == 64
    assert call(vaec, "build").returncode == 64
    assert call(vaec, "build", "small.vae", "--emit=nothing", cwd=folder).returncode == 64
    assert call(vaec, "check", "missing.vae", cwd=folder).returncode == 66
    assert call(vaec, "check", ".", cwd=folder).returncode == 66
    assert call(vaec, "build", "small.vae", "-o", "no/such/folder/exe", cwd=folder).returncode == 73
    for arguments in (["--help"], ["--version"], ["build", "--help"]):
        assert call(vaec, *arguments).returncode == 0


def test_every_stage_can_be_printed(folder, vaec):
    write(folder, "small.vae", GLYPHS)
    for stage, part in {"syntax": "z", "model": "x", "game": "x", "tensor": "gemm", "llvm": "define",
                        "asm": ".globl", "ptx": ".visible .entry"}.items():
        assert part in succeed(vaec, "build", "small.vae", f"--emit={stage}", cwd=folder).stdout, stage
    succeed(vaec, "build", "small.vae", "--emit=object", "-o", "small.o", cwd=folder)
    assert (folder / "small.o").read_bytes()[:4] == b"\x7fELF"
    after = succeed(vaec, "build", "small.vae", "--emit=tensor", "--after=differentiate", cwd=folder).stdout
    assert "program" in after


def test_equal_loops_share_one_kernel(folder, vaec):
    write(folder, "small.vae", GLYPHS)
    text = succeed(vaec, "build", "small.vae", "--emit=llvm", cwd=folder).stdout
    loops = succeed(vaec, "build", "small.vae", "--emit=tensor", cwd=folder).stdout.count("\nloop ")
    kernels = text.count("define internal void @kernel_")
    assert 0 < kernels < loops / 2, (kernels, loops)


def test_new_writes_a_file_that_builds_and_never_overwrites(folder, vaec):
    succeed(vaec, "new", "mine", cwd=folder)
    succeed(vaec, "check", "mine.vae", cwd=folder)
    succeed(vaec, "fmt", "--check", "mine.vae", cwd=folder)
    assert call(vaec, "new", "mine", cwd=folder).returncode == 73


def test_fmt_writes_only_what_is_not_canonical(folder, vaec):
    path = write(folder, "loose.vae", "var   x : binary[ 4 ]\n")
    assert call(vaec, "fmt", "--check", "loose.vae", cwd=folder).returncode == 1
    assert path.read_text() == "var   x : binary[ 4 ]\n"
    succeed(vaec, "fmt", "loose.vae", cwd=folder)
    assert path.read_text() == "var x : binary[4]\n"
    succeed(vaec, "fmt", "--check", "loose.vae", cwd=folder)


def test_fmt_takes_files_and_folders(folder, vaec):
    loose, canonical = "var   x : binary[ 4 ]\n", "var x : binary[4]\n"
    (folder / "deep/.hidden").mkdir(parents=True)
    (folder / "other").mkdir()
    paths = [write(folder, name, loose) for name in ("a.vae", "deep/b.vae", "deep/.hidden/c.vae", "deep/d.txt", "e.vae",
                                                     "other/f.vae")]
    (folder / "deep/link").symlink_to(folder / "other")
    checked = call(vaec, "fmt", "--check", "a.vae", "deep", "./a.vae", cwd=folder)
    assert (checked.returncode, checked.stderr) == (
        1, "a.vae is not in canonical layout; `vaec fmt a.vae` writes it\n"
        "deep/b.vae is not in canonical layout; `vaec fmt deep/b.vae` writes it\n"), checked
    assert all(path.read_text() == loose for path in paths)
    succeed(vaec, "fmt", "a.vae", "deep", cwd=folder)
    assert [path.read_text() == canonical for path in paths] == [True, True, False, False, False, False]
    succeed(vaec, "fmt", "--check", "a.vae", "deep", cwd=folder)


def test_fmt_goes_on_after_a_file_that_it_cannot_format(folder, vaec):
    write(folder, "broken.vae", "var x : binary[\n")
    last = write(folder, "last.vae", "var   x : binary\n")
    (folder / "empty").mkdir()
    wrong = call(vaec, "fmt", "broken.vae", "last.vae", cwd=folder)
    assert wrong.returncode == 1 and "broken.vae:1" in wrong.stderr, wrong
    assert last.read_text() == "var x : binary\n"
    last.write_text("var   x : binary\n")
    missing = call(vaec, "fmt", "nowhere.vae", "empty", "broken.vae", "last.vae", "--error-format", "json", cwd=folder)
    lines = missing.stderr.splitlines()
    assert missing.returncode == 66 and lines[:2] == ["vaec: cannot read nowhere.vae: No such file or directory",
                                                      "vaec: there is no .vae file in empty"], missing
    assert all(json.loads(line)["file"] == "broken.vae" for line in lines[2:]) and len(lines) > 2, missing
    assert last.read_text() == "var x : binary\n"
    assert (folder / "broken.vae").read_text() == "var x : binary[\n"


def test_fmt_writes_standard_input_to_standard_output(folder, vaec):
    def fmt(text, *arguments):
        with open(write(folder, "input", text)) as stdin:
            return call(vaec, "fmt", *arguments, cwd=folder, stdin=stdin)
    loose = fmt("var   x : binary\n", "-")
    assert (loose.returncode, loose.stdout, loose.stderr) == (0, "var x : binary\n", ""), loose
    checked = fmt("var   x : binary\n", "--check", "-")
    assert (checked.returncode, checked.stdout, checked.stderr) == (
        1, "", "the standard input is not in canonical layout\n"), checked
    assert fmt("var x : binary\n", "--check", "-").returncode == 0
    wrong = fmt("var x : binary[\n", "-")
    assert (wrong.returncode, wrong.stdout) == (1, "") and "--> <stdin>:1:" in wrong.stderr, wrong
    nothing = call(vaec, "fmt", "-", cwd=folder)
    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (0, "", ""), nothing


def test_explain_gives_json(folder, vaec):
    write(folder, "small.vae", GLYPHS)
    assert "sources" in json.loads(succeed(vaec, "explain", "small.vae", "--format", "json", cwd=folder).stdout)
    assert "p" in succeed(vaec, "explain", "small.vae", cwd=folder).stdout


def test_help_is_in_words_of_users(folder, vaec):
    exe = executable.build(vaec, write(folder, "small.vae", GLYPHS), folder)
    commands = {vaec: ["build", "run", "check", "explain", "fmt", "new", "doctor"],
                exe: ["train", "sample", "infer", "evaluate", "info"]}
    for program, names in commands.items():
        text = succeed(program, "--help").stdout
        assert f"Usage: {program.name} [OPTIONS] COMMAND" in text, text
        for name in names:
            assert f"\n  {name} " in text, text
            own = succeed(program, name, "--help").stdout
            assert f"Usage: {program.name} {name}" in own, own
            assert not any(word in own for word in ("TEXT", "INT", "Env:", "REQUIRED")), own


def test_doctor_finds_the_runtime(folder, vaec):
    text = succeed(vaec, "doctor", env={"XDG_CACHE_HOME": str(folder)}).stdout
    assert "libvaert.so" in text and f"{folder}/vaec\n" in text, text
    gpu = next(line for line in text.splitlines() if line.startswith("gpu "))
    assert gpu.split()[1:3] in (["ok", "PTX"], ["partly", "built"]), gpu
    assert not (folder / "vaec").exists()
    for chosen, words in (("off", "off      kernels are compiled anew each time: VAEC_CACHE=off\n"),
                          ("mine", "VAEC_CACHE=mine is neither `off` nor an absolute path\n"),
                          (f"{folder}/mine", f"ok       {folder}/mine\n"), ("/dev/null/mine", "/dev/null/mine cannot be written\n")):
        text = succeed(vaec, "doctor", cwd=folder, env={"VAEC_CACHE": chosen}).stdout
        assert words in next(line for line in text.splitlines(True) if line.startswith("cache")), text
    assert not list(folder.iterdir())


def test_doctor_tries_what_build_needs(folder, vaec):
    write(folder, "small.vae", GLYPHS)
    (folder / "only_cc").mkdir()
    (folder / "only_cc/cc").symlink_to(shutil.which("cc") or "/bin/true")
    (folder / "broken").mkdir()
    for name in ("ld", "cc"):
        write(folder / "broken", name, "#!/bin/sh\necho no such emulation >&2\nexit 1\n").chmod(0o755)
    for path in ("/none", str(folder / "only_cc"), str(folder / "broken")):
        # `doctor` finds the same as `build`, whatever that is.
        built = call(vaec, "build", "small.vae", "-o", "small", cwd=folder, env={"PATH": path})
        found = call(vaec, "doctor", cwd=folder, env={"PATH": path})
        line = next(line for line in found.stdout.splitlines() if line.startswith("linker"))
        if built.returncode == 0:
            assert line.split()[1] == "ok", line
            continue
        assert (built.returncode, found.returncode, line.split()[1]) == (78, 78, "missing"), (built, found)
        if path != "/none":
            continue
        assert line.split(maxsplit=2)[2] in built.stderr, (line, built.stderr)
    assert "\nlinker     ok       " in succeed(vaec, "doctor").stdout


def test_doctor_opens_the_library_of_torch(folder, vaec):
    doctor = [install(vaec, folder / "own"), "doctor"]
    torch = folder / "own/lib/libvaert_torch.so"
    torch.unlink(missing_ok=True)

    def line():
        return next(line for line in succeed(*doctor).stdout.splitlines() if line.startswith("torch"))
    assert line() == "torch      missing  only --backend torch needs it"
    torch.write_bytes(b"no library")
    assert line().startswith(f"torch      missing  only --backend torch needs it: {torch}: "), line()


def test_an_installation_that_programs_cannot_name_is_refused(folder, vaec):
    write(folder, "small.vae", GLYPHS)
    for name in ("a:b", "$ORIGIN", "${ORIGIN}", "x$LIB", ":", "two\n:"):
        own = install(vaec, folder / name)
        for command in (["build", "small.vae"], ["run", "small.vae", "info"], ["data", "get", "mnist"]):
            result = call(own, *command, cwd=folder)
            assert result.returncode == 78 and result.stdout == "", result
            assert "is installed in " in result.stderr and len(result.stderr.splitlines()) == 1, result
            assert not (folder / "small").exists()
    for name in ("a,b", "two words", "-x", "@y", "ünı", "%s", "back\\slash", "quo'te"):
        succeed(install(vaec, folder / name), "build", "small.vae", "-o", f"{name}.exe" if name != "-x" else "x.exe",
                cwd=folder)
        succeed(folder / (f"{name}.exe" if name != "-x" else "x.exe"), "info", cwd=folder)


def test_build_and_train_need_no_proc(folder, vaec):
    skip_if_sanitized(vaec, "LeakSanitizer needs /proc")
    write(folder, "small.vae", GLYPHS)
    if call("unshare", "-m", "umount", "-l", "/proc").returncode != 0:
        pytest.skip("this user may not unmount /proc")
    script = f"umount -l /proc && {vaec} build small.vae -o small && ./small train --quiet --steps 5 --out run"
    succeed("unshare", "-m", "sh", "-c", script, cwd=folder)
    assert (folder / "run/checkpoints/step-5").is_dir()


def test_output_that_was_not_written_exits_73(folder, vaec):
    exe = executable.build(vaec, write(folder, "small.vae", GLYPHS), folder)
    succeed(exe, "train", "--quiet", "--steps", "5", "--out", "run", cwd=folder)
    run = ["--run", "run"]
    commands = [[vaec, "--help"], [vaec, "--version"], [vaec, "build", "--help"], [vaec, "doctor"],
                [vaec, "explain", "small.vae"], [vaec, "check", "small.vae", "--emit=tensor"], [vaec, "new", "fresh"],
                [vaec, "run", "small.vae", "info"], [exe, "--help"], [exe, "--version"], [exe, "train", "--help"],
                [exe, "info", "--json"], [exe, "evaluate", *run, "--rows", "20"],
                [exe, "evaluate", *run, "--rows", "20", "--json"], [exe, "sample", *run, "--n", "2", "--out", "s.npy"],
                [exe, "infer", *run, "z | x", "--given", "x=images", "--out", "z.npy"], [exe, "bench", "--steps", "2"],
                [exe, "train", "--steps", "5", "--out", "other"],
                [exe, "compare", "--steps", "2", "--rows", "20", "--limiting", "0", "--out", "both"]]
    for command in commands:
        words = [str(word) for word in command]
        for target, cause in ((">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")):
            for path in ("fresh.vae", "other", "both"):
                call("rm", "-rf", folder / path)
            result = call("sh", "-c", f"exec \"$@\" {target}", "sh", *words, cwd=folder)
            assert result.returncode == 73, (words, target, result)
            assert result.stderr.endswith(f": cannot write the output: {cause}\n"), (words, target, result)


def test_each_stage_is_printed(folder, vaec):
    file = write(folder, "small.vae", SMALL_MODEL)
    printed = {stage: succeed(vaec, "check", f"--emit={stage}", file).stdout
               for stage in ("syntax", "model", "game", "tensor", "kernels", "llvm", "asm")}
    assert len(set(printed.values())) == len(printed) and all(printed.values())
    # Every loop of the programs runs a kernel, and loops that do the same share one.
    kernels = re.findall(r"^kernel (\d+) kernel_\w+$", printed["kernels"], re.M)
    loops = sum(1 if times == "a loop" else int(times.split()[0])
                for times in re.findall(r"^  (a loop|\d+ loops) of program", printed["kernels"], re.M))
    assert [int(number) for number in kernels] == list(range(len(kernels)))
    assert loops == len(re.findall(r"^loop ", printed["tensor"], re.M)) > len(kernels) > 0
    assert all(re.search(rf"^define .*@{symbol}\(", printed["llvm"], re.M)
               for symbol in re.findall(r"^kernel \d+ (\w+)$", printed["kernels"], re.M))


def test_programs_are_printed_after_each_pass(folder, vaec):
    file = write(folder, "small.vae", SMALL_MODEL)
    after = {name: succeed(vaec, "check", "--emit=tensor", "--after", name, file).stdout
             for name in ("build", "differentiate", "simplify", "choose_layouts", "cancel_layouts", "fuse", "plan_memory",
                          "canonicalise_loops", "join_launches")}
    assert all(text.startswith("program") for text in list(after.values())[:5])
    assert all(text.startswith("kernels") for text in list(after.values())[5:])
    assert after["canonicalise_loops"] == succeed(vaec, "check", "--emit=tensor", file).stdout
    # Only programs that run on a GPU have a plan.
    assert "\nlaunch " in after["join_launches"] and "\nlaunch " not in after["canonicalise_loops"]
    wrong = call(vaec, "check", "--emit=tensor", "--after=split", file)
    assert wrong.returncode == 64 and "known: build, differentiate, simplify" in wrong.stderr, wrong
