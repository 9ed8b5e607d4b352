"""Reads the program texts in a Markdown page and completes them. A block ```vae is a file. Words beside it say more:
`error=CODE` or `warning=CODE` is the answer of vaec, `file=NAME` is the name of the file. `<!-- prelude NAME ... -->`
defines a text. `<!-- with NAME -->` puts this text before the next block, or around the block if a line of the text
is `...`. A block ```text COMMAND holds what `vaec COMMAND` prints for the block before it. A block ```console holds
commands after `$ ` and their output."""
import re
from dataclasses import dataclass, field

FENCE = re.compile(r"<!-- prelude (\w+)\n(?P<prelude>.*?)^-->$|<!-- with (?P<with>\w+) -->\n"
                   r"|^(?P<indent> *)```(?P<kind>\w+)(?P<words>[^\n]*)\n(?P<body>.*?)^(?P=indent)```$",
                   re.M | re.S)


@dataclass
class Block:
    kind: str
    line: int
    text: str
    words: list = field(default_factory=list)
    errors: list = field(default_factory=list)
    warnings: list = field(default_factory=list)
    file: str = "model.vae"
    body: tuple = (0, 0)  # begin and end of its text in the page


def blocks(page):
    """Returns the blocks in order. The text of a `vae` block is the whole file, with its prelude."""
    preludes, found, around = {}, [], None
    for match in FENCE.finditer(page):
        if match["prelude"] is not None:
            preludes[match[1]] = match["prelude"]
        elif match["with"]:
            around = preludes[match["with"]]
        else:
            indent = len(match["indent"])
            text = "".join(line[indent:] for line in match["body"].splitlines(True))
            block = Block(match["kind"], page.count("\n", 0, match.start("kind")) + 1, text, match["words"].split(),
                          body=match.span("body"))
            for word in [word for word in block.words if "=" in word]:
                key, value = word.split("=")
                if key == "file":
                    block.file = value
                else:
                    getattr(block, key + "s").extend(value.split(","))
            if block.kind == "vae" and around is not None:
                hole = re.search(r"^ *\.\.\.\n", around, re.M)
                block.text = (around[:hole.start()] + text + around[hole.end():]) if hole else around + text
            around = None
            found.append(block)
    return found
