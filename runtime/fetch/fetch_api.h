// The functions of libvaert_fetch.so, as plain C. The library is opened only when a data set must be fetched,
// because libcurl and OpenSSL take 10 ms to load. The caller decides what is fetched from where, and into
// which folder.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
/// Called with the number of bytes of the file that are there, and of its bytes in all (0: not known).
typedef void vaert_fetch_progress(void* context, int64_t done, int64_t total);

/// Appends to the file `part` the bytes of `url` that are not yet in it. If the server cannot start in the
/// middle, the file is fetched from the beginning. Returns 0; 66 if the file cannot be fetched, or 73 if it
/// cannot be written, with the cause in `error`. Bytes that arrived before a failure stay in the file.
typedef int vaert_fetch_function(const char* url, const char* part, vaert_fetch_progress* progress,
                                 void* context, char* error, size_t error_size);
/// A checksum; `algorithm` is "MD5" or "SHA256". It is begun, given the bytes, and ended; the end gives its
/// hexadecimal digits.
typedef void* vaert_checksum_begin_function(const char* algorithm);
typedef void vaert_checksum_add_function(void* checksum, const uint8_t* bytes, size_t count);
typedef void vaert_checksum_end_function(void* checksum, char* digits, size_t size);

vaert_fetch_function vaert_fetch;
vaert_checksum_begin_function vaert_checksum_begin;
vaert_checksum_add_function vaert_checksum_add;
vaert_checksum_end_function vaert_checksum_end;
#ifdef __cplusplus
}
#endif
