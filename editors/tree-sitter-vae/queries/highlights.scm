(comment) @comment
(string) @string
(integer) @number
(real) @number
(boolean) @constant.builtin
["import" "param" "family" "net" "var" "source" "decoder" "encoder" "player" "learn" "let" "over" "fixed" "weight" "complete" "from" "as" "publish"] @keyword
["return" "for" "in" "if" "else"] @keyword.control
["and" "or" "not"] @keyword.operator
["~" "|" "=" "+" "-" "*" "/" "%" "@" "**" "<" "<=" ">" ">=" "==" "!="] @operator
(domain name: (identifier) @type)
(family name: (identifier) @type)
(net name: (identifier) @function)
(player name: (identifier) @namespace)
(source name: (identifier) @namespace)
(learn method: (identifier) @constant)
(call function: (identifier) @function.call)
(named_argument name: (identifier) @parameter)
(entry key: (identifier) @property)
(conditional target: (reference name: (identifier) @variable))
(field name: (identifier) @property)
