#include "runtime/core/execution/averages.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "runtime/data/arrays/byte_source.h"
#include "runtime/shared/failure.h"

namespace core {
namespace fs = std::filesystem;

namespace {

/// Whether state.json of the checkpoint counts steps that were averaged.
bool was_averaged(const fs::path& checkpoint) {
  const fs::path file = checkpoint / "state.json";
  if (!fs::exists(file)) return false;
  const std::vector<uint8_t> text = data::read_file(file);
  const auto state = nlohmann::json::parse(text, nullptr, false);
  return state.is_object() && state.contains("averaged_steps");
}

}  // namespace

bool reads_averages(const Image& image) {
  const auto players = static_cast<int>(image.players.size());
  return std::ranges::any_of(image.programs, [&](const Program& program) {
    return std::ranges::any_of(program.buffers, [&](const Buffer& buffer) {
      return buffer.kind == Buffer::Kind::parameters && buffer.index >= players;
    });
  });
}

void load_checkpoint(Session& session, const fs::path& checkpoint, const std::string& weights) {
  const Image& image = session.image;
  const fs::path averages = checkpoint / "average.safetensors";
  const bool there = fs::exists(averages), read = reads_averages(image);
  if (!there && (weights != "last" || read) && was_averaged(checkpoint))
    throw Failure(Exit::missing_input,
                  fmt::format("{} is missing, though the run was trained with `average`{}", averages.string(),
                              read ? "" : "; --weights last reads the parameters of the last step"));
  if (!there && (weights == "average" || read))
    throw Failure(Exit::missing_input,
                  fmt::format("{}{} has no averages: the run is of a learn block without `average`",
                              weights == "average" ? "--weights average: " : "", checkpoint.string()));
  session.load_parameters(there && weights != "last" ? averages : checkpoint / "model.safetensors");
  if (!read) return;
  const data::Tensors tensors = data::read_safetensors(averages);
  for (size_t player = 0; player < image.players.size(); ++player)
    take_tensors(image.players[player], tensors, "", averages,
                 session.parameters.average_of(static_cast<int>(player)));
}

}  // namespace core
