#include "compiler/tensor/build/build_jacobian.h"

#include <fmt/format.h>

#include "compiler/tensor/build/source_rows.h"
#include "compiler/tensor/passes/differentiate.h"

namespace tensor {
namespace {
using semantics::DomainKind;

bool on_a_line(const semantics::Variable& variable) {
  const DomainKind kind = variable.domain.kind;
  return kind == DomainKind::real || kind == DomainKind::positive || kind == DomainKind::unit ||
         kind == DomainKind::angle;
}

/// [repeated, n]: row r has 1 at element r mod n and 0 elsewhere.
ValueId one_of_each(Emit& e, const Extent& rows, const Extent& repeated, int64_t n) {
  const Shape square = {{n, -1}, {n, -1}};
  const ValueId identity =
      e.pointwise(Op::equal, e.operation(Op::iota, {}, square, {0}), e.operation(Op::iota, {}, square, {1}));
  return e.reshape(e.broadcast(identity, {rows, {n, -1}, {n, -1}}, {1, 2}), {repeated, {n, -1}});
}

}  // namespace

std::optional<Program> build_jacobian(const ModelBasis& basis, semantics::ConditionalId id) {
  const semantics::Model& model = basis.model;
  const semantics::Conditional& conditional = model[id];
  if (!conditional.mean || conditional.parents.size() != 1 || conditional.player.index < 0) return {};
  if (model[conditional.player].role != semantics::Role::decoder) return {};
  const semantics::VariableId parent = conditional.parents[0];
  const int64_t elements = semantics::count(model.graph[conditional.mean].shape);
  if (!on_a_line(model[parent]) || elements > most_jacobian_rows) return {};

  Program program = empty_program(
      basis, fmt::format("jacobian {}.{}", model[conditional.player].name, model[conditional.target].name));
  program.batches = {-1};
  uint32_t next_site = 0;
  Translator rows(basis, program, 0, -1, next_site);
  bind_inputs(model, {parent}, "", program, rows);
  Translator repeated(rows, elements);
  Emit e(program);
  // The parent is repeated first, before the mean is computed: the gradient in each copy is one row of the
  // Jacobian.
  const int64_t width = semantics::count(model[parent].shape);
  const ValueId flat = e.reshape(rows.bound(parent), {rows.rows(), {width, -1}});
  const ValueId copies = e.broadcast(flat, {rows.rows(), {elements, -1}, {width, -1}}, {0, 2});
  const ValueId input = e.reshape(copies, {repeated.rows(), {width, -1}});
  Shape shape = e.shape(rows.bound(parent));
  shape[0] = repeated.rows();
  repeated.bind(parent, e.reshape(input, shape));
  const ValueId mean = e.reshape(repeated.evaluate_rows(conditional.mean), {repeated.rows(), {elements, -1}});
  for (Value& value : program.values) {
    // A reshape to the same shape, so that gradients pass.
    if (value.op == Op::stop) value.op = Op::reshape;
  }
  const ValueId seed = one_of_each(e, rows.rows(), repeated.rows(), elements);
  program.outputs = {{"jacobian", gradient_in(program, {mean, seed}, input)}};
  return program;
}

}  // namespace tensor
