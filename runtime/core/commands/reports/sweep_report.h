// What `vaec sweep` calls in the runtime.
#pragma once

/// Returns 0, or prints a line to stderr and returns the exit code. `names`: metrics of `evaluate`, separated
/// by commas.
extern "C" int vaert_require_metrics(const char* names);

/// Reads DIR/sweep.json. Writes to DIR: table.csv (a line for each combination), runs.csv (a line for each
/// figure of a run) and report.html. Prints the table, or its contents as JSON. Returns 0, or prints a line
/// to stderr and returns the exit code.
extern "C" int vaert_sweep_report(const char* folder, int as_json);
