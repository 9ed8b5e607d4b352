// The spans of the tree cover the text, formatting gives one canonical layout, and parsing is fast.
// links: syntax base
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "compiler/syntax/parse.h"

namespace {

struct Parsed {
  base::SourceSet sources;
  base::Report report{sources};
  base::FileId file;
  syntax::Tree tree;
  explicit Parsed(const std::string& text) : file(sources.add("test.vae", text)) {
    tree = syntax::parse(file, report);
  }
  std::string codes() const {
    std::string list;
    for (const auto& diagnostic : report.diagnostics())
      list += std::string(list.empty() ? "" : " ") + base::info(diagnostic.code).name;
    return list;
  }
};

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string formatted(const std::string& text) {
  Parsed parsed(text);
  EXPECT_EQ(parsed.codes(), "") << text;
  return syntax::format(parsed.file, parsed.sources);
}

TEST(Parse, SpansCoverWhatWasWritten) {
  Parsed parsed("/* η */ decoder p { x | z[1], y ~ F(a + b * (c), n = 3) }\n");
  const auto& player = std::get<syntax::PlayerDecl>(parsed.tree.declarations.at(0).kind);
  const auto text = [&](base::Span span) { return std::string(parsed.sources.text(span)); };
  EXPECT_EQ(text(parsed.tree.declarations[0].span), "decoder p { x | z[1], y ~ F(a + b * (c), n = 3) }");
  EXPECT_EQ(text(player.body.at(0).span), "x | z[1], y ~ F(a + b * (c), n = 3)");
  const auto& conditional = std::get<syntax::ConditionalDecl>(player.body[0].kind);
  EXPECT_EQ(text(conditional.parents.at(0).span), "z[1]");
  EXPECT_EQ(text(conditional.family->span), "F(a + b * (c), n = 3)");
  const auto& sum = conditional.family->arguments.at(0);
  EXPECT_EQ(text(sum.span), "a + b * (c)");
  EXPECT_EQ(text(sum.value->operands.at(1)->span), "b * (c)");
  EXPECT_EQ(text(sum.value->operands.at(1)->operands.at(1)->span), "(c)");
  EXPECT_EQ(text(conditional.family->arguments.at(1).span), "n = 3");
  EXPECT_EQ(text(conditional.family->arguments.at(1).name->span), "n");
}

TEST(Parse, WindowsLineEndsAndAByteOrderMarkChangeNothing) {
  Parsed plain("net f(h) {\n  h = 1\n  return h\n}\nvar x : real\n");
  Parsed windows("\xEF\xBB\xBFnet f(h) {\r\n  h = 1\r\n  return h\r\n}\r\nvar x : real\r\n");
  EXPECT_EQ(windows.codes(), "");
  EXPECT_EQ(syntax::print(windows.tree), syntax::print(plain.tree));
  EXPECT_EQ(windows.sources.text(windows.tree.declarations.at(1).span), "var x : real");
}

TEST(Parse, EmptyFilesAreFiles) {
  for (const char* text : {"", "\n", "// nothing", "/* nothing */", ";;;\n;", "\xEF\xBB\xBF"}) {
    Parsed parsed(text);
    EXPECT_EQ(parsed.codes(), "") << text;
    EXPECT_TRUE(parsed.tree.declarations.empty());
  }
}

TEST(Parse, GoodStatementsBesideBadOnesAreKept) {
  Parsed parsed("param a =\nparam b = 2\nnet f(h) { h = ; return h }\nvar x real\nvar y : real\n");
  EXPECT_EQ(parsed.codes(), "E0101 E0101 E0101");
  EXPECT_EQ(syntax::print(parsed.tree), "param b = 2\nnet f(h)\n  return h\nvar y : real\n");
}

template <class Message, class... Arguments>
concept Takes = requires(base::Report& report, Message message, Arguments... arguments) {
  report.add(message, std::nullopt, arguments...);
};
static_assert(Takes<decltype(base::E0101), const char*, std::string>);
static_assert(!Takes<decltype(base::E0101), const char*>, "E0101 takes two arguments");
static_assert(!Takes<decltype(base::E0105), const char*>, "E0105 takes none");

TEST(Parse, NestingDoesNotOverflowTheStack) {
  const auto repeat = [](const std::string& text, size_t times) {
    std::string all;
    for (size_t i = 0; i < times; ++i) all += text;
    return all;
  };
  const std::pair<const char*, std::string> deep[] = {
      {"E0119", "param a = " + repeat("(", 20000) + "1" + repeat(")", 20000)},
      {"E0119", "param a = " + repeat("(", 20000)},
      {"E0119", "param a = " + repeat("f([", 20000)},
      {"E0111", "param a = " + repeat("- ", 20000) + "1"},
      {"E0111", "param a = " + repeat("not ", 20000) + "true"},
      {"E0111", "param a = 2" + repeat(" ** 2", 20000)},
      {"E0111", "param a = 2" + repeat(" ** - 2", 20000)},
      {"E0111", "param a = 2" + repeat(" + 2", 20000)},
      {"E0111", "param a = f" + repeat("(1)", 20000)},
      {"E0111", "param a = f" + repeat(".a", 20000)},
      {"E0111", "param a = " + repeat("(1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + ", 190) + "1" + repeat(")", 190)},
      {"E0120", "net f(h) { if a { h = 1 } " + repeat("else if a { h = 1 }", 20000) + "}"},
      {"E0119", "net f(h) { " + repeat("if a { ", 20000) + repeat("} ", 20000) + "}"},
      {"", "net f(h) { " + repeat("h = 1; ", 20000) + "}"},
      {"", "param a = [" + repeat("1, ", 20000) + "]"},
      {"", "param a = " + repeat("(", 200) + "1" + repeat(")", 200)},
  };
  for (const auto& [codes, text] : deep) EXPECT_EQ(Parsed(text).codes(), codes) << text.substr(0, 60);
}

TEST(Format, HasOneForm) {
  EXPECT_EQ(
      formatted("param   a=1+-2*( b-c )**2 ;param b = - 3\n\n\n\n\nnet f( h,act=tanh )=act( h )[0 : 2,: ]"),
      "param a = 1 + -2 * (b - c) ** 2\nparam b = -3\n\nnet f(h, act = tanh) = act(h)[0:2, :]\n");
  EXPECT_EQ(formatted("decoder p{\n\n\nz~F( 0 );y|z~F(z)\nif a{\nx|z,y~F(z)\n}\nelse{x|z~F(0)}\n\n}"),
            "decoder p {\n  z     ~ F(0)\n  y | z ~ F(z)\n  if a {\n    x | z, y ~ F(z)\n  } else { x | z ~ "
            "F(0) }\n}\n");
  EXPECT_EQ(formatted("learn elbo{steps=1;optimizer={p:adam( 1e-3 ),q:none}}"),
            "learn elbo { steps = 1; optimizer = {p: adam(1e-3), q: none} }\n");
  EXPECT_EQ(formatted("source generated{}\nsource a weight( 5 ){x=f (1,)}"),
            "source generated { }\nsource a weight (5) { x = f(1) }\n");
}

TEST(Format, EndsEveryLineAlike) {
  EXPECT_EQ(formatted("/* two\r\nlines */\r\nparam a = 1\r\n"), "/* two\nlines */\nparam a = 1\n");
}

TEST(Format, AlignsNeighbours) {
  EXPECT_EQ(formatted("var x : real\nvar long, name : real\n\nvar y : real"),
            "var x          : real\nvar long, name : real\n\nvar y : real\n");
  EXPECT_EQ(
      formatted("family F(a : real) over x : real {\nlet η = a\nnatural = η\n// apart\nsample = 1\n}"),
      "family F(a : real) over x : real {\n  let η   = a\n  natural = η\n  // apart\n  sample = 1\n}\n");
  EXPECT_EQ(formatted("source a {x=1}//1\nsource long {}//2\nsource b {\nx=1}"),
            "source a    { x = 1 }  //1\nsource long { }        //2\nsource b {\n  x = 1\n}\n");
}

TEST(Format, KeepsCommentsWhereTheyBelong) {
  const char* text =
      "// first\n"
      "\n"
      "param a = 1  // of a\n"
      "\n"
      "/* a block */\n"
      "net f(h) {  // of f\n"
      "  // before\n"
      "  h = g(h, /* inline */ 3)\n"
      "  h = g(  // of g\n"
      "    h,\n"
      "    // own line\n"
      "    3\n"
      "  )\n"
      "\n"
      "  return h\n"
      "  // at the end\n"
      "}\n"
      "// last\n";
  EXPECT_EQ(formatted(text), text);
}

TEST(Format, BreaksBlocksThatAreTooLong) {
  const std::string line = "source s { " + std::string(40, 'a') + " = " + std::string(30, 'b') +
                           "; c = " + std::string(30, 'd') + " }\n";
  EXPECT_EQ(formatted(line), "source s {\n  " + std::string(40, 'a') + " = " + std::string(30, 'b') +
                                 "\n  c = " + std::string(30, 'd') + "\n}\n");
}

TEST(Format, IsIdempotentAndKeepsTheTree) {
  for (const auto& entry : std::filesystem::directory_iterator(VAEC_ROOT "/tests/golden/syntax")) {
    if (entry.path().extension() != ".vae") continue;
    const std::string text = read(entry.path());
    const std::string once = formatted(text);
    EXPECT_EQ(formatted(once), once) << entry.path();
    EXPECT_EQ(syntax::print(Parsed(once).tree), syntax::print(Parsed(text).tree)) << entry.path();
  }
}

}  // namespace
