#include "compiler/tensor/passes/remove_dead.h"

namespace tensor {

Program remove_dead(Program program) {
  std::vector<bool> live(program.values.size(), false);
  auto need = [&](ValueId id) { live[static_cast<size_t>(id.index)] = true; };
  for (const Output& output : program.outputs) need(output.value);
  for (const Term& term : program.shared) need(term.value), need(term.seed);
  for (const PlayerUpdate& update : program.updates) {
    for (const Term& term : update.terms) need(term.value), need(term.seed);
    for (const Gradient& gradient : update.gradients) need(gradient.value);
  }
  for (size_t i = program.values.size(); i-- > 0;) {
    if (!live[i]) continue;
    for (ValueId input : program.values[i].inputs) need(input);
  }
  std::vector<ValueId> image(program.values.size());
  std::vector<Value> values;
  auto moved = [&](ValueId& id) { id = image[static_cast<size_t>(id.index)]; };
  for (size_t i = 0; i < program.values.size(); ++i) {
    if (!live[i]) continue;
    image[i] = {static_cast<int32_t>(values.size())};
    values.push_back(std::move(program.values[i]));
    for (ValueId& input : values.back().inputs) moved(input);
  }
  program.values = std::move(values);
  for (Output& output : program.outputs) moved(output.value);
  for (Term& term : program.shared) moved(term.value), moved(term.seed);
  for (PlayerUpdate& update : program.updates) {
    for (Term& term : update.terms) moved(term.value), moved(term.seed);
    for (Gradient& gradient : update.gradients) moved(gradient.value);
  }
  return program;
}

}  // namespace tensor
