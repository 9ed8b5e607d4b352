#!/usr/bin/env python3
"""Tests that control characters and bytes that are not UTF-8 never reach the terminal. vaec shows them in a readable
form. Control characters are escapes, C1 controls and changes of direction. The texts come from file names, lines of
the program, and values of flags and of the environment."""
import os
import subprocess
import unicodedata

from executable import GLYPHS

NASTY = [b"e\x1b[31ms", b"bell\x07", b"two\nlines", b"c1\xc2\x9b2J", b"bidi\xe2\x80\xaegnp", b"iso\xe2\x81\xa6late",
         b"not\xffutf8\xc3", b"over\xc0\xaflong", b"sep\xe2\x80\xa8arator"]


def run(*command, cwd, **env):
    merged = {**os.environb, b"VAEC_DATA_URL": b"none", **{os.fsencode(k): v for k, v in env.items()}}
    words = [word if isinstance(word, bytes) else os.fsencode(word) for word in command]
    return subprocess.run(words, cwd=cwd, env=merged, capture_output=True, stdin=subprocess.DEVNULL, timeout=600)


def check_shown(text, context):
    for line in text.decode("utf-8").split("\n"):  # strict: every byte must be UTF-8
        for c in line:
            category = unicodedata.category(c)
            assert category not in ("Cc", "Zl", "Zp") and unicodedata.bidirectional(c) not in (
                "LRO", "RLO", "LRE", "RLE", "PDF", "LRI", "RLI", "FSI", "PDI"), (context, text)


def write(folder, name, text):
    with open(os.path.join(os.fsencode(folder), name), "wb") as file:
        file.write(text)


def test_names_of_files_in_diagnostics_of_the_compiler(folder, vaec):
    for name in NASTY:
        file = name + b".vae"
        write(folder, file, b"var x : nothing\n")
        for command in ([vaec, "check", file], [vaec, "fmt", "--check", file], [vaec, "check", b"no " + file],
                        [vaec, "build", file, "-o", b"/no/" + name], [vaec, "new", name], [vaec, "new", name],
                        [vaec, b"cmd" + name], [vaec, "check", file, b"--" + name], [vaec, "data", "get", name],
                        [vaec, "check", "-D", name, file], [vaec, "check", "-D", b"n=" + name, file],
                        [vaec, "check", "-D", name + b"=1", file], [vaec, "check", b"--emit=" + name, file]):
            result = run(*command, cwd=folder)
            assert result.returncode in (0, 1, 64, 66, 73), (command, result)
            check_shown(result.stdout + result.stderr, command)


def test_lines_and_values_of_the_program(folder, vaec):
    write(folder, b"sup.vae", GLYPHS.encode())
    for name in NASTY:
        text = name.replace(b"\n", b" ")
        for program in (b"var x : " + text, b"var x : binary[2] // " + text + b" \nvar y : z", b'param p = "' + text,
                        b'source s { x = idx("' + text + b'") }', b'import "' + text + b'"',
                        b'param p = "' + text + b'"\nvar x : binary[p]'):
            write(folder, b"m.vae", program + b"\n")
            for command in ([vaec, "check", "m.vae"], [vaec, "check", "--emit=syntax", "m.vae"]):
                result = run(*command, cwd=folder)
                assert result.returncode in (0, 1), (program, result)
                check_shown(result.stdout + result.stderr, program)


def test_what_explain_and_doctor_print(folder, vaec):
    write(folder, b"plain.vae", GLYPHS.encode())
    for name in NASTY:
        cache = os.path.join(os.fsencode(folder), name)
        result = run(vaec, "doctor", cwd=folder, VAEC_CACHE=cache, VAEC_DATA=name)
        assert result.returncode == 0, result
        check_shown(result.stdout + result.stderr, name)
        model = GLYPHS.replace("z ~ Bernoulli(0)", 'z = run("plain.vae", from = "RUN").z').encode()
        write(folder, b"m.vae", model.replace(b"RUN", name.replace(b"\n", b"\\n")))
        result = run(vaec, "explain", "m.vae", cwd=folder)
        assert result.returncode in (0, 1), result
        check_shown(result.stdout + result.stderr, name)


def test_what_executables_print(folder, vaec):
    for name in NASTY:
        file = name + b".vae"
        write(folder, file, GLYPHS.encode())
        built = run(vaec, "build", file, "-o", "exe", cwd=folder)
        assert built.returncode == 0, built
        out = os.path.join(os.fsencode(folder), b"run " + name)
        commands = [(0, ["--help"]), (0, ["info"]), (0, ["train", "--steps", "2", "--out", out]),
                    (0, ["sample", "--run", out, "--n", "2", "--out", name + b".npy"]),
                    (0, ["sample", "--run", out, "--n", "2", "--out", name + b".npy", "--json"]),
                    (0, ["train", "--start", out, "--steps", "1", "--out", b"2" + name]),
                    (73, ["train", "--steps", "2", "--out", out]), (66, ["sample", "--run", name, "--out", "a.npy"]),
                    (64, ["train", b"--" + name]), (64, ["train", "--device", name]),
                    (66, ["infer", "--run", out, "z | x", "--given", b"x=" + name, "--out", "z.npy"])]
        for code, words in commands:
            result = run("./exe", *words, cwd=folder)
            assert result.returncode == code, (words, result)
            check_shown(result.stdout + result.stderr, words)
