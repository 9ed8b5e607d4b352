// Prepares a loop for its kernel. In: a loop of a finished kernel program. Out: the same loop with its axes
// ordered. Also which axis runs over vector lanes, how the loop is cut into units, and a key.
// Loops with equal keys share one kernel, which reads everything else (extents, strides, immediates, sites)
// from its vae_loop.
#pragma once
#include <string>
#include <vector>

#include "compiler/tensor/kernel_program.h"

namespace lower {

enum class Form {
  map,               // vectors along the last kept axes
  row_reduction,     // vectors along the last reduced axes
  column_reduction,  // vectors along the last kept axes; the reduced axes are outer loops
};

/// Axes [begin, end) of the space that can be walked as a single axis, with the stride of the last of them.
struct AxisGroup {
  int begin = 0, end = 0;
};

/// How an access moves along the vector axis.
enum class Motion { still, contiguous, strided };

struct Arrangement {
  tensor::Loop loop;
  Form form = Form::map;
  std::vector<AxisGroup> kept, reduced;  // outermost first; the vector axis is the last group of its list
  std::vector<Motion> load_motions, store_motions;
  std::vector<float> scalars;   // immediates that the kernel reads
  std::vector<int> immediate;   // by scalar of the body: index into `scalars`, or -1
  std::vector<uint32_t> sites;  // by random operation of the body, in order
  bool whole_vectors = false;   // the length of the vector axis is a multiple of 16
  bool short_sums = false;      // each result sums so few elements that float is enough
  bool register_sums = false;   // sums of columns stay in registers, not in memory
  /// With register_sums: the number of columns, if few enough to sum all side by side; else 0.
  int64_t short_row = 0;
  bool per_element_calls = false;  // calls the runtime for single elements, so no vectors
  /// On a GPU a thread takes four neighbours along the vector axis, and reads and writes them at once. Their
  /// addresses are multiples of 16 bytes if those of the buffers are.
  bool quads = false;
  /// By load: whether the loop writes nowhere into the memory that it reads, whatever runs at the same time.
  /// GPUs may read such memory through a cache that sees no writes. Empty: nothing is known.
  std::vector<bool> only_read;
  /// A unit is `unit_rows` rows. A row is the whole vector axis at one index of the other kept groups. If
  /// there is no other kept group, a unit is `unit_elements` elements of the vector axis.
  int64_t unit_rows = 1;
  int64_t unit_elements = 0;

  bool is_flat() const { return kept.size() == 1 && form != Form::row_reduction; }
  /// The number of elements of the kept space in one unit, as the product of these extents
  /// (runtime/image.md).
  std::vector<tensor::Extent> unit() const;
  /// The extent of a group, if it is so short that a kernel with register_sums repeats its code for each
  /// index; else 0.
  int64_t repeats(const AxisGroup& axes) const;
  std::string key() const;
  /// For GPU kernels, which have no units, and whose extents and strides are constants.
  std::string device_key() const;

  std::string code_key() const;  // the part that both keys share
};

Arrangement arrange(const tensor::Loop& loop);

}  // namespace lower
