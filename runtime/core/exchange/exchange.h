// What a user says about the rows that programs exchange while they learn: flags of `train`, kept in a run's
// config.json. They are checked against the program before anything is read or written.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "runtime/core/image.h"

namespace core {

/// The flags as given. If a flag is missing, the value that the run keeps is used, or else the default.
struct ExchangeRequest {
  std::vector<std::string> peers;  // "NAME=FOLDER"
  std::string publish;             // a folder
  std::optional<int64_t> publish_every, publish_rows, max_age, peer_wait;
  bool lockstep = false;
};

struct Exchange {
  std::map<std::string, std::filesystem::path> peers;  // the folder of each peer
  std::filesystem::path publish;                       // empty: `published` in the run directory
  int64_t publish_every = 100;
  int64_t publish_rows = 0;  // per file; 0: one batch for each step until the next file, within limits
  int64_t max_age = 10'000;  // in steps
  int64_t peer_wait = 600;   // in seconds
  bool lockstep = false;
};

/// The names that the program uses in `peer("NAME")`, each once.
std::vector<std::string> peers_of(const Image& image);

/// `kept`: what the run itself keeps, or null; `where`: the name of its file. Failure(usage) if a flag does
/// not fit the program, Failure(bad_data) if `kept` is malformed.
Exchange exchange_of(const Image& image, const ExchangeRequest& request, const nlohmann::json& kept,
                     const std::string& where);
nlohmann::json to_json(const Exchange& exchange);

}  // namespace core
