"""The version is the project's, which stands in CMakeLists.txt alone."""
import pathlib
import re

from setuptools import setup

project = (pathlib.Path(__file__).resolve().parent.parent / "CMakeLists.txt").read_text()
setup(version=re.search(r"^project\(vaec VERSION ([0-9.]+)", project, re.M).group(1))
