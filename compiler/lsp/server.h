// `vaec lsp`: a server of the Language Server Protocol over standard input and output, for editors.
#pragma once

namespace lsp {

/// Serves until the editor says `exit` or closes its end. 0 after `shutdown`, 1 without it, 65 where the
/// input is no sequence of messages, 73 where answers cannot be written.
int serve(int input, int output);

}  // namespace lsp
