#include "runtime/core/commands/picture_commands.h"

#include <cmath>

#include "runtime/core/commands/flag_checks.h"

namespace core {
namespace {

constexpr const char* code_help =
    "the code (default: the first that the decoder reads and no source observes)";
constexpr const char* grid_endings = "FILE.png, .npy, .npz, .csv or .safetensors";

CLI::Validator positive() {
  return CLI::Validator(
      [](std::string& text) {
        double value = 0;
        const bool number = CLI::detail::lexical_cast(text, value);
        return number && std::isfinite(value) && value > 0 ? std::string() : text + " is no positive number";
      },
      "");
}

}  // namespace

void PictureCommands::add(CLI::App& app, const AddFlags& add_flags, const Choose& choose) {
  add_latents(app, add_flags, choose);
  add_traverse(app, add_flags, choose);
  add_interpolate(app, add_flags, choose);
}

void PictureCommands::add_latents(CLI::App& app, const AddFlags& add_flags, const Choose& choose) {
  CLI::App* command =
      app.add_subcommand("latents", "show the codes of data by two principal components, coloured by class");
  add_flags(command, latents_);
  command->add_option("--of", latents_.code, code_help);
  command->add_option("--source", latents_.source, "whose rows are encoded (default: a held-out one)");
  command->add_option("--classes", latents_.classes,
                      "the category that colours the points, or none (default: the source's first)");
  command->add_option("--rows", latents_.rows, "rows that are encoded (default 2000; 0: all)")
      ->check(at_least(0));
  command->add_option("--out", latents_.out, "FILE.png or FILE.csv")->required();
  command->callback([this, choose] { choose(latents_, [this] { latents(image_, latents_); }); });
}

void PictureCommands::add_traverse(CLI::App& app, const AddFlags& add_flags, const Choose& choose) {
  CLI::App* command = app.add_subcommand(
      "traverse", "change a code element by element, and show what the decoder makes of it");
  add_flags(command, traverse_);
  command->add_option("--of", traverse_.code, code_help);
  one_at_a_time(command->add_option("--dims", traverse_.dims,
                                    "the elements that change, a row each (default: the first 16)"))
      ->delimiter(',')
      ->check(at_least(0));
  command->add_option("--range", traverse_.range, "standard deviations to each side of the mean (default 3)")
      ->check(positive());
  command->add_option("--columns", traverse_.columns, "steps of a change (default 9)")->check(at_least(1));
  CLI::Option* source = command->add_option(
      "--source", traverse_.source,
      "begin from the code of a row of it (default: the mean of the codes that are generated)");
  command->add_option("--row", traverse_.row, "that row of --source (default 0)")
      ->check(at_least(0))
      ->needs(source);
  command->add_option("--out", traverse_.out, grid_endings)->required();
  command->callback([this, choose] { choose(traverse_, [this] { traverse(image_, traverse_); }); });
}

void PictureCommands::add_interpolate(CLI::App& app, const AddFlags& add_flags, const Choose& choose) {
  CLI::App* command = app.add_subcommand(
      "interpolate",
      "go from the code of one row of data to that of the next, and show what the decoder makes of it");
  add_flags(command, interpolate_);
  command->add_option("--of", interpolate_.code, code_help);
  command->add_option("--rows", interpolate_.rows, "pairs of rows of data (default 8)")->check(at_least(1));
  command->add_option("--columns", interpolate_.columns, "steps from one to the other (default 8)")
      ->check(at_least(1));
  command->add_option("--source", interpolate_.source, "whose rows are encoded (default: a held-out one)");
  command->add_option("--row", interpolate_.row, "the first of them (default 0)")->check(at_least(0));
  command->add_option("--out", interpolate_.out, grid_endings)->required();
  command->callback([this, choose] { choose(interpolate_, [this] { interpolate(image_, interpolate_); }); });
}

}  // namespace core
