#include "compiler/syntax/lines.h"

#include <algorithm>

namespace syntax {

Lines::Lines(const std::vector<Token>& tokens, const base::SourceSet& sources)
    : line_(tokens.size()), following_(tokens.size()) {
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (i == 0 || tokens[i - 1].type == VaeLexer::NEWLINE) {
      const std::string& text = sources.file(tokens[i].span.file).text;
      size_t begin = tokens[i].span.begin;
      while (begin > 0 && text[begin - 1] != '\n') --begin;
      indentation_.push_back(std::min(text.find_first_not_of(" \t", begin), text.size()) - begin);
    }
    line_[i] = indentation_.size() - 1;
  }
  for (size_t i = tokens.size(); i-- > 0;)
    following_[i] = tokens[i].type == VaeLexer::NEWLINE ? following_[i + 1] : i;
}

}  // namespace syntax
