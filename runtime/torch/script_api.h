// What libvaert_torch.so gives besides the library operations, as plain C: networks that somebody else
// trained, kept as TorchScript files whose `forward` takes one tensor, a batch, and gives one with as many
// rows.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
typedef struct vaert_script vaert_script;

/// On the CPU by so many threads, set to evaluate. Null, with the cause in `error`, where the file is no such
/// network.
typedef vaert_script* vaert_torch_script_open_function(const char* path, int threads, char* error,
                                                       size_t error_size);
/// `rows`: a tensor of `sizes`, the rows first. What forward gives, [rows, *width], valid until the next
/// call; null, with the cause in `error`, where it fails.
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
