// The readers of the language, by name.
#pragma once
#include <string>

#include "runtime/data/arguments.h"
#include "runtime/data/lookup.h"
#include "runtime/data/table.h"

namespace data {

Table read(const std::string& reader, const Arguments& arguments, const Places& places);

}  // namespace data
