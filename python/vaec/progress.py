"""Shows how far a training is. In a terminal and in a notebook one line is rewritten. Elsewhere a line is printed at
each tenth of the training."""
import shutil
import sys

WIDTH = 24


def in_notebook():
    shell = sys.modules.get("IPython")
    instance = shell.get_ipython() if shell else None
    return instance is not None and "IPKernelApp" in getattr(instance, "config", {})


def duration(seconds):
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def line_of(record, first, total):
    """The text of the progress line. `first` is the step at which this training began."""
    step, speed = record["step"], record.get("steps_per_second") or 0
    done = WIDTH * (step - first) // max(total - first, 1)
    rest = f", {duration((total - step) / speed)} left" if speed > 0 and step < total else ""
    parts = {name: record[name] for name in ("bound", "elbo", "reconstruction", "kl") if record.get(name) is not None}
    figures = dict(parts or record.get("utility", {}))
    for result in record.get("evaluate", []):
        if result.get("mean") is not None:
            figures[f"{result['metric']}@{result['source']}"] = result["mean"]
    said = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
    return f"[{'#' * done}{'.' * (WIDTH - done)}] step {step}/{total}, {speed:.4g} steps/s{rest}  {said}"


class Progress:
    def __init__(self, shown):
        self.kind = None
        if shown:
            self.kind = "notebook" if in_notebook() else "terminal" if sys.stderr.isatty() else "file"
        self.first, self.width, self.tenth, self.handle = None, 0, 0, None

    def update(self, record, begin, total):
        if self.kind is None or "step" not in record:
            return
        text = line_of(record, begin, total)
        if self.kind == "notebook":
            self._show(text)
        elif self.kind == "terminal":
            text = text[:shutil.get_terminal_size().columns - 1]
            sys.stderr.write("\r" + text.ljust(self.width))
            self.width = len(text)
        elif 10 * (record["step"] - begin) // max(total - begin, 1) > self.tenth:
            self.tenth = 10 * (record["step"] - begin) // max(total - begin, 1)
            print(text, file=sys.stderr)
        sys.stderr.flush()

    def _show(self, text):
        from IPython.display import display
        shown = {"text/plain": text}
        if self.handle is None:
            self.handle = display(shown, raw=True, display_id=True)
        else:
            self.handle.update(shown, raw=True)

    def close(self):
        if self.kind == "terminal" and self.width:
            print(file=sys.stderr)
