#include "runtime/core/commands/training/site.h"

#include <algorithm>

namespace core {

Site::Site(Session& session, const Exchange& exchange)
    : session_(session), exchange_(exchange), peers_(session.image, exchange) {
  session.rows.set_peers(&peers_);
}

void Site::begin(const Settings& settings, const std::filesystem::path& run, int64_t step) {
  if (session_.image.published.empty()) return;
  int64_t batch = 1;
  for (const auto& [source, rows] : settings.batch) batch = std::max(batch, rows);
  publisher_.emplace(session_, exchange_, exchange_.publish.empty() ? run / "published" : exchange_.publish,
                     settings.seed, batch, step);
}

bool Site::exchange(Trainer& trainer, const Peers::Listener& listener) {
  if (publisher_ && publisher_->due(trainer.step())) {
    trainer.fetch(true);
    trainer.require_finite();
    publisher_->publish(trainer.step());
  }
  return peers_.refresh(trainer.step(), listener);
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
