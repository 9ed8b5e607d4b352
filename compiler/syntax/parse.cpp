#include "compiler/syntax/parse.h"

#include <antlr4-runtime.h>

#include "compiler/syntax/build_tree.h"
#include "compiler/syntax/recover.h"

namespace syntax {

namespace {

/// Hands the arranged tokens to ANTLR. Their places are bytes of the file, not code points of a stream.
std::vector<std::unique_ptr<antlr4::Token>> for_antlr(const std::vector<Token>& tokens) {
  std::vector<std::unique_ptr<antlr4::Token>> list;
  list.reserve(tokens.size());
  for (const Token& token : tokens) {
    auto copy = std::make_unique<antlr4::CommonToken>(token.type);
    copy->setStartIndex(token.span.begin);
    copy->setStopIndex(token.span.end - size_t{1});
    list.push_back(std::move(copy));
  }
  return list;
}

}  // namespace

Tree parse(base::FileId file, base::Report& report) {
  const std::string& text = report.sources().file(file).text;
  if (const auto offset = base::find_invalid_utf8(text)) {
    const auto at = static_cast<uint32_t>(*offset);
    report.add(base::E0102, Span{file, at, at + 1}, *offset).help("save the file as UTF-8");
    return {file, {}};
  }
  const std::vector<Token> tokens = arrange(lex(file, report.sources(), &report), report);

  antlr4::ListTokenSource source(for_antlr(tokens));
  antlr4::CommonTokenStream stream(&source);
  VaeParser parser(&stream);
  parser.removeErrorListeners();
  const auto recovery = std::make_shared<Recovery>(tokens, report);
  parser.setErrorHandler(recovery);
  VaeParser::FileContext* parsed = parser.file();
  recovery->report_missing_braces();
  return build_tree(file, *parsed, report);
}

}  // namespace syntax
