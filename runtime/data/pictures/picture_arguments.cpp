#include "runtime/data/pictures/picture_arguments.h"

#include "runtime/data/expressions/arguments.h"

namespace data {
namespace {

using nlohmann::json;

struct Completion {
  const Shape& shape;
  bool classes;

  /// `labels`: only the column `label` of the tables in `expression` is used.
  void complete(json& expression, bool labels) const {
    if (!expression.is_object()) {
      if (expression.is_array())
        for (json& part : expression) complete(part, false);
      return;
    }
    const std::string op = expression.value("op", "");
    if (op == "reader") {
      if (expression.value("name", "") == "images") complete_reader(expression, labels);
      return;
    }
    // These operations choose rows without looking at their pixels. Others, such as `without`, compare whole
    // rows.
    const bool chooses = op == "rows" || op == "where" || op == "shuffle" || op == "per_class";
    const bool inside = op == "column" ? expression.value("name", "") == "label" : labels && chooses;
    for (auto& [key, part] : expression.items()) complete(part, key == "table" && inside);
  }

  void complete_reader(json& expression, bool labels) const {
    json& named = expression["named"];
    if (labels) {
      named[hidden_labels] = true;
      return;
    }
    const bool sized = expression.contains("args") && expression["args"].size() > 1;
    if (!sized && shape.size() >= 2 && !named.contains("size"))
      named["size"] = {shape[shape.size() - 2], shape.back()};
    if (classes) named[hidden_indices] = true;
  }
};

}  // namespace

void complete_picture_arguments(json& expression, const Shape& shape, bool classes) {
  Completion{shape, classes}.complete(expression, false);
}

}  // namespace data
