// Whether a variable may be missing in rows of a source.
#pragma once

namespace semantics {

/// `unusual`: the value may be missing, and such rows are learned from. But when the game is checked for
/// errors, the value counts as given. This is so for arithmetic that is undefined for some operands, and for
/// IDX files, of which only those with reals can hold NaN.
enum class MissingValues { never, unusual, usual };

}  // namespace semantics
