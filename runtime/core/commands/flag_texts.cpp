#include "runtime/core/commands/flag_texts.h"

#include "runtime/schema/training_flags.h"

namespace core {

const std::map<std::string, std::string>& values_of_flags() {
  static const std::map<std::string, std::string> texts = [] {
    std::map<std::string, std::string> values = {{"learn", "NAME"},
                                                 {"checkpoint", "NAME"},
                                                 {"weights", "NAME"},
                                                 {"device", "NAME"},
                                                 {"count", "NAME"},
                                                 {"backend", "NAME"},
                                                 {"threads", "N"},
                                                 {"out", "PATH"},
                                                 {"resume", "DIR"},
                                                 {"run", "DIR"},
                                                 {"n", "N"},
                                                 {"limiting", "N"},
                                                 {"given", "NAME=VALUES"},
                                                 {"mask", "NAME=FILE"},
                                                 {"by", "NAME=PLAYER"},
                                                 {"draw", "NAME,..."},
                                                 {"samples", "N"},
                                                 {"sweeps", "N"},
                                                 {"chains", "N"},
                                                 {"metrics", "NAME,..."},
                                                 {"rows", "N"},
                                                 {"features", "NAME"},
                                                 {"query", "\"A | B\""},
                                                 {"seeds", "N"},
                                                 {"factors", "NAME"},
                                                 {"of", "NAME"},
                                                 {"format", "NAME"},
                                                 {"columns", "N"},
                                                 {"source", "NAME"},
                                                 {"classes", "NAME"},
                                                 {"dims", "I,..."},
                                                 {"range", "X"},
                                                 {"row", "I"},
                                                 {"ranks", "auto|off|N"},
                                                 {"ranks-transport", "NAME"},
                                                 {"rank-timeout", "SECONDS"},
                                                 {"exact-ranks", "N"}};
    for (const TrainingFlag& flag : training_flags()) values.emplace(flag.key, flag.value);
    return values;
  }();
  return texts;
}

}  // namespace core
