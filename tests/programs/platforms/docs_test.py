"""Tests that the documentation is true.

- Every program text is accepted, or refused with the code that the page names.
- Shown outputs of `explain` and `check` equal what these commands print; VAEC_ACCEPT=1 writes them into the page.
- The commands of pages run with few steps and print the shown lines, except for numbers.
- What a page says about the code is there, and links lead to existing places."""
import os
import random
import re

import executable
from executable import ROOT, call
from pictures import png
from snippets import blocks

FEW_STEPS = {"VAEC_STEPS": "20"}


def codes(text, letter):
    return sorted(set(re.findall(rf"\[({letter}\d{{4}})\]", text)))


def commands(text):
    """Returns pairs (command, the lines shown below it) of a ```console block."""
    found = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.startswith("> "):  # the command continues on this line
            found[-1] = (found[-1][0] + "\n" + line[2:], [])
        else:
            found[-1][1].append(line)
    return found


def without_numbers(line):
    line = re.sub(r"[-+]?\d[\d.:]*(e[-+]\d+)?", "#", line)
    return re.sub(r"\s+", " ", line.replace("# threads", "# thread")).strip()


def not_printed(command, shown, printed):
    """The shown lines that the command did not print. For a command of vaec itself, these are all lines if one
    differs."""
    if command.startswith("vaec"):
        return [] if "\n".join(shown).strip() == printed.strip() else shown
    lines = {without_numbers(line) for line in printed.splitlines()}
    return [line for line in shown if line != "..." and without_numbers(line) not in lines]


class Page:
    """Runs the blocks of a page in one folder, in order, as a reader would."""

    def __init__(self, path, folder, vaec):
        self.path, self.folder, self.vaec = path, folder, vaec
        self.wrong, self.last = [], None
        self.env = {**FEW_STEPS, "PATH": f"{vaec.parent}:{os.environ['PATH']}"}

    def check_file(self, block):
        (self.folder / block.file).write_text(block.text)
        self.last = block.file
        result = call(self.vaec, "build", block.file, "-o", "made", cwd=self.folder)
        seen = (result.returncode, codes(result.stderr, "E"), codes(result.stderr, "W"))
        if seen != (1 if block.errors else 0, sorted(block.errors), block.warnings):
            yield f"exit {result.returncode}\n{result.stderr}"

    def run_commands(self, block):
        for command, shown in commands(block.text):
            result = call("bash", "-c", command, cwd=self.folder, env=self.env)
            if result.returncode != 0:
                yield f"`{command}` exits {result.returncode}: {result.stderr}"
            for line in not_printed(command, shown, result.stdout):
                yield f"`{command}` does not print: {line}"

    def printed_of(self, block):
        result = call(self.vaec, *block.words, self.last, cwd=self.folder)
        return (result.stdout + result.stderr).strip() + "\n"

    def failures(self):
        text = (ROOT / self.path).read_text()
        accepted, end = "", 0
        for block in blocks(text):
            wrong = []
            if block.kind == "vae":
                wrong = self.check_file(block)
            elif block.kind == "console":
                wrong = self.run_commands(block)
            elif block.kind == "text" and block.words:
                printed = self.printed_of(block)
                if printed != block.text:
                    wrong = [f"this is not what `vaec {' '.join(block.words)}` prints\n{printed}"]
                accepted += text[end:block.body[0]] + printed
                end = block.body[1]
            self.wrong += [f"{self.path}:{block.line}: {what}" for what in wrong]
        if os.environ.get("VAEC_ACCEPT") == "1":
            (ROOT / self.path).write_text(accepted + text[end:])
        return self.wrong


def holds(path, folder, vaec):
    wrong = Page(path, folder, vaec).failures()
    assert not wrong, "\n".join(wrong)


def test_the_reference_is_true(folder, vaec):
    found = blocks((ROOT / "docs/language.md").read_text())
    assert sum(block.kind == "vae" and not block.errors for block in found) > 20
    assert sum(bool(block.errors) for block in found) > 10
    holds("docs/language.md", folder, vaec)


def test_the_tutorial_can_be_followed(folder, vaec):
    found = blocks((ROOT / "docs/tutorial.md").read_text())
    assert sum(len(commands(block.text)) for block in found if block.kind == "console") > 10
    holds("docs/tutorial.md", folder, vaec)


def test_a_folder_of_pictures_can_be_learned_from(folder, vaec):
    text = (ROOT / "docs/semi_supervised.md").read_text()
    assert len(re.findall(r"^\*\*\d+\.\*\*", text, re.M)) == 10
    classes = re.search(r'var c +: category\("(.*)"\)', text)[1].split('", "')
    first = re.findall(r"^\d+\.png,(\w+)$", text, re.M)[:2]  # the labels that the page shows
    order = first + [name for name in classes if name not in first]
    photos = folder / "photos"
    photos.mkdir()
    lines = []
    for i in range(12 * len(classes)):
        name = f"{i:05d}.png"
        (photos / name).write_bytes(png(random.Random(i).randbytes(784), 28))
        lines.append(f"{name},{order[i % len(order)]}\n")
    (folder / "labels.csv").write_text("file,class\n" + "".join(lines))
    holds("docs/semi_supervised.md", folder, vaec)
    rows = (folder / "classes.csv").read_text().splitlines()
    assert len(rows) == len(lines) and all(row.split(",")[1] in classes for row in rows)


def test_the_page_for_users_of_pytorch_is_true(folder, vaec):
    holds("docs/from_pytorch.md", folder, vaec)


def test_the_page_on_methods_is_true(folder, vaec):
    holds("docs/methods.md", folder, vaec)


def test_the_internals_are_there(folder, vaec):
    """Each step of the page names a file, and then names that this file contains."""
    text = (ROOT / "docs/internals.md").read_text()
    steps = re.findall(r"^\d+\. (.*?)(?=^\d+\. |\n\n)", text, re.S | re.M)
    assert len(steps) == 10 + 6  # a weight, and a parameter
    for step in steps:
        path, *names = re.findall(r"`([^`]+)`", step)
        source = (ROOT / path).read_text()
        assert names and all(name in source for name in names), f"{path}: {names}"


def element_wise_functions():
    """The rows of the table in the language reference, from the declarations of the functions."""
    text = (ROOT / "runtime/schema/elementwise.def").read_text()
    declared = re.findall(r'^ELEMENTWISE\(\w+, \d, function\("(\w+)", "([^"]*)"\)()[^\0]*?"([^"]*)"\)$', text, re.M)
    declared += re.findall(r'^COMPOSED\((\w+), "([^"]*)", ([\d.]+),[^\0]*?"([^"]*)"\)$', text, re.M)
    for name, parameters, otherwise, sentence in declared:
        shown = [re.sub(r"\?$", f" = {otherwise}", re.sub(r"\*$", ", …", word)) for word in parameters.split()]
        yield f"| `{name}({', '.join(shown)})` | {sentence} |\n"


def test_the_reference_has_every_element_wise_function(folder, vaec):
    page = ROOT / "docs/language.md"
    rows = "".join(element_wise_functions())
    assert rows.count("\n") > 20 and "`elu(h, alpha = 1)`" in rows and "`min(values, …)`" in rows
    head = "| function | gives |\n|---|---|\n"
    before, rest = page.read_text().split(head)
    table = re.match(r"(\|.*\n)*", rest).group()
    if os.environ.get("VAEC_ACCEPT") == "1":
        page.write_text(before + head + rows + rest.removeprefix(table))
    else:
        assert table == rows


def test_the_operation_of_the_diff_is_in_the_code(folder, vaec):
    text = (ROOT / "docs/adding_an_operation.md").read_text()
    changes = re.findall(r"^--- (\S+)\n((?:\+.*\n)+)", text, re.M)
    assert len(changes) >= 3
    for path, lines in changes:
        assert re.sub(r"^\+", "", lines, flags=re.M) in (ROOT / path).read_text(), f"{path}: {lines}"


def test_the_page_on_data_is_true(folder, vaec):
    assert sum(block.kind == "vae" for block in blocks((ROOT / "docs/data.md").read_text())) > 1
    holds("docs/data.md", folder, vaec)


def test_the_page_on_sites_is_true(folder, vaec):
    holds("docs/sites.md", folder, vaec)


def test_the_readme_is_true(folder, vaec):
    holds("README.md", folder, vaec)


def test_a_page_begins_with_what_its_reader_can_do(folder, vaec):
    for page in [*ROOT.glob("docs/*.md"), ROOT / "CONTRIBUTING.md", ROOT / "compiler/README.md"]:
        first = page.read_text().split("\n\n")[1]
        assert first.startswith("After this page you "), f"{page}: {first}"


def test_the_readme_leads_to_every_page(folder, vaec):
    text = (ROOT / "README.md").read_text()
    for page in [*ROOT.glob("docs/*.md"), *ROOT.glob("*.md")]:
        if page.name not in ("README.md", "CHANGELOG.md"):
            assert f"]({page.relative_to(ROOT)}" in text, page


def test_links_lead_somewhere(folder, vaec):
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/**/*.md")]:
        text = re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text(), flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            assert (page.parent / target).exists(), f"{page}: {target}"
        anchors = {re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-")
                   for line in page.read_text().splitlines() if line.startswith("#")}
        for anchor in re.findall(r"\]\(#([^)]+)\)", text):
            assert anchor in anchors, f"{page}: #{anchor}"
