// What a user says of the rows that programs exchange while they learn: flags of `train`, kept in a run's
// config.json. Checked against the program before anything is read or written.
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

/// As given: what is not there has its default, or what the run has.
struct ExchangeRequest {
  std::vector<std::string> peers;  // "NAME=FOLDER"
  std::string publish;             // a folder
  std::optional<int64_t> publish_every, publish_rows, max_age, peer_wait;
  bool lockstep = false;
};

struct Exchange {
  std::map<std::string, std::filesystem::path> peers;  // the folder of each
  std::filesystem::path publish;                       // empty: `published` in the run directory
  int64_t publish_every = 100;
  int64_t publish_rows = 0;  // a file; 0: so many that each step finds fresh ones
  int64_t max_age = 10'000;  // steps
  int64_t peer_wait = 600;   // seconds
  bool lockstep = false;
};

/// The names in `peer("NAME")`, each once.
std::vector<std::string> peers_of(const Image& image);

/// `kept`: the run's own, or null; `where` names its file. Failure(usage) where a flag does not fit the
/// program, Failure(bad_data) where `kept` is malformed.
Exchange exchange_of(const Image& image, const ExchangeRequest& request, const nlohmann::json& kept,
                     const std::string& where);
nlohmann::json to_json(const Exchange& exchange);

}  // namespace core
