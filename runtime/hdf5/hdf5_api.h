// The functions of libvaert_hdf5.so, as plain C. The library is opened only when a program reads an HDF5
// file, because libhdf5 loads thirty other libraries. An error is a text in `error`. Several threads may call
// the functions; they wait for each other.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define VAERT_HDF5_AXES 32

struct vaert_hdf5_array {
  int axes;
  int64_t shape[VAERT_HDF5_AXES];
  int is_float, is_signed, bytes;  // the type of a number
  int big_endian;                  // in the file; numbers that are read are in the processor's order
  int64_t offset;                  // position in the file if the numbers lie there as a plain array; else -1
};

#ifdef __cplusplus
extern "C" {
#endif
/// Opens a dataset by its path in the file. Returns NULL, with the cause in `error`, if that fails.
typedef void* vaert_hdf5_open_function(const char* path, const char* name, struct vaert_hdf5_array* array,
                                       char* error, size_t error_size);
/// Reads `rows` rows from row `first` on. Returns 0, or -1 with the cause in `error`.
typedef int vaert_hdf5_read_function(void* dataset, int64_t first, int64_t rows, uint8_t* to, char* error,
                                     size_t error_size);
typedef void vaert_hdf5_close_function(void* dataset);
vaert_hdf5_open_function vaert_hdf5_open;
vaert_hdf5_read_function vaert_hdf5_read;
vaert_hdf5_close_function vaert_hdf5_close;
#ifdef __cplusplus
}
#endif
