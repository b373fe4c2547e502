package query_test

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"latchkey/shared/api/namespaces/query"
)

const object = `{"meta":{"name":"n","annotations":{"a":"1","a.b":"2"},"tags":["t"],"create_time":null},` +
	`"propagate":false,"spec":{"issuer":null,"rules":{"a.b":{"methods":["m"],"allowed":true}}},"uuid":"u"}`

func TestMask(t *testing.T) {
	for _, test := range []struct{ mask, want string }{
		{"", object},
		{"  ", object},
		{"uuid", `{"uuid":"u"}`},
		{"uuid,meta.name", `{"meta":{"name":"n"},"uuid":"u"}`},
		{" uuid , meta.name ", `{"meta":{"name":"n"},"uuid":"u"}`},
		{"uuid,uuid", `{"uuid":"u"}`},
		{"meta.tags,propagate", `{"meta":{"tags":["t"]},"propagate":false}`},
		{"meta.create_time", `{"meta":{"create_time":null}}`},
		{"meta.annotations", `{"meta":{"annotations":{"a":"1","a.b":"2"}}}`},
		{"meta.annotations.a", `{"meta":{"annotations":{"a":"1"}}}`},
		{"meta.annotations.a.b", `{"meta":{"annotations":{"a.b":"2"}}}`},
		{"meta.annotations.a.b,meta.annotations", `{"meta":{"annotations":{"a":"1","a.b":"2"}}}`},
		{"meta.annotations,meta.annotations.a.b", `{"meta":{"annotations":{"a":"1","a.b":"2"}}}`},
		{"spec", `{"spec":{"issuer":null,"rules":{"a.b":{"methods":["m"],"allowed":true}}}}`},
		{"spec.rules.a.b.allowed", `{"spec":{"rules":{"a.b":{"allowed":true}}}}`},
		{"spec.rules.a.b", `{"spec":{"rules":{"a.b":{"methods":["m"],"allowed":true}}}}`},
		{"spec.issuer.meta.name", `{"spec":{"issuer":null}}`},
	} {
		for _, compact := range []bool{false, true} {
			if got := apply(t, test.mask, object, compact); got != test.want {
				t.Errorf("%s: %s, want %s", test.mask, got, test.want)
			}
		}
	}
}

func TestMaskThatLeavesNothing(t *testing.T) {
	for _, test := range []struct{ mask, object, plain, compact string }{
		{"meta.annotations.c", object, `{"meta":{"annotations":{}}}`, `{}`},
		{"meta.annotations.c,uuid", object, `{"meta":{"annotations":{}},"uuid":"u"}`, `{"uuid":"u"}`},
		{"uuid,spec.rules.c.methods", `{"uuid":"u","spec":{"rules":{"a":{}}}}`,
			`{"uuid":"u","spec":{"rules":{}}}`, `{"uuid":"u"}`},
		{"meta.description", `{"uuid":"u"}`, `{}`, `{}`},
		{"meta.annotations", `{"meta":{"annotations":{}}}`, `{"meta":{"annotations":{}}}`, `{"meta":{"annotations":{}}}`},
		{"meta.name,uuid", `{ "meta" : { "tags" : [ ] } , "uuid" : "u" }`, `{"meta":{},"uuid":"u"}`, `{"uuid":"u"}`},
		{"meta.annotations.a{", `{"meta":{"annotations":{"b":"","a{":"{}"}}}`,
			`{"meta":{"annotations":{"a{":"{}"}}}`, `{"meta":{"annotations":{"a{":"{}"}}}`},
	} {
		if got := apply(t, test.mask, test.object, false); got != test.plain {
			t.Errorf("%s: %s, want %s", test.mask, got, test.plain)
		}
		if got := apply(t, test.mask, test.object, true); got != test.compact {
			t.Errorf("%s, compact: %s, want %s", test.mask, got, test.compact)
		}
	}
}

func apply(t *testing.T, mask, object string, compact bool) string {
	t.Helper()
	m, err := records.Mask(mask)
	if err != nil {
		t.Fatalf("%s: %v", mask, err)
	}
	pruned, err := m.Apply(jsontext.Value(object), compact)
	if err != nil {
		t.Fatalf("%s: %v", mask, err)
	}
	return string(pruned)
}

func TestRefusedMasks(t *testing.T) {
	for mask, want := range map[string]string{
		"uui":           `unknown path "uui"`,
		"uuid,":         `unknown path ""`,
		",":             `unknown path ""`,
		"uuid,,meta":    `unknown path ""`,
		"uuid;meta":     `unknown path "uuid;meta"`,
		"meta. name":    `unknown path "meta. name"`,
		"uuid,meta.nam": `unknown path "meta.nam"`,
		"no,uuid,nada":  `unknown path "no"; unknown path "nada"`,
		strings.Repeat("uuid,", query.MaxTextLength/len("uuid,")) + "uuid": "paths are longer than 8192 bytes",
	} {
		if _, err := records.Mask(mask); errorText(err) != want {
			t.Errorf("%.100s: %q, want %q", mask, errorText(err), want)
		}
	}
}

func TestMaskOfNoObject(t *testing.T) {
	mask, err := records.Mask("meta.name")
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range []string{
		``, `{`, `{"meta":{"name":"n"`, `{"a":1 "b":2}`, `{"meta":{}}{}`, `{"uuid":"\xZ"}`, `{1:2}`,
	} {
		if pruned, err := mask.Apply(jsontext.Value(object), false); err == nil {
			t.Errorf("%s became %s", object, pruned)
		}
	}
}

func TestMaskPaths(t *testing.T) {
	mask, err := records.Mask("uuid, meta")
	if err != nil || mask.IsZero() {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"uuid", "meta"}, texts(mask.Paths())); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// What a mask leaves is valid, the same mask leaves it as it is, and it is no more
// than there was.
func FuzzMask(f *testing.F) {
	f.Add("uuid,meta.name", object)
	f.Add("spec.rules.a.b.methods , meta.annotations.a", object)
	f.Add("spec.issuer.meta", `{"spec":{"issuer":{"meta":{}}},"uuid":1}`)
	f.Add("meta", ` { "meta" : [ ] } `)
	f.Add("uuid,", `[]`)
	f.Fuzz(func(t *testing.T, text, object string) {
		mask, err := records.Mask(text)
		if err != nil || mask.IsZero() {
			return
		}
		for _, compact := range []bool{false, true} {
			pruned, err := mask.Apply(jsontext.Value(object), compact)
			if valid := jsontext.Value(object).IsValid(); valid != (err == nil) {
				t.Fatalf("%s, valid %v: %v", object, valid, err)
			}
			if err != nil {
				return
			}
			if !pruned.IsValid() || len(pruned) > len(object) {
				t.Errorf("%s became %s", object, pruned)
			}
			if again, err := mask.Apply(pruned, compact); err != nil || string(again) != string(pruned) {
				t.Errorf("%s became %s and then %s, %v", object, pruned, again, err)
			}
		}
	})
}
