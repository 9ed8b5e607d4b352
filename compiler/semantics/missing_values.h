// Whether rows of a source may leave out a variable.
#pragma once

namespace semantics {

/// `unusual`: rows without the value are learned from, but errors of the game count on the value. So it is
/// for arithmetic that is undefined for some operands, and for IDX files, of which only real ones can hold
/// NaN.
enum class MissingValues { never, unusual, usual };

}  // namespace semantics
