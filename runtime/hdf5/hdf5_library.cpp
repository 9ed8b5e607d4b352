#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/hdf5/hdf5_api.h"
#include "runtime/hdf5/hdf5_version.h"
#include "runtime/hdf5/trial.h"

namespace {

std::mutex library;  // libhdf5 as Debian builds it must be called by one thread at a time

/// An id of libhdf5 that is closed by the destructor.
class Id {
 public:
  Id() = default;
  Id(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  Id(Id&& other) noexcept : id_(other.id_), close_(other.close_) { other.id_ = -1; }
  Id& operator=(Id&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Id() {
    if (id_ >= 0) close_(id_);
  }
  operator hid_t() const { return id_; }  // NOLINT: stands for the id in every call of the library
  explicit operator bool() const { return id_ >= 0; }

 private:
  hid_t id_ = -1;
  herr_t (*close_)(hid_t) = nullptr;
};

struct Dataset {
  Id file, set, number;
  std::vector<hsize_t> shape;
};

/// The library's description of the last failure, from the innermost function.
std::string cause() {
  std::string text = "no reason is given";
  H5Ewalk2(
      H5E_DEFAULT, H5E_WALK_DOWNWARD,
      [](unsigned, const H5E_error2_t* error, void* to) -> herr_t {
        if (error->desc) *static_cast<std::string*>(to) = error->desc;
        return 0;
      },
      &text);
  return text;
}

/// The names of the datasets in the file; at most the first twenty.
std::string datasets_of(hid_t file) {
  std::vector<std::string> names;
  visit_objects(
      file,
      [](hid_t, const char* name, const ObjectInfo* info, void* to) -> herr_t {
        auto& known = *static_cast<std::vector<std::string>*>(to);
        constexpr size_t most = 20;
        const bool full = known.size() == most;
        if (info->type == H5O_TYPE_DATASET) known.push_back(full ? "more" : "`" + std::string(name) + "`");
        return known.size() > most ? 1 : 0;
      },
      &names);
  if (names.empty()) return "no dataset";
  std::string text = names[0];
  for (size_t i = 1; i < names.size(); ++i) text += ", " + names[i];
  return text;
}

/// The position of the numbers in the file, if they lie there unchanged and one after the other; else -1.
int64_t offset_in_file(const Dataset& dataset) {
  const Id plan(H5Dget_create_plist(dataset.set), H5Pclose);
  if (!plan || H5Pget_layout(plan) != H5D_CONTIGUOUS || H5Pget_external_count(plan) != 0) return -1;
  const haddr_t offset = H5Dget_offset(dataset.set);
  return offset == HADDR_UNDEF ? -1 : static_cast<int64_t>(offset);
}

/// The name of a filter that users know.
std::string name_of_filter(H5Z_filter_t id, const char* name_in_file) {
  static const std::map<H5Z_filter_t, const char*> known = {{H5Z_FILTER_DEFLATE, "gzip"},
                                                            {H5Z_FILTER_SZIP, "SZIP"},
                                                            {307, "BZIP2"},
                                                            {32000, "LZF"},
                                                            {32001, "Blosc"},
                                                            {32004, "LZ4"},
                                                            {32008, "bitshuffle"},
                                                            {32013, "ZFP"},
                                                            {32015, "Zstandard"},
                                                            {32017, "SZ"},
                                                            {32026, "Blosc2"}};
  const auto found = known.find(id);
  if (found != known.end()) return found->second;
  return *name_in_file ? name_in_file : "number " + std::to_string(id);
}

herr_t refuse_external_link(const char*, const char*, const char*, const char*, unsigned*, hid_t, void* met) {
  *static_cast<bool*>(met) = true;
  return -1;
}

/// The options for opening a dataset. A link into another file is not followed; it sets `met` to true.
Id access_list(bool& met) {
  Id access(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose);
  constexpr size_t slots = 12421, cache = size_t{32} << 20;
  H5Pset_chunk_cache(access, slots, cache, 1);
  H5Pset_elink_cb(access, refuse_external_link, &met);
  return access;
}

/// Why a virtual dataset is refused; empty if all its parts lie in the same file. A part that is missing
/// would be read as zeros.
std::string refused_sources(const Dataset& dataset, hid_t plan) {
  bool in_another_file = false;
  const Id access = access_list(in_another_file);
  size_t count = 0;
  if (H5Pget_virtual_count(plan, &count) < 0) return "has no layout that is read";
  for (size_t i = 0; i < count; ++i) {
    char file[1024] = "", name[1024] = "";
    H5Pget_virtual_filename(plan, i, file, sizeof file);
    H5Pget_virtual_dsetname(plan, i, name, sizeof name);
    if (file != std::string("."))
      return "takes its numbers from other files (a virtual dataset), which is not read; copy them into one";
    const Id source(H5Dopen2(dataset.file, name, access), H5Dclose);
    const Id its_plan(source ? H5Dget_create_plist(source) : -1, H5Pclose);
    if (!its_plan || H5Pget_layout(its_plan) == H5D_VIRTUAL || H5Pget_external_count(its_plan) != 0)
      return "takes its numbers from `" + std::string(name) +
             "` (a virtual dataset), which is not in the file";
  }
  return "";
}

/// Why the layout of the dataset cannot be read; empty if it can.
std::string refused_layout(const Dataset& dataset) {
  const Id plan(H5Dget_create_plist(dataset.set), H5Pclose);
  if (!plan) return "has no layout that is read";
  if (H5Pget_external_count(plan) > 0)
    return "keeps its numbers in other files (external storage), which is not read";
  if (H5Pget_layout(plan) == H5D_VIRTUAL)
    if (const std::string refused = refused_sources(dataset, plan); !refused.empty()) return refused;
  for (int i = 0; i < H5Pget_nfilters(plan); ++i) {
    char name[64] = "";
    size_t values = 0;
    unsigned flags = 0;
    const H5Z_filter_t id =
        H5Pget_filter2(plan, static_cast<unsigned>(i), &flags, &values, nullptr, sizeof name, name, nullptr);
    if (id < 0 || H5Zfilter_avail(id) > 0) continue;
    return "is packed with the filter " + name_of_filter(id, name) +
           ", which libhdf5 does not have here; pack it with gzip, as `h5repack -f GZIP=4` does";
  }
  return "";
}

std::string open(Dataset& dataset, const char* path, const char* name, vaert_hdf5_array& array) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  dataset.file = Id(H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
  if (!dataset.file) return "not an HDF5 file, or a broken one (" + cause() + ")";
  bool in_another_file = false;
  const Id access = access_list(in_another_file);
  dataset.set = Id(H5Dopen2(dataset.file, name, access), H5Dclose);
  if (in_another_file) return "`" + std::string(name) + "` is a link to another file, which is not followed";
  if (!dataset.set) return "has no dataset `" + std::string(name) + "`; it has " + datasets_of(dataset.file);
  const auto wrong = [&](const std::string& what) { return "dataset `" + std::string(name) + "` " + what; };

  if (const std::string refused = refused_layout(dataset); !refused.empty()) return wrong(refused);

  Id number(H5Dget_type(dataset.set), H5Tclose);
  if (number && H5Tget_class(number) == H5T_ENUM) number = Id(H5Tget_super(number), H5Tclose);  // booleans
  const H5T_class_t kind = number ? H5Tget_class(number) : H5T_NO_CLASS;
  if (kind != H5T_INTEGER && kind != H5T_FLOAT) return wrong("does not hold numbers");
  array.is_float = kind == H5T_FLOAT;
  array.is_signed = kind == H5T_INTEGER && H5Tget_sign(number) == H5T_SGN_2;
  array.bytes = static_cast<int>(H5Tget_size(number));
  array.big_endian = H5Tget_order(number) == H5T_ORDER_BE;
  const bool known = array.bytes == 1 || array.bytes == 2 || array.bytes == 4 || array.bytes == 8;
  if (!known || (kind == H5T_FLOAT && array.bytes == 1))
    return wrong("holds numbers of a size that is not read");
  // Numbers in memory have the same type as in the file, but the processor's byte order.
  dataset.number = Id(H5Tcopy(number), H5Tclose);
  H5Tset_order(dataset.number, H5T_ORDER_LE);
  const Id type(H5Dget_type(dataset.set), H5Tclose);
  if (H5Tget_class(type) == H5T_ENUM) dataset.number = Id(H5Tcopy(type), H5Tclose);

  const Id space(H5Dget_space(dataset.set), H5Sclose);
  const int axes = space ? H5Sget_simple_extent_ndims(space) : -1;
  if (axes == 0) return wrong("is a single number and has no rows");
  if (axes < 0 || axes > VAERT_HDF5_AXES) return wrong("has no shape that is read");
  dataset.shape.resize(static_cast<size_t>(axes));
  H5Sget_simple_extent_dims(space, dataset.shape.data(), nullptr);
  array.axes = axes;
  for (int i = 0; i < axes; ++i) array.shape[i] = static_cast<int64_t>(dataset.shape[static_cast<size_t>(i)]);
  array.offset = offset_in_file(dataset);
  return "";
}

std::string read(const Dataset& dataset, int64_t first, int64_t rows, uint8_t* to) {
  std::vector<hsize_t> begin(dataset.shape.size(), 0), extent = dataset.shape;
  begin[0] = static_cast<hsize_t>(first);
  extent[0] = static_cast<hsize_t>(rows);
  const Id in_file(H5Dget_space(dataset.set), H5Sclose);
  const Id in_memory(H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr), H5Sclose);
  if (H5Sselect_hyperslab(in_file, H5S_SELECT_SET, begin.data(), nullptr, extent.data(), nullptr) < 0 ||
      H5Dread(dataset.set, dataset.number, in_memory, in_file, H5P_DEFAULT, to) < 0)
    return "cannot be read at row " + std::to_string(first) + " (" + cause() + ")";
  return "";
}

}  // namespace

extern "C" void* vaert_hdf5_open(const char* path, const char* name, vaert_hdf5_array* array, char* error,
                                 size_t error_size) {
  const std::lock_guard lock(library);
  auto dataset = std::make_unique<Dataset>();
  std::string failure = trial([&] {
    Dataset tried;
    vaert_hdf5_array unused{};
    open(tried, path, name, unused);
  });
  if (!failure.empty())
    failure = "dataset `" + std::string(name) + "` cannot be opened: " + failure;
  else
    failure = open(*dataset, path, name, *array);
  if (failure.empty()) return dataset.release();
  std::snprintf(error, error_size, "%s", failure.c_str());
  return nullptr;
}

extern "C" int vaert_hdf5_read(void* dataset, int64_t first, int64_t rows, uint8_t* to, char* error,
                               size_t error_size) {
  const std::lock_guard lock(library);
  const std::string failure = read(*static_cast<Dataset*>(dataset), first, rows, to);
  std::snprintf(error, error_size, "%s", failure.c_str());
  return failure.empty() ? 0 : -1;
}

extern "C" void vaert_hdf5_close(void* dataset) {
  const std::lock_guard lock(library);
  delete static_cast<Dataset*>(dataset);
}
