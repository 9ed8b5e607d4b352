#include "runtime/core/exchange/exchange.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "runtime/schema/json_fields.h"
#include "runtime/shared/failure.h"
#include "runtime/shared/nearest_name.h"

namespace core {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

Exchange kept_exchange(const json& kept, const std::string& where) {
  Exchange exchange;
  if (kept.is_null()) return exchange;
  const schema::JsonFields fields(kept, where, "exchange");
  const schema::JsonFields peers = fields.object("peers");
  for (const std::string& name : peers.keys()) exchange.peers[name] = peers.text(name);
  exchange.publish = fields.text("publish", "");
  exchange.lockstep = fields.flag("lockstep", false);
  exchange.publish_every = fields.whole("publish_every", bounds::counts, exchange.publish_every);
  exchange.publish_rows = fields.whole("publish_rows", {0, bounds::counts.most}, exchange.publish_rows);
  exchange.max_age = fields.whole("max_age", bounds::every, exchange.max_age);
  exchange.peer_wait = fields.whole("peer_wait", bounds::every, exchange.peer_wait);
  return exchange;
}

void take_peer(const std::string& text, const std::vector<std::string>& names,
               std::map<std::string, fs::path>& given) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
    throw Failure(Exit::usage, fmt::format("--peer {}: write --peer NAME=FOLDER", text));
  const std::string name = text.substr(0, equals);
  if (std::ranges::find(names, name) == names.end()) {
    const auto near = nearest_name(name, names);
    throw Failure(Exit::usage,
                  fmt::format("--peer {}: the program reads no peer {}{}", text, name,
                              near            ? fmt::format("; did you mean {}?", *near)
                              : names.empty() ? ""
                                              : fmt::format("; its peers are {}", fmt::join(names, ", "))));
  }
  if (!given.emplace(name, fs::absolute(text.substr(equals + 1)).lexically_normal()).second)
    throw Failure(Exit::usage, fmt::format("--peer {}: peer {} has a folder already", text, name));
}

/// Refuses flags that concern nothing in the program.
void refuse_useless(const Image& image, const ExchangeRequest& request) {
  const bool reads = !peers_of(image).empty(), publishes = !image.published.empty();
  const auto refuse = [](const char* flag, const char* why) {
    throw Failure(Exit::usage, fmt::format("{}: {}", flag, why));
  };
  const char *no_publish = "the program has no `publish`", *no_peer = "the program reads no peer";
  if (!publishes && !request.publish.empty()) refuse("--publish", no_publish);
  if (!publishes && request.publish_every) refuse("--publish-every", no_publish);
  if (!publishes && request.publish_rows) refuse("--publish-rows", no_publish);
  if (!reads && request.max_age) refuse("--max-age", no_peer);
  if (!reads && request.peer_wait) refuse("--peer-wait", no_peer);
  if (!reads && !publishes && request.lockstep)
    refuse("--lockstep", "the program has no `publish` and reads no peer");
}

}  // namespace

std::vector<std::string> peers_of(const Image& image) {
  std::vector<std::string> names;
  for (const DataColumn& column : image.columns)
    if (const schema::Reader* reader = schema::find_reader(column.expression, "peer"))
      if (const std::string name = *schema::peer_of(*reader); std::ranges::find(names, name) == names.end())
        names.push_back(name);
  return names;
}

Exchange exchange_of(const Image& image, const ExchangeRequest& request, const json& kept,
                     const std::string& where) {
  refuse_useless(image, request);
  Exchange exchange = kept_exchange(kept, where);
  std::map<std::string, fs::path> given;
  for (const std::string& text : request.peers) take_peer(text, peers_of(image), given);
  for (auto& [name, folder] : given) exchange.peers[name] = std::move(folder);
  if (!request.publish.empty()) exchange.publish = fs::absolute(request.publish).lexically_normal();
  if (request.lockstep && !exchange.lockstep) {
    exchange.lockstep = true;
    exchange.publish_every = 1;
  }
  exchange.publish_every = request.publish_every.value_or(exchange.publish_every);
  exchange.publish_rows = request.publish_rows.value_or(exchange.publish_rows);
  exchange.max_age = request.max_age.value_or(exchange.max_age);
  exchange.peer_wait = request.peer_wait.value_or(exchange.peer_wait);
  return exchange;
}

json to_json(const Exchange& exchange) {
  json peers = json::object();
  for (const auto& [name, folder] : exchange.peers) peers[name] = folder.string();
  return {{"peers", peers},
          {"publish", exchange.publish.string()},
          {"publish_every", exchange.publish_every},
          {"publish_rows", exchange.publish_rows},
          {"max_age", exchange.max_age},
          {"peer_wait", exchange.peer_wait},
          {"lockstep", exchange.lockstep}};
}

}  // namespace core
