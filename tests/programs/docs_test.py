"""The documentation is true: every program text is accepted, or refused with the code it names; what a page shows of
`explain` and `check` is what these print (VAEC_ACCEPT=1 writes that into the page); the tutorial's commands run, with
few steps, and print the lines that it shows, numbers aside; links lead somewhere."""
import os
import re

import executable
from executable import ROOT, call
from snippets import blocks

FEW_STEPS = {"VAEC_STEPS": "20"}


def codes(text, letter):
    return sorted(set(re.findall(rf"\[({letter}\d{{4}})\]", text)))


def commands(text):
    """(command, the lines shown below it) of a ```console block."""
    found = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def without_numbers(line):
    return re.sub(r"\s+", " ", re.sub(r"[-+]?\d[\d.:]*(e[-+]\d+)?", "#", line)).strip()


def not_printed(command, shown, printed):
    """The shown lines that are not there; of vaec's own answers, all if one differs."""
    if command.startswith("vaec"):
        return [] if "\n".join(shown).strip() == printed.strip() else shown
    lines = {without_numbers(line) for line in printed.splitlines()}
    return [line for line in shown if line != "..." and without_numbers(line) not in lines]


class Page:
    """Works through a page's blocks in one folder, as a reader would."""

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


def test_the_page_on_data_is_true(folder, vaec):
    assert sum(block.kind == "vae" for block in blocks((ROOT / "docs/data.md").read_text())) > 1
    holds("docs/data.md", folder, vaec)


def test_the_readme_is_true(folder, vaec):
    holds("README.md", folder, vaec)


def test_links_lead_somewhere(folder, vaec):
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/**/*.md")]:
        text = re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text(), flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            assert (page.parent / target).exists(), f"{page}: {target}"
        anchors = {re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-")
                   for line in page.read_text().splitlines() if line.startswith("#")}
        for anchor in re.findall(r"\]\(#([^)]+)\)", text):
            assert anchor in anchors, f"{page}: #{anchor}"


if __name__ == "__main__":
    executable.main(globals())
