// What commands print on stdout: a failure to write it is kept until somebody asks, since a run that trains
// goes on without a reader.
#pragma once

namespace core {

/// Hands on what is printed so far.
void flush_output();
/// The same; Failure(cannot_write) where something that was printed has not been written.
void require_output();

}  // namespace core
