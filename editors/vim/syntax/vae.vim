" Syntax of .vae files.
if exists("b:current_syntax")
  finish
endif

syntax keyword vaeDeclaration import param family net var source decoder encoder player learn let
syntax keyword vaeControl return for in if else
syntax keyword vaeWordOperator and or not
syntax keyword vaeConstant true false pi none
" These words are keywords only in their places.
syntax match vaeDeclaration /\<\%(over\|fixed\|as\)\>\ze\s\+\k/
syntax match vaeDeclaration /\<from\>\ze\s\+\k\+\s*:/
syntax match vaeDeclaration /\<weight\>\ze\s\+[^=[:space:]]/
syntax match vaeDeclaration /\<complete\>\ze\s*\%(gibbs\>\|{\)/
syntax match vaeFunction /\<\h\k*\ze(/
syntax match vaeDeclaration /^\s*\zs\<publish\>\ze\s*(/
syntax match vaeFamily /\%(\~\s*\)\@<=\u\k*/
syntax match vaeDomain /\%(:\s*\)\@<=\%(binary\|category\|count\|real\|positive\|unit\|angle\|simplex\)\>/
syntax match vaeOperator /[~|]\|\*\*\|[-+*%@<>=!]=\?/
syntax match vaeNumber /\<\d\+\%(_\d\+\)*\%(\.\d\+\%(_\d\+\)*\)\?\%([eE][+-]\?\d\+\)\?\>/
syntax match vaeEscape /\\[nt"\\]/ contained
syntax region vaeString start=/"/ skip=/\\./ end=/"\|$/ contains=vaeEscape
syntax match vaeComment /\/\/.*$/ contains=@Spell
syntax region vaeComment start=/\/\*/ end=/\*\// contains=@Spell
syntax sync ccomment vaeComment

highlight default link vaeDeclaration Statement
highlight default link vaeControl Conditional
highlight default link vaeWordOperator Operator
highlight default link vaeConstant Constant
highlight default link vaeFunction Function
highlight default link vaeFamily Type
highlight default link vaeDomain Type
highlight default link vaeOperator Operator
highlight default link vaeNumber Number
highlight default link vaeString String
highlight default link vaeEscape SpecialChar
highlight default link vaeComment Comment

let b:current_syntax = "vae"
