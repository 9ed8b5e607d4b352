#include "compiler/semantics/data/labelled_folders.h"

#include <set>

namespace semantics {
namespace {
using schema::DataExpression;

/// The folder that a reader of pictures names; null for any other reader.
const std::string* folder_of(const schema::Reader& reader) {
  if (reader.name != "images") return nullptr;
  if (!reader.args.empty()) return reader.args[0].text();
  const auto found = reader.named.find("folder");
  return found == reader.named.end() ? nullptr : found->second.text();
}

/// Collects folders whose labels are used. `labels`: whether the labels of the tables in `data` are used.
void find_labelled(const DataExpression& data, bool labels, std::set<std::string>& folders) {
  if (const auto* reader = data.as<schema::Reader>()) {
    const std::string* folder = folder_of(*reader);
    if (folder && labels) folders.insert(*folder);
    return;
  }
  if (const auto* column = data.as<schema::TableColumn>()) labels = column->name == "label";
  const auto* arranged = data.as<schema::Arranged>();
  if (arranged && arranged->op == schema::Arranged::Kind::per_class) labels = true;
  const DataExpression* table = schema::table_of(data);
  const bool whole_rows = data.as<schema::Without>() != nullptr;
  schema::for_each_part(data, [&](const DataExpression& part) {
    find_labelled(part, labels && (&part == table || whole_rows), folders);
  });
}

void mark(DataExpression& data, const std::set<std::string>& folders) {
  schema::for_each_reader(data, [&](schema::Reader& reader) {
    const std::string* folder = folder_of(reader);
    if (folder && folders.contains(*folder)) reader.named["labelled"] = {true};
  });
}

}  // namespace

void mark_labelled_folders(Model& model) {
  std::set<std::string> folders;
  for (const Column& column : model.columns) find_labelled(column.expression, false, folders);
  for (Column& column : model.columns) mark(column.expression, folders);
}

}  // namespace semantics
