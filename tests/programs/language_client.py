"""A scripted editor for tests. It speaks the Language Server Protocol with `vaec lsp`."""
import json
import subprocess
import threading


class Client:
    """One session with the server. The client waits for the answer to each request, and keeps all messages that it
    did not ask for."""

    def __init__(self, vaec, folder=None, env=None, initialize=True):
        self.process = subprocess.Popen([vaec, "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=env, cwd=folder)
        self.watchdog = threading.Timer(240, self.process.kill)
        self.watchdog.start()
        self.errors = []
        self.error_reader = threading.Thread(target=lambda: self.errors.append(self.process.stderr.read()))
        self.error_reader.start()
        self.count, self.texts, self.notices = 0, {}, []
        if initialize:
            folders = [{"uri": folder.as_uri(), "name": "here"}] if folder else None
            self.capabilities = self.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {},
                                                        "workspaceFolders": folders})["capabilities"]
            self.notify("initialized", {})

    def send_bytes(self, content):
        self.process.stdin.write(content)
        self.process.stdin.flush()

    def send(self, message):
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.send_bytes(b"Content-Length: %d\r\n\r\n" % len(content) + content)

    def receive(self):
        length = None
        while line := self.process.stdout.readline().strip():
            name, value = line.split(b": ")
            assert name == b"Content-Length", line
            length = int(value)
        assert length is not None, f"the server ended: {self.process.wait()} {self.errors}"
        return json.loads(self.process.stdout.read(length))

    def answer(self, method, params):
        """Sends a request and returns the whole answer."""
        self.count += 1
        self.send({"id": self.count, "method": method, "params": params})
        while True:
            message = self.receive()
            if "method" not in message:
                assert message["id"] == self.count, message
                return message
            self.notices.append(message)

    def ask(self, method, params):
        message = self.answer(method, params)
        assert "error" not in message, message
        return message["result"]

    def refused(self, method, params):
        message = self.answer(method, params)
        assert "error" in message, message
        return message["error"]

    def notify(self, method, params):
        self.send({"method": method, "params": params})

    # ---- documents

    def open(self, path, text):
        self.texts[path.as_uri()] = text
        self.notify("textDocument/didOpen", {"textDocument": {"uri": path.as_uri(), "languageId": "vae", "version": 1,
                                                              "text": text}})
        return path.as_uri()

    def change(self, uri, text):
        self.texts[uri] = text
        self.notify("textDocument/didChange", {"textDocument": {"uri": uri, "version": 2},
                                               "contentChanges": [{"text": text}]})

    def diagnostics(self, uri):
        """Returns the next diagnostics that the server publishes for the document."""
        while True:
            for notice in self.notices:
                if notice["method"] == "textDocument/publishDiagnostics" and notice["params"]["uri"] == uri:
                    self.notices.remove(notice)
                    return notice["params"]["diagnostics"]
            self.notices.append(self.receive())

    def position(self, uri, mark, nth=0, after=False):
        """The position of the nth occurrence of `mark` in a document. Columns are counted in UTF-16 code units."""
        text, offset = self.texts[uri], -1
        for _ in range(nth + 1):
            offset = text.index(mark, offset + 1)
        before = text[:offset + (len(mark) if after else 0)]
        line = before.rpartition("\n")[2]
        return {"line": before.count("\n"), "character": len(line.encode("utf-16-le")) // 2}

    def at(self, uri, mark, nth=0, after=False):
        return {"textDocument": {"uri": uri}, "position": self.position(uri, mark, nth, after)}

    def hover(self, uri, mark, nth=0):
        found = self.ask("textDocument/hover", self.at(uri, mark, nth))
        return found and found["contents"]["value"]

    def labels(self, uri, mark, nth=0):
        """The labels that completion offers after a mark."""
        return {item["label"] for item in self.ask("textDocument/completion", self.at(uri, mark, nth, after=True))}

    def apply(self, edit):
        """Returns a dict from address to text, after the edits of a WorkspaceEdit."""
        result = dict(self.texts)
        for uri, edits in edit["changes"].items():
            result[uri] = applied(result[uri] if uri in result else open(uri.removeprefix("file://")).read(), edits)
        return result

    # ---- the end

    def end(self, shutdown=True):
        """Ends the session. Returns the exit code and the text on stderr."""
        if shutdown:
            self.ask("shutdown", None)
            self.notify("exit", None)
        self.process.stdin.close()
        code = self.process.wait()
        self.watchdog.cancel()
        self.error_reader.join()
        return code, self.errors[0].decode()


def applied(text, edits):
    """Returns the text after the TextEdits."""
    lines = text.split("\n")

    def offset(position):
        line = lines[position["line"]].encode("utf-16-le")[:2 * position["character"]].decode("utf-16-le")
        return sum(len(before) + 1 for before in lines[:position["line"]]) + len(line)
    for edit in sorted(edits, key=lambda edit: offset(edit["range"]["start"]), reverse=True):
        text = text[:offset(edit["range"]["start"])] + edit["newText"] + text[offset(edit["range"]["end"]):]
    return text
