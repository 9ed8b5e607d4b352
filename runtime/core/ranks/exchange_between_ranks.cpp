// What the ranks tell one another while all of them live.
#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "runtime/core/ranks/ranks.h"

namespace core {
using nlohmann::json;

namespace {

// The first byte of what the ranks gather: a text, or the state of a rank (null, or its failure).
constexpr char is_text = '=', is_state = '!';

}  // namespace

void* Ranks::begin_sum(float* values, int64_t count) {
  char error[most_error_] = "";
  void* sum = table_->begin_sum(group_, values, count, error, sizeof error);
  if (!sum) lose(error);
  return sum;
}

void Ranks::await(void* sum) {
  char error[most_error_] = "";
  if (table_->await(group_, sum, error, sizeof error) != 0) lose(error);
}

void Ranks::sum(float* values, int64_t count) {
  if (is_several()) await(begin_sum(values, count));
}

std::vector<std::string> Ranks::gather_fixed(const std::string& own, int64_t size) {
  std::string padded = own, all(static_cast<size_t>(size * this->size()), '\0');
  padded.resize(static_cast<size_t>(size));
  char error[most_error_] = "";
  if (table_->gather(group_, padded.data(), all.data(), size, error, sizeof error) != 0) lose(error);
  std::vector<std::string> texts;
  for (int r = 0; r < this->size(); ++r)
    texts.push_back(all.substr(static_cast<size_t>(r * size), static_cast<size_t>(size)));
  return texts;
}

std::vector<std::string> Ranks::gather_padded(const std::string& own) {
  const auto length = static_cast<int64_t>(own.size());
  std::vector<int64_t> lengths;
  for (const std::string& text :
       gather_fixed(std::string(reinterpret_cast<const char*>(&length), sizeof length), sizeof length))
    std::memcpy(&lengths.emplace_back(), text.data(), sizeof length);
  std::vector<std::string> texts = gather_fixed(own, *std::max_element(lengths.begin(), lengths.end()));
  for (size_t r = 0; r < texts.size(); ++r) texts[r].resize(static_cast<size_t>(lengths[r]));
  return texts;
}

std::vector<std::string> Ranks::gather(const std::string& own) {
  if (!is_several()) return {own};
  if (is_patient_) wait_for_all();
  std::vector<std::string> texts = gather_padded(is_text + own);
  for (int r = 0; r < size(); ++r)
    if (const std::string& text = texts[static_cast<size_t>(r)]; text.starts_with(is_state)) {
      const json failed = json::parse(text.substr(1));
      throw SharedFailure(failed.at("code"),
                          fmt::format("{}: {}", name_of(r), failed.at("cause").get<std::string>()),
                          is_first());
    }
  for (std::string& text : texts) text.erase(0, 1);
  return texts;
}

std::vector<double> Ranks::sum(std::vector<double> values) {
  if (!is_several() || values.empty()) return values;
  const auto bytes = static_cast<int64_t>(values.size() * sizeof(double));
  const std::vector<std::string> all = gather_fixed(
      std::string(reinterpret_cast<const char*>(values.data()), static_cast<size_t>(bytes)), bytes);
  std::fill(values.begin(), values.end(), 0.0);
  for (const std::string& text : all)
    for (size_t i = 0; i < values.size(); ++i) {
      double value = 0;
      std::memcpy(&value, text.data() + i * sizeof value, sizeof value);
      values[i] += value;
    }
  return values;
}

std::string Ranks::from_first(const std::string& text) {
  if (!is_several()) return text;
  auto length = static_cast<int64_t>(text.size());
  char error[most_error_] = "";
  if (table_->broadcast(group_, &length, sizeof length, 0, error, sizeof error) != 0) lose(error);
  std::string received = text;
  received.resize(static_cast<size_t>(length));
  if (length > 0 && table_->broadcast(group_, received.data(), length, 0, error, sizeof error) != 0)
    lose(error);
  return received;
}

/// A rank that has failed may be alone with it, while the others are in gather().
void Ranks::agree(const Failure* own) {
  if (!is_several()) return;
  if (is_patient_) wait_for_all();
  const json state = own ? json{{"code", own->exit_code}, {"cause", own->what()}} : json();
  const std::vector<std::string> states =
      gather_padded(is_state + state.dump(-1, ' ', false, json::error_handler_t::replace));
  for (int r = 0; r < size(); ++r) {
    const std::string& text = states[static_cast<size_t>(r)];
    const json other = text.starts_with(is_state) ? json::parse(text.substr(1)) : json();
    if (other.is_null()) continue;
    const std::string cause = other.at("cause");
    const bool everywhere =
        std::ranges::all_of(states, [&](const std::string& said) { return said == states.front(); });
    throw SharedFailure(other.at("code"), everywhere ? cause : fmt::format("{}: {}", name_of(r), cause),
                        is_first());
  }
}

void Ranks::require_equal(const std::vector<std::pair<std::string, std::string>>& texts) {
  if (!is_several()) return;
  const std::vector<std::string> all =
      gather(json(texts).dump(-1, ' ', false, json::error_handler_t::replace));
  const json first = json::parse(all.front());
  for (int r = 1; r < size(); ++r) {
    const json other = json::parse(all[static_cast<size_t>(r)]);
    for (size_t i = 0; i < first.size() && i < other.size(); ++i)
      if (other[i] != first[i])
        throw SharedFailure(
            Exit::bad_data,
            fmt::format("{}: {} has {}, {} has {}; all ranks need the same", first[i][0].get<std::string>(),
                        name_of(0), first[i][1].get<std::string>(), name_of(r),
                        other[i][1].get<std::string>()),
            is_first());
  }
}

std::optional<std::string> Ranks::get(const std::string& key, int64_t wait_ms) {
  if (!table_ || !table_->get || store_is_lost_) return std::nullopt;
  constexpr size_t most_value = 4096;
  char value[most_value] = "";
  const int code = table_->get(group_, key.c_str(), wait_ms, value, sizeof value);
  store_is_lost_ = code < 0;
  return code == 0 ? std::optional<std::string>(value) : std::nullopt;
}

namespace {

/// Calls `beat` each second, in a thread of its own.
class Heartbeat {
 public:
  explicit Heartbeat(std::function<void(int64_t)> beat)
      : thread_([this, beat = std::move(beat)] {
          std::unique_lock lock(mutex_);
          for (int64_t beats = 0; !is_done_; ++beats) {
            beat(beats);
            done_.wait_for(lock, std::chrono::seconds(1), [&] { return is_done_; });
          }
        }) {}
  ~Heartbeat() {
    {
      const std::lock_guard lock(mutex_);
      is_done_ = true;
    }
    done_.notify_all();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable done_;
  bool is_done_ = false;
  std::thread thread_;
};

}  // namespace

void Ranks::first_alone(const std::function<void()>& work) {
  const std::string key = fmt::format("alone/{}", ++alone_);
  if (!is_several() || (is_first() && !table_->set)) return work();
  if (!is_first()) return wait_for(0, key);
  try {
    const Heartbeat beating(
        [this](int64_t beat) { table_->set(group_, "beat/0", fmt::format("alone {}", beat).c_str()); });
    work();
  } catch (...) {
    // If rank 0 tells its failure by agree(), the others must come there.
    if (!is_settled_) table_->set(group_, key.c_str(), "");
    throw;
  }
  table_->set(group_, key.c_str(), "");
}

void Ranks::patiently(const std::function<void()>& work) {
  if (!is_several() || !table_->set) return work();
  const std::string key = fmt::format("beat/{}", rank());
  const Heartbeat beating(
      [&](int64_t beat) { table_->set(group_, key.c_str(), std::to_string(beat).c_str()); });
  is_patient_ = true;
  work();
  is_patient_ = false;
}

void Ranks::wait_for_all() {
  const std::string key = fmt::format("here/{}/", ++gathered_);
  table_->set(group_, (key + std::to_string(rank())).c_str(), "");
  for (int r = 0; r < size(); ++r)
    if (r != rank()) wait_for(r, key + std::to_string(r));
}

/// Waits until the rank has set the key.
void Ranks::wait_for(int rank, const std::string& key) {
  if (!table_->get) return;
  constexpr int64_t look_ms = 200;
  std::optional<std::string> beat;
  auto heard = std::chrono::steady_clock::now();
  while (!get(key, look_ms)) {
    if (get(VAERT_RANKS_FAILED, 0)) lose("another rank has given up");
    if (sees_a_death()) lose("its process has ended");
    std::optional<std::string> now = get(fmt::format("beat/{}", rank), 0);
    if (store_is_lost_) lose("the store of the ranks is closed");
    if (now != beat) heard = std::chrono::steady_clock::now();
    beat = std::move(now);
    if (std::chrono::steady_clock::now() - heard > std::chrono::duration<double>(timeout_))
      lose(fmt::format("no sign of life within {:.6g} s", timeout_));
  }
}

void Ranks::look_for_losses(double seconds, const std::string& error) {
  if (!error.empty()) lose(error);
  if (get(VAERT_RANKS_FAILED, 0)) lose("another rank has given up");
  if (sees_a_death()) lose("its process has ended");
  if (store_is_lost_) lose("the store of the ranks is closed");
  if (seconds > timeout_) lose(fmt::format("no answer within {:.6g} s", timeout_));
}

}  // namespace core
