// The language client: starts `vaec lsp`, and runs vaec for the commands that train a model and explain it.
const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

function setting(name) {
  return vscode.workspace.getConfiguration("vae").get(name);
}

async function start() {
  const command = setting("vaec");
  client = new LanguageClient("vae", "vae", { command, args: ["lsp"] }, {
    documentSelector: [{ scheme: "file", language: "vae" }, { scheme: "untitled", language: "vae" }],
    synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher("**/*.vae") },
  });
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    vscode.window.showErrorMessage(`vae: cannot start \`${command} lsp\` (${error.message}). Set "vae.vaec" to the path of vaec.`);
  }
}

async function stop() {
  const running = client;
  client = undefined;
  if (running) await running.stop();
}

/// Saves the .vae file of the active editor and returns its address; undefined if that is not possible.
async function savedFile() {
  const editor = vscode.window.activeTextEditor;
  if (!editor || editor.document.languageId !== "vae") {
    vscode.window.showInformationMessage("vae: open a .vae file first.");
    return undefined;
  }
  if (editor.document.isUntitled || !(await editor.document.save())) {
    vscode.window.showInformationMessage("vae: save the file first.");
    return undefined;
  }
  return editor.document.uri;
}

function task(file, name, words) {
  const folder = vscode.workspace.getWorkspaceFolder(file);
  const execution = new vscode.ProcessExecution(setting("vaec"), words, {
    cwd: vscode.Uri.joinPath(file, "..").fsPath,
  });
  return new vscode.Task({ type: "process" }, folder || vscode.TaskScope.Workspace, name, "vae", execution);
}

async function run() {
  const file = await savedFile();
  if (file) await vscode.tasks.executeTask(task(file, "train", ["run", file.fsPath, "train", ...setting("train")]));
}

async function explain() {
  const file = await savedFile();
  if (file) await vscode.tasks.executeTask(task(file, "explain", ["explain", file.fsPath]));
}

async function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("vae.run", run),
    vscode.commands.registerCommand("vae.explain", explain),
    vscode.commands.registerCommand("vae.restart", async () => {
      await stop();
      await start();
    }),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (!event.affectsConfiguration("vae.vaec")) return;
      await stop();
      await start();
    }),
  );
  await start();
}

module.exports = { activate, deactivate: stop };
