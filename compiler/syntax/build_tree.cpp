#include "compiler/syntax/build_tree.h"

#include <set>
#include <utility>

namespace syntax {

namespace {

constexpr size_t most_branches = 200;  // of one `if`

const char* description(BlockKind kind) {
  switch (kind) {
    case BlockKind::net:
      return "a net";
    case BlockKind::player:
      return "a player";
    case BlockKind::source:
      return "a source";
    case BlockKind::family:
      return "a family";
    case BlockKind::from:
      return "a `from` block";
    case BlockKind::learn:
      return "a `learn` block";
  }
  return "";
}

class TreeBuilder {
 public:
  TreeBuilder(base::FileId file, base::Report& report) : exprs_(file, report), report_(report) {
    for (const base::Diagnostic& diagnostic : report.diagnostics())
      if (diagnostic.code == base::E0103 && diagnostic.span && diagnostic.span->file == file)
        never_closed_.insert(diagnostic.span->begin);
  }

  std::optional<Declaration> declaration(VaeParser::DeclarationContext* context) {
    if (context->exception != nullptr) return std::nullopt;
    auto* child = static_cast<antlr4::ParserRuleContext*>(context->children[0]);
    Declaration result;
    result.span = span(child);
    switch (child->getRuleIndex()) {
      case VaeParser::RuleImportDeclaration:
        result.kind = import(context->importDeclaration());
        break;
      case VaeParser::RuleParamDeclaration: {
        auto* param = context->paramDeclaration();
        result.kind = ParamDecl{name(param->name()), exprs_.expression(param->expression())};
        break;
      }
      case VaeParser::RuleLetStatement:
        result.kind = LetDecl{let(context->letStatement())};
        break;
      case VaeParser::RuleVarDeclaration:
        result.kind = variable(context->varDeclaration());
        break;
      case VaeParser::RulePublishDeclaration: {
        PublishDecl decl;
        for (auto* item : context->publishDeclaration()->reference())
          decl.variables.push_back(reference(item));
        result.kind = std::move(decl);
        break;
      }
      case VaeParser::RuleFamilyDeclaration:
        result.kind = family(context->familyDeclaration());
        break;
      case VaeParser::RuleNetDeclaration: {
        NetDecl decl = net(context->netDeclaration());
        result.span = decl.span;
        result.kind = std::move(decl);
        break;
      }
      case VaeParser::RuleSourceDeclaration: {
        auto* source = context->sourceDeclaration();
        SourceDecl decl{name(source->name()), nullptr, {}};
        if (source->expression()) decl.weight = exprs_.expression(source->expression());
        decl.body = block(source->block(), BlockKind::source);
        result.kind = std::move(decl);
        break;
      }
      case VaeParser::RulePlayerDeclaration: {
        auto* player = context->playerDeclaration();
        const auto role = player->DECODER()   ? PlayerDecl::Role::decoder
                          : player->ENCODER() ? PlayerDecl::Role::encoder
                                              : PlayerDecl::Role::player;
        result.kind = PlayerDecl{role, name(player->name()), block(player->block(), BlockKind::player)};
        break;
      }
      default: {
        auto* learn = context->learnDeclaration();
        LearnDecl decl{name(learn->name(0)), std::nullopt, {}};
        if (learn->AS()) decl.as = name(learn->name(1));
        decl.body = block(learn->block(), BlockKind::learn);
        result.kind = std::move(decl);
      }
    }
    return result;
  }

 private:
  Span span(antlr4::ParserRuleContext* context) const { return exprs_.span(context); }
  Name name(VaeParser::NameContext* context) { return exprs_.name(context); }

  ImportDecl import(VaeParser::ImportDeclarationContext* context) {
    if (context->name()) return {false, name(context->name())};
    antlr4::Token* path = context->STRING()->getSymbol();
    return {true, {exprs_.unescape(path), exprs_.span(path)}};
  }

  VarDecl variable(VaeParser::VarDeclarationContext* context) {
    VarDecl decl;
    for (auto* item : context->varItem()) {
      VarDecl::Item entry{name(item->name()), nullptr};
      if (item->expression()) entry.count = exprs_.expression(item->expression());
      decl.items.push_back(std::move(entry));
    }
    decl.domain = domain(context->domain());
    return decl;
  }

  DomainExpr domain(VaeParser::DomainContext* context) {
    DomainExpr result;
    result.name = name(context->name());
    result.span = span(context);
    for (auto* list : context->expressions()) {
      const bool in_parentheses =
          context->LPAREN() && list->start->getTokenIndex() < context->RPAREN()->getSymbol()->getTokenIndex();
      (in_parentheses ? result.arguments : result.shape) = exprs_.expressions(list);
    }
    return result;
  }

  FamilyDecl family(VaeParser::FamilyDeclarationContext* context) {
    FamilyDecl decl;
    decl.name = name(context->name(0));
    for (auto* item : context->familyParameter()) {
      FamilyDecl::Parameter parameter;
      parameter.fixed = item->FIXED() != nullptr;
      parameter.name = name(item->name());
      parameter.span = span(item);
      if (item->domain()) parameter.domain = domain(item->domain());
      if (item->expression()) parameter.fallback = exprs_.expression(item->expression());
      decl.parameters.push_back(std::move(parameter));
    }
    decl.variable = name(context->name(1));
    decl.domain = domain(context->domain());
    decl.body = block(context->block(), BlockKind::family);
    return decl;
  }

  NetDecl net(VaeParser::NetDeclarationContext* context) {
    NetDecl decl;
    decl.name = name(context->name());
    for (auto* item : context->netParameter()) {
      NetDecl::Parameter parameter{name(item->name()), nullptr};
      if (item->expression()) parameter.fallback = exprs_.expression(item->expression());
      decl.parameters.push_back(std::move(parameter));
    }
    auto* body = context->netBody();
    if (body->block()) {
      decl.body = block(body->block(), BlockKind::net);
      decl.span = span(context);
    } else {
      Statement result;
      result.span = span(body->expression());
      result.kind = Return{exprs_.expression(body->expression())};
      decl.span = base::join(exprs_.span(context->start), result.span);
      decl.body.push_back(std::move(result));
    }
    return decl;
  }

  Reference reference(VaeParser::ReferenceContext* context) {
    Reference result{name(context->name()), nullptr, span(context)};
    if (context->expression()) result.index = exprs_.expression(context->expression());
    return result;
  }

  std::vector<Reference> names(VaeParser::NamesContext* context) {
    std::vector<Reference> list;
    for (auto* item : context->name()) list.push_back({name(item), nullptr, span(item)});
    return list;
  }

  Assign let(VaeParser::LetStatementContext* context) {
    Assign assign;
    assign.let = true;
    if (context->names()) {
      assign.targets = names(context->names());
      assign.tuple = assign.targets.size() > 1;
    } else {
      assign.targets.push_back(reference(context->reference()));
    }
    assign.value = exprs_.value(context->value());
    return assign;
  }

  Block block(VaeParser::BlockContext* context, BlockKind kind) {
    // If a block was never closed, its statements may have been meant for the outside.
    const bool outer = std::exchange(
        may_be_outside_, may_be_outside_ || never_closed_.contains(exprs_.span(context->start).begin));
    Block list;
    for (auto* item : context->statement())
      if (item->exception == nullptr) list.push_back(statement(item, kind));
    may_be_outside_ = outer;
    return list;
  }

  void refuse(bool allowed, Span at, const std::string& what, BlockKind kind, const std::string& help = "") {
    if (!allowed && !may_be_outside_) report_.add(base::E0113, at, what, description(kind)).help(help);
  }

  Statement statement(VaeParser::StatementContext* context, BlockKind kind) {
    const bool computes = kind == BlockKind::net || kind == BlockKind::player;
    const bool unrolls = computes || kind == BlockKind::source;
    auto* child = static_cast<antlr4::ParserRuleContext*>(context->children[0]);
    Statement result;
    result.span = span(child);
    const Span head = exprs_.span(child->start);
    switch (child->getRuleIndex()) {
      case VaeParser::RuleLetStatement:
        refuse(kind != BlockKind::learn, head, "`let`", kind, "`let` can stand outside of every block");
        result.kind = let(context->letStatement());
        break;
      case VaeParser::RuleUnpackStatement: {
        auto* unpack = context->unpackStatement();
        Assign assign;
        assign.targets = names(unpack->names());
        assign.tuple = assign.targets.size() > 1;
        assign.value = exprs_.value(unpack->value());
        refuse(computes, span(unpack->names()), "a tuple", kind);
        result.kind = std::move(assign);
        break;
      }
      case VaeParser::RuleReferenceStatement:
        result.kind = bound(context->referenceStatement(), kind);
        break;
      case VaeParser::RuleReturnStatement:
        refuse(kind == BlockKind::net, head, "`return`", kind);
        result.kind = Return{exprs_.expression(context->returnStatement()->expression())};
        break;
      case VaeParser::RuleForStatement: {
        auto* loop = context->forStatement();
        refuse(unrolls, head, "`for`", kind);
        result.kind =
            For{name(loop->name()), exprs_.expression(loop->expression()), block(loop->block(), kind)};
        break;
      }
      case VaeParser::RuleIfStatement:
        refuse(unrolls, head, "`if`", kind);
        result.kind = branches(context->ifStatement(), kind);
        break;
      case VaeParser::RuleCompleteStatement:
        refuse(kind == BlockKind::source, head, "`complete`", kind);
        result.kind = complete(context->completeStatement());
        break;
      case VaeParser::RuleFromStatement: {
        auto* from = context->fromStatement();
        refuse(kind == BlockKind::family, head, "`from`", kind);
        From entry;
        for (auto* item : from->fromParameter())
          entry.parameters.push_back({name(item->name()), domain(item->domain())});
        entry.body = block(from->block(), BlockKind::from);
        result.kind = std::move(entry);
        break;
      }
      default: {
        refuse(kind == BlockKind::player, head, "`net`", kind,
               "a net is declared outside of every block, or inside a player to share its parameters");
        auto decl = std::make_unique<NetDecl>(net(context->netDeclaration()));
        result.span = decl->span;
        result.kind = std::move(decl);
      }
    }
    return result;
  }

  decltype(Statement::kind) bound(VaeParser::ReferenceStatementContext* context, BlockKind kind) {
    if (context->value()) {
      Assign assign;
      assign.targets.push_back(reference(context->reference(0)));
      assign.value = exprs_.value(context->value());
      return assign;
    }
    refuse(kind == BlockKind::player || kind == BlockKind::source, span(context),
           context->BAR() ? "a conditional" : "a draw", kind);
    if (kind == BlockKind::source && context->BAR())
      report_
          .add(base::E0113, base::join(span(context->reference(1)), span(context->reference().back())),
               "a parent", description(kind))
          .help("a source draws from constants; what depends on a variable belongs to a player");
    ConditionalDecl decl;
    for (auto* item : context->reference()) decl.parents.push_back(reference(item));
    decl.target = std::move(decl.parents.front());
    decl.parents.erase(decl.parents.begin());
    decl.family = exprs_.expression(context->expression());
    return decl;
  }

  If branches(VaeParser::IfStatementContext* context, BlockKind kind) {
    If first{exprs_.expression(context->expression()), block(context->block(), kind), {}};
    Block* rest = &first.else_body;
    const auto list = context->elseBranch();
    for (size_t i = 0; i < list.size(); ++i) {
      if (list[i]->IF()) {
        if (i >= most_branches) {
          report_.add(base::E0120, exprs_.span(list[i]->start), most_branches);
          break;
        }
        Statement nested;
        nested.span = base::join(exprs_.span(list[i]->IF()->getSymbol()), span(context));
        nested.kind = If{exprs_.expression(list[i]->expression()), block(list[i]->block(), kind), {}};
        rest->push_back(std::move(nested));
        rest = &std::get<If>(rest->back().kind).else_body;
      } else {
        *rest = block(list[i]->block(), kind);
        if (i + 1 < list.size()) {
          report_.add(base::E0113, exprs_.span(list[i + 1]->start), "`else`", "an `if` that has one already");
          break;
        }
      }
    }
    return first;
  }

  Complete complete(VaeParser::CompleteStatementContext* context) {
    Complete result;
    if (context->name()) {
      auto callee = std::make_unique<Expr>();
      callee->kind = ExprKind::name;
      callee->span = span(context->name());
      callee->text = name(context->name()).text;
      result.gibbs = std::make_unique<Expr>();
      result.gibbs->kind = ExprKind::call;
      result.gibbs->span = callee->span;
      if (callee->text != "gibbs")
        report_.add(base::E0101, callee->span, "`{` or `gibbs`", fmt::format("`{}`", callee->text));
      if (context->arguments()) {
        result.gibbs->arguments = exprs_.arguments(context->arguments());
        result.gibbs->span = base::join(callee->span, span(context->arguments()));
      }
      result.gibbs->operands.push_back(std::move(callee));
    }
    for (auto* item : context->completeItem()) {
      if (item->exception != nullptr) continue;
      Complete::Item entry{reference(item->reference()), exprs_.expression(item->expression()), {}};
      entry.span = base::join(entry.variable.span, entry.sampler->span);
      result.items.push_back(std::move(entry));
    }
    return result;
  }

  ExprBuilder exprs_;
  base::Report& report_;
  std::set<uint32_t> never_closed_;  // where unclosed brackets stand, which have been reported
  bool may_be_outside_ = false;      // inside a block whose brace is one of these
};

}  // namespace

Tree build_tree(base::FileId file, VaeParser::FileContext& context, base::Report& report) {
  TreeBuilder builder(file, report);
  Tree tree{file, {}};
  for (auto* item : context.declaration())
    if (auto declaration = builder.declaration(item)) tree.declarations.push_back(std::move(*declaration));
  return tree;
}

}  // namespace syntax
