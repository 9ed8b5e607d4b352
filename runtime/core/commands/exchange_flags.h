// The flags of `train` about rows that programs exchange.
#pragma once
#include <CLI/CLI.hpp>

#include "runtime/core/exchange/exchange.h"

namespace core {

void add_exchange_flags(CLI::App* command, ExchangeRequest& request);

}  // namespace core
