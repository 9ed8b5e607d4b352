#include "compiler/semantics/data/labelled_folders.h"

#include <set>

namespace semantics {
namespace {
using nlohmann::json;

/// The folder that a reader of pictures names; null for any other expression.
const json* folder_of(const json& data) {
  if (!data.is_object() || data.value("op", "") != "reader" || data.value("name", "") != "images")
    return nullptr;
  const json &by_place = data.at("args"), &by_name = data.at("named");
  if (!by_place.empty()) return &by_place[0];
  const auto found = by_name.find("folder");
  return found == by_name.end() ? nullptr : &*found;
}

/// Collects folders whose labels are used. `labels`: whether the labels of the tables in `data` are used.
void find_labelled(const json& data, bool labels, std::set<json>& folders) {
  if (const json* folder = folder_of(data)) {
    if (labels) folders.insert(*folder);
    return;
  }
  if (!data.is_structured()) return;
  if (!data.is_object()) {
    for (const json& part : data) find_labelled(part, labels, folders);
    return;
  }
  const std::string op = data.value("op", "");
  if (op == "column") labels = data.at("name") == "label";
  if (op == "per_class") labels = true;
  for (const auto& [key, part] : data.items())
    find_labelled(part, labels && (key == "table" || op == "without"), folders);
}

void mark(json& data, const std::set<json>& folders) {
  const json* folder = folder_of(data);
  if (folder && folders.contains(*folder)) data["named"]["labelled"] = true;
  if (!folder && data.is_structured())
    for (json& part : data) mark(part, folders);
}

}  // namespace

void mark_labelled_folders(Model& model) {
  std::set<json> folders;
  for (const Column& column : model.columns) find_labelled(column.expression, false, folders);
  for (Column& column : model.columns) mark(column.expression, folders);
}

}  // namespace semantics
