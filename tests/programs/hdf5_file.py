"""Writes a dataset of an HDF5 file, by the C functions of libhdf5."""
import ctypes
import ctypes.util


def write_hdf5(path, name, rows, columns, values, rows_of_chunk=0):
    """`values`: float32 in the machine's byte order, row by row, of `rows` times `columns` numbers. With
    `rows_of_chunk` the dataset lies in chunks, otherwise in one piece."""
    h5 = _library()
    shape = (ctypes.c_uint64 * 2)(rows, columns)
    file = _valid(h5.H5Fcreate(str(path).encode(), 2, 0, 0))  # 2: truncate
    space = _valid(h5.H5Screate_simple(2, shape, None))
    plan = _valid(h5.H5Pcreate(_constant(h5, "H5P_CLS_DATASET_CREATE_ID_g")))
    if rows_of_chunk:
        _valid(h5.H5Pset_chunk(plan, 2, (ctypes.c_uint64 * 2)(rows_of_chunk, columns)))
    numbers = _constant(h5, "H5T_NATIVE_FLOAT_g")
    dataset = _valid(h5.H5Dcreate2(file, name.encode(), numbers, space, 0, plan, 0))
    _valid(h5.H5Dwrite(dataset, numbers, 0, 0, 0, values))
    for close, what in ((h5.H5Dclose, dataset), (h5.H5Pclose, plan), (h5.H5Sclose, space), (h5.H5Fclose, file)):
        _valid(close(what))


def _library():
    file = ctypes.util.find_library("hdf5_serial") or ctypes.util.find_library("hdf5")
    assert file, "libhdf5 is not installed"
    h5 = ctypes.CDLL(file)
    identifier, text, sizes = ctypes.c_int64, ctypes.c_char_p, ctypes.POINTER(ctypes.c_uint64)
    for name, given in (("H5Fcreate", (text, ctypes.c_uint, identifier, identifier)),
                        ("H5Screate_simple", (ctypes.c_int, sizes, sizes)), ("H5Pcreate", (identifier,)),
                        ("H5Pset_chunk", (identifier, ctypes.c_int, sizes)),
                        ("H5Dcreate2", (identifier, text, *[identifier] * 5)),
                        ("H5Dwrite", (*[identifier] * 5, text)), ("H5Dclose", (identifier,)),
                        ("H5Pclose", (identifier,)), ("H5Sclose", (identifier,)), ("H5Fclose", (identifier,))):
        getattr(h5, name).argtypes = given
        getattr(h5, name).restype = identifier if name in ("H5Fcreate", "H5Screate_simple", "H5Pcreate",
                                                           "H5Dcreate2") else ctypes.c_int
    _valid(h5.H5open())
    return h5


def _constant(h5, name):
    return ctypes.c_int64.in_dll(h5, name).value


def _valid(result):
    assert result >= 0, "libhdf5 refuses"
    return result
