#include "runtime/core/image.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>

#include "runtime/schema/description.h"
#include "runtime/shared/failure.h"
#include "runtime/shared/own_executable.h"
#include "runtime/version.h"

namespace core {
namespace {
using nlohmann::json;

void require(bool holds, const std::string& what) {
  if (!holds) throw Failure(Exit::internal, "this executable's description is malformed: " + what);
}

int64_t product(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

template <class Item>
int find_named(const std::vector<Item>& items, const std::string& name) {
  for (size_t i = 0; i < items.size(); ++i)
    if (items[i].name == name) return static_cast<int>(i);
  return -1;
}

int checked_index(int64_t index, size_t size, const std::string& what) {
  require(index >= 0 && index < static_cast<int64_t>(size), fmt::format("{} {} of {}", what, index, size));
  return static_cast<int>(index);
}

/// Reads an index, or a name that is looked up.
template <class Item>
int reference(const json& value, const std::vector<Item>& items, const char* what) {
  if (!value.is_string()) return checked_index(value.get<int64_t>(), items.size(), what);
  const int found = find_named(items, value.get<std::string>());
  require(found >= 0, fmt::format("no {} {}", what, value.dump()));
  return found;
}

template <class Item>
std::vector<int> references(const json& values, const std::vector<Item>& items, const char* what) {
  std::vector<int> found;
  for (const json& value : values) found.push_back(reference(value, items, what));
  return found;
}

Extent read_extent(const json& value, size_t batches) {
  if (value.is_number()) return {value.get<int64_t>(), -1};
  return {1, checked_index(value.at("batch").get<int64_t>(), batches, "batch class")};
}

std::vector<Extent> read_extents(const json& values, size_t batches) {
  if (!values.is_array()) return {read_extent(values, batches)};
  std::vector<Extent> extents;
  for (const json& value : values) extents.push_back(read_extent(value, batches));
  return extents;
}

/// Reads a source, or a split; splits are numbered after the sources.
int row_source(const json& text, const Image& image) {
  if (text.is_string()) return reference(text, image.sources, "source");
  return checked_index(text.get<int64_t>(), image.sources.size() + image.splits.size(), "source");
}

/// Reads one program. The tables that it refers to (players, columns, sources) are already in `image`.
class ProgramReader {
 public:
  ProgramReader(const Image& image, const json& text) : image_(image), text_(text) {}

  Program read() {
    program_.name = text_.at("name");
    for (const json& batch : text_.at("batches")) program_.batches.push_back(read_batch(batch));
    for (const json& life : text_.at("slots")) {
      program_.slots.push_back({life.at(0), life.at(1)});
      require(program_.slots.back().first >= 0 && program_.slots.back().first <= program_.slots.back().last,
              "life " + life.dump());
    }
    for (const json& buffer : text_.at("buffers")) program_.buffers.push_back(read_buffer(buffer));
    check_parents();
    for (const json& instruction : text_.at("instructions"))
      program_.instructions.push_back(read_instruction(instruction));
    return std::move(program_);
  }

 private:
  BatchClass read_batch(const json& text) {
    if (text.is_object()) return {read_batch(text.at("source")).source, text.at("times")};
    return {text.is_string() || text.get<int>() >= 0 ? row_source(text, image_) : -1, 1};
  }

  Buffer read_buffer(const json& text) {
    static const std::map<std::string, Buffer::Kind> kinds = {
        {"scratch", Buffer::Kind::scratch},       {"part", Buffer::Kind::part},
        {"parameters", Buffer::Kind::parameters}, {"coefficients", Buffer::Kind::coefficients},
        {"input", Buffer::Kind::input},           {"output", Buffer::Kind::output}};
    Buffer buffer;
    buffer.name = text.value("name", "");
    const auto kind = kinds.find(text.at("kind").get<std::string>());
    require(kind != kinds.end(), "buffer kind " + text.at("kind").dump());
    buffer.kind = kind->second;
    buffer.extents = read_extents(text.at("extents"), program_.batches.size());
    buffer.offset = text.value("offset", int64_t{0});
    buffer.index = text.value("index", -1);
    buffer.slot = text.value("slot", -1);
    buffer.parent = text.value("parent", -1);
    if (buffer.kind == Buffer::Kind::scratch) checked_index(buffer.slot, program_.slots.size(), "slot");
    // The index of a player's averages is the player's index plus the number of players.
    if (buffer.kind == Buffer::Kind::parameters)
      checked_index(buffer.index, 2 * image_.players.size(), "player");
    return buffer;
  }

  /// Checks that the chain of parents of each part ends at a buffer that is not a part.
  void check_parents() {
    for (const Buffer& start : program_.buffers) {
      const Buffer* buffer = &start;
      for (size_t depth = 0; buffer->kind == Buffer::Kind::part; ++depth) {
        require(depth < program_.buffers.size(), "parts of each other in " + program_.name);
        const int parent = checked_index(buffer->parent, program_.buffers.size(), "parent buffer");
        buffer = &program_.buffers[static_cast<size_t>(parent)];
      }
    }
  }

  /// The index of a buffer, used by the instruction that is being read.
  int buffer(const json& value) {
    const int index = checked_index(value.get<int64_t>(), program_.buffers.size(), "buffer");
    const Buffer* whole = &program_.buffers[static_cast<size_t>(index)];
    while (whole->kind == Buffer::Kind::part) whole = &program_.buffers[static_cast<size_t>(whole->parent)];
    if (whole->kind == Buffer::Kind::scratch) {
      const Life& life = program_.slots[static_cast<size_t>(whole->slot)];
      const auto now = static_cast<int>(program_.instructions.size());
      require(life.first <= now && now <= life.last, "life of a buffer of " + program_.name);
    }
    return index;
  }

  Loop read_loop(const json& text) {
    Loop loop;
    loop.name = text.value("name", "");
    loop.kernel =
        static_cast<uint32_t>(checked_index(text.at("kernel").get<int64_t>(), image_.kernel_count, "kernel"));
    loop.space = read_extents(text.at("space"), program_.batches.size());
    loop.kept = text.at("kept");
    require(loop.kept >= 0 && loop.kept <= static_cast<int>(loop.space.size()), "kept axes of " + loop.name);
    loop.unit = read_extents(text.at("unit"), program_.batches.size());
    for (const json& item : text.at("accesses")) {
      Access access;
      access.buffer = buffer(item.at("buffer"));
      access.offset = item.value("offset", int64_t{0});
      access.strides = item.at("strides").get<std::vector<int64_t>>();
      require(access.strides.size() == loop.space.size(), "strides of " + loop.name);
      loop.accesses.push_back(std::move(access));
    }
    loop.scalars = text.value("scalars", std::vector<float>{});
    loop.sites = text.value("sites", std::vector<uint32_t>{});
    return loop;
  }

  Gemm read_gemm(const json& text) {
    const size_t batches = program_.batches.size();
    Gemm gemm;
    gemm.name = text.value("name", "");
    gemm.a = buffer(text.at("a"));
    gemm.b = buffer(text.at("b"));
    gemm.c = buffer(text.at("c"));
    gemm.m = read_extent(text.at("m"), batches);
    gemm.n = read_extent(text.at("n"), batches);
    gemm.k = read_extent(text.at("k"), batches);
    const auto flag = [&](const char* key) {
      const json& value = text.at(key);
      return value.is_boolean() ? value.get<bool>() : value.get<int>() != 0;
    };
    gemm.transpose_a = flag("transpose_a");
    gemm.transpose_b = flag("transpose_b");
    return gemm;
  }

  Convolution read_convolution(const json& text) {
    Convolution convolution;
    convolution.name = text.value("name", "");
    convolution.a = buffer(text.at("a"));
    convolution.b = buffer(text.at("b"));
    convolution.c = buffer(text.at("c"));
    convolution.batch = read_extent(text.at("batch"), program_.batches.size());
    vae_convolution& shape = convolution.shape;
    shape.direction = text.at("direction");
    require(shape.direction >= VAE_FORWARD && shape.direction <= VAE_BACKWARD_WEIGHTS,
            "direction of " + convolution.name);
    for (const auto& [key, field] :
         std::initializer_list<std::pair<const char*, int64_t*>>{{"in_channels", &shape.in_channels},
                                                                 {"in_h", &shape.in_h},
                                                                 {"in_w", &shape.in_w},
                                                                 {"out_channels", &shape.out_channels},
                                                                 {"out_h", &shape.out_h},
                                                                 {"out_w", &shape.out_w},
                                                                 {"kernel_h", &shape.kernel_h},
                                                                 {"kernel_w", &shape.kernel_w},
                                                                 {"stride_h", &shape.stride_h},
                                                                 {"stride_w", &shape.stride_w},
                                                                 {"padding_h", &shape.padding_h},
                                                                 {"padding_w", &shape.padding_w}})
      *field = text.at(key);
    return convolution;
  }

  Instruction read_instruction(const json& text) {
    const std::string op = text.at("op");
    if (op == "loop") return read_loop(text);
    if (op == "gemm") return read_gemm(text);
    if (op == "convolution") return read_convolution(text);
    if (op == "gather")
      return Gather{reference_column(text.at("column")), row_source(text.at("source"), image_),
                    buffer(text.at("buffer"))};
    if (op == "sum_ranks")
      return SumRanks{row_source(text.at("source"), image_), buffer(text.at("from")), buffer(text.at("to"))};
    require(op == "update", "instruction " + op);
    return Update{reference(text.at("player"), image_.players, "player"), buffer(text.at("gradient"))};
  }

  int reference_column(const json& value) {
    return checked_index(value.get<int64_t>(), image_.columns.size(), "column");
  }

  const Image& image_;
  const json& text_;
  Program program_;
};

Variable read_variable(const json& text) {
  return {text.at("name"),
          text.at("domain"),
          text.value("classes", int64_t{0}),
          text.at("shape").get<Shape>(),
          text.at("tensor_shape").get<Shape>(),
          text.value("words", std::vector<std::string>())};
}

Player read_player(const json& text) {
  Player player{text.at("name"), text.value("role", "player"), text.at("elements"), {}};
  for (const json& item : text.at("parameters")) {
    Parameter parameter{item.at("name"), item.at("shape").get<Shape>(), item.at("offset"), {}};
    const json& initial = item.at("initial");
    parameter.initial = {initial.at("kind"), initial.value("value", 0.0), initial.value("scale", 0.0)};
    require(parameter.offset >= 0 && parameter.offset + parameter.elements() <= player.elements,
            "place of " + parameter.name);
    player.parameters.push_back(std::move(parameter));
  }
  return player;
}

GibbsChain read_chain(const json& text, const Image& image, size_t programs) {
  GibbsChain chain{row_source(text.at("source"), image), text.at("sweeps"), text.at("site"), {}, {}};
  for (const json& part : text.at("parts"))
    chain.parts.push_back(checked_index(part.get<int64_t>(), programs, "program"));
  for (const json& item : text.at("tags")) {
    Tag tag{item.at("term"),
            item.at("coefficient"),
            checked_index(item.at("part").get<int64_t>(), chain.parts.size(), "part"),
            {}};
    require(tag.coefficient >= static_cast<int>(image.sources.size()), "coefficient of " + tag.term);
    for (const json& part : item.at("redrawn_by"))
      tag.redrawn_by.push_back(checked_index(part.get<int64_t>(), chain.parts.size(), "part"));
    chain.tags.push_back(std::move(tag));
  }
  return chain;
}

Phase read_phase(const json& text, const Image& image, size_t programs) {
  Phase phase;
  for (const json& item : text.at("stages")) {
    Stage& stage = phase.stages.emplace_back();
    stage.program = checked_index(item.at("program").get<int64_t>(), programs, "program");
    for (const json& chain : item.at("chains")) stage.chains.push_back(read_chain(chain, image, programs));
  }
  phase.program = checked_index(text.at("program").get<int64_t>(), programs, "program");
  for (const json& item : text.value("objective", json::array()))
    phase.objective.push_back({item.at("output"), item.at("factor")});
  return phase;
}

/// One per source or split, then those of the tags, or of a bound's keys.
int count_coefficients(const Image& image) {
  auto count = static_cast<int>(image.sources.size() + image.splits.size());
  for (const Learn& learn : image.learns) {
    count = std::max(count, learn.multiplier + 1);
    for (const auto& [key, schedule] : learn.keys.at("scheduled").items())
      count = std::max(count, schedule.at("coefficient").get<int>() + 1);
    for (const auto* phases :
         {&learn.alternating, &learn.simultaneous, &learn.missing.alternating, &learn.missing.simultaneous})
      for (const Phase& phase : *phases)
        for (const Stage& stage : phase.stages)
          for (const GibbsChain& chain : stage.chains)
            for (const Tag& tag : chain.tags) count = std::max(count, tag.coefficient + 1);
  }
  return count;
}

std::vector<Phase> read_phases(const json& text, const char* order, const Image& image, size_t programs) {
  std::vector<Phase> found;
  for (const json& phase : text.value(order, json::array()))
    found.push_back(read_phase(phase, image, programs));
  return found;
}

MissingPhases read_missing(const json& text, const Image& image, size_t programs) {
  MissingPhases missing;
  const auto split = [&](const json& index) {
    return checked_index(index.get<int64_t>(), image.splits.size(), "split");
  };
  missing.alternating = read_phases(text.at("phases"), "alternating", image, programs);
  missing.simultaneous = read_phases(text.at("phases"), "simultaneous", image, programs);
  for (const json& index : text.at("splits")) missing.splits.push_back(split(index));
  for (const json& item : text.at("refused")) missing.refused[split(item.at("split"))] = item.at("why");
  return missing;
}

Split read_split(const json& text, const Image& image) {
  const std::vector<int> missing = references(text.at("missing"), image.variables, "variable");
  return {text.at("name"),
          reference(text.at("source"), image.sources, "source"),
          {missing.begin(), missing.end()}};
}

Learn read_learn(const json& text, const Image& image, size_t programs) {
  Learn learn;
  learn.method = text.at("method");
  learn.name = text.at("name");
  learn.keys = text;
  learn.keys.erase("phases");
  learn.keys.erase("unavailable");
  learn.keys.erase("skipped");
  learn.keys.erase("missing");
  learn.keys.erase("multiplier");
  learn.keys["scheduled"] = text.value("scheduled", json::object());
  learn.multiplier = text.value("multiplier", -1);
  learn.sources = references(text.at("sources"), image.sources, "source");
  learn.skipped = references(text.value("skipped", json::array()), image.sources, "source");
  if (text.contains("unavailable")) {
    learn.unavailable = text["unavailable"];
    return learn;
  }
  learn.alternating = read_phases(text.at("phases"), "alternating", image, programs);
  learn.simultaneous = read_phases(text.at("phases"), "simultaneous", image, programs);
  if (text.contains("missing")) learn.missing = read_missing(text["missing"], image, programs);
  return learn;
}

DeviceKernel read_device_kernel(const json& text) {
  using Mapping = DeviceKernel::Mapping;
  static const std::map<std::string, Mapping> mappings = {{"elements", Mapping::elements},
                                                          {"draws", Mapping::draws},
                                                          {"rows", Mapping::rows},
                                                          {"columns", Mapping::columns}};
  const auto mapping = mappings.find(text.at("mapping"));
  if (mapping == mappings.end()) throw Failure(Exit::internal, "a device kernel's mapping is unknown");
  return {text.at("name"), mapping->second, text.at("threads"), text.at("sums")};
}

Image read(const json& text, const vae_image& binary) {
  Image image;
  image.kernels = binary.kernels;
  image.kernel_count = binary.kernel_count;
  image.target = text.value("target", image.target);
  for (const json& kernel : text.value("device_kernels", json::array()))
    image.device_kernels.push_back(read_device_kernel(kernel));
  if (image.device_kernels.size() == image.kernel_count) image.ptx = binary.ptx;
  image.file = text.at("file");
  if (const size_t ending = image.file.rfind(".vae");
      ending != std::string::npos && ending + 4 == image.file.size())
    image.file.resize(ending);  // the name used for runs and in messages
  image.folder = text.at("folder");
  image.built_in = text.value("built_in", "");
  image.text = text.at("text");
  image.version = text.value("vaec", "");
  if (text.contains("cpu")) {
    image.cpu = text["cpu"].value("name", "");
    image.cpu_features = text["cpu"].value("features", std::vector<std::string>{});
  }
  image.params = text.value("params", json::object());
  image.game = text.value("game", json::object());
  for (const json& item : text.at("variables")) image.variables.push_back(read_variable(item));
  for (const json& item : text.at("players")) image.players.push_back(read_player(item));
  for (const json& item : text.at("columns")) {
    const int variable = reference(item.at("variable"), image.variables, "variable");
    image.columns.push_back({item.at("expression"), variable,
                             item.value("domain", image.variables[static_cast<size_t>(variable)].domain)});
  }
  image.published = references(text.value("published", json::array()), image.variables, "variable");
  const json& programs = text.at("programs");
  const auto program = [&](const json& index) {
    return index.get<int>() < 0 ? -1 : checked_index(index.get<int64_t>(), programs.size(), "program");
  };
  for (const json& item : text.at("sources"))
    image.sources.push_back({item.at("name"),
                             item.value("weight", 1.0),
                             references(item.at("known"), image.variables, "variable"),
                             program(item.value("program", json(-1))),
                             {},
                             item.value("sweeps", 10),
                             {}});
  for (const json& item : text.at("conditionals")) {
    Conditional conditional;
    conditional.player = item.at("player").is_number() && item["player"].get<int>() < 0
                             ? -1
                             : reference(item.at("player"), image.players, "player");
    conditional.source = item.value("source", json(-1)).get<int>();
    if (conditional.source >= 0) conditional.source = reference(item["source"], image.sources, "source");
    conditional.target = reference(item.at("target"), image.variables, "variable");
    conditional.parents = references(item.at("parents"), image.variables, "variable");
    conditional.family = item.value("family", "");
    conditional.discrete = item.value("discrete", false);
    conditional.draw = program(item.at("draw"));
    conditional.mean = program(item.at("mean"));
    conditional.log_density = program(item.at("log_density"));
    conditional.initial = program(item.value("initial", json(-1)));
    conditional.term = program(item.value("term", json(-1)));
    conditional.jacobian = program(item.value("jacobian", json(-1)));
    conditional.learned = item.value("learned", false);
    image.conditionals.push_back(std::move(conditional));
  }
  for (size_t s = 0; s < image.sources.size(); ++s) {
    const json& item = text.at("sources")[s];
    for (const json& word : item.value("words", json::array()))
      image.sources[s].words[reference(word.at("variable"), image.variables, "variable")] =
          reference(word.at("player"), image.players, "player");
    for (const json& start : item.value("starts", json::array()))
      image.sources[s].starts.push_back(
          checked_index(start.get<int64_t>(), image.conditionals.size(), "conditional"));
  }
  for (const json& item : text.value("splits", json::array()))
    image.splits.push_back(read_split(item, image));
  for (const json& item : text.at("learns")) image.learns.push_back(read_learn(item, image, programs.size()));
  image.coefficients = count_coefficients(image);
  for (const json& item : programs) image.programs.push_back(ProgramReader(image, item).read());
  for (const json& item : text.value("simulators", json::array()))
    image.simulators.push_back(
        {item.at("file"), std::make_shared<const Image>(read(item.at("image"), binary))});
  return image;
}

}  // namespace

int64_t Variable::elements() const { return product(tensor_shape); }
int64_t Parameter::elements() const { return product(shape); }

int64_t Player::parameter_count() const {
  int64_t count = 0;
  for (const Parameter& parameter : parameters) count += parameter.elements();
  return count;
}

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

namespace {

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

Image read_image(const vae_image& image) {
  if (image.abi_version != VAE_ABI_VERSION)
    throw Failure(
        Exit::bad_configuration,
        fmt::format("this executable was made by {} (runtime interface {}), and the runtime is of "
                    "vaec {} (interface {}); build it again with vaec {}",
                    maker_of(image), image.abi_version, vaert_version(), VAE_ABI_VERSION, vaert_version()));
  try {
    return read(description::read(image.description, image.description_size), image);
  } catch (const json::exception& failure) {
    throw Failure(Exit::internal,
                  std::string("this executable's description is malformed: ") + failure.what());
  }
}

}  // namespace core
