"""Runs `train` and reads its record while `train` writes it."""
import json
import pathlib
import signal
import subprocess
import tempfile

from .errors import Error, warn_of_notes
from .progress import Progress

INTERRUPTED = 130


def _steps_of(folder):
    return json.loads((pathlib.Path(folder) / "config.json").read_text())["steps"]


def _read_records(process, folder, begin, progress):
    total = None
    for line in process.stdout:
        if not line.startswith("{"):
            continue
        if total is None:
            total = _steps_of(folder)
        progress.update(json.loads(line), begin, total)


def follow(command, folder, *, shown, begin=0):
    """Runs a `train --json` to its end and returns whether it was interrupted. After Ctrl-C it writes a checkpoint
    and ends; a second Ctrl-C ends it at once. If the command failed, Error is raised with the text of vaec."""
    progress, interrupted = Progress(shown), False
    with tempfile.TemporaryFile("w+") as said:
        # The process has a session of its own. Ctrl-C in a terminal therefore reaches only Python, which
        # passes it on once.
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=said, text=True, start_new_session=True)
        try:
            try:
                _read_records(process, folder, begin, progress)
                process.wait()
            except KeyboardInterrupt:
                interrupted = True
                process.send_signal(signal.SIGINT)
                _read_records(process, folder, begin, progress)
                process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            progress.close()
            process.stdout.close()
        said.seek(0)
        text = said.read()
    if interrupted and process.returncode not in (0, INTERRUPTED):
        raise KeyboardInterrupt  # interrupted before there was anything to keep
    if process.returncode not in (0, INTERRUPTED):
        raise Error(_cause(text), process.returncode)
    warn_of_notes(text)
    return process.returncode == INTERRUPTED


def _cause(text):
    """The cause of a failed training, without the line about the learn block that comes first."""
    lines = text.strip().splitlines()
    return "\n".join(lines[1:] if len(lines) > 1 and lines[0].startswith("learn ") else lines)
