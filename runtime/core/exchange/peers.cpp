#include "runtime/core/exchange/peers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "runtime/core/inference/drawn_rows.h"
#include "runtime/shared/failure.h"

namespace core {
namespace fs = std::filesystem;
using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// A folder that others fill over a network is not listed at every step.
constexpr milliseconds between_looks(100), longest_pause(50), said_after(1000);

const schema::Reader& reader_of(const Image& image, int column) {
  return *schema::find_reader(image.columns[static_cast<size_t>(column)].expression, "peer");
}

/// Identifies a file and its present contents, so that a file that was written again is read again.
std::string identity(const fs::path& path) {
  std::error_code ignored;
  const auto size = fs::file_size(path, ignored);
  const auto time = fs::last_write_time(path, ignored).time_since_epoch().count();
  return fmt::format("{} {} {}", path.string(), size, time);
}

std::string what_is_wrong_with(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) return " (there is no such folder)";
  if (!fs::is_directory(folder, error)) return " (this is no folder)";
  const fs::directory_iterator tried(folder, error);
  return error ? fmt::format(" ({})", error.message()) : "";
}

}  // namespace

struct Peers::Peer {
  std::string name;
  fs::path folder;
  std::map<int, data::Population> columns;  // open columns, with the rows in use
  std::set<int> open;
  std::optional<PublishedRows> rows;
  fs::path path;  // of these rows
  struct Refused {
    std::string identity, cause;
  };
  std::map<fs::path, Refused> refused;  // files that could not be used, with their identity() at that time
  steady_clock::time_point looked;
  bool old_is_said = false;
  int64_t bytes = 0, files = 0;
};

/// The last file that could not be used, with the cause, if it is still there.
std::string Peers::what_was_left_out(const Peer& peer) {
  std::string text;
  int64_t count = 0;
  std::error_code ignored;
  for (const auto& [path, refused] : peer.refused) {
    if (!fs::exists(path, ignored)) continue;
    text = refused.cause;
    ++count;
  }
  if (count == 0) return "";
  return count == 1 ? fmt::format("; a file was left out: {}", text)
                    : fmt::format("; {} files were left out, the last one: {}", count, text);
}

Peers::Peers(const Image& image, const Exchange& exchange) : image_(image), exchange_(exchange) {
  for (const std::string& name : peers_of(image)) {
    auto& peer = peers_[name] = std::make_unique<Peer>();
    peer->name = name;
    if (const auto found = exchange.peers.find(name); found != exchange.peers.end())
      peer->folder = found->second;
  }
}

Peers::~Peers() = default;

bool Peers::reads(int column) const {
  return schema::find_reader(image_.columns[static_cast<size_t>(column)].expression, "peer") != nullptr;
}

Peers::Peer* Peers::peer_of_column(int column) const {
  return peers_.at(*schema::peer_of(reader_of(image_, column))).get();
}

void Peers::open(int column) {
  Peer& peer = *peer_of_column(column);
  if (peer.folder.empty())
    throw Failure(Exit::usage,
                  fmt::format("rows of peer {0} are needed: train --peer {0}=FOLDER names the folder "
                              "that its program publishes into",
                              peer.name));
  if (!peer.open.insert(column).second) return;
  if (peer.rows)
    peer.columns.emplace(column, load(peer, column, *peer.rows));
  else if (step_ >= 0)
    look(peer, step_, {[&](const std::string& text) { unsaid_.push_back(text); }, [] { return false; }});
}

const data::Population& Peers::rows(int column) const {
  const Peer& peer = *peer_of_column(column);
  const auto found = peer.columns.find(column);
  if (found == peer.columns.end())
    throw Failure(Exit::bad_configuration, fmt::format("no rows of peer {} are there yet", peer.name));
  return found->second;
}

data::Population Peers::load(const Peer& peer, int column, const PublishedRows& rows) const {
  const std::string key = schema::text_of(reader_of(image_, column));
  data::Context context{data::places_from_environment(image_.search_folders()),
                        {{key, rows.table(fmt::format("peer {}, step {}", peer.name, rows.step))}},
                        data::Memory::from_environment()};
  const DataColumn& entry = image_.columns[static_cast<size_t>(column)];
  return data::load(entry.expression, spec_of(image_, entry), context);
}

void Peers::require_agreement(const Peer& peer, const PublishedRows& rows, const fs::path& path) const {
  for (const int column : peer.open) {
    const schema::Reader& reader = reader_of(image_, column);
    const schema::DataExpression& expression = image_.columns[static_cast<size_t>(column)].expression;
    std::set<std::string> names;
    collect_columns(expression, reader, "", names);
    for (const std::string& name : names) {
      const auto found = name.empty()
                             ? rows.variables.begin()
                             : std::ranges::find(rows.variables, name, &PublishedRows::Variable::name);
      if (found == rows.variables.end()) {
        std::vector<std::string> there;
        for (const auto& variable : rows.variables) there.push_back(variable.name);
        throw Failure(Exit::bad_data, fmt::format("{}: peer {} publishes no {}; it publishes {}",
                                                  path.string(), peer.name, name, fmt::join(there, ", ")));
      }
      const auto* of_table = expression.as<schema::TableColumn>();
      const bool plain = expression == reader || (of_table && *of_table->table == reader);
      const data::VariableSpec needed = spec_of(image_, image_.columns[static_cast<size_t>(column)]);
      if (plain && data::domain_text(needed) != found->domain)
        throw Failure(Exit::bad_data, fmt::format("{}: peer {} publishes {} as {}, and {} is {} here",
                                                  path.string(), peer.name, found->name, found->domain,
                                                  needed.name, data::domain_text(needed)));
    }
  }
}

/// Takes the rows of a file. A file that cannot be used is reported once and then ignored until it changes.
bool Peers::take(Peer& peer, const fs::path& path, std::optional<int64_t> covering,
                 const Listener& listener) {
  const std::string now = identity(path);
  const auto before = peer.refused.find(path);
  if (before != peer.refused.end() && before->second.identity == now) return false;
  const auto refuse = [&](const std::string& cause) {
    if (before == peer.refused.end())
      listener.say(fmt::format("peer {}: {}; the file is left out", peer.name, cause));
    peer.refused[path] = {now, cause};
    return false;
  };
  std::map<int, data::Population> columns;
  std::optional<PublishedRows> rows;
  try {
    rows = read_published(path);
  } catch (const Failure& failure) {
    std::error_code ignored;
    if (!fs::exists(path, ignored)) return false;  // it was replaced by newer ones
    return refuse(failure.what());
  }
  if (const auto named = step_of_published(path); named && *named != rows->step)
    return refuse(fmt::format("{}: it holds rows of step {}", path.string(), rows->step));
  if (covering && !rows->covers(*covering)) return false;
  require_agreement(peer, *rows, path);
  try {
    for (const int column : peer.open) columns.emplace(column, load(peer, column, *rows));
  } catch (const Failure& failure) {
    return refuse(fmt::format("{}: {}", path.string(), failure.what()));
  }
  std::error_code unreadable;
  const auto size = fs::file_size(path, unreadable);
  if (!unreadable) peer.bytes += static_cast<int64_t>(size);
  ++peer.files;
  peer.rows = std::move(rows);
  peer.path = path;
  peer.columns = std::move(columns);
  peer.old_is_said = false;
  return true;
}

/// Takes newer rows if there are any. Returns whether there are rows for the step.
bool Peers::look(Peer& peer, int64_t step, const Listener& listener) {
  if (exchange_.lockstep) return look_for_step(peer, step, listener);
  const auto now = steady_clock::now();
  if (peer.rows && now - peer.looked < between_looks) return true;
  peer.looked = now;
  for (const PublishedFile& file : published_files(peer.folder)) {
    if (file.step < step - exchange_.max_age) break;
    if (peer.rows && peer.rows->step == file.step) break;
    if (take(peer, file.path, {}, listener)) break;
  }
  return peer.rows.has_value();
}

/// The same in lockstep. First looks for the next file by its name, because the folder may hold a file for
/// every step.
bool Peers::look_for_step(Peer& peer, int64_t step, const Listener& listener) {
  if (peer.rows && peer.rows->covers(step)) return true;
  if (peer.rows) {
    const fs::path next = published_path(peer.folder, peer.rows->step + peer.rows->every);
    std::error_code unreadable;
    if (fs::exists(next, unreadable) && take(peer, next, step, listener)) return true;
  }
  const auto now = steady_clock::now();
  if (now - peer.looked < between_looks) return false;
  peer.looked = now;
  for (const PublishedFile& file : published_files(peer.folder))
    if (file.step <= step) return take(peer, file.path, step, listener);
  return false;
}

void Peers::warn_of_age(Peer& peer, int64_t step, const Listener& listener) const {
  if (exchange_.lockstep || peer.old_is_said || step - peer.rows->step <= exchange_.max_age) return;
  peer.old_is_said = true;
  listener.say(
      fmt::format("peer {}: nothing at most {} steps old is in {}; step {} goes on with its rows of "
                  "step {}",
                  peer.name, exchange_.max_age, peer.folder.string(), step, peer.rows->step));
}

bool Peers::wait_for(Peer& peer, int64_t step, const Listener& listener) {
  const auto begun = steady_clock::now();
  milliseconds pause(1);
  bool said = false;
  while (!look(peer, step, listener)) {
    const auto waited = steady_clock::now() - begun;
    if (!listener.goes_on()) return false;
    if (waited > std::chrono::seconds(exchange_.peer_wait))
      throw Failure(
          Exit::missing_input,
          fmt::format("step {}: no rows {}of peer {} came into {}{} within {} s (--peer-wait){}", step,
                      exchange_.lockstep ? "for this step " : "", peer.name, peer.folder.string(),
                      what_is_wrong_with(peer.folder), exchange_.peer_wait, what_was_left_out(peer)));
    if (!said && waited > said_after) {
      said = true;
      listener.say(fmt::format("step {}: waiting for rows of peer {} in {}{}", step, peer.name,
                               peer.folder.string(), what_is_wrong_with(peer.folder)));
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(2 * pause, longest_pause);
  }
  return true;
}

bool Peers::refresh(int64_t step, const Listener& listener) {
  step_ = step;
  for (const std::string& text : std::exchange(unsaid_, {})) listener.say(text);
  for (auto& [name, peer] : peers_) {
    if (peer->open.empty()) continue;
    if (!wait_for(*peer, step, listener)) return false;
    warn_of_age(*peer, step, listener);
  }
  return true;
}

json Peers::files_in_use() const {
  json files = json::object();
  for (const auto& [name, peer] : peers_)
    if (!peer->open.empty()) files[name] = peer->path.string();
  return files;
}

void Peers::follow(const json& files, int64_t step, const Listener& listener) {
  step_ = step;
  for (const auto& [name, file] : files.items()) {
    Peer& peer = *peers_.at(name);
    const fs::path path = file.get<std::string>();
    if (path == peer.path) continue;
    if (!take(peer, path, {}, listener))
      throw Failure(Exit::bad_data,
                    fmt::format("step {}: rank 0 took rows of peer {} from {}, which cannot be read here",
                                step, name, path.string()));
  }
}

void Peers::save(const fs::path& folder) const {
  for (const auto& [name, peer] : peers_)
    if (peer->rows) write_published(folder / fmt::format("peer-{}.safetensors", name), *peer->rows);
}

void Peers::restore(const fs::path& folder, const Listener& listener) {
  for (const auto& [name, peer] : peers_) {
    const fs::path path = folder / fmt::format("peer-{}.safetensors", name);
    std::error_code unreadable;
    if (!peer->open.empty() && fs::exists(path, unreadable)) take(*peer, path, {}, listener);
    peer->bytes = peer->files = 0;
  }
}

json Peers::record(int64_t step) const {
  json record = json::object();
  for (const auto& [name, peer] : peers_)
    if (peer->rows)
      record[name] = {{"step", peer->rows->step},
                      {"age", std::max<int64_t>(0, step - peer->rows->step)},
                      {"files", peer->files},
                      {"bytes", peer->bytes}};
  return record;
}

}  // namespace core
