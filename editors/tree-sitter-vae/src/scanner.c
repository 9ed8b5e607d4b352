// A statement ends at `;`, and at a newline unless `{` or `else` follows. The parser calls this scanner only where
// a statement may end. Newlines inside brackets and after operators are therefore blank space.
#include "tree_sitter/parser.h"

enum Token { END };

void *tree_sitter_vae_external_scanner_create(void) { return 0; }
void tree_sitter_vae_external_scanner_destroy(void *state) { (void)state; }
unsigned tree_sitter_vae_external_scanner_serialize(void *state, char *buffer) {
  (void)state, (void)buffer;
  return 0;
}
void tree_sitter_vae_external_scanner_deserialize(void *state, const char *buffer, unsigned length) {
  (void)state, (void)buffer, (void)length;
}

static bool is_blank(int32_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static bool is_name(int32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c >= 0x370;
}

static bool goes_on(TSLexer *lexer) {
  while (is_blank(lexer->lookahead)) lexer->advance(lexer, false);
  if (lexer->lookahead == '{') return true;
  for (const char *letter = "else"; *letter; ++letter) {
    if (lexer->lookahead != *letter) return false;
    lexer->advance(lexer, false);
  }
  return !is_name(lexer->lookahead);
}

bool tree_sitter_vae_external_scanner_scan(void *state, TSLexer *lexer, const bool *valid) {
  (void)state;
  if (!valid[END]) return false;
  while (lexer->lookahead == ' ' || lexer->lookahead == '\t' || lexer->lookahead == '\r') lexer->advance(lexer, true);
  const bool newline = lexer->lookahead == '\n';
  if (!newline && lexer->lookahead != ';') return false;
  lexer->advance(lexer, false);
  lexer->mark_end(lexer);
  lexer->result_symbol = END;
  return !newline || !goes_on(lexer);
}
