// The other functions of libvaert_torch.so, as plain C: they run networks that were trained elsewhere. Such a
// network is a TorchScript file. Its `forward` takes one tensor, a batch, and gives a tensor with the same
// number of rows.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
typedef struct vaert_script vaert_script;

/// Opens a network on the CPU with `threads` threads, in evaluation mode. Returns null, with the cause in
/// `error`, if the file is not such a network.
typedef vaert_script* vaert_torch_script_open_function(const char* path, int threads, char* error,
                                                       size_t error_size);
/// `rows`: a tensor of `sizes`, whose first axis is the rows. Returns the result of forward, [rows, *width],
/// which is valid until the next call; or null, with the cause in `error`, if it fails.
typedef const float* vaert_torch_script_run_function(vaert_script* script, const float* rows,
                                                     const int64_t* sizes, size_t rank, int64_t* width,
                                                     char* error, size_t error_size);
typedef void vaert_torch_script_close_function(vaert_script* script);

vaert_torch_script_open_function vaert_torch_script_open;
vaert_torch_script_run_function vaert_torch_script_run;
vaert_torch_script_close_function vaert_torch_script_close;
#ifdef __cplusplus
}
#endif
