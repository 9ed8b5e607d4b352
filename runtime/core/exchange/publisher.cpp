#include "runtime/core/exchange/publisher.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "runtime/core/exchange/published_file.h"
#include "runtime/core/inference/drawn_rows.h"
#include "runtime/schema/published_rows.h"
#include "runtime/shared/failure.h"

namespace core {
namespace fs = std::filesystem;

namespace {

constexpr int64_t most_published = 4096;  // default limit for the rows of a file that covers several steps
// So that a reader that has just listed the folder still finds its file
constexpr size_t kept_files = 10;
constexpr int64_t most_bytes_value = 255;

/// A plan with the draws that `explain` lists as leaving the program.
Plan plan_of(const Image& image) {
  const auto conditional_at = [&](const nlohmann::json& place) {
    for (size_t i = 0; i < image.conditionals.size(); ++i) {
      const Conditional& conditional = image.conditionals[i];
      if (conditional.player >= 0 &&
          place.at("player") == image.players[static_cast<size_t>(conditional.player)].name &&
          place.at("variable") == image.name_of(conditional.target))
        return static_cast<int>(i);
    }
    throw Failure(Exit::internal, "a published variable is drawn by no conditional");
  };
  Plan plan;
  for (const nlohmann::json& draw : image.game.at("published").at("draws")) {
    Step& step = plan.steps.emplace_back();
    step.chain = draw.contains("chain");
    int player = -1;
    for (const nlohmann::json& place : step.chain ? draw["chain"] : nlohmann::json::array({draw})) {
      const int conditional = conditional_at(place);
      const int own = image.conditionals[static_cast<size_t>(conditional)].player;
      if (own != std::exchange(player, own)) step.groups.emplace_back();
      step.groups.back().push_back(conditional);
    }
  }
  return plan;
}

bool fits_bytes(const Variable& variable) {
  return variable.domain == "binary" ||
         (variable.domain == "category" && variable.classes <= most_bytes_value + 1);
}

}  // namespace

Publisher::Publisher(Session& session, const Exchange& exchange, fs::path folder, uint64_t seed,
                     int64_t batch, int64_t first_step)
    : session_(session),
      exchange_(exchange),
      folder_(std::move(folder)),
      // The draws share no random numbers with training.
      seed_(seed * 0x9E3779B97F4A7C15u + 0x7075626C697368u),
      rows_(exchange.publish_rows),
      sampler_(session, 0),
      plan_(plan_of(session.image)) {
  if (rows_ == 0)
    rows_ = std::max(batch, batch > most_published / exchange.publish_every
                                ? std::min(most_published, batch * exchange.publish_every)
                                : batch * exchange.publish_every);
  std::error_code error;
  fs::create_directories(folder_, error);
  std::error_code unreadable;
  if (!fs::is_directory(folder_, unreadable))
    throw Failure(Exit::cannot_write,
                  fmt::format("{}: this folder cannot be made: {}", folder_.string(), error.message()));
  lock();
  remove_later(first_step);
}

Publisher::~Publisher() {
  if (lock_ >= 0) close(lock_);
}

void Publisher::lock() {
  lock_ = open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  // If the file system has no locks, publishing is still allowed.
  if (lock_ >= 0 && flock(lock_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
    throw Failure(Exit::cannot_write,
                  fmt::format("{}: another process publishes into this folder; give each program its own",
                              folder_.string()));
}

/// Readers would take these files for files of this run. A file of `first_step` is removed too if nothing is
/// published at that step: an earlier run may have ended there.
void Publisher::remove_later(int64_t first_step) const {
  std::error_code ignored;
  for (const PublishedFile& file : published_files(folder_))
    if (file.step > first_step || (file.step == first_step && !due(first_step)))
      fs::remove(file.path, ignored);
  std::vector<fs::path> unfinished;  // left by a process that was killed while it wrote
  for (fs::directory_iterator entry(folder_, ignored), end; !ignored && entry != end;
       entry.increment(ignored))
    if (const fs::path path = entry->path();
        path.extension() == ".part" && step_of_published(path.stem().stem()))
      unfinished.push_back(path);
  for (const fs::path& path : unfinished) fs::remove(path, ignored);
}

void Publisher::publish(int64_t step) {
  const Image& image = session_.image;
  const Values drawn =
      draw_rows(sampler_, image, plan_, sweeps_of_published_rows, seed_, static_cast<uint64_t>(step), rows_);
  PublishedRows rows{image.file, step, exchange_.publish_every, rows_, {}, {}};
  for (const int index : image.published) {
    const Variable& variable = image.variables[static_cast<size_t>(index)];
    TableValues values = table_values(variable, drawn.at(index), rows_);
    values.row_shape.insert(values.row_shape.begin(), rows_);
    rows.tensors[variable.name] = {values.row_shape, std::move(values.values), fits_bytes(variable)};
    rows.variables.push_back(
        {variable.name, data::domain_text({variable.name, variable.domain, variable.classes, variable.shape,
                                           variable.words})});
  }
  const fs::path path = published_path(folder_, step);
  write_published(path, rows);
  std::error_code unreadable;
  const auto size = fs::file_size(path, unreadable);
  ++files_;
  if (!unreadable) bytes_ += static_cast<int64_t>(size);
  if (!exchange_.lockstep) remove_old();
}

/// Not done in lockstep, where a reader may need any of the files.
void Publisher::remove_old() const {
  const std::vector<PublishedFile> files = published_files(folder_);
  std::error_code ignored;
  for (size_t i = kept_files; i < files.size(); ++i) fs::remove(files[i].path, ignored);
}

}  // namespace core
