" A block is indented by two more spaces. A line that begins with a closing bracket ends it.
if exists("b:did_indent")
  finish
endif
let b:did_indent = 1
setlocal indentexpr=VaeIndent(v:lnum) indentkeys=0},0],0),o,O
let b:undo_indent = "setlocal indentexpr< indentkeys<"

function! VaeIndent(line) abort
  let before = prevnonblank(a:line - 1)
  if before == 0
    return 0
  endif
  let text = substitute(getline(before), '//.*$\|"[^"]*"', '', 'g')
  " A closing bracket at the start of the previous line has already changed the indent of that line.
  let text = substitute(text, '^\s*[\]})]\+', '', '')
  let open = len(substitute(text, '[^\[{(]', '', 'g')) - len(substitute(text, '[^\]})]', '', 'g'))
  let depth = indent(before) + shiftwidth() * (open > 0 ? 1 : open < 0 ? -1 : 0)
  if getline(a:line) =~# '^\s*[\]})]'
    let depth -= shiftwidth()
  endif
  return max([depth, 0])
endfunction
