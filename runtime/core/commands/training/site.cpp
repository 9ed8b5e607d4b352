#include "runtime/core/commands/training/site.h"

#include <algorithm>
#include <chrono>

#include "runtime/core/ranks/ranks.h"

namespace core {
using nlohmann::json;

Site::Site(Session& session, const Exchange& exchange)
    : session_(session), exchange_(exchange), peers_(session.image, exchange) {
  session.rows.set_peers(&peers_);
}

void Site::begin(const Settings& settings, const std::filesystem::path& run, int64_t step) {
  if (session_.image.published.empty() || !session_.ranks->is_first()) return;
  int64_t batch = 1;
  for (const auto& [source, rows] : settings.batch) batch = std::max(batch, rows);
  publisher_.emplace(session_, exchange_, exchange_.publish.empty() ? run / "published" : exchange_.publish,
                     settings.seed, batch, step);
}

/// Rank 0 knows it. The others need to know only if they fetch their state from GPUs together.
bool Site::publishes_at(int64_t step) {
  const bool due = publisher_ && publisher_->due(step);
  return session_.image.published.empty() || !session_.device ? due : session_.ranks->from_first(due);
}

bool Site::exchange(Trainer& trainer, const Peers::Listener& listener) {
  if (publishes_at(trainer.step())) {
    trainer.fetch(true);
    trainer.require_finite();
    if (publisher_) publisher_->publish(trainer.step());
  }
  if (!session_.ranks->is_several()) return peers_.refresh(trainer.step(), listener);
  return exchange_with_ranks(trainer.step(), listener);
}

/// Rank 0 waits for rows, and the other ranks take the same files.
bool Site::exchange_with_ranks(int64_t step, const Peers::Listener& listener) {
  if (peers_of(session_.image).empty()) return true;
  Ranks& ranks = *session_.ranks;
  json found = {{"goes_on", true}};
  if (ranks.is_first()) {
    // While rank 0 waits for a peer, the others must not take it for lost.
    auto told = std::chrono::steady_clock::now();
    const Peers::Listener telling = {
        listener.say, [&] {
          if (std::chrono::steady_clock::now() - told > std::chrono::seconds(1)) {
            told = std::chrono::steady_clock::now();
            ranks.from_first(json{{"waits", true}}.dump());
          }
          return listener.goes_on();
        }};
    try {
      found["goes_on"] = peers_.refresh(step, telling);
      found["files"] = peers_.files_in_use();
    } catch (const Failure& failure) {
      found = {{"code", failure.exit_code}, {"cause", failure.what()}};
    }
  }
  do {
    found = json::parse(ranks.from_first(found.dump(-1, ' ', false, json::error_handler_t::replace)));
  } while (found.contains("waits"));
  if (found.contains("cause")) throw SharedFailure(found["code"], found["cause"], ranks.is_first());
  if (!found.at("goes_on")) return false;
  if (!ranks.is_first()) peers_.follow(found.at("files"), step, listener);
  return true;
}

void Site::end(const Trainer& trainer) {
  if (publisher_ && (!exchange_.lockstep || publisher_->due(trainer.step())))
    publisher_->publish(trainer.step());
}

nlohmann::json Site::record(int64_t step) const {
  if (!exchanges()) return nullptr;
  nlohmann::json record = {{"peers", peers_.record(step)}};
  if (publisher_) record["published"] = {{"files", publisher_->files()}, {"bytes", publisher_->bytes()}};
  return record;
}

}  // namespace core
