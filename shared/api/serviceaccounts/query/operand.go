package query

import (
	"cmp"
	"encoding/hex"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
)

// A relation is one between a record's text and an operand.
type relation func(text, operand string) bool

func is(text, operand string) bool { return text == operand }

func text(holds relation) reader {
	return func(operand string) (test, problem) {
		return func(v Value) bool { return holds(v.text, operand) }, ""
	}
}

// folded ignores case.
func folded(holds relation) reader {
	return func(operand string) (test, problem) {
		operand = strings.ToLower(operand)
		return func(v Value) bool { return holds(v.folded(), operand) }, ""
	}
}

// digits looks at those of a UUID.
func digits(holds relation) reader {
	return func(operand string) (test, problem) {
		operand = strings.ToLower(withoutHyphens(operand))
		return func(v Value) bool { return holds(hex.EncodeToString([]byte(v.text)), operand) }, ""
	}
}

func withoutHyphens(text string) string { return strings.ReplaceAll(text, "-", "") }

func sameID(operand string) (test, problem) {
	id, ok := parseID(operand)
	return func(v Value) bool { return ok && v.text == id }, ""
}

// parseID gives the bytes of a UUID. As in Python, hyphens may stand anywhere.
func parseID(text string) (id string, ok bool) {
	decoded, err := hex.DecodeString(withoutHyphens(text))
	return string(decoded), err == nil && len(decoded) == len([16]byte{})
}

// among reads a list of texts. What none of them can be the same as is left out.
func among(normal func(string) (string, bool)) reader {
	return func(operand string) (test, problem) {
		items, ok := list(operand)
		if !ok {
			return nil, noList
		}
		wanted := make(map[string]bool, len(items))
		for _, item := range items {
			if text, ok := normal(*item); ok {
				wanted[text] = true
			}
		}
		return func(v Value) bool { return wanted[v.text] }, ""
	}
}

func itself(text string) (string, bool) { return text, true }

// list reads a JSON array. Neither it nor anything in it may be null.
func list(text string) (items []*string, ok bool) {
	if err := json.Unmarshal([]byte(text), &items); err != nil || items == nil {
		return nil, false
	}
	for _, item := range items {
		if item == nil {
			return nil, false
		}
	}
	return items, true
}

func number(holds func(order int) bool) reader {
	return func(operand string) (test, problem) {
		limit, ok := decimal(operand)
		if !ok {
			return nil, noNumber
		}
		return func(v Value) bool {
			n, ok := decimal(v.text)
			return ok && holds(cmp.Compare(n, limit))
		}, ""
	}
}

// decimal reads a finite number, which Go would also take in hexadecimal notation.
func decimal(text string) (n float64, ok bool) {
	text = strings.TrimSpace(text)
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil && !math.IsNaN(n) && !math.IsInf(n, 0) && !strings.ContainsAny(text, "xX")
}

func sameFlag(operand string) (test, problem) {
	var wanted Value
	switch strings.ToLower(operand) {
	case "true", "1":
		wanted = FlagValue(true)
	case "false", "0":
		wanted = FlagValue(false)
	default:
		return nil, noFlag
	}
	return func(v Value) bool { return v.number == wanted.number }, ""
}
