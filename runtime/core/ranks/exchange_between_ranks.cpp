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

std::vector<std::string> Ranks::gather(const std::string& own) {
  if (!is_several()) return {own};
  const auto length = static_cast<int64_t>(own.size());
  std::vector<int64_t> lengths;
  for (const std::string& text :
       gather_fixed(std::string(reinterpret_cast<const char*>(&length), sizeof length), sizeof length))
    std::memcpy(&lengths.emplace_back(), text.data(), sizeof length);
  std::vector<std::string> texts =
      gather_fixed(own, std::max<int64_t>(1, *std::max_element(lengths.begin(), lengths.end())));
  for (size_t r = 0; r < texts.size(); ++r) texts[r].resize(static_cast<size_t>(lengths[r]));
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

void Ranks::agree(const Failure* own) {
  if (!is_several()) return;
  const json state = own ? json{{"code", own->exit_code}, {"cause", own->what()}} : json();
  const std::vector<std::string> states = gather(state.dump(-1, ' ', false, json::error_handler_t::replace));
  for (int r = 0; r < size(); ++r) {
    const json other = json::parse(states[static_cast<size_t>(r)]);
    if (other.is_null()) continue;
    const std::string cause = other.at("cause");
    const bool everywhere =
        std::ranges::all_of(states, [&](const std::string& text) { return text == states.front(); });
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

void Ranks::first_alone(const std::function<void()>& work) {
  const std::string key = fmt::format("alone/{}", ++alone_);
  if (!is_first()) return wait_for_first(key);
  if (!is_several() || !table_->set) return work();
  std::mutex mutex;
  std::condition_variable done;
  bool is_done = false;
  std::thread beating([&] {
    std::unique_lock lock(mutex);
    for (int64_t beat = 0; !is_done; ++beat) {
      table_->set(group_, "beat", std::to_string(beat).c_str());
      done.wait_for(lock, std::chrono::seconds(1), [&] { return is_done; });
    }
  });
  const auto stop = [&] {
    {
      const std::lock_guard lock(mutex);
      is_done = true;
    }
    done.notify_all();
    beating.join();
  };
  try {
    work();
  } catch (...) {
    stop();
    throw;
  }
  stop();
  table_->set(group_, key.c_str(), "");
}

void Ranks::wait_for_first(const std::string& key) {
  if (!table_->get) return;
  constexpr int64_t look_ms = 200;
  std::optional<std::string> beat;
  auto heard = std::chrono::steady_clock::now();
  while (!get(key, look_ms)) {
    if (get(VAERT_RANKS_FAILED, 0)) lose("another rank has given up");
    std::optional<std::string> now = get("beat", 0);
    if (store_is_lost_) lose("the store of the ranks is closed");
    if (now != beat) heard = std::chrono::steady_clock::now();
    beat = std::move(now);
    if (std::chrono::steady_clock::now() - heard > std::chrono::duration<double>(timeout_))
      lose(fmt::format("no sign of life within {:.6g} s", timeout_));
  }
}

}  // namespace core
