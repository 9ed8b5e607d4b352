// `vaec lsp`: a server of the Language Server Protocol over standard input and output, for editors.
#pragma once

namespace lsp {

/// Serves until the editor sends `exit` or closes its input. Returns 0 after `shutdown`, 1 without it, 65 if
/// the input is not a sequence of messages, and 73 if answers cannot be written.
int serve(int input, int output);

}  // namespace lsp
