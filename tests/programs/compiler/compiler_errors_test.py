#!/usr/bin/env python3
"""Tests what vaec prints for a wrong command line, input or output: the whole line and the exit code."""
import json
import os
import resource
import stat
import subprocess

import pytest

from executable import GLYPHS, call, succeed, write


def refused(code, text, *command, **options):
    result = call(*command, **options)
    assert (result.returncode, result.stdout, result.stderr) == (code, "", text + "\n"), \
        f"{command}\nexit {result.returncode}, {result.stdout!r}, {result.stderr!r}\nexpected {code}, {text!r}"


def test_wrong_command_lines_exit_64_with_one_line(folder, vaec):
    program = write(folder, "glyphs.vae", GLYPHS)
    commands = "the commands are build, run, check, explain, fmt, new, data, sweep, completions, manual, lsp, doctor"
    for line, *arguments in [
            (f"vaec: a command is needed; {commands}",),
            ("vaec: there is no command bild; did you mean build?", "bild", program),
            (f"vaec: there is no command frobnicate; {commands}", "frobnicate"),
            ("vaec build: there is no flag --error-fromat (did you mean --error-format?); see vaec build --help", "build",
             "--error-fromat=json", program),
            ("vaec: there is no flag --frob; see vaec --help", "--frob"),
            ("vaec build: FILE is required; see vaec build --help", "build"),
            ("vaec build: there is no flag --frob; see vaec build --help", "build", "--frob", program),
            ("vaec check: extra is one word too many; see vaec check --help", "check", program, "extra"),
            ("vaec check: --emit: foo not in {syntax,model,game,tensor,kernels,llvm,asm,ptx,object}; see vaec check --help",
             "check", "--emit=foo", program),
            ("vaec check: --error-format: xml not in {text,json}; see vaec check --help", "check", program,
             "--error-format", "xml"),
            ("vaec explain: --format: svg not in {text,latex,dot,json}; see vaec explain --help", "explain", program,
             "--format", "svg"),
            ("vaec check: --after requires --emit; see vaec check --help", "check", "--after", "build", program),
            ("vaec: --after goes with --emit=tensor", "check", "--emit=model", "--after", "build", program),
            ("vaec: `-D width`: write -D name=value", "check", program, "-D", "width")]:
        refused(64, line, vaec, *arguments, cwd=folder)
    result = call(vaec, "check", "--emit=tensor", "--after", "nopass", program)
    assert result.returncode == 64 and "differentiate" in result.stderr, result


def test_input_that_cannot_be_read_exits_66(folder, vaec):
    (folder / "folder.vae").mkdir()
    for command in ("build", "run", "check", "explain", "fmt"):
        refused(66, "vaec: cannot read nowhere.vae: No such file or directory", vaec, command, "nowhere.vae",
                cwd=folder)
        refused(66, "vaec: cannot read folder.vae: it is a folder", vaec, command, "folder.vae", cwd=folder)


def test_input_without_an_end_is_refused_at_once(folder, vaec):
    for command in ("build", "run", "check", "explain", "fmt"):
        refused(66, "vaec: cannot read /dev/zero: it is no regular file", vaec, command, "/dev/zero", cwd=folder)
    with open(folder / "huge.vae", "wb") as huge:
        huge.truncate(1 << 40)
    refused(66, "vaec: cannot read huge.vae: it is larger than 16 MiB", vaec, "check", "huge.vae", cwd=folder)
    write(folder, "importing.vae", 'import "/dev/zero"\n')
    result = call(vaec, "check", "importing.vae", cwd=folder)
    assert result.returncode == 1 and "it is no regular file" in result.stderr, result


def test_a_pipe_is_read_to_its_end(folder, vaec):
    program = write(folder, "glyphs.vae", GLYPHS)
    os.mkfifo(folder / "pipe")
    with subprocess.Popen(["cp", program, folder / "pipe"]):
        succeed(vaec, "check", folder / "pipe")


def test_output_that_cannot_be_written_exits_73_and_leaves_nothing(folder, vaec):
    write(folder, "glyphs.vae", GLYPHS)
    write(folder, "mine", "of the user")
    (folder / "folder").mkdir()
    for output, cause in [("folder", "Is a directory"), ("none/exe", "No such file or directory"),
                          ("mine/exe", "Not a directory"), ("/proc/exe", "No such file or directory"),
                          ("glyphs.vae", "it is the input, name another with -o")]:
        refused(73, f"vaec: cannot write {output}: {cause}", vaec, "build", "glyphs.vae", "-o", output, cwd=folder)
    refused(73, "vaec: glyphs.vae is there already", vaec, "new", "glyphs", cwd=folder)
    for nothing in "", "none/", ".", "..", ".vae":
        refused(64, "vaec: new: give the file a name, as in `vaec new digits`", vaec, "new", nothing, cwd=folder)
    write(folder, "bare", GLYPHS)  # the default output has the same name as the input
    refused(73, "vaec: cannot write bare: it is the input, name another with -o", vaec, "build", "bare", cwd=folder)
    assert sorted(os.listdir(folder)) == ["bare", "folder", "glyphs.vae", "mine"]
    assert (folder / "bare").read_text() == (folder / "glyphs.vae").read_text() == GLYPHS


def test_a_full_disk_exits_73_and_leaves_nothing(folder, vaec):
    write(folder, "glyphs.vae", GLYPHS)
    tiny = folder / "tiny"
    tiny.mkdir()
    for size in ("16k", "100k"):  # no space for the object; no space for the linker's output
        if call("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", tiny).returncode != 0:
            pytest.skip("this user may not mount")
        try:
            refused(73, "vaec: cannot write tiny/exe: No space left on device", vaec, "build", "glyphs.vae", "-o",
                    "tiny/exe", cwd=folder)
            assert os.listdir(tiny) == []
        finally:
            call("umount", tiny)


def test_a_limit_on_file_sizes_is_reported_and_does_not_kill(folder, vaec):
    write(folder, "glyphs.vae", GLYPHS)

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    result = subprocess.run([vaec, "build", "glyphs.vae"], cwd=folder, capture_output=True, text=True,
                            preexec_fn=limit)
    assert (result.returncode, result.stderr) == (73, "vaec: cannot write glyphs: File too large\n"), result
    assert os.listdir(folder) == ["glyphs.vae"]


def test_devices_and_links_are_written_through_and_never_replaced(folder, vaec):
    write(folder, "glyphs.vae", GLYPHS)
    null = folder / "null"  # a device of our own: it does no harm if a fault replaces it
    if call("mknod", null, "c", "1", "3").returncode != 0:
        pytest.skip("this user may not make devices")
    succeed(vaec, "build", "glyphs.vae", "-o", "null", cwd=folder)
    succeed(vaec, "build", "glyphs.vae", "--emit=llvm", "-o", "null", cwd=folder)
    assert stat.S_ISCHR(null.stat().st_mode)
    (folder / "link.vae").symlink_to("glyphs.vae")
    succeed(vaec, "fmt", "link.vae", cwd=folder)
    assert (folder / "link.vae").is_symlink()
    succeed(vaec, "fmt", "--check", "glyphs.vae", cwd=folder)
    assert sorted(os.listdir(folder)) == ["glyphs.vae", "link.vae", "null"]


def test_output_that_nobody_can_read_is_an_error(folder, vaec):
    program = write(folder, "glyphs.vae", GLYPHS)
    with open("/dev/full", "w") as full:
        result = subprocess.run([vaec, "explain", program], stdout=full, stderr=subprocess.PIPE, text=True)
    assert (result.returncode, result.stderr) == \
        (73, "vaec: cannot write the output: No space left on device\n"), result


def test_a_machine_without_a_linker_is_told_so(folder, vaec):
    write(folder, "glyphs.vae", GLYPHS)
    result = call(vaec, "build", "glyphs.vae", cwd=folder, env={"PATH": "/nowhere"})
    assert result.returncode == 78 and "install binutils" in result.stderr, result
    assert len(result.stderr.splitlines()) == 1 and os.listdir(folder) == ["glyphs.vae"], result


def test_files_without_a_model_or_a_method(folder, vaec):
    empty = write(folder, "empty.vae", "")
    for command in ("check", "explain"):
        result = succeed(vaec, command, empty)
        assert result.stdout == result.stderr == "", result
    refused(78, "empty train: empty has no learn block: add `learn symmetric { steps = 20_000 }`", vaec, "run", empty,
            "train")
    bare = write(folder, "bare.vae", 'var x : binary\nplayer p { x ~ Bernoulli(parameter([])) }\n')
    succeed(vaec, "check", bare)
    refused(78, "bare train: bare has no learn block: add `learn symmetric { steps = 20_000 }`", vaec, "run", bare,
            "train")


def test_defines_of_another_type_or_name(folder, vaec):
    program = write(folder, "params.vae", "param code = 4\nparam rate = 0.5\nparam deep = true\nparam widths = [8]\n"
                    "var z : binary[code]\nplayer p { z ~ Bernoulli(0) }\n")
    for define, text in [
            ("cdoe=3", "the file has no param `cdoe`\nhelp: did you mean `code`?"),
            ("code=4.5", "`code` is an integer, such as 4; `4.5` is not\nnote: it is declared here\n"
                         " --> params.vae:1:7"),
            ("rate=fast", "`rate` is a real, such as 0.5; `fast` is not\nnote: it is declared here\n"
                          " --> params.vae:2:7"),
            ("deep=1", "`deep` is a boolean, such as true; `1` is not\nnote: it is declared here\n"
                       " --> params.vae:3:7"),
            ("widths=3", "`widths` is a list of integers, such as [8]; `3` is not\nnote: it is declared here\n"
                         " --> params.vae:4:7"),
            ("widths=[0.5, 2]", "`widths` is a list of integers, such as [8]; `[0.5, 2]` is not\n"
                                "note: it is declared here\n --> params.vae:4:7"),
            ("z=3", "`z` is a variable, not a param\nnote: it is declared here\n --> params.vae:5:5")]:
        refused(1, f"error[E0002]: `-D {define}`: {text}", vaec, "check", program.name, "-D", define, cwd=folder)
    for define in ("code=8", "rate=1", "deep=false", "widths=[1, 2]"):
        succeed(vaec, "check", program, "-D", define)
    program = write(folder, "named.vae", 'param file = "x.npy"\nvar x : real\nsource s { x = npy(file) }\n'
                    "player p { x ~ Normal(parameter([]), std = 1) }\nlearn symmetric { steps = 1 }\n")
    for text, name in (('"a\\"b\\\\c"', 'a"b\\c'), ('a"b', 'a"b'), ('"a b"', "a b"), ("a\\nb", "a\\nb")):
        result = call(vaec, "run", program, "-D", f"file={text}", "train", "--out", folder / "run")
        assert result.returncode == 66 and f"file `{name}`" in result.stderr, (text, result)
    for text in ('"a\\qb"', '"a"b"', '"a', '"a\\"'):
        result = call(vaec, "check", program, "-D", f"file={text}")
        assert result.returncode == 1 and "E0002" in result.stderr, (text, result)


def test_errors_as_json_are_one_object_a_line(folder, vaec):
    program = write(folder, "wrong.vae", "var θ : real\nplayer p { θ ~ Norml(0) }\nvar y : binry\n")
    result = call(vaec, "check", "wrong.vae", "--error-format", "json", cwd=folder)
    assert result.returncode == 1 and result.stdout == "", result
    errors = [json.loads(line) for line in result.stderr.splitlines()]
    for error in errors:
        assert set(error) == {"code", "severity", "message", "file", "line", "column", "notes", "help"}, error
        assert error["file"] == "wrong.vae" and error["severity"] == "error", error
    # Columns are counted in code points, so `θ` is one column.
    places = {(error["code"], error["line"], error["column"], error["help"]) for error in errors}
    assert ("E0220", 2, 16, "did you mean `Normal`?") in places, errors
    assert ("E0203", 3, 9, "did you mean `binary`?") in places, errors
    succeed(vaec, "check", write(folder, "right.vae", GLYPHS), "--error-format", "json")
    program.write_bytes(b"param a = 30 // \xff\n")
    result = call(vaec, "check", "wrong.vae", "--error-format", "json", cwd=folder)
    assert json.loads(result.stderr)["code"] == "E0102", result


def test_a_value_of_a_param_is_utf8(folder, vaec):
    write(folder, "text.vae", 'param file = "x.npy"\n' + GLYPHS)
    for command in ["check"], ["check", "--error-format", "json"], ["build"]:
        result = call(vaec, *command, "text.vae", "-D", os.fsdecode(b"file=\xff"), cwd=folder)
        assert result.returncode == 1 and "E0002" in result.stderr and "the value is not UTF-8" in result.stderr, result
