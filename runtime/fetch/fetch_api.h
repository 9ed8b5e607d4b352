// What libvaert_fetch.so gives, as plain C: it is opened when a data set must be fetched and not before, for
// libcurl and OpenSSL take 10 ms to load. What is fetched from where, and into which folder, is for the
// caller to say.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
/// Hears how many bytes of the file are there, of how many (0: not known).
typedef void vaert_fetch_progress(void* context, int64_t done, int64_t total);

/// Appends to the file `part` what `url` holds beyond the bytes that are in it; where the server cannot begin
/// there, the file begins anew. 0; or 66 (it cannot be fetched) or 73 (it cannot be written), with the cause
/// in `error`. What came until then stays.
typedef int vaert_fetch_function(const char* url, const char* part, vaert_fetch_progress* progress,
                                 void* context, char* error, size_t error_size);
/// A checksum, `algorithm` being "MD5" or "SHA256": begun, fed, and ended with its hexadecimal digits.
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
