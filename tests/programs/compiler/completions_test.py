"""Tests that `vaec completions SHELL` completes commands, flags and values, and that `vaec manual` names every flag
of the help."""
import re
import shutil

import pytest

from executable import call, succeed


def bash(vaec, folder, *words):
    """Returns the completions that bash offers for the last word."""
    script = f"""source <({vaec} completions bash)
COMP_WORDS=({" ".join(f"'{word}'" for word in words)}); COMP_CWORD={len(words) - 1}
_vaec
printf '%s\\n' "${{COMPREPLY[@]}}" """
    result = succeed("bash", "-c", script, cwd=folder)
    return [line for line in result.stdout.splitlines() if line]


CASES = [
    (["vaec", "bui"], {"build"}),
    (["vaec", "data", ""], {"get"}),
    (["vaec", "help", "expl"], {"explain"}),
    (["vaec", "build", "--tar"], {"--target"}),
    (["vaec", "build", "--target", "c"], {"cpu", "cuda"}),
    (["vaec", "run", "-D", "a=1", "m.vae", "trai"], {"train"}),
    (["vaec", "run", "m.vae", "train", "--beta", "1", "--free"], {"--free_bits", "--free-bits"}),
    (["vaec", "run", "m.vae", "train", "--analytic_kl", "t"], {"true"}),
    (["vaec", "run", ""], {"m.vae", "other file.vae"}),
    (["vaec", "check", "other"], {"other file.vae"}),
    (["vaec", "completions", ""], None),
]


def fill(folder):
    for name in ("m.vae", "other file.vae"):
        (folder / name).write_text("")


def test_bash_completes(folder, vaec):
    fill(folder)
    for words, expected in CASES:
        found = bash(vaec, folder, *words)
        assert expected is None or set(found) == expected, (words, found)
    # bash makes a value after `=` a word of its own.
    assert bash(vaec, folder, "vaec", "build", "--target", "=", "cu") == ["cuda"]
    commands = {line.split()[0] for line in succeed(vaec, "--help").stdout.split("Commands:")[1].splitlines()
                if re.match(r"  \w", line)}
    assert commands and commands <= set(bash(vaec, folder, "vaec", "")), commands


def test_fish_completes(folder, vaec):
    if not shutil.which("fish"):
        pytest.skip("fish is not installed")
    fill(folder)
    (folder / "vaec.fish").write_text(succeed(vaec, "completions", "fish").stdout)
    for words, expected in CASES:
        line = " ".join(words)
        result = succeed("fish", "--no-config", "-c", f"source vaec.fish; complete -C '{line}'", cwd=folder)
        found = {entry.split("\t")[0] for entry in result.stdout.splitlines()}
        assert expected is None or expected <= found, (words, found)


def test_zsh_reads_its_completions(folder, vaec):
    if not shutil.which("zsh"):
        pytest.skip("zsh is not installed")
    (folder / "_vaec").write_text(succeed(vaec, "completions", "zsh").stdout)
    succeed("zsh", "-f", "-n", "_vaec", cwd=folder)
    script = """compdef() { print "$@" }; source ./_vaec
place= flag=; _vaec_read run -D a=1 m.vae train --beta; print -r -- "$place/$flag"
_vaec_values 'build' '--target'"""
    result = succeed("zsh", "-f", "-c", script, cwd=folder)
    assert result.stdout.splitlines() == ["_vaec vaec", "run FILE train/--beta", "cpu", "cuda", "auto"], result


def test_an_unknown_shell_is_refused(folder, vaec):
    result = call(vaec, "completions", "tcsh")
    assert result.returncode == 64 and "bash" in result.stderr and len(result.stderr.splitlines()) == 1, result


def flags_in(text):
    return set(re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", text))


def test_manual_pages_name_every_flag(folder, vaec):
    page = re.sub(r"\\f[BIR]", " ", succeed(vaec, "manual").stdout).replace("\\-", "-")
    for command in ("build", "run", "check", "explain", "fmt", "new", "sweep", "doctor", "completions"):
        flags = {flag for line in succeed(vaec, command, "--help").stdout.splitlines()
                 if re.match(r"  -", line) for flag in line.split()[0].split(",")}
        assert flags <= flags_in(page) and f"vaec {command}" in page, (command, flags - flags_in(page))
    model = succeed(vaec, "manual", "model").stdout.replace("\\-", "-")
    for name in ("--free_bits", "--lr", "--limiting", "VAEC_BETA", "MODEL train"):
        assert name in model, name
    if shutil.which("groff"):
        for name in ("vaec", "model"):
            (folder / "page").write_text(succeed(vaec, "manual", name).stdout)
            result = succeed("groff", "-man", "-Tascii", "-ww", "page", cwd=folder)
            assert not result.stderr, result.stderr
