"""Compile, train and use models written in .vae files.

    import vaec
    model = vaec.compile("digits.vae", code=32)
    run = model.train(steps=2000)
    run.metrics, run.parameters(), run.sample(16), run.infer("z | x", x=images)

All computation is done by the compiler `vaec` and by the executables that it makes. Arrays are numpy's; tables are pandas
DataFrames where pandas is installed, else dicts of lists. What vaec refuses is raised as `vaec.Error` with vaec's text.
"""
from .arrays import Arrays
from .comparison import compare, sweep
from .compiler import compile, version
from .errors import CompileError, Error, VaecWarning
from .model import Model
from .run import Run

__all__ = ["Arrays", "CompileError", "Error", "Model", "Run", "VaecWarning", "compare", "compile", "sweep",
           "version"]
