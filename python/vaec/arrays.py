"""Writes arrays to files and reads them back: safetensors for numbers, CSV for words."""
import csv
import json
import pathlib
import struct

import numpy as np

_TYPES = {"BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4", "U64": "<u8",
          "I64": "<i8", "F16": "<f2", "F32": "<f4", "F64": "<f8"}


def read_safetensors(path):
    """Returns a dict from name to array, in the order of the data in the file."""
    content = pathlib.Path(path).read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:8 + size])
    header.pop("__metadata__", None)
    body = memoryview(content)[8 + size:]
    arrays = {}
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = entry["data_offsets"]
        arrays[name] = np.frombuffer(body[begin:end], _TYPES[entry["dtype"]]).reshape(entry["shape"]).copy()
    return arrays


def write_safetensors(path, arrays):
    header, body = {}, []
    names = {np.dtype(code): name for name, code in _TYPES.items()}
    at = 0
    for name, array in arrays.items():
        array = np.asarray(array)
        array = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(array.shape)
        if array.dtype not in names:
            raise TypeError(f"{name}: an array of {array.dtype} cannot be given to vaec")
        data = array.tobytes()
        header[name] = {"dtype": names[array.dtype], "shape": list(array.shape), "data_offsets": [at, at + len(data)]}
        body.append(data)
        at += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + b"".join(body))


def write_given(folder, name, value):
    """Returns the text that follows `--given NAME=` or `--mask NAME=`. An array is written to a file in `folder`, and
    the text is the path of that file. A value that is a text already names a file or a source."""
    if isinstance(value, (str, pathlib.PurePath)):
        return str(value)
    array = np.asarray(value)
    if array.dtype.kind == "U":
        if array.ndim != 1:
            raise TypeError(f"{name}: words are given in one dimension, a row each")
        path = pathlib.Path(folder) / f"{name}.csv"
        with open(path, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([[name], *([word] for word in array.tolist())])
        return str(path)
    # The file name is a number, because two variables, or a variable and its mask, may have the same name.
    path = pathlib.Path(folder) / f"{len(list(pathlib.Path(folder).iterdir()))}.safetensors"
    write_safetensors(path, {name: array})
    return str(path)


class Arrays(dict):
    """A dict from variable to array, with the rows on the first axis. numpy takes it as its first array.

    The arrays of `sample` are draws, and `means` has the means of the distributions that they were drawn from. The
    arrays of `infer` are means, and `draws` has draws. `text` is what vaec printed: who draws what, and whether a
    chain has converged."""

    def __init__(self, tensors, text):
        super().__init__({name: array for name, array in tensors.items() if "." not in name})
        self.means = {name[:-5]: array for name, array in tensors.items() if name.endswith(".mean")}
        self.draws = {name[:-6]: array for name, array in tensors.items() if name.endswith(".draws")}
        self.text = text

    def __array__(self, dtype=None, copy=None):
        return np.asarray(next(iter(self.values())), dtype)
