#include <sqlite3.h>

#include <cstdio>
#include <memory>

#include "runtime/sqlite/sqlite_api.h"

namespace {

struct Query {
  sqlite3* database = nullptr;
  sqlite3_stmt* statement = nullptr;
  ~Query() {
    sqlite3_finalize(statement);
    sqlite3_close(database);
  }
};

Query& query_of(void* handle) { return *static_cast<Query*>(handle); }

void* refuse(char* error, size_t size, const char* cause) {
  std::snprintf(error, size, "%s", cause);
  return nullptr;
}

constexpr int patience_ms = 5000;  // how long to wait while another process writes

/// Whether `rest` contains only spaces, comments and semicolons.
bool is_empty(sqlite3* database, const char* rest) {
  sqlite3_stmt* second = nullptr;
  const char* end = nullptr;
  while (*rest) {
    if (sqlite3_prepare_v2(database, rest, -1, &second, &end) != SQLITE_OK || second) {
      sqlite3_finalize(second);
      return false;
    }
    rest = end;
  }
  return true;
}

}  // namespace

extern "C" {

void* vaert_sqlite_open(const char* path, const char* text, char* error, size_t error_size) {
  auto query = std::make_unique<Query>();
  int code = sqlite3_open_v2(path, &query->database, SQLITE_OPEN_READONLY, nullptr);
  if (code != SQLITE_OK)
    return refuse(error, error_size, query->database ? sqlite3_errmsg(query->database) : "out of memory");
  sqlite3_busy_timeout(query->database, patience_ms);
  const char* rest = nullptr;
  // All reads are in one transaction, so that reading twice gives the same rows. The first of them finds out
  // whether the file is a database; a query that names no table would not.
  if (sqlite3_exec(query->database, "BEGIN; PRAGMA schema_version", nullptr, nullptr, nullptr) != SQLITE_OK ||
      sqlite3_prepare_v2(query->database, text, -1, &query->statement, &rest) != SQLITE_OK)
    return refuse(error, error_size, sqlite3_errmsg(query->database));
  if (!query->statement) return refuse(error, error_size, "the query is empty");
  if (!is_empty(query->database, rest)) return refuse(error, error_size, "the query has several statements");
  if (!sqlite3_stmt_readonly(query->statement) || sqlite3_column_count(query->statement) == 0)
    return refuse(error, error_size, "the query must read: it begins with SELECT");
  return query.release();
}

int vaert_sqlite_columns(void* query) { return sqlite3_column_count(query_of(query).statement); }

const char* vaert_sqlite_name(void* query, int column) {
  const char* name = sqlite3_column_name(query_of(query).statement, column);
  return name ? name : "";
}

int vaert_sqlite_next(void* handle, char* error, size_t error_size) {
  const Query& query = query_of(handle);
  const int code = sqlite3_step(query.statement);
  if (code == SQLITE_ROW) return 1;
  if (code == SQLITE_DONE) {
    sqlite3_reset(query.statement);
    return 0;
  }
  refuse(error, error_size, sqlite3_errmsg(query.database));
  return -1;
}

int vaert_sqlite_cell(void* handle, int column, const char** text, int64_t* length) {
  sqlite3_stmt* statement = query_of(handle).statement;
  const int type = sqlite3_column_type(statement, column);
  if (type == SQLITE_NULL) return VAERT_SQLITE_MISSING;
  if (type == SQLITE_BLOB) return VAERT_SQLITE_BLOB;
  *text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
  *length = sqlite3_column_bytes(statement, column);
  return *text ? VAERT_SQLITE_CELL : VAERT_SQLITE_MISSING;
}

void vaert_sqlite_close(void* query) { delete static_cast<Query*>(query); }

}  // extern "C"
