// The fuzz targets. A target gets bytes, as a reader would find them in a file, or as the text of a program.
// It returns whether they were accepted. They may be refused with a Failure or a diagnostic, but not with an
// internal error. Anything else is a fault.
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "compiler/pipeline.h"
#include "compiler/syntax/parse.h"
#include "runtime/core/execution/session.h"
#include "runtime/core/image.h"
#include "runtime/core/learning/settings/settings.h"
#include "runtime/core/learning/step/training_state.h"
#include "runtime/core/run/run_directory.h"
#include "runtime/data/arrays/hdf5.h"
#include "runtime/data/arrays/idx.h"
#include "runtime/data/arrays/npy.h"
#include "runtime/data/arrays/npz.h"
#include "runtime/data/arrays/safetensors.h"
#include "runtime/data/cells/csv.h"
#include "runtime/data/pictures/decode_picture.h"
#include "runtime/schema/json_text.h"
#include "runtime/shared/closed_folder.h"
#include "runtime/shared/failure.h"
#include "tests/numeric/support/core_toy_image.h"

namespace fuzz {
namespace fs = std::filesystem;

using Bytes = std::string;

struct Target {
  const char* name;
  bool (*take)(const Bytes& bytes);
};

/// A file in memory with these bytes.
class MemoryFile {
 public:
  explicit MemoryFile(const Bytes& bytes) : file_(memfd_create("fuzz", MFD_CLOEXEC)) {
    for (size_t done = 0; done < bytes.size();) {
      const ssize_t wrote = write(file_.number(), bytes.data() + done, bytes.size() - done);
      if (wrote <= 0) std::abort();
      done += static_cast<size_t>(wrote);
    }
  }
  fs::path path() const { return "/proc/self/fd/" + std::to_string(file_.number()); }

 private:
  Descriptor file_;
};

/// A file with a name of its own, which HDF5 needs.
class NamedFile {
 public:
  explicit NamedFile(const Bytes& bytes)
      : path_(fs::temp_directory_path() / ("vaec-fuzz-" + std::to_string(getpid()))) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  }
  ~NamedFile() { fs::remove(path_); }
  NamedFile(const NamedFile&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Why the last input was refused; for the messages of tests.
inline std::string& refusal() {
  static std::string text;
  return text;
}

inline bool taken(const std::function<void()>& act) {
  try {
    act();
    return true;
  } catch (const Failure& failure) {
    if (failure.exit_code == Exit::internal) throw;
    refusal() = failure.what();
  } catch (const std::bad_alloc&) {
    refusal() = "out of memory";
  }
  return false;
}

/// Reads the first and the last row of the column.
inline void look_at(const data::Column& column) {
  constexpr int64_t most = int64_t{1} << 20;
  if (column.rows == 0 || column.row_elements() == 0 || column.row_elements() > most) return;
  for (const int64_t row : {int64_t{0}, column.rows - 1}) {
    std::vector<uint8_t> bytes(static_cast<size_t>(column.row_elements()));
    std::vector<float> reals(static_cast<size_t>(column.row_elements()));
    if (column.byte_rows)
      column.byte_rows->read(&row, 1, bytes.data());
    else if (column.real_rows)
      column.real_rows->read(&row, 1, reals.data());
    else
      column.at(row * column.row_elements());
  }
}

/// Runs a reader of columns with little memory. What does not fit is read from the file or unpacked.
template <class File = MemoryFile, class Read>
bool take_column(const Bytes& bytes, const Read& read) {
  const File file(bytes);
  return taken([&] {
    data::Memory memory(int64_t{1} << 22);
    look_at(read(file.path(), data::Placement{&memory, ""}));
  });
}

inline bool take_idx(const Bytes& bytes) {
  return take_column(bytes, [](const fs::path& path, const data::Placement& placement) {
    return read_idx(path, "x", placement);
  });
}
inline bool take_npy(const Bytes& bytes) {
  return take_column(bytes, [](const fs::path& path, const data::Placement& placement) {
    return read_npy(path, "x", placement);
  });
}
inline bool take_npz(const Bytes& bytes) {
  return take_column(bytes, [](const fs::path& path, const data::Placement& placement) {
    return read_npz(path, "x", placement);
  });
}
inline bool take_hdf5(const Bytes& bytes) {
  return take_column<NamedFile>(bytes, [](const fs::path& path, const data::Placement& placement) {
    return read_hdf5(path, "x", placement);
  });
}
/// Reads one tensor by name as data, and all tensors as a checkpoint.
inline bool take_safetensors(const Bytes& bytes) {
  const bool column = take_column(bytes, [](const fs::path& path, const data::Placement& placement) {
    return read_safetensors_column(path, "x", placement);
  });
  const MemoryFile file(bytes);
  return taken([&] { data::read_safetensors(file.path()); }) && column;
}

/// The first byte chooses the options of the reader.
inline bool take_csv(const Bytes& bytes) {
  const uint8_t choice = bytes.empty() ? 0 : static_cast<uint8_t>(bytes[0]);
  const MemoryFile file(bytes.empty() ? bytes : bytes.substr(1));
  return taken([&] {
    data::CsvFormat format;
    format.separator = choice & 1 ? ';' : ',';
    format.header = (choice & 2) == 0;
    if (choice & 4) format.comment = "#";
    if (choice & 8) format.missing = {"NA", "-"};
    const auto names = choice & 16 ? std::optional(std::vector<std::string>{"0"}) : std::nullopt;
    for (const data::Column& column : data::read_csv(file.path(), names, format).columns) look_at(column);
  });
}

inline bool take_picture(const Bytes& bytes) {
  const MemoryFile file(bytes);
  bool good = false;
  for (const data::Colours colours : {data::Colours::rgb, data::Colours::gray, data::Colours::indices})
    good = taken([&] { data::decode_picture(file.path(), colours); }) || good;
  taken([&] { data::is_deep(file.path()); });
  return good;
}

/// A run directory of the toy model (core_toy_image.h), and the objects that read its files.
class ToyRun {
 public:
  ToyRun()
      : folder_(toy::fresh_folder("fuzz")),
        toy_((toy::write_rows(folder_), toy::description(folder_))),
        image_(core::read_image(toy_.binary)),
        session_(image_, {.threads = 1}),
        settings_(core::settings_of(image_.learns.front(), image_)) {
    core::save(core::initial_state(session_, settings_), session_, settings_, folder_, 1);
  }
  ~ToyRun() { fs::remove_all(folder_); }
  ToyRun(const ToyRun&) = delete;

  const core::Image& image() const { return image_; }
  fs::path put(const char* name, const Bytes& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }
  const fs::path& folder() const { return folder_; }
  void restore() { core::restored_state(session_, settings_, {0, folder_}); }

 private:
  fs::path folder_;
  toy::Image toy_;
  core::Image image_;
  core::Session session_;
  core::Settings settings_;
};

inline ToyRun& toy_run() {
  static ToyRun run;
  return run;
}

inline bool take_config(const Bytes& bytes) {
  const fs::path file = toy_run().put("config.json", bytes);
  return taken([&] {
    const nlohmann::json config = core::read_json(file);
    core::check(core::settings_from(config, file.string()), toy_run().image());
  });
}

inline bool take_state(const Bytes& bytes) {
  toy_run().put("state.json", bytes);
  return taken([&] { toy_run().restore(); });
}

inline bool take_metrics(const Bytes& bytes) {
  toy_run().put("metrics.jsonl", bytes);
  bool lines = false;
  return taken([&] { lines = !core::read_metrics(toy_run().folder()).empty(); }) && lines;
}

/// An executable contains its description, so a fault in it is an internal error with a message. `bytes` is a
/// change of the toy model's description (a JSON merge patch, RFC 7386). If `bytes` is not JSON, it is the
/// whole description.
inline bool take_description(const Bytes& bytes) {
  const auto patch = nlohmann::json::parse(bytes, nullptr, false);
  Bytes text = bytes;
  if (!patch.is_discarded()) {
    nlohmann::json whole = toy::description("/fuzz");
    whole.merge_patch(patch);
    text = schema::to_text(whole);
  }
  vae_image binary{};
  binary.abi_version = VAE_ABI_VERSION;
  binary.kernel_count = std::size(toy::kernels);
  binary.kernels = toy::kernels;
  binary.description = text.data();
  binary.description_size = text.size();
  try {
    core::read_image(binary);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

/// Runs every stage before the tensor programs, and prints the diagnostics and the game.
inline bool take_program(const Bytes& bytes) {
  base::SourceSet sources;
  base::Report report(sources);
  const auto checked = vaec::check_model({"/fuzz/program.vae", bytes, {}}, sources, report);
  base::render_text(report, true);
  base::render_json(report);
  if (!checked) return false;
  game::explain_text(checked->model, checked->game);
  game::explain_json(checked->model, checked->game);
  return true;
}

inline bool take_layout(const Bytes& bytes) {
  base::SourceSet sources;
  base::Report report(sources);
  const base::FileId file = sources.add("program.vae", bytes);
  syntax::parse(file, report);
  if (report.has_errors()) return false;
  const std::string once = syntax::format(file, sources);
  const base::FileId again = sources.add("again.vae", once);
  syntax::parse(again, report);
  if (report.has_errors() || syntax::format(again, sources) != once) std::abort();
  return true;
}

inline const std::vector<Target> targets = {{"program", take_program},
                                            {"layout", take_layout},
                                            {"idx", take_idx},
                                            {"npy", take_npy},
                                            {"npz", take_npz},
                                            {"csv", take_csv},
                                            {"picture", take_picture},
                                            {"hdf5", take_hdf5},
                                            {"safetensors", take_safetensors},
                                            {"config", take_config},
                                            {"state", take_state},
                                            {"metrics", take_metrics},
                                            {"description", take_description}};

}  // namespace fuzz
