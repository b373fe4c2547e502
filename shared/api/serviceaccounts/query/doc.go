// Package query is the language in which lists are asked for: parameters of an address
// that filter records, put them in order and pick a page.
//
// It is the language of ZenML's lists, whose clients must not notice a difference. The
// package knows neither HTTP nor what the records are: a Language names the fields that
// a kind of record has, and a Record tells what one of them has there.
//
// # Parameters
//
//	page              the page, from 1, which is the default
//	size              records of a page: 1 to 10000, by default 20
//	sort_by           [ direction ":" ] field, by default created
//	logical_operator  "and", the default, or "or": how the filters are joined
//	<a field>         [ operator ":" ] operand: a filter
//
// Of the first four the last value counts. Each value of a field is a filter of its own.
// Any other parameter is ignored. Without filters all records match.
//
// Numbers are what pydantic takes for an integer: " +1_000.00 " is one. A page that is
// too large for an int is the largest int, which is behind any last page.
//
// The direction is asc or desc; any other is ignored. Nulls are the lowest, false is
// below true, texts are in the order of their bytes, of which the first 2,048 count.
// Ties are in the order of the ids, which is ascending in either direction.
//
// # Filters
//
// A text that does not begin with the name of an operator and a colon asks for that very
// value, colons and all.
//
//	                       text  UUID  flag  time
//	equals notequals         x     x     x     x
//	contains notcontains     x     x
//	startswith endswith      x     x
//	oneof notoneof           x     x
//	gt gte lt lte            x                 x
//	in                                         x
//	isempty isnotempty       x     x     x     x
//
// A null matches isempty and nothing else, not even notequals; nor is it isnotempty. An
// empty text is empty as well. After isempty and isnotempty nothing may follow. oneof and
// notoneof take a JSON array of strings, with which values are compared as by equals.
//
// Texts are the same if all their bytes are. contains, notcontains, startswith and
// endswith ignore case, by Unicode's lower case, and know no wildcards. gt, gte, lt and
// lte compare numbers in decimal notation: a record whose text is none, or none that is
// finite, does not match.
//
// UUIDs are the same if their 32 digits are: hyphens and case are ignored, and what is no
// UUID is the same as none. The other operators look at those digits, and ignore hyphens
// and case of the operand.
//
// Flags are true or 1, false or 0, in any case.
//
// Times are written 2025-10-16 15:08:11, in UTC, with the leniency of Python's strptime:
// 2025-1-2 3:4:5. Without an operator they may also be in ISO 8601: a date alone, or with
// hours, minutes, seconds, a fraction and an offset, of which the last three may be
// missing. Times are compared by the microsecond. in takes two of them, separated by a
// comma, and matches these and what lies between them.
//
// # Errors
//
// An Error is meant for the client: it names the parameters and repeats no more than 100
// bytes of a value. Of several faults it names all of the kind that would be found first:
// those of the request, then those of the filters, then those that the store would find.
//
// Parsing takes time in proportion to the length of the parameters. A query has up to 50
// filters.
package query
