"""Calls vaec and executables: turns values into flags, and returns the output as text."""
import numbers
import subprocess

from .errors import Error


def value_text(value):
    """Returns a value as the language writes it, for the option `-D NAME=VALUE`."""
    if hasattr(value, "tolist"):  # arrays and numbers of numpy
        value = value.tolist()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, numbers.Real):
        return repr(value)
    if isinstance(value, str):
        for plain, escape in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t")):
            value = value.replace(plain, escape)
        return f'"{value}"'
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(value_text(item) for item in value) + "]"
    raise TypeError(f"{value!r} is no number, boolean, string or list of these")


def _plain(value):
    return str(value.item() if hasattr(value, "item") else value)


def flags(settings):
    """Turns {"steps": 100, "every": {"log": 10}} into ["--steps=100", "--every=log=10"]. A flag whose value is None
    or False is left out."""
    words = []
    for name, value in settings.items():
        flag = "--" + name.replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            words.append(flag)
        elif isinstance(value, dict):
            words.append(f"{flag}=" + ",".join(f"{key}={_plain(item)}" for key, item in value.items()))
        elif isinstance(value, (list, tuple)):
            words.append(f"{flag}=" + ",".join(_plain(item) for item in value))
        else:
            words.append(f"{flag}={_plain(value)}")
    return words


def call(*words):
    """Runs a command without input and returns its result, whatever its exit code."""
    return subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, capture_output=True, text=True)


def succeed(*words, stand_ins=None):
    """Runs a command; raises Error with its text if it fails. `stand_ins` maps parts of its output to the texts that
    replace them."""
    result = call(*words)
    for part, stand_in in (stand_ins or {}).items():
        result.stdout = result.stdout.replace(part, stand_in)
        result.stderr = result.stderr.replace(part, stand_in)
    if result.returncode != 0:
        raise Error(result.stderr.strip() or f"{words[0]} ended with exit code {result.returncode}",
                    result.returncode)
    return result
