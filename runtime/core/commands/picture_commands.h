// The commands that show codes and what the decoder gives for them: latents, traverse, interpolate.
#pragma once
#include <CLI/CLI.hpp>
#include <functional>

#include "runtime/core/commands/commands.h"

namespace core {

class PictureCommands {
 public:
  explicit PictureCommands(const Image& image) : image_(image) {}

  using AddFlags = std::function<void(CLI::App*, ModelRequest&)>;
  using Choose = std::function<void(const ModelRequest&, const std::function<void()>&)>;
  /// `add_flags`: adds the flags that all commands on a run share. `choose`: called with the action of a
  /// command when the user names that command.
  void add(CLI::App& app, const AddFlags& add_flags, const Choose& choose);

 private:
  void add_latents(CLI::App& app, const AddFlags& add_flags, const Choose& choose);
  void add_traverse(CLI::App& app, const AddFlags& add_flags, const Choose& choose);
  void add_interpolate(CLI::App& app, const AddFlags& add_flags, const Choose& choose);

  const Image& image_;
  LatentsRequest latents_;
  CodeGridRequest traverse_, interpolate_;
};

}  // namespace core
