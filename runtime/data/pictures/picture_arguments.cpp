#include "runtime/data/pictures/picture_arguments.h"

#include "runtime/data/expressions/arguments.h"

namespace data {
namespace {

using schema::DataExpression;

/// Whether the operation chooses rows without looking at their pixels. Others, such as `without`, compare
/// whole rows.
bool chooses_rows(const DataExpression& expression) {
  const auto* arranged = expression.as<schema::Arranged>();
  return expression.as<schema::TableRows>() || expression.as<schema::Where>() ||
         (arranged && arranged->op != schema::Arranged::Kind::windows);
}

struct Completion {
  const Shape& shape;
  bool classes;

  /// `labels`: only the column `label` of the tables in `expression` is used.
  void complete(DataExpression& expression, bool labels) const {
    if (auto* reader = expression.as<schema::Reader>()) {
      if (reader->name == "images") complete_reader(*reader, labels);
      return;
    }
    const auto* column = expression.as<schema::TableColumn>();
    const bool inside = column ? column->name == "label" : labels && chooses_rows(expression);
    const DataExpression* table = schema::table_of(expression);
    schema::for_each_part(expression,
                          [&](DataExpression& part) { complete(part, &part == table && inside); });
  }

  void complete_reader(schema::Reader& reader, bool labels) const {
    if (labels) {
      reader.named[hidden_labels] = {true};
      return;
    }
    if (reader.args.size() <= 1 && shape.size() >= 2)
      reader.named.try_emplace(
          "size", schema::Constant{schema::Constant::List{{shape[shape.size() - 2]}, {shape.back()}}});
    if (classes) reader.named[hidden_indices] = {true};
  }
};

}  // namespace

void complete_picture_arguments(DataExpression& expression, const Shape& shape, bool classes) {
  Completion{shape, classes}.complete(expression, false);
}

}  // namespace data
