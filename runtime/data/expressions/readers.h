// The readers of the language, by name.
#pragma once
#include <string>

#include "runtime/data/arrays/array_file.h"
#include "runtime/data/expressions/arguments.h"
#include "runtime/data/lookup.h"
#include "runtime/data/table.h"

namespace data {

/// Where files are searched, and how much memory their columns may take.
struct Shelf {
  const Places& places;
  Memory& memory;
  Placement placement() const { return {&memory, places.cache}; }
};

/// Calls a reader. A column that `memory` has no space for is streamed: its rows stay in the file.
Table read(const std::string& reader, const Arguments& arguments, const Shelf& shelf);

}  // namespace data
