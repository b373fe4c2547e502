package jsonread

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

type thing struct {
	Text  string
	Int   int
	Bool  bool
	Texts map[string]string
	List  []string
}

func read(text string, options ...jsontext.Options) (thing, error) {
	var t thing
	r := New([]byte(text), options...)
	r.Members(func(name string) {
		switch name {
		case "text":
			r.Text(&t.Text)
		case "int":
			r.Int(&t.Int)
		case "bool":
			r.Bool(&t.Bool)
		case "texts":
			r.Texts(&t.Texts)
		case "list":
			t.List = r.List()
		default:
			r.Skip()
		}
	})
	return t, r.End()
}

func TestReader(t *testing.T) {
	for text, want := range map[string]thing{
		`null`: {},
		`{}`:   {},
		` { "text" : "a\u00e9\n\"“" , "int" : -12 , "bool" : true , "more" : [{"text":"x"}] } `: {Text: "aé\n\"“", Int: -12, Bool: true},
		`{"texts":{"a":"b","c":null},"list":["x",null,"y"],"bool":false}`:                       {Texts: map[string]string{"a": "b", "c": ""}, List: []string{"x", "", "y"}},
		`{"text":null,"int":null,"bool":null,"texts":null,"list":null}`:                         {},
		`{"\u0074ext":"named by an escape"}`:                                                    {Text: "named by an escape"},
	} {
		got, err := read(text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", text, err, diff)
		}
	}
}

func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		``:                      "EOF",
		`{"text":"x"`:           "unexpected EOF",
		`{"text":"x"}{}`:        "there is more than one value",
		`[]`:                    "value is of another type",
		`{"text":1}`:            "text: value is of another type",
		`{"int":"1"}`:           "int: value is of another type",
		`{"int":1.5}`:           `int: strconv.Atoi: parsing "1.5": invalid syntax`,
		`{"bool":"true"}`:       "bool: value is of another type",
		`{"texts":{"a":{}}}`:    "texts: a: value is of another type",
		`{"list":{}}`:           "list: value is of another type",
		`{"list":["x",1]}`:      "list: value is of another type",
		`{"text":"x","text":1}`: `duplicate object member name "text"`,
	} {
		if got, err := read(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v, want %s", text, got, err, want)
		}
	}
	if got, err := read("{\"text\":\"x\xff\",\"text\":\"y\xff\"}", jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil || got.Text != "y\ufffd" {
		t.Errorf("%+v, %v", got, err)
	}
}
