"""Compile, train and use models written in .vae files.

    import vaec
    model = vaec.compile("digits.vae", code=32)
    run = model.train(steps=2000)
    run.metrics, run.parameters(), run.sample(16), run.infer("z | x", x=images)

The compiler `vaec` and the executables that it makes do all computation. Arrays are numpy arrays. Tables are pandas
DataFrames if pandas is installed, otherwise dicts of lists. If vaec fails, `vaec.Error` is raised with the text of
vaec.
"""
from .arrays import Arrays
from .comparison import compare, sweep
from .compiler import compile, version
from .errors import CompileError, Error, VaecWarning
from .model import Model
from .run import Run

__all__ = ["Arrays", "CompileError", "Error", "Model", "Run", "VaecWarning", "compare", "compile", "sweep",
           "version"]
