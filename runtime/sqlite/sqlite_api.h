// The functions of libvaert_sqlite.so, as plain C: reads the rows of a query to a database that is opened
// read-only. An error is a text in `error`. Only one thread at a time may use a query.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum vaert_sqlite_kind { VAERT_SQLITE_MISSING, VAERT_SQLITE_CELL, VAERT_SQLITE_BLOB };

#ifdef __cplusplus
extern "C" {
#endif
/// Prepares one statement that only reads. Returns NULL, with the cause in `error`, if that fails.
typedef void* vaert_sqlite_open_function(const char* path, const char* query, char* error, size_t error_size);
typedef int vaert_sqlite_columns_function(void* query);
/// The name of a column. Valid until the query is closed.
typedef const char* vaert_sqlite_name_function(void* query, int column);
/// Goes to the next row. Returns 1; 0 after the last row, and the query then starts again; or -1 with the
/// cause in `error`.
typedef int vaert_sqlite_next_function(void* query, char* error, size_t error_size);
/// A cell of the row as text. `text` and `length` are valid until the next row. Returns the cell's
/// vaert_sqlite_kind.
typedef int vaert_sqlite_cell_function(void* query, int column, const char** text, int64_t* length);
typedef void vaert_sqlite_close_function(void* query);
vaert_sqlite_open_function vaert_sqlite_open;
vaert_sqlite_columns_function vaert_sqlite_columns;
vaert_sqlite_name_function vaert_sqlite_name;
vaert_sqlite_next_function vaert_sqlite_next;
vaert_sqlite_cell_function vaert_sqlite_cell;
vaert_sqlite_close_function vaert_sqlite_close;
#ifdef __cplusplus
}
#endif
