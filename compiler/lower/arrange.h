// A loop prepared for its kernel. In: a loop of a schedule. Out: the same loop with axes dropped, joined and
// ordered, which axis runs over vector lanes, how it is cut into units, and a key: loops of equal keys share
// one kernel, which reads everything else (extents, strides, immediates, sites) from its vae_loop.
#pragma once
#include <string>
#include <vector>

#include "compiler/tensor/kernel_program.h"

namespace lower {

enum class Form {
  map,               // vectors along the last kept axes
  row_reduction,     // vectors along the last reduced axes
  column_reduction,  // vectors along the last kept axes, the reduced axes outside of them
};

/// Axes [begin, end) of the space whose elements lie as one axis does: stride that of the last of them.
struct AxisGroup {
  int begin = 0, end = 0;
};

/// How an access moves along the vector axis.
enum class Motion { still, contiguous, strided };

struct Arrangement {
  tensor::Loop loop;
  Form form = Form::map;
  std::vector<AxisGroup> kept, reduced;  // outermost first; the vector axis is the last of its list
  std::vector<Motion> load_motions, store_motions;
  std::vector<float> scalars;   // immediates that the kernel reads
  std::vector<int> immediate;   // per scalar of the body: index into scalars, or -1
  std::vector<uint32_t> sites;  // per random operation of the body, in order
  bool whole_vectors = false;   // the vector axis is a multiple of 16
  bool short_sums = false;      // so few elements into one result that float does
  bool register_sums = false;   // of columns: in registers, where memory would hold the sums of many
  int64_t short_row = 0;        // with register_sums: so few columns that they are summed side by side, or 0
  bool per_element_calls = false;  // calls the runtime for single elements: no vectors
  /// A unit is `unit_rows` rows: whole vector axes for each index of the other kept groups. Where there is
  /// no other kept group, it is `unit_elements` of the vector axis.
  int64_t unit_rows = 1;
  int64_t unit_elements = 0;

  bool is_flat() const { return kept.size() == 1 && form != Form::row_reduction; }
  /// Elements of the kept space in one unit: the product of these, as runtime/image.md says.
  std::vector<tensor::Extent> unit() const;
  /// The extent of a group that is so short that a kernel of register_sums repeats its code for it; or 0.
  int64_t repeats(const AxisGroup& axes) const;
  std::string key() const;
  std::string key_without_units() const;  // of kernels that are not given units
};

Arrangement arrange(const tensor::Loop& loop);

}  // namespace lower
