"""What vaec says, as exceptions and warnings."""
import warnings


class Error(RuntimeError):
    """A command of vaec failed. `str(error)` is its text; `exit_code` says what kind of failure it was:
    1 diagnostics or a run that diverged, 64 usage, 65 bad data, 66 a missing file, 70 a bug of vaec,
    73 something cannot be written, 78 not possible here."""

    def __init__(self, text, exit_code):
        super().__init__(text)
        self.exit_code = exit_code


class CompileError(Error):
    """The file has errors. `diagnostics` lists them as dicts with code, severity, message, file, line, column,
    notes and help."""

    def __init__(self, text, diagnostics):
        super().__init__(text, 1)
        self.diagnostics = diagnostics


class VaecWarning(UserWarning):
    """A warning or a note of vaec."""


def warn(text):
    """Repeats a text of vaec as a warning of Python, if there is one."""
    if text.strip():
        warnings.warn(text.strip(), VaecWarning, stacklevel=3)


def warn_of_notes(text):
    """Of what a command said on stderr: only its warnings and notes."""
    for line in text.splitlines():
        if line.startswith(("warning: ", "note: ")):
            warnings.warn(line, VaecWarning, stacklevel=3)
