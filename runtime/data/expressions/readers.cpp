#include "runtime/data/expressions/readers.h"

#include <fmt/format.h>

#include <map>

#include "runtime/data/arrays/hdf5.h"
#include "runtime/data/arrays/idx.h"
#include "runtime/data/arrays/npy.h"
#include "runtime/data/arrays/npz.h"
#include "runtime/data/arrays/safetensors.h"
#include "runtime/data/cells/csv.h"
#include "runtime/data/cells/sqlite.h"
#include "runtime/data/expressions/derived_rows.h"
#include "runtime/data/pictures/picture_files.h"
#include "runtime/data/sets/cifar10.h"
#include "runtime/data/sets/glyphs.h"
#include "runtime/data/sets/known_sets.h"
#include "runtime/data/sets/mixing.h"
#include "runtime/data/sets/synthetic.h"
#include "runtime/shared/failure.h"
#include "runtime/shared/printable.h"

namespace data {
namespace {

struct Split {
  Column image, label;
};

/// A file of a known set, under any of its `names`. If it is found nowhere, the set is fetched.
std::filesystem::path find_or_fetch(const Places& places, const std::string& name,
                                    const std::vector<std::string>& names) {
  const KnownSet& set = known_set(name);
  try {
    return find_known(places, name, set.folders, names);
  } catch (const Failure& missing) {
    if (places.cache.empty()) throw;
    try {
      fetch_into_cache(set, places.cache);
    } catch (const Failure& failure) {
      throw Failure(missing.exit_code, fmt::format("{}; {}", missing.what(), failure.what()));
    }
  }
  return find_known(places, name, set.folders, names);
}

Split read_split(const Shelf& shelf, const std::string& set, const std::string& prefix) {
  auto file = [&](const std::string& part, int axes) {
    return find_or_fetch(shelf.places, set,
                         {fmt::format("{}-{}-idx{}-ubyte", prefix, part, axes),
                          fmt::format("{}-{}.idx{}-ubyte", prefix, part, axes)});
  };
  auto image_path = file("images", 3), label_path = file("labels", 1);
  Split split{read_idx(image_path, "image", shelf.placement()),
              read_idx(label_path, "label", shelf.placement())};
  if (!split.image.is_bytes() || split.image.row_shape != Shape{28, 28})
    throw Failure(Exit::bad_data, fmt::format("{}: {} needs images of 28 by 28 bytes, these are {}",
                                              image_path.string(), set, to_string(split.image.row_shape)));
  if (!split.label.is_bytes() || !split.label.row_shape.empty() || split.label.rows != split.image.rows)
    throw Failure(Exit::bad_data,
                  fmt::format("{}: {} labels of shape {} for {} images", label_path.string(),
                              split.label.rows, to_string(split.label.row_shape), split.image.rows));
  split.image.levels = pixel_levels();
  split.image.pixels = true;
  return split;
}

Column joined(const Column& first, const Column& second) {
  if (first.is_streamed() || second.is_streamed()) return joined_rows(first, second);
  std::vector<uint8_t> bytes(*first.bytes);
  bytes.insert(bytes.end(), second.bytes->begin(), second.bytes->end());
  Column both = first;
  both.rows += second.rows;
  both.bytes = std::make_shared<const std::vector<uint8_t>>(std::move(bytes));
  return both;
}

[[noreturn]] void refuse_split(const std::string& set, const std::string& split) {
  throw Failure(Exit::bad_configuration,
                fmt::format("{}: `split` must be \"train\", \"test\" or \"all\", not \"{}\"", set, split));
}

Table read_digits(const std::string& set, const Arguments& arguments, const Shelf& shelf) {
  std::string split = arguments.text(0, "split");
  if (split == "train" || split == "test") {
    Split part = read_split(shelf, set, split == "train" ? "train" : "t10k");
    return {"", {part.image, part.label}};
  }
  if (split != "all") refuse_split(set, split);
  Split train = read_split(shelf, set, "train"), test = read_split(shelf, set, "t10k");
  return {"", {joined(train.image, test.image), joined(train.label, test.label)}};
}

Table read_mnist(const Arguments& arguments, const Shelf& shelf) {
  return read_digits("mnist", arguments, shelf);
}

Table read_fashion_mnist(const Arguments& arguments, const Shelf& shelf) {
  return read_digits("fashion_mnist", arguments, shelf);
}

Table read_kmnist(const Arguments& arguments, const Shelf& shelf) {
  return read_digits("kmnist", arguments, shelf);
}

Table read_cifar10_set(const Arguments& arguments, const Shelf& shelf) {
  const std::string split = arguments.text(0, "split");
  if (split != "train" && split != "test" && split != "all") refuse_split("cifar10", split);
  std::vector<std::string> files;
  if (split != "test")
    for (int batch = 1; batch <= 5; ++batch) files.push_back(fmt::format("data_batch_{}.bin", batch));
  if (split != "train") files.emplace_back("test_batch.bin");
  const auto place = find_or_fetch(shelf.places, "cifar10",
                                   {"cifar-10-binary.tar.gz", "cifar-10-binary.tar", files.front()});
  return read_cifar10(place, files, shelf.placement());
}

Table read_sqlite_file(const Arguments& arguments, const Shelf& shelf) {
  return read_sqlite(find_file(shelf.places, arguments.text(0, "path")), arguments.text(1, "query"));
}

Table read_idx_file(const Arguments& arguments, const Shelf& shelf) {
  return {"", {read_idx(find_file(shelf.places, arguments.text(0, "path")), "values", shelf.placement())}};
}

Table read_npy_file(const Arguments& arguments, const Shelf& shelf) {
  return {"", {read_npy(find_file(shelf.places, arguments.text(0, "path")), "values", shelf.placement())}};
}

Table read_npz_file(const Arguments& arguments, const Shelf& shelf) {
  auto path = find_file(shelf.places, arguments.text(0, "path"));
  return {"", {read_npz(path, arguments.text(1, "name"), shelf.placement())}};
}

Table read_safetensors_file(const Arguments& arguments, const Shelf& shelf) {
  auto path = find_file(shelf.places, arguments.text(0, "path"));
  return {"", {read_safetensors_column(path, arguments.text(1, "name"), shelf.placement())}};
}

Table read_glyphs(const Arguments& arguments, const Shelf&) {
  return draw_glyphs(arguments.integer(0, "n"), arguments.integer(1, "seed", 0));
}

Table read_hdf5_file(const Arguments& arguments, const Shelf& shelf) {
  auto path = find_file(shelf.places, arguments.text(0, "path"));
  return {"", {read_hdf5(path, arguments.text(1, "name"), shelf.placement())}};
}

Table read_csv_file(const Arguments& arguments, const Shelf& shelf) {
  CsvFormat format;
  const std::string separator = arguments.text(2, "separator", ",");
  if (separator.size() != 1 || separator == "\"" || separator == "\n" || separator == "\r")
    throw Failure(Exit::bad_configuration,
                  fmt::format("csv: `separator` must be one character, no quote and no line end, not {}",
                              nlohmann::json(separator).dump()));
  format.separator = separator[0];
  format.missing = arguments.texts(3, "missing").value_or(format.missing);
  format.header = arguments.truth(4, "header", true);
  format.comment = arguments.text(5, "comment", "");
  return read_csv(find_file(shelf.places, arguments.text(0, "path")), arguments.texts(1, "columns"), format);
}

Table read_images(const Arguments& arguments, const Shelf& shelf) {
  Colours colours = arguments.truth(99, hidden_indices, false) ? Colours::indices
                    : arguments.truth(2, "gray", false)        ? Colours::gray
                                                               : Colours::rgb;
  const auto folder = find_file(shelf.places, arguments.text(0, "folder"));
  if (arguments.truth(99, hidden_labels, false)) return read_picture_labels(folder);
  return read_pictures(folder, arguments.sizes(1, "size"), colours,
                       arguments.truth(99, hidden_labelled, false), &shelf.memory);
}

Table read_moebius(const Arguments& arguments, const Shelf&) {
  return draw_moebius(arguments.integer(0, "n"), arguments.integer(1, "dim"),
                      arguments.integer(2, "seed", 0));
}

Table read_mlp_mixing(const Arguments& arguments, const Shelf&) {
  return draw_mlp_mixing(arguments.integer(0, "n"), arguments.integer(1, "dim"),
                         arguments.integer(2, "seed", 0));
}

template <const char* set>
Table read_synthetic(const Arguments& arguments, const Shelf&) {
  return draw_synthetic(set, arguments.integer(0, "n"), arguments.integer(1, "seed", 0));
}
constexpr char figure8[] = "figure8", circle[] = "circle", absolute[] = "absolute", clusters[] = "clusters",
               spiral_dots[] = "spiral_dots", semi_circles[] = "semi_circles";

using Reader = Table (*)(const Arguments&, const Shelf&);

const std::map<std::string, Reader> readers = {
    {"mnist", read_mnist},
    {"fashion_mnist", read_fashion_mnist},
    {"kmnist", read_kmnist},
    {"cifar10", read_cifar10_set},
    {"sqlite", read_sqlite_file},
    {"glyphs", read_glyphs},
    {"moebius", read_moebius},
    {"mlp_mixing", read_mlp_mixing},
    {"csv", read_csv_file},
    {"hdf5", read_hdf5_file},
    {"images", read_images},
    {"idx", read_idx_file},
    {"npy", read_npy_file},
    {"npz", read_npz_file},
    {"safetensors", read_safetensors_file},
    {figure8, read_synthetic<figure8>},
    {circle, read_synthetic<circle>},
    {absolute, read_synthetic<absolute>},
    {clusters, read_synthetic<clusters>},
    {spiral_dots, read_synthetic<spiral_dots>},
    {semi_circles, read_synthetic<semi_circles>},
};

/// Runs keep names of columns, and words of classes, in JSON, which is UTF-8.
void require_utf8(Column& column) {
  if (!is_utf8(column.name))
    column.unusable = fmt::format("{}: the name of the column `{}` is not UTF-8", column.origin, column.name);
  if (!column.words) return;
  for (const std::string& word : *column.words)
    if (!is_utf8(word))
      column.unusable = fmt::format(
          "{}: the word \"{}\" of the column `{}` is not UTF-8; convert the text to it, for example by "
          "`iconv`",
          column.origin, word, column.name);
}

}  // namespace

Table read(const std::string& reader, const Arguments& arguments, const Shelf& shelf) {
  auto found = readers.find(reader);
  if (found == readers.end())
    throw Failure(Exit::bad_configuration, fmt::format("this runtime has no reader `{}`", reader));
  Table table = found->second(arguments, shelf);
  table.origin = arguments.written();
  for (Column& column : table.columns) {
    column.origin = table.origin;
    require_utf8(column);
  }
  for (const Column& column : table.columns)
    if (column.rows == 0) throw Failure(Exit::bad_data, fmt::format("{}: there are no rows", table.origin));
  return table;
}

}  // namespace data
