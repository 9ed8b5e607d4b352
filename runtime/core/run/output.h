// What commands print on stdout. A failure to write is kept until require_output() asks for it, because a
// training run goes on even if nobody reads its output.
#pragma once

namespace core {

/// Flushes what has been printed so far.
void flush_output();
/// The same. Failure(cannot_write) if something that was printed could not be written.
void require_output();

}  // namespace core
