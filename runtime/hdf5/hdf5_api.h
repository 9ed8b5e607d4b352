// What libvaert_hdf5.so gives, as plain C: it is opened when a program reads an HDF5 file and not before, for
// libhdf5 brings thirty libraries. Errors are text in `error`; safe to call from several threads, which wait
// for one another.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define VAERT_HDF5_AXES 32

struct vaert_hdf5_array {
  int axes;
  int64_t shape[VAERT_HDF5_AXES];
  int is_float, is_signed, bytes;  // of a number
  int big_endian;                  // in the file; what is read is in the processor's order
  int64_t offset;                  // in the file, of numbers that lie in it as they are; else -1
};

#ifdef __cplusplus
extern "C" {
#endif
/// A dataset by its path in the file; NULL with the cause in `error`.
typedef void* vaert_hdf5_open_function(const char* path, const char* name, struct vaert_hdf5_array* array,
                                       char* error, size_t error_size);
/// `rows` rows from `first`; 0, or -1 with the cause in `error`.
typedef int vaert_hdf5_read_function(void* dataset, int64_t first, int64_t rows, uint8_t* to, char* error,
                                     size_t error_size);
typedef void vaert_hdf5_close_function(void* dataset);
vaert_hdf5_open_function vaert_hdf5_open;
vaert_hdf5_read_function vaert_hdf5_read;
vaert_hdf5_close_function vaert_hdf5_close;
#ifdef __cplusplus
}
#endif
