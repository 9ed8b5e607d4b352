#include "compiler/semantics/learn/numbers_when_training.h"

#include "runtime/schema/learn_keys.h"

namespace semantics {

void read_numbers_when_training(Model& model) {
  for (Learn& learn : model.learns)
    for (const LearnKey& key : own_keys_of(learn.method)) {
      if (key.kind != LearnKey::Kind::number) continue;
      const std::string name(key.name);
      const nlohmann::json value = learn.own.value(name, nlohmann::json(name == "beta" ? 1 : 0));
      if (value.is_object() || (name != "beta" && value == 0)) continue;
      learn.own[name] = {{"kind", "constant"}, {"from", 0}, {"to", value}, {"steps", 1}};
    }
}

}  // namespace semantics
