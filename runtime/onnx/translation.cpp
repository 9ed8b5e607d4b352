#include "runtime/onnx/translation.h"

#include "runtime/onnx/operations.h"

namespace onnx_export {

std::string Translation::whole(int value) {
  Written& found = written.at(static_cast<size_t>(value));
  if (!found.whole) found = {writer.expand(found.name, graph[value].shape), true, false};
  return found.name;
}

void translate(Translation& translation) {
  for (const Value& value : translation.graph.values)
    translation.written.push_back(write_operation(translation, value));
  for (const Output& output : translation.graph.outputs)
    translation.writer.output(output.name, translation.whole(output.value),
                              translation.graph[output.value].shape);
}

}  // namespace onnx_export
