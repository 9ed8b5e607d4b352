"""Turns messages of vaec into exceptions and warnings."""
import warnings


class Error(RuntimeError):
    """A command of vaec failed. `str(error)` is the text of vaec, and `exit_code` tells the kind of failure: 1
    diagnostics or a run that diverged, 64 wrong usage, 65 bad data, 66 a missing file, 70 a bug in vaec, 73 a file
    that cannot be written, 78 not possible on this machine."""

    def __init__(self, text, exit_code):
        super().__init__(text)
        self.exit_code = exit_code


class CompileError(Error):
    """The file has errors. `diagnostics` is a list of dicts with the keys code, severity, message, file, line,
    column, notes and help."""

    def __init__(self, text, diagnostics):
        super().__init__(text, 1)
        self.diagnostics = diagnostics


class VaecWarning(UserWarning):
    """A warning or a note from vaec."""


def warn(text):
    """Repeats a text of vaec as a Python warning, unless the text is empty."""
    if text.strip():
        warnings.warn(text.strip(), VaecWarning, stacklevel=3)


def warn_of_notes(text):
    """Repeats the warnings and notes that a command wrote to stderr, and nothing else of that text."""
    for line in text.splitlines():
        if line.startswith(("warning: ", "note: ")):
            warnings.warn(line, VaecWarning, stacklevel=3)
