// Writes one cluster of atoms as a Loop: loads with strides, then scalar operations, then stores of the
// values that other instructions need.
#pragma once
#include <functional>
#include <map>
#include <tuple>

#include "compiler/tensor/kernel_program.h"
#include "compiler/tensor/passes/clusters.h"

namespace tensor {

class LoopWriter {
 public:
  /// `stored`: must this value lie in memory? `earlier`: is it made before these atoms run? `load`: the
  /// buffer of a value, which must then lie in memory. `store`: the buffer to which a value is written.
  struct Memory {
    std::function<bool(ValueId)> stored, earlier;
    std::function<int(ValueId)> load, store;
  };
  LoopWriter(const Program& program, const Clusters& clusters, Memory memory)
      : program_(program), clusters_(clusters), memory_(std::move(memory)) {}

  /// None if no other instruction needs a value of the atoms.
  std::optional<Loop> write(const std::vector<int>& atoms);

 private:
  int scalar_of(ValueId value, const Index& index);
  int atom_scalar(int atom);
  int base_scalar(const Operand& operand);
  int load(const Operand& operand);
  int append(Scalar scalar);
  int apply(Op op, std::vector<int> inputs);
  int iota(const Value& value, const Index& index);
  bool cheap(const Operand& operand, int depth);
  void settle_axes(const std::vector<int>& atoms);
  void store(int atom);
  void order_axes(const std::vector<int>& atoms);
  void merge_axes();

  const Program& program_;
  const Clusters& clusters_;
  Memory memory_;
  std::optional<IndexSpace> space_;
  std::vector<int> inside_;
  std::map<int, int> atom_scalars_;
  std::map<std::tuple<int, int64_t, std::vector<int64_t>>, int> load_scalars_;
  std::map<std::pair<ValueId, std::vector<std::pair<int64_t, std::vector<int64_t>>>>, int> inlined_;
  std::map<uint64_t, int> constant_scalars_;  // keyed by bits, because NaN has no order
  Loop loop_;
};

}  // namespace tensor
