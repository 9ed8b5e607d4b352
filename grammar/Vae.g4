// The grammar of .vae files (the language reference: docs/language.md).
//
// compiler/syntax/arrange.cpp changes the tokens between lexer and parser. It handles what depends on layout:
//   - a newline that ends a statement, a `;`, and the end before a closing `}` become one END each;
//     every other newline is removed. Simple statements and items of `complete` therefore always end in END;
//   - brackets are balanced, and trailing commas are removed;
//   - OVER FROM WEIGHT COMPLETE AS FIXED PUBLISH are keywords only in their places; elsewhere they become NAME.
// Every decision is LL(1). The parser therefore needs no prediction, and finds an error at the first wrong token.
grammar Vae;

file : (declaration | END)* EOF ;

declaration
  : importDeclaration END
  | paramDeclaration END
  | letStatement END
  | varDeclaration END
  | publishDeclaration END
  | familyDeclaration
  | netDeclaration
  | sourceDeclaration
  | playerDeclaration
  | learnDeclaration
  ;

importDeclaration : IMPORT (name | STRING) ;
paramDeclaration  : PARAM name ASSIGN expression ;
varDeclaration    : VAR varItem (COMMA varItem)* COLON domain ;
varItem           : name (LBRACKET expression RBRACKET)? ;
publishDeclaration : PUBLISH LPAREN reference (COMMA reference)* RPAREN ;
domain            : name (LPAREN expressions? RPAREN)? (LBRACKET expressions? RBRACKET)? ;

familyDeclaration
  : FAMILY name LPAREN (familyParameter (COMMA familyParameter)*)? RPAREN OVER name COLON domain block ;
familyParameter   : FIXED? name (COLON domain)? (ASSIGN expression)? ;
netDeclaration    : NET name LPAREN (netParameter (COMMA netParameter)*)? RPAREN netBody ;
netParameter      : name (ASSIGN expression)? ;
netBody           : block | ASSIGN expression END ;
sourceDeclaration : SOURCE name (WEIGHT expression)? block ;
playerDeclaration : (DECODER | ENCODER | PLAYER) name block ;
learnDeclaration  : LEARN name (AS name)? block ;

block : LBRACE (statement | END)* RBRACE ;

// The builder of the syntax tree checks which of these may stand in which block.
statement
  : letStatement END
  | referenceStatement END
  | unpackStatement END
  | returnStatement END
  | forStatement
  | ifStatement
  | completeStatement
  | fromStatement
  | netDeclaration
  ;

letStatement       : LET (reference | names) ASSIGN value ;
unpackStatement    : names ASSIGN value ;
names              : LPAREN name (COMMA name)* RPAREN ;
// `z = e`, `z ~ F(...)`, `z | x, y ~ F(...)`.
referenceStatement : reference (ASSIGN value | (BAR reference (COMMA reference)*)? TILDE expression) ;
reference          : name (LBRACKET expression RBRACKET)? ;
returnStatement    : RETURN expression ;
forStatement       : FOR name IN expression block ;
ifStatement        : IF expression block elseBranch* ;
elseBranch         : ELSE (IF expression)? block ;
completeStatement  : COMPLETE (name arguments?)? LBRACE (completeItem | END)* RBRACE ;
completeItem       : reference TILDE expression END ;
fromStatement      : FROM fromParameter (COMMA fromParameter)* block ;
fromParameter      : name COLON domain ;

value    : expression | map ;
map      : LBRACE (mapEntry (COMMA mapEntry)*)? RBRACE ;
// `z: zgr`, `z[0]: zgr`
mapEntry : name (LBRACKET INTEGER RBRACKET)? COLON value ;

// The operators that bind least come first.
expression  : disjunction ;
disjunction : conjunction (OR conjunction)* ;
conjunction : negation (AND negation)* ;
negation    : NOT* comparison ;
comparison  : sum (COMPARE sum)? ;
sum         : product ((PLUS | MINUS) product)* ;
product     : unary ((STAR | SLASH | PERCENT | AT) unary)* ;
unary       : MINUS* power ;
// `**` groups from right to left, and `2 ** -x` is allowed. The rule is a flat list: a long chain needs no deep stack.
power       : postfix (POWER exponent)* ;
exponent    : MINUS* postfix ;
postfix     : primary suffix* ;
suffix      : arguments | subscripts | DOT name ;
arguments   : LPAREN (argument (COMMA argument)*)? RPAREN ;
argument    : expression (ASSIGN value)? ;
subscripts  : LBRACKET subscript (COMMA subscript)* RBRACKET ;
subscript   : expression (COLON expression?)? | COLON expression? ;
primary
  : INTEGER
  | REAL
  | STRING
  | TRUE
  | FALSE
  | name
  | LPAREN expressions RPAREN
  | LBRACKET expressions? RBRACKET
  ;
expressions : expression (COMMA expression)* ;
name        : NAME ;

IMPORT : 'import' ;
PARAM : 'param' ;
FAMILY : 'family' ;
NET : 'net' ;
VAR : 'var' ;
SOURCE : 'source' ;
DECODER : 'decoder' ;
ENCODER : 'encoder' ;
PLAYER : 'player' ;
LEARN : 'learn' ;
LET : 'let' ;
RETURN : 'return' ;
FOR : 'for' ;
IN : 'in' ;
IF : 'if' ;
ELSE : 'else' ;
AND : 'and' ;
OR : 'or' ;
NOT : 'not' ;
TRUE : 'true' ;
FALSE : 'false' ;
OVER : 'over' ;
FROM : 'from' ;
WEIGHT : 'weight' ;
COMPLETE : 'complete' ;
AS : 'as' ;
FIXED : 'fixed' ;
PUBLISH : 'publish' ;

LPAREN : '(' ;
RPAREN : ')' ;
LBRACKET : '[' ;
RBRACKET : ']' ;
LBRACE : '{' ;
RBRACE : '}' ;
COMMA : ',' ;
COLON : ':' ;
DOT : '.' ;
ASSIGN : '=' ;
TILDE : '~' ;
BAR : '|' ;
PLUS : '+' ;
MINUS : '-' ;
STAR : '*' ;
SLASH : '/' ;
PERCENT : '%' ;
POWER : '**' ;
AT : '@' ;
COMPARE : '<' | '<=' | '>' | '>=' | '==' | '!=' ;
END : ';' ;

INTEGER : DIGITS ;
REAL : DIGITS '.' DIGITS EXPONENT? | DIGITS EXPONENT ;
// The lexer takes the longest match, so this wins over a number at its beginning: `1.`, `.5`, `0x10`, `1__0`, `3abc`.
BAD_NUMBER : '.'? [0-9] [0-9a-zA-Z_.]* ;
NAME : LETTER (LETTER | [0-9])* ;
STRING : '"' STRING_PART* '"' ;
OPEN_STRING : '"' STRING_PART* '\\'? ;

LINE_COMMENT : '//' ~[\n]* ;
BLOCK_COMMENT : '/*' COMMENT_PART* '*'+ '/' ;
OPEN_COMMENT : '/*' COMMENT_PART* '*'* ;
NEWLINE : '\n' ;
BLANK : [ \t\r]+ -> skip ;
BAD_CHARACTER : '&&' | '||' | . ;

fragment DIGITS : [0-9]+ ('_' [0-9]+)* ;
fragment EXPONENT : [eE] [+-]? DIGITS ;
fragment COMMENT_PART : ~[*] | '*'+ ~[*/] ;
fragment STRING_PART : ~["\\\r\n] | '\\' ~[\r\n] ;
// The underscore, Latin letters without accents, and Greek letters with and without accents.
fragment LETTER
  : [a-zA-Z_] | [\u0370-\u0373] | [\u0376-\u0377] | [\u037B-\u037D] | '\u037F' | '\u0386'
  | [\u0388-\u03F5] | [\u03F7-\u03FF] | [\u1F00-\u1FBC] | [\u1FC2-\u1FCC] | [\u1FD0-\u1FDB]
  | [\u1FE0-\u1FEC] | [\u1FF2-\u1FFC] ;
