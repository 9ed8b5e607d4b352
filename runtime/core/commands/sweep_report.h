// What `vaec sweep` asks of the runtime.
#pragma once

/// 0, or the exit code after a line on stderr. `names`: metrics of `evaluate`, with commas between them.
extern "C" int vaert_require_metrics(const char* names);

/// From DIR/sweep.json: table.csv (a line for each combination), runs.csv (one for each run) and report.html
/// in DIR; prints the table, or the same as JSON. 0, or the exit code after a line on stderr.
extern "C" int vaert_sweep_report(const char* folder, int as_json);
