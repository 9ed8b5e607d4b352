#include "compiler/lsp/server.h"

#include <fmt/format.h>

#include <csignal>
#include <functional>
#include <iostream>

#include "compiler/base/text_file.h"
#include "compiler/lsp/code_actions.h"
#include "compiler/lsp/completion.h"
#include "compiler/lsp/diagnostics.h"
#include "compiler/lsp/hover.h"
#include "compiler/lsp/protocol/message_stream.h"
#include "compiler/lsp/protocol/positions.h"
#include "compiler/lsp/protocol/uri.h"
#include "compiler/lsp/rename.h"
#include "compiler/syntax/parse.h"

namespace lsp {
namespace {
using nlohmann::json;

constexpr int bad_data = 65, cannot_write = 73;
constexpr size_t longest_text = size_t{16} << 20;  // the limit of vaec for files

/// Error codes of JSON-RPC and of the protocol.
enum ErrorCode {
  parse_error = -32700,
  invalid_request = -32600,
  unknown_method = -32601,
  invalid_params = -32602,
  internal_error = -32603,
  not_initialized = -32002,
  request_failed = -32803,
};

struct RequestError : std::runtime_error {
  RequestError(ErrorCode code, const std::string& cause) : std::runtime_error(cause), code(code) {}
  ErrorCode code;
};

struct OutputClosed {};

class Server {
 public:
  Server(int input, int output) : reader_(input), output_(output) {
    requests_ = {
        {"initialize", [this](const json& params) { return initialize(params); }},
        {"shutdown", [this](const json&) { return shut_down_ = true, json(nullptr); }},
        {"textDocument/hover", [this](const json& params) { return answer_hover(params); }},
        {"textDocument/definition", [this](const json& params) { return answer_definition(params); }},
        {"textDocument/references", [this](const json& params) { return answer_references(params); }},
        {"textDocument/prepareRename", [this](const json& params) { return answer_prepare_rename(params); }},
        {"textDocument/rename", [this](const json& params) { return answer_rename(params); }},
        {"textDocument/completion", [this](const json& params) { return answer_completion(params); }},
        {"textDocument/formatting", [this](const json& params) { return answer_formatting(params); }},
        {"textDocument/codeAction", [this](const json& params) { return answer_code_action(params); }},
    };
    notifications_ = {
        {"textDocument/didOpen", [this](const json& params) { open(params.at("textDocument")); }},
        {"textDocument/didChange", [this](const json& params) { change(params); }},
        {"textDocument/didClose", [this](const json& params) { close(params); }},
        {"workspace/didChangeWatchedFiles", [this](const json&) { forget_all(); }},
    };
  }

  int run() {
    try {
      for (;;) {
        // Diagnostics are published only after the user has not typed for a moment.
        if (!reader_.waits(outdated() ? 100 : -1)) {
          publish_outdated();
          continue;
        }
        const Frame frame = reader_.next();
        if (frame.kind == Frame::Kind::end) return shut_down_ ? 0 : 1;
        if (frame.kind == Frame::Kind::garbled) {
          refuse(nullptr, parse_error, frame.text);
          std::cerr << "vaec lsp: " << frame.text << "\n";
          return bad_data;
        }
        if (frame.kind == Frame::Kind::too_long) {
          refuse(nullptr, invalid_request, frame.text);
        } else if (!handle(frame.text)) {
          return shut_down_ ? 0 : 1;
        }
      }
    } catch (const OutputClosed&) {
      std::cerr << "vaec lsp: cannot write the output\n";
      return cannot_write;
    }
  }

 private:
  // ---- messages

  void send(const json& message) const {
    if (!write_message(output_, message.dump(-1, ' ', false, json::error_handler_t::replace)))
      throw OutputClosed{};
  }
  void notify(const char* method, json params) const {
    send({{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}});
  }
  void refuse(const json& id, ErrorCode code, const std::string& cause) const {
    send({{"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", code}, {"message", cause}}}});
  }

  /// Returns false if the editor sends `exit`.
  bool handle(const std::string& text) {
    json message;
    try {
      message = json::parse(text);
    } catch (const json::exception&) {
      refuse(nullptr, parse_error, "the message is no JSON text in UTF-8");
      return true;
    }
    const auto id = message.is_object() ? message.find("id") : message.end();
    const bool asks = message.is_object() && id != message.end();
    const bool good_id = asks && (id->is_number_integer() || id->is_string());
    if (message.is_object() && !message.contains("method") && good_id)
      return true;  // a response, although we sent no request
    if (!message.is_object() || !message.contains("method") || !message["method"].is_string() ||
        asks != good_id) {
      refuse(good_id ? *id : json(nullptr), invalid_request, "the message is no request");
      return true;
    }
    const std::string method = message["method"];
    const json params = message.contains("params") ? message["params"] : json::object();
    if (asks) {
      answer(*id, method, params);
      return true;
    }
    if (method == "exit") return false;
    accept(method, params);
    return true;
  }

  void answer(const json& id, const std::string& method, const json& params) {
    json result;
    try {
      if (!initialized_ && method != "initialize")
        throw RequestError(not_initialized, "`initialize` comes first");
      if (shut_down_) throw RequestError(invalid_request, "after `shutdown` only `exit` may come");
      const auto found = requests_.find(method);
      if (found == requests_.end())
        throw RequestError(unknown_method, fmt::format("`{}` is not known here", method));
      result = found->second(params);
    } catch (const RequestError& error) {
      return refuse(id, error.code, error.what());
    } catch (const json::exception& error) {
      return refuse(id, invalid_params, fmt::format("`{}`: {}", method, error.what()));
    } catch (const std::exception& error) {
      return refuse(id, internal_error, error.what());
    }
    send({{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}});
  }

  /// A notification has no response, so an error in one is logged in the editor.
  void accept(const std::string& method, const json& params) {
    const auto found = notifications_.find(method);
    if (found == notifications_.end() || !initialized_ || shut_down_) return;
    try {
      found->second(params);
    } catch (const std::exception& error) {
      constexpr int error_message = 1;
      notify("window/logMessage",
             {{"type", error_message}, {"message", fmt::format("`{}`: {}", method, error.what())}});
    }
  }

  // ---- documents

  json initialize(const json& params) {
    if (initialized_) throw RequestError(invalid_request, "`initialize` came before");
    initialized_ = true;
    if (const auto folders = params.find("workspaceFolders");
        folders != params.end() && folders->is_array()) {
      for (const json& folder : *folders)
        workspace_.folders.push_back(path_of(folder.at("uri").get<std::string>()));
    } else if (const auto root = params.find("rootUri"); root != params.end() && root->is_string()) {
      workspace_.folders.push_back(path_of(root->get<std::string>()));
    }
    constexpr int incremental = 2;
    return {{"capabilities",
             {{"positionEncoding", "utf-16"},
              {"textDocumentSync", {{"openClose", true}, {"change", incremental}}},
              {"hoverProvider", true},
              {"definitionProvider", true},
              {"referencesProvider", true},
              {"renameProvider", {{"prepareProvider", true}}},
              {"completionProvider", {{"triggerCharacters", {".", "~", ":"}}}},
              {"documentFormattingProvider", true},
              {"codeActionProvider", {{"codeActionKinds", {"quickfix"}}}}}},
            {"serverInfo", {{"name", "vaec"}, {"version", VAEC_VERSION}}}};
  }

  Document& document(const json& identifier) {
    const auto found = workspace_.documents.find(identifier.at("uri").get<std::string>());
    if (found == workspace_.documents.end()) throw RequestError(invalid_params, "the document is not open");
    return found->second;
  }

  void open(const json& item) {
    const std::string uri = item.at("uri");
    std::string text = item.at("text");
    check_size(text);
    workspace_.documents.erase(uri);
    const Document& fresh = workspace_.documents.try_emplace(uri, uri, text).first->second;
    base::set_unsaved_text(fresh.path(), std::move(text));
    forget_importers(fresh.path());
  }

  void change(const json& params) {
    Document& changed = document(params.at("textDocument"));
    std::string text = changed.text();
    for (const json& change : params.at("contentChanges")) {
      if (const auto range = change.find("range"); range != change.end()) {
        base::SourceSet sources;
        const base::SourceFile& file = sources.file(sources.add("", text));
        const uint32_t begin = offset_of(file, position_in(range->at("start")));
        const uint32_t end = std::max(begin, offset_of(file, position_in(range->at("end"))));
        text.replace(begin, end - begin, change.at("text").get<std::string>());
      } else {
        text = change.at("text");
      }
      check_size(text);
    }
    base::set_unsaved_text(changed.path(), text);
    changed.set_text(std::move(text));
    forget_importers(changed.path());
  }

  static void check_size(const std::string& text) {
    if (text.size() > longest_text)
      throw RequestError(invalid_params, fmt::format("a file has at most {} MiB", longest_text >> 20));
  }

  void close(const json& params) {
    const Document& closed = document(params.at("textDocument"));
    const std::string uri = closed.uri(), path = closed.path();
    base::set_unsaved_text(path, std::nullopt);
    workspace_.documents.erase(uri);
    forget_importers(path);
    notify("textDocument/publishDiagnostics", {{"uri", uri}, {"diagnostics", json::array()}});
  }

  void forget_importers(const std::string& path) {
    for (auto& [uri, other] : workspace_.documents)
      if (other.imports(path)) other.forget();
  }
  void forget_all() {
    for (auto& [uri, other] : workspace_.documents) other.forget();
  }

  bool outdated() const {
    for (const auto& [uri, open] : workspace_.documents)
      if (!open.shown) return true;
    return false;
  }

  void publish_outdated() {
    for (auto& [uri, open] : workspace_.documents) {
      if (open.shown) continue;
      open.shown = true;
      notify("textDocument/publishDiagnostics", {{"uri", uri}, {"diagnostics", diagnostics_of(open)}});
    }
  }

  static json diagnostics_of(const Document& open) {
    try {
      return diagnostics_json(open);
    } catch (const std::exception& error) {
      const base::Span start{open.program().own().file, 0, 0};
      return json::array({{{"range", range_json(open.file(), start)},
                           {"severity", 1},
                           {"source", "vaec"},
                           {"message", fmt::format("internal error: {}", error.what())}}});
    }
  }

  // ---- answers

  /// The document that a request names, and the offset of the place in it.
  std::pair<const Document&, uint32_t> place(const json& params) {
    const Document& open = document(params.at("textDocument"));
    return {open, offset_of(open.file(), position_in(params.at("position")))};
  }

  static json location_json(const Location& location) {
    return {{"uri", location.uri}, {"range", location.range}};
  }

  json answer_hover(const json& params) {
    const auto [open, offset] = place(params);
    const auto found = hover(open, offset);
    if (!found) return nullptr;
    return {{"contents", {{"kind", "markdown"}, {"value", found->text}}},
            {"range", range_json(open.file(), found->span)}};
  }

  json answer_definition(const json& params) {
    const auto [open, offset] = place(params);
    const auto found = definition(workspace_, open, offset);
    return found ? location_json(*found) : json(nullptr);
  }

  json answer_references(const json& params) {
    const auto [open, offset] = place(params);
    const bool declaration =
        params.contains("context") && params["context"].value("includeDeclaration", true);
    json list = json::array();
    for (const Location& location : references(workspace_, open, offset, declaration))
      list.push_back(location_json(location));
    return list;
  }

  json answer_prepare_rename(const json& params) {
    const auto [open, offset] = place(params);
    const auto found = prepare_rename(open, offset);
    if (const auto* refusal = std::get_if<Refusal>(&found))
      throw RequestError(request_failed, refusal->cause);
    return range_json(open.file(), std::get<base::Span>(found));
  }

  json answer_rename(const json& params) {
    const auto [open, offset] = place(params);
    auto made = rename(workspace_, open, offset, params.at("newName").get<std::string>());
    if (const auto* refusal = std::get_if<Refusal>(&made)) throw RequestError(request_failed, refusal->cause);
    return std::get<json>(std::move(made));
  }

  json answer_completion(const json& params) {
    const auto [open, offset] = place(params);
    return completions(open, offset);
  }

  /// The text as `vaec fmt` writes it; null if the file has syntax errors.
  json answer_formatting(const json& params) {
    const Document& open = document(params.at("textDocument"));
    base::SourceSet sources;
    base::Report report(sources);
    const base::FileId file = sources.add(open.path(), open.text());
    syntax::parse(file, report);
    if (report.has_errors()) return nullptr;
    const std::string canonical = syntax::format(file, sources);
    if (canonical == open.text()) return json::array();
    const base::Span all{file, 0, static_cast<uint32_t>(open.text().size())};
    return json::array({{{"range", range_json(sources.file(file), all)}, {"newText", canonical}}});
  }

  json answer_code_action(const json& params) {
    const Document& open = document(params.at("textDocument"));
    const json& range = params.at("range");
    return code_actions(open,
                        {open.program().own().file, offset_of(open.file(), position_in(range.at("start"))),
                         offset_of(open.file(), position_in(range.at("end")))});
  }

  MessageReader reader_;
  int output_;
  Workspace workspace_;
  bool initialized_ = false, shut_down_ = false;
  std::map<std::string, std::function<json(const json&)>> requests_;
  std::map<std::string, std::function<void(const json&)>> notifications_;
};

}  // namespace

int serve(int input, int output) {
  std::signal(SIGPIPE, SIG_IGN);  // then a write to a closed output fails, which is noticed
  return Server(input, output).run();
}

}  // namespace lsp
