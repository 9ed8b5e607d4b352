#include "runtime/core/execution/averages.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/shared/failure.h"

namespace core {
namespace fs = std::filesystem;

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
