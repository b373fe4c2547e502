// Package query is the language in which a list is asked for: filter, mask, order
// and groups over the fields of a message.
//
// A message is a Go struct whose members are named by json tags. Nothing is declared
// about it but its type: a path is resolved by walking that type, once per request,
// into the steps that then lead through each message.
//
// # Paths
//
// A path is the names of fields joined by dots: "spec.issuing_user.meta.name". Where
// it reaches a map, what remains of it is a key, dots and all, and any key will do:
// "meta.annotations.team.example/owner". Only where a map holds messages may a field
// follow the key: of "rules.a.b.methods" the key is "a.b", for what follows the last
// dot is a field of such a message.
//
// What lies behind a nil pointer or a key that is not there is missing, as is a time
// that is zero. A text that was never set and one that is empty are the same, as they
// are in protobuf, so that a text is never missing: it is empty. Groups alone tell a
// text behind a key that is not there from an empty one: its value is null.
//
// # Filters
//
//	filter     = [ or ] .
//	or         = and { "or" and } .
//	and        = factor { "and" factor } .
//	factor     = "(" or ")" | condition .
//	condition  = path ( comparison value
//	                  | [ "not" ] "in" list
//	                  | [ "not" ] "contains" ( list | value )
//	                  | "matches" text
//	                  | [ "not" ] "exists" ) .
//	comparison = "==" | "!=" | "<" | "<=" | ">" | ">=" .
//	list       = "[" value { "," value } "]" .
//	value      = text
//	           | "date" "(" text ")"
//	           | "now" "(" [ text ] ")" .
//	path       = text .
//	text       = word | string .
//	word       = mark { mark | "=" mark } .
//	mark       = letter | digit | one of _ - . @ + : / * .
//	string     = `"` { any character, `\"` for a quote, `\\` for a backslash } `"` .
//
// The words or, and, not, in, contains, matches and exists are read in any letter
// case, as are date and now; as a value or a path those seven stand in quotes. A path
// without quotes has no "=", so that operators need no spaces around them: uuid==x. A
// backslash before any other character than a quote or a backslash stands for itself:
// "a\.b" is the regular expression that it looks like.
//
// What a field takes depends on its kind:
//
//	text      == != < <= > >=, in, not in, matches, exists, not exists
//	flag      == !=, exists, not exists; with true or false
//	time      == != < <= > >=, in, not in, exists, not exists; with date(2026-01-31),
//	          date(2026-01-31T00:00:00Z), now(), now(-72h), now(-30d), or a date as text
//	list      contains, not contains, exists, not exists
//	map       exists, not exists
//	message   exists, not exists
//
// Texts are compared byte by byte. contains asks for any of its values. matches takes
// RE2 and finds it anywhere in the text. A missing value matches !=, "not in", "not
// contains" and "not exists", and nothing else. Texts, lists and maps exist where they
// are not empty, a flag where it is true (protobuf does not tell false from unset), a
// message where it is behind no nil pointer.
//
// # Bounds
//
// All that clients send is bounded before it costs anything: the length of every text
// and path, the depth of parentheses, the number of paths to group by, and the size
// that a filter's regular expressions have once their repetitions are written out.
// Errors are meant for the client: they repeat no more than 100 characters of it.
package query
