"""Tests the grammars in editors/: they know every word of the language and accept every program."""
import json
import re
import shutil
import subprocess

import pytest

import executable
from executable import ROOT, call, write

EDITORS = ROOT / "editors"


def need(program):
    found = shutil.which(program)
    if not found:
        pytest.skip(f"no {program}")
    return found


def reserved_words():
    return re.findall(r"^[A-Z]+ : '([a-z]+)' ;", (ROOT / "grammar/Vae.g4").read_text(), re.M)


def domains():
    source = (ROOT / "docs/language.md").read_text()
    return [word for word in "binary category count real positive unit angle simplex".split() if word in source]


def test_every_grammar_knows_every_word(folder, vaec):
    words = reserved_words() + domains()
    assert len(words) == 36, words
    for path in ("vscode/syntaxes/vae.tmLanguage.json", "vim/syntax/vae.vim"):
        text = (EDITORS / path).read_text()
        missing = [word for word in words if not re.search(rf"(?<![a-z]){word}(?![a-z])", text.replace("\\\\b", " "))]
        assert not missing, (path, missing)
    grammar = (EDITORS / "tree-sitter-vae/grammar.js").read_text()
    missing = [word for word in reserved_words() if f'"{word}"' not in grammar]
    assert not missing, missing


def test_tree_sitters_grammar_takes_every_program(folder, vaec):
    node = need("node")
    recognize = EDITORS / "tree-sitter-vae/test/recognize.js"
    good = [path for pattern in ("examples/*/*.vae", "stdlib/*.vae", "tests/golden/*/*.vae")
            for path in sorted(ROOT.glob(pattern))
            if path.name != "ends_of_statements.vae"]  # a comment over two lines ends a statement there
    result = call(node, recognize, *good)
    assert len(good) > 40 and (result.returncode, result.stdout) == (0, ""), result
    for text in ["net f(x) { return x +\n}\n", "var x : binary y : real\n", "decoder p { a = 1 b = 2 }\n", "learn { }\n",
                 "net f(x) = g\n(x)\n", "decoder p { x | ~ F() }\n", "publish x\n"]:
        result = call(node, recognize, write(folder, "wrong.vae", text))
        assert result.returncode == 1 and "wrong.vae:" in result.stdout, (text, result)


def test_textmates_grammar_colours_every_program(folder, vaec):
    node = need("node")
    if not (EDITORS / "vscode/node_modules").is_dir():
        pytest.skip("editors/vscode has no node_modules: npm ci")
    result = call(node, "--test", "test/", cwd=EDITORS / "vscode")
    assert result.returncode == 0 and "pass 2" in result.stdout, result


def test_the_extension_is_whole(folder, vaec):
    package = json.loads((EDITORS / "vscode/package.json").read_text())
    contributes = package["contributes"]
    paths = [package["main"], contributes["languages"][0]["configuration"], contributes["grammars"][0]["path"],
             contributes["snippets"][0]["path"]]
    assert all((EDITORS / "vscode" / path).is_file() for path in paths), paths
    source = (EDITORS / "vscode/extension.js").read_text()
    for command in contributes["commands"]:
        assert f'registerCommand("{command["command"]}"' in source, command
    for name in contributes["configuration"]["properties"]:
        assert f'setting("{name.removeprefix("vae.")}")' in source, name
    json.loads((EDITORS / "vscode/language-configuration.json").read_text())
    # Each snippet, with the first choice at each place, is part of a program and has no syntax error.
    for name, snippet in json.loads((EDITORS / "vscode/snippets/vae.json").read_text()).items():
        body = snippet["body"] if isinstance(snippet["body"], str) else "\n".join(snippet["body"])
        text = re.sub(r"\$\{\d+\|([^,|]*)[^}]*\}|\$\{\d+:([^}]*)\}|\$\d+", lambda m: m[1] or m[2] or "0", body)
        if name == "conditional":
            text = "decoder p {\n" + text + "\n}"
        result = call(vaec, "check", write(folder, "snippet.vae", text + "\n"), "--error-format", "json")
        codes = [json.loads(line)["code"] for line in result.stderr.splitlines()]
        assert not [code for code in codes if code.startswith("E01")], (name, text, result.stderr)
        assert name != "a whole model" or codes == [], (codes, text)
    if shutil.which("node"):
        assert call("node", "--check", EDITORS / "vscode/extension.js").returncode == 0


def vim(folder, *commands):
    program = need("vim")
    if "+syntax" not in subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout:
        pytest.skip("this vim has no +syntax")
    script = write(folder, "script.vim", "\n".join([
        "set nocompatible noswapfile encoding=utf-8", f"set runtimepath^={EDITORS / 'vim'}", "filetype plugin indent on",
        "syntax on", *commands, "qall!"]))
    result = call(program, "-u", "NONE", "-N", "-es", "-S", script, timeout=60, cwd=folder)
    return result


def test_vim_indents_as_fmt_does(folder, vaec):
    good = sorted(ROOT.glob("examples/*/*.vae"))
    names = []
    for path in good:
        name = f"{path.stem}.vae"
        write(folder, name, "\n".join(line.lstrip() for line in path.read_text().split("\n")))
        names.append((path, folder / name))
    vim(folder, *[part for _, copy in names for part in (f"edit {copy}", "normal gg=G", "write")])
    different = sum(a != b for path, copy in names
                    for a, b in zip(path.read_text().split("\n"), copy.read_text().split("\n")))
    lines = sum(len(path.read_text().split("\n")) for path in good)
    assert different <= lines // 100, [(str(copy), a, b) for path, copy in names for a, b in
                                       zip(path.read_text().split("\n"), copy.read_text().split("\n")) if a != b]


def test_vim_names_what_it_colours(folder, vaec):
    text = 'decoder p { x | z ~ Normal(net2(z), 1e-3) }  // why\nvar x : real\nsource s { x = csv("a") }\npublish(x)'
    path = write(folder, "m.vae", text + "\n")
    words = {"decoder": "vaeDeclaration", "Normal": "vaeFamily", "net2": "vaeFunction", "1e-3": "vaeNumber",
             "// why": "vaeComment", "real": "vaeDomain", "publish": "vaeDeclaration", '"a"': "vaeString", "~": "vaeOperator"}
    shown = []
    for word in words:
        before = text[:text.index(word)]
        line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
        shown.append(f"call add(g:found, synIDattr(synID({line}, {column}, 1), 'name'))")
    vim(folder, f"edit {path}", "let g:found = [&filetype]", *shown, f"call writefile(g:found, '{folder / 'found'}')")
    assert (folder / "found").read_text().split() == ["vae", *words.values()], (folder / "found").read_text()
