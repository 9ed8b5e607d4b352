"""Arrays to files and back: safetensors, and CSV for words."""
import csv
import json
import pathlib
import struct

import numpy as np

_TYPES = {"BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4", "U64": "<u8",
          "I64": "<i8", "F16": "<f2", "F32": "<f4", "F64": "<f8"}


def read_safetensors(path):
    """name -> array, in the order of the file."""
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
    """What `--given NAME=` or `--mask NAME=` takes for a value: an array, by a file in `folder`; a text is the name of
    a file or of a source already."""
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
    # Two variables, or a variable and its mask, may have one name.
    path = pathlib.Path(folder) / f"{len(list(pathlib.Path(folder).iterdir()))}.safetensors"
    write_safetensors(path, {name: array})
    return str(path)


class Arrays(dict):
    """Variable -> array, with the rows on the first axis. As an array it is the first of them.

    Of `sample` these are draws and `means` has their means; of `infer` these are means and `draws` has draws.
    `text` is what vaec said: who is drawn from whom, and of a chain whether it has converged."""

    def __init__(self, tensors, text):
        super().__init__({name: array for name, array in tensors.items() if "." not in name})
        self.means = {name[:-5]: array for name, array in tensors.items() if name.endswith(".mean")}
        self.draws = {name[:-6]: array for name, array in tensors.items() if name.endswith(".draws")}
        self.text = text

    def __array__(self, dtype=None, copy=None):
        return np.asarray(next(iter(self.values())), dtype)
