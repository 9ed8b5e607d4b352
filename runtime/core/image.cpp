#include "runtime/core/image.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/core/check_description.h"
#include "runtime/schema/json_text.h"
#include "runtime/shared/failure.h"
#include "runtime/shared/own_executable.h"
#include "runtime/version.h"

namespace core {
namespace {
using nlohmann::json;

template <class Item>
int find_named(const std::vector<Item>& items, const std::string& name) {
  for (size_t i = 0; i < items.size(); ++i)
    if (items[i].name == name) return static_cast<int>(i);
  return -1;
}

/// One per source or split, then those of the tags, or of a bound's keys.
int count_coefficients(const schema::Description& image) {
  auto count = static_cast<int>(image.sources.size() + image.splits.size());
  for (const Learn& learn : image.learns) {
    count = std::max(count, learn.multiplier + 1);
    for (const auto& [key, scheduled] : learn.scheduled) count = std::max(count, scheduled.coefficient + 1);
    for (const auto* phases :
         {&learn.alternating, &learn.simultaneous, &learn.missing.alternating, &learn.missing.simultaneous})
      for (const Phase& phase : *phases)
        for (const Stage& stage : phase.stages)
          for (const GibbsChain& chain : stage.chains)
            for (const Tag& tag : chain.tags) count = std::max(count, tag.coefficient + 1);
  }
  return count;
}

/// `file` without the ending .vae.
std::string stem_of(const std::string& file) {
  return file.ends_with(".vae") ? file.substr(0, file.size() - 4) : file;
}

Image image_of(schema::Description description, const vae_image& binary, size_t device_kernels) {
  check_description(description, binary.kernel_count, device_kernels);
  Image image;
  static_cast<schema::Description&>(image) = std::move(description);
  image.file = stem_of(image.file);
  image.kernels = binary.kernels;
  image.kernel_count = binary.kernel_count;
  image.coefficients = count_coefficients(image);
  return image;
}

Image read(const json& text, const vae_image& binary) {
  auto whole = schema::read<schema::ImageDescription>(text);
  const size_t device_kernels = whole.device_kernels.size();
  Image image = image_of(std::move(static_cast<schema::Description&>(whole)), binary, device_kernels);
  image.target = whole.target;
  image.built_in = std::move(whole.built_in);
  image.device_kernels = std::move(whole.device_kernels);
  image.joined_kernels = std::move(whole.joined_kernels);
  check_joined_kernels(image.joined_kernels, device_kernels, image.programs);
  if (device_kernels > 0) image.ptx = binary.ptx;
  for (schema::Simulator& simulator : whole.simulators)
    image.simulators.push_back({simulator.file, std::make_shared<const Image>(image_of(
                                                    std::move(simulator.image), binary, device_kernels))});
  return image;
}

/// Which vaec made an image of another version of the interface. This is readable because the first four
/// members of vae_image keep their places in every version.
std::string maker_of(const vae_image& image) {
  const json text =
      json::parse(image.description, image.description + image.description_size, nullptr, false);
  if (!text.is_object() || !text.contains("vaec") || !text["vaec"].is_string())
    return "another version of vaec";
  return "vaec " + text["vaec"].get<std::string>();
}

}  // namespace

int Image::variable(const std::string& name) const { return find_named(variables, name); }
int Image::player(const std::string& name) const { return find_named(players, name); }
int Image::source(const std::string& name) const { return find_named(sources, name); }

std::vector<std::filesystem::path> Image::search_folders() const {
  std::vector<std::filesystem::path> folders;
  std::error_code unreadable;
  const std::filesystem::path own = own_executable().parent_path();
  if (!built_in.empty() && !own.empty() && own != built_in)
    folders = {own, std::filesystem::current_path(unreadable)};
  folders.emplace_back(folder);
  return folders;
}

std::string Image::names(const std::vector<int>& of_variables, const std::string& between) const {
  std::string text;
  for (int variable : of_variables) text += (text.empty() ? "" : between) + name_of(variable);
  return text;
}

Image read_image(const vae_image& image) {
  if (image.abi_version != VAE_ABI_VERSION)
    throw Failure(
        Exit::bad_configuration,
        fmt::format("this executable was made by {} (runtime interface {}), and the runtime is of "
                    "vaec {} (interface {}); build it again with vaec {}",
                    maker_of(image), image.abi_version, vaert_version(), VAE_ABI_VERSION, vaert_version()));
  std::string cause;
  try {
    return read(schema::parse_text(image.description, image.description_size), image);
  } catch (const json::exception& failure) {
    cause = failure.what();
  } catch (const schema::Malformed& failure) {
    cause = failure.what();
  }
  throw Failure(Exit::internal, "this executable's description is malformed: " + cause);
}

}  // namespace core
