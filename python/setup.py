"""The version of the package is the version of the project. Only CMakeLists.txt states it."""
import pathlib
import re

from setuptools import setup

project = (pathlib.Path(__file__).resolve().parent.parent / "CMakeLists.txt").read_text()
setup(version=re.search(r"^project\(vaec VERSION ([0-9.]+)", project, re.M).group(1))
