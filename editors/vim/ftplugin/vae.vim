" Two spaces for each level, comments with //, and `gq` formats the whole file with vaec.
if exists("b:did_ftplugin")
  finish
endif
let b:did_ftplugin = 1
setlocal expandtab shiftwidth=2 softtabstop=2
setlocal comments=s1:/*,mb:*,ex:*/,:// commentstring=//\ %s
setlocal iskeyword=@,48-57,_,880-1023,7936-8191
if executable("vaec")
  setlocal formatprg=vaec\ fmt\ -
  setlocal makeprg=vaec\ check\ %:S
  setlocal errorformat=%Eerror[%t%n]:\ %m,%Wwarning[W%n]:\ %m,%C\ %#-->\ %f:%l:%c,%-C%.%#,%-G%.%#
endif
let b:undo_ftplugin = "setlocal expandtab< shiftwidth< softtabstop< comments< commentstring< iskeyword< formatprg< makeprg< errorformat<"
