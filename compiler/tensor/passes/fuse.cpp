#include "compiler/tensor/passes/fuse.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

#include "compiler/tensor/passes/clusters.h"
#include "compiler/tensor/passes/loop_writer.h"

namespace tensor {
namespace {
using semantics::OpGroup;

class Fuser {
 public:
  explicit Fuser(Program program) : program_(std::move(program)) {
    kernel_program_.name = program_.name;
    kernel_program_.batches = program_.batches;
  }

  KernelProgram run() {
    place_results();
    Clusters clusters = make_clusters();
    clusters.join();
    const auto order = clusters.ordered();
    // The clusters are written from last to first: a loop then knows which of its values later instructions
    // read.
    std::vector<Instruction> backwards;
    for (auto cluster = order.rbegin(); cluster != order.rend(); ++cluster) {
      for (int atom : *cluster) written_.insert(clusters.atoms()[static_cast<size_t>(atom)].value);
      const Atom& first = clusters.atoms()[static_cast<size_t>(cluster->front())];
      if (!first.loop) {
        call(first.value, clusters, backwards);
        continue;
      }
      LoopWriter writer(program_, clusters,
                        {[&](ValueId value) { return stored_.contains(value); },
                         [&](ValueId value) { return !written_.contains(value); },
                         [&](ValueId value) { return read_buffer(value); },
                         [&](ValueId value) { return buffer_of(value); }});
      if (auto loop = writer.write(*cluster))
        backwards.emplace_back(std::in_place_type<Loop>, std::move(*loop));
    }
    Loop short_gaps = clearing_loop(alignment);
    for (size_t u = 0; u < gradients_.size(); ++u)
      clear_gaps(program_.updates[u], gradients_[u].second, short_gaps, backwards);
    if (!short_gaps.stores.empty()) backwards.emplace_back(std::in_place_type<Loop>, std::move(short_gaps));
    std::ranges::reverse(backwards);
    kernel_program_.instructions = std::move(backwards);
    for (const auto& [player, gradient] : gradients_)
      kernel_program_.instructions.emplace_back(Update{player, gradient});
    return std::move(kernel_program_);
  }

 private:
  int add_buffer(Buffer buffer) {
    kernel_program_.buffers.push_back(std::move(buffer));
    return static_cast<int>(kernel_program_.buffers.size()) - 1;
  }
  ValueId strip_reshapes(ValueId value) const {
    while (program_[value].op == Op::reshape && !copies_.contains(value)) value = program_[value].inputs[0];
    return value;
  }

  /// The value itself, if it may be written straight into the buffer of a result; otherwise a copy of it.
  ValueId claim(ValueId value) {
    const ValueId base = strip_reshapes(value);
    const OpGroup group = info(program_[base].op).group;
    const bool written =
        group != OpGroup::leaf && (group != OpGroup::shape || program_[base].op == Op::concat);
    if (written && !buffers_.contains(base)) return base;
    Value copy;
    copy.op = Op::reshape;
    copy.inputs = {value};
    copy.shape = program_[value].shape;
    const ValueId id = program_.add(std::move(copy));
    copies_.insert(id);
    return id;
  }

  /// Makes the buffers of outputs and gradients.
  void place_results() {
    for (size_t u = 0; u < program_.updates.size(); ++u) {
      const PlayerUpdate update = program_.updates[u];
      if (!update.terms.empty() || !program_.shared.empty())
        throw std::logic_error("fuse needs a differentiated program");
      Buffer flat;
      flat.name = fmt::format("gradient of player {}", update.player);
      flat.extents = {{program_.parameters.elements_of(update.player), -1}};
      const int parent = add_buffer(std::move(flat));
      gradients_.emplace_back(update.player, parent);
      for (const Gradient& gradient : update.gradients) {
        const ValueId base = claim(gradient.value);
        Buffer part;
        part.kind = Buffer::Kind::part;
        part.name = fmt::format("gradient {}", gradient.parameter.index);
        part.extents = program_[gradient.value].shape;
        part.parent = parent;
        part.offset = program_.parameters[static_cast<size_t>(gradient.parameter.index)].offset;
        buffers_[base] = add_buffer(std::move(part));
        stored_.insert(base);
      }
    }
    for (size_t o = 0; o < program_.outputs.size(); ++o) {
      const Output output = program_.outputs[o];
      const ValueId base = claim(output.value);
      Buffer buffer;
      buffer.kind = Buffer::Kind::output;
      buffer.name = output.name;
      buffer.extents = program_[output.value].shape;
      buffers_[base] = add_buffer(std::move(buffer));
      stored_.insert(base);
    }
  }

  /// Decides which views must lie in memory: views that library operations read, copies, and views whose
  /// index is not affine.
  Clusters make_clusters() {
    std::vector<bool> in_memory(program_.values.size(), false);
    for (ValueId copy : copies_) in_memory[static_cast<size_t>(copy.index)] = true;
    for (const Value& value : program_.values) {
      if (info(value.op).group != OpGroup::library) continue;
      for (ValueId input : value.inputs) {
        const ValueId base = strip_reshapes(input);
        const Op op = program_[base].op;
        if (op == Op::transpose || op == Op::broadcast || op == Op::slice || op == Op::constant ||
            op == Op::iota) {
          in_memory[static_cast<size_t>(base.index)] = true;
        }
        if (info(op).group != OpGroup::leaf || in_memory[static_cast<size_t>(base.index)])
          stored_.insert(base);
      }
    }
    break_view_chains(in_memory);
    while (true) {
      Clusters clusters(program_, in_memory);
      const auto before = in_memory;
      std::optional<ValueId> without_space;
      for (size_t atom = 0; atom < clusters.atoms().size(); ++atom) {
        if (!clusters.atoms()[atom].loop || clusters.common_space({static_cast<int>(atom)})) continue;
        without_space = clusters.atoms()[atom].value;
        for (ValueId read : clusters.read_values(static_cast<int>(atom))) {
          // The lowest view reads its base directly, so a copy of it always works. The views above it may
          // then be affine.
          ValueId lowest = read;
          while (clusters.is_view(lowest) && clusters.is_view(program_[lowest].inputs[0]))
            lowest = program_[lowest].inputs[0];
          if (clusters.is_view(lowest)) in_memory[static_cast<size_t>(lowest.index)] = true;
        }
      }
      if (!without_space) return clusters;
      if (in_memory == before) {
        throw std::logic_error(fmt::format("value {} ({}) has no index space", without_space->index,
                                           info(program_[*without_space].op).name));
      }
    }
  }

  /// One index must express a whole chain of views. A long chain is broken by copies, so that computing an
  /// index stays fast.
  void break_view_chains(std::vector<bool>& in_memory) const {
    constexpr int most_views = 16;
    std::vector<int> views(program_.values.size(), 0);
    for (size_t i = 0; i < views.size(); ++i) {
      const Value& value = program_.values[i];
      if (in_memory[i] || info(value.op).group != OpGroup::shape || value.op == Op::concat) continue;
      views[i] = views[static_cast<size_t>(value.inputs[0].index)] + 1;
      if (views[i] <= most_views) continue;
      in_memory[i] = true;
      views[i] = 0;
    }
  }

  int leaf_buffer(const Value& value) {
    Buffer buffer;
    buffer.extents = value.shape;
    buffer.name = value.name;
    if (value.op == Op::parameter) {
      const ParameterPlace& place = program_.parameters[static_cast<size_t>(value.index)];
      buffer.kind = Buffer::Kind::part;
      buffer.offset = place.offset;
      auto [parent, fresh] = parameter_arrays_.try_emplace(place.player);
      if (fresh) {
        Buffer flat;
        flat.name = fmt::format("parameters of player {}", place.player);
        flat.kind = Buffer::Kind::parameters;
        flat.index = place.player;
        flat.extents = {{program_.parameters.elements_of(place.player), -1}};
        parent->second = add_buffer(std::move(flat));
      }
      buffer.parent = parent->second;
    } else if (value.op == Op::coefficient) {
      if (coefficients_ < 0) {
        Buffer all;
        all.name = "coefficients";
        all.kind = Buffer::Kind::coefficients;
        int64_t sources = 0;
        for (const Value& other : program_.values) {
          if (other.op == Op::coefficient) sources = std::max<int64_t>(sources, other.index + 1);
        }
        all.extents = {{sources, -1}};
        coefficients_ = add_buffer(std::move(all));
      }
      buffer.kind = Buffer::Kind::part;
      buffer.name = fmt::format("coefficient {}", value.index);
      buffer.parent = coefficients_;
      buffer.offset = value.index;
    } else {
      buffer.kind = Buffer::Kind::input;
    }
    return add_buffer(std::move(buffer));
  }

  int buffer_of(ValueId id) {
    if (const auto known = buffers_.find(id); known != buffers_.end()) return known->second;
    const Value& value = program_[id];
    int buffer;
    if (value.op == Op::parameter || value.op == Op::input || value.op == Op::coefficient) {
      buffer = leaf_buffer(value);
    } else {
      Buffer scratch;
      scratch.name = value.name.empty() ? fmt::format("{} {}", info(value.op).name, id.index) : value.name;
      scratch.extents = value.shape;
      buffer = add_buffer(std::move(scratch));
    }
    buffers_[id] = buffer;
    return buffer;
  }

  int read_buffer(ValueId id) {
    stored_.insert(id);
    return buffer_of(id);
  }

  /// Appends the library call or the gather that computes `id`.
  void call(ValueId id, const Clusters& clusters, std::vector<Instruction>& to) {
    const Value& value = program_[id];
    if (value.op == Op::column) {
      to.emplace_back(Gather{value.index, static_cast<int>(value.ints[0]), buffer_of(id)});
      return;
    }
    if (value.op == Op::sum_ranks) {
      const int from = read_buffer(library_operand(value.inputs[0], clusters));
      to.emplace_back(SumRanks{static_cast<int>(value.ints[0]), from, buffer_of(id)});
      return;
    }
    auto operand = [&](size_t i) { return read_buffer(library_operand(value.inputs[i], clusters)); };
    const int a = operand(0), b = operand(1), c = buffer_of(id);
    const Shape &sa = program_[value.inputs[0]].shape, &sb = program_[value.inputs[1]].shape,
                &sc = value.shape;
    const ValueId weights = strip_reshapes(value.inputs[1]);
    std::string name = info(value.op).name;
    if (program_[weights].op == Op::parameter) name += " " + program_[weights].name;
    if (value.op == Op::dense || value.op == Op::dense_data || value.op == Op::dense_weights) {
      const bool weights_adjoint = value.op == Op::dense_weights;
      to.emplace_back(Gemm{name, a, b, c, sc[0], sc[1], weights_adjoint ? sa[0] : sa[1], weights_adjoint,
                           value.op == Op::dense});
      return;
    }
    const bool forward = value.op == Op::conv, data = value.op == Op::conv_data;
    const Shape &x = data ? sc : sa, &y = forward ? sc : data ? sa : sb, &w = forward || data ? sb : sc;
    Convolution conv;
    conv.name = name;
    conv.direction = forward ? Convolution::Direction::forward
                     : data  ? Convolution::Direction::backward_data
                             : Convolution::Direction::backward_weights;
    conv.a = a, conv.b = b, conv.c = c;
    conv.batch = x[0];
    conv.in_h = x[1].size, conv.in_w = x[2].size, conv.in_channels = x[3].size;
    conv.out_h = y[1].size, conv.out_w = y[2].size, conv.out_channels = y[3].size;
    conv.kernel_h = w[2].size, conv.kernel_w = w[3].size;
    conv.stride_h = value.ints[0], conv.stride_w = value.ints[1];
    conv.padding_h = value.ints[2], conv.padding_w = value.ints[3];
    to.emplace_back(std::move(conv));
  }

  /// A dense array may be read under any shape, so reshapes above it do not matter.
  ValueId library_operand(ValueId value, const Clusters& clusters) const {
    const ValueId base = clusters.base_of(value);
    if (clusters.is_view(strip_reshapes(value)))
      throw std::logic_error("a view as the operand of a library operation");
    return base;
  }

  static constexpr int64_t alignment = 16;  // of parameters in a player's flat array
  static constexpr size_t most_gaps = 128;  // of a loop, because a GPU's kernel has few parameters

  /// A loop over `length` elements that stores nothing yet.
  static Loop clearing_loop(int64_t length) {
    Loop loop;
    loop.name = "clear gap";
    loop.space = {{length, -1}};
    loop.kept = 1;
    Scalar zero;
    zero.kind = Scalar::Kind::constant;
    loop.body = {zero};
    return loop;
  }

  /// The optimizer reads the whole flat array, so elements without a gradient must be 0. `short_gaps` clears
  /// the gaps that only align the next parameter. It runs before the gradients are computed, so it may also
  /// clear the elements before the gap.
  void clear_gaps(const PlayerUpdate& update, int gradient, Loop& short_gaps,
                  std::vector<Instruction>& backwards) {
    const int64_t all = program_.parameters.elements_of(update.player);
    std::vector<std::pair<int64_t, int64_t>> spans = {{0, 0}};
    for (const Gradient& part : update.gradients) {
      const ParameterPlace& place = program_.parameters[static_cast<size_t>(part.parameter.index)];
      int64_t length = 1;
      for (int64_t n : place.shape) length *= n;
      spans.emplace_back(place.offset, place.offset + length);
    }
    std::ranges::sort(spans);
    for (size_t i = 0; i < spans.size(); ++i) {
      const int64_t begin = spans[i].second;
      const int64_t end = i + 1 < spans.size() ? spans[i + 1].first : all;
      if (begin == end) continue;
      if (end - begin < alignment && end % alignment == 0) {
        short_gaps.stores.push_back({Access{gradient, end - alignment, {1}}, 0, Combine::none});
        if (short_gaps.stores.size() == most_gaps)
          backwards.emplace_back(std::in_place_type<Loop>,
                                 std::exchange(short_gaps, clearing_loop(alignment)));
        continue;
      }
      Loop loop = clearing_loop(end - begin);
      loop.stores = {{Access{gradient, begin, {1}}, 0, Combine::none}};
      backwards.emplace_back(std::in_place_type<Loop>, std::move(loop));
    }
  }

  Program program_;
  KernelProgram kernel_program_;
  std::map<ValueId, int> buffers_;
  std::set<ValueId> stored_;   // values that some instruction reads from memory
  std::set<ValueId> written_;  // values that the instructions so far compute, going backwards
  std::set<ValueId> copies_;
  std::vector<std::pair<int, int>> gradients_;  // player, buffer
  std::map<int, int> parameter_arrays_;         // by player
  int coefficients_ = -1;
};

}  // namespace

KernelProgram fuse(Program program) { return Fuser(std::move(program)).run(); }

}  // namespace tensor
