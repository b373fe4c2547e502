package query_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"latchkey/shared/api/namespaces/query"
)

func crowd() []record {
	blue := record{
		Meta:      meta{Name: "blue", Tags: names{"b", "a"}, CreateTime: timestamp{noon}, Description: `"\`},
		Propagate: true,
	}
	alsoBlue := blue
	alsoBlue.Meta.Tags = names{"c", "a", "a"}
	alsoBlue.Meta.CreateTime = timestamp{noon.In(time.FixedZone("", 3600))}
	red := record{Meta: meta{Name: "red"}, Spec: spec{Issuer: &issuer{}}}
	return []record{blue, red, alsoBlue}
}

func grouped(t testing.TB, messages []record, options query.GroupOptions) *query.Groups {
	t.Helper()
	grouping, err := records.Group(options)
	if err != nil {
		t.Fatal(err)
	}
	groups := query.NewGroups(grouping)
	for i, message := range messages {
		if err := groups.Add(message, fmt.Sprint("u", len(messages)-i)); err != nil {
			t.Fatal(err)
		}
	}
	return groups
}

// plain is a member of the answer: a group of which no more was asked than to count.
func plain(key string, count int, uuids string) string {
	return fmt.Sprintf(`%q:{"aggregation_count":{"count":%d},"aggregation_uuids":[%s],`+
		`"unique_counts":{},"unique_values":{},"aggregation_value":{}}`, key, count, uuids)
}

func TestGroups(t *testing.T) {
	for _, test := range []struct {
		name    string
		options query.GroupOptions
		want    []string // members
	}{
		{
			"by a text", query.GroupOptions{AggregationPaths: "meta.name"},
			[]string{
				plain(`[{"key":"meta.name","value":"blue"}]`, 2, ""),
				plain(`[{"key":"meta.name","value":"red"}]`, 1, ""),
			},
		},
		{
			"with uuids, in the order asked",
			query.GroupOptions{AggregationPaths: "propagate , meta.create_time", ShowUUIDs: true},
			[]string{
				plain(`[{"key":"propagate","value":false},{"key":"meta.create_time","value":null}]`, 1, `"u2"`),
				plain(`[{"key":"propagate","value":true},{"key":"meta.create_time","value":"2026-03-10T12:00:00Z"}]`,
					2, `"u1","u3"`),
			},
		},
		{
			"by a time that nobody has", query.GroupOptions{AggregationPaths: "spec.seen_at"},
			[]string{plain(`[{"key":"spec.seen_at","value":null}]`, 3, "")},
		},
		{
			"by a list", query.GroupOptions{AggregationPaths: "meta.tags"},
			[]string{
				plain(`[{"key":"meta.tags","value":["b","a"]}]`, 1, ""),
				plain(`[{"key":"meta.tags","value":["c","a","a"]}]`, 1, ""),
				plain(`[{"key":"meta.tags","value":[]}]`, 1, ""),
			},
		},
		{
			"by what may be behind nothing", query.GroupOptions{AggregationPaths: "spec.issuer.meta.name"},
			[]string{
				plain(`[{"key":"spec.issuer.meta.name","value":""}]`, 1, ""),
				plain(`[{"key":"spec.issuer.meta.name","value":null}]`, 2, ""),
			},
		},
		{
			"all together", query.GroupOptions{
				UniqueCountPaths: "meta.tags,meta.name,meta.create_time,spec.issuer.meta.name",
				UniqueValuePaths: "meta.tags,propagate,meta.create_time,meta.annotations.x",
			},
			[]string{
				`"[]":{"aggregation_count":{"count":3},"aggregation_uuids":[],` +
					`"unique_counts":{"meta.create_time":{"count":1},"meta.name":{"count":2},"meta.tags":{"count":3},` +
					`"spec.issuer.meta.name":{"count":1}},` +
					`"unique_values":{"meta.annotations.x":[],"meta.create_time":["2026-03-10T12:00:00Z"],` +
					`"meta.tags":["a","b","c"],"propagate":[false,true]},"aggregation_value":{}}`,
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			groups := grouped(t, crowd(), test.options)
			if diff := cmp.Diff("{"+strings.Join(test.want, ",")+"}", string(encode(t, groups.ByKey()))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			checkSize(t, groups)
		})
	}
}

// Left out are the members that are empty.
func TestCompactGroups(t *testing.T) {
	groups := grouped(t, crowd(), query.GroupOptions{})
	got, err := json.Marshal(groups.ByKey(), json.OmitZeroStructFields(true))
	if want := `{"[]":{"aggregation_count":{"count":3}}}`; err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
}

func TestNoGroups(t *testing.T) {
	groups := grouped(t, nil, query.GroupOptions{AggregationPaths: "uuid"})
	if got := string(encode(t, groups.ByKey())); got != "{}" {
		t.Error(got)
	}
	checkSize(t, groups)
}

// checkSize holds the estimate to what encoding gives, each quote and each backslash
// counted twice: no less, and more only by the places of numbers.
func checkSize(t *testing.T, groups *query.Groups) {
	t.Helper()
	encoded := string(encode(t, groups.ByKey()))
	real := len(encoded) + strings.Count(encoded, `"`) + strings.Count(encoded, `\`)
	slack := 1 + 30*strings.Count(encoded, `"count"`) + 10*strings.Count(encoded, "unique_values")
	if size := groups.Size(); size < real || size > real+slack {
		t.Errorf("an estimate of %d bytes, where there are %d, may be at most %d", size, real, real+slack)
	}
}

func TestSizeOfManyGroups(t *testing.T) {
	messages := make([]record, 300)
	for i := range messages {
		messages[i] = full()
		messages[i].UUID = fmt.Sprintf("\x01\"\\é<\u2028 %d", i)
		messages[i].Meta.Tags = append(messages[i].Meta.Tags, name(messages[i].UUID))
	}
	checkSize(t, grouped(t, messages, query.GroupOptions{
		AggregationPaths: "uuid,meta.description", UniqueValuePaths: "uuid,meta.tags", ShowUUIDs: true,
	}))
	checkSize(t, grouped(t, messages, query.GroupOptions{
		UniqueCountPaths: "uuid", UniqueValuePaths: "uuid,meta.tags", ShowUUIDs: true,
	}))
}

func TestRefusedGroupings(t *testing.T) {
	for list, want := range map[string]string{
		"uui":                                `unknown path "uui"`,
		"uuid,":                              `unknown path ""`,
		"uuid,meta.name,uuid":                `"uuid" is named twice`,
		"meta":                               `"meta" is a message and has no value to group by`,
		"meta.annotations":                   `"meta.annotations" is a map and has no value to group by`,
		strings.Repeat("uuid,", 20) + "uuid": "more than 20 paths",
	} {
		for _, options := range []query.GroupOptions{
			{AggregationPaths: list}, {UniqueCountPaths: list}, {UniqueValuePaths: list},
		} {
			if _, err := records.Group(options); errorText(err) != want {
				t.Errorf("%+v: %q, want %q", options, errorText(err), want)
			}
		}
	}
}

func TestGroupingPaths(t *testing.T) {
	grouping, err := records.Group(query.GroupOptions{
		AggregationPaths: "uuid,meta.name", UniqueCountPaths: "meta.tags", UniqueValuePaths: "propagate",
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"uuid", "meta.name", "meta.tags", "propagate"}, texts(grouping.Paths())); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// A text that is no UTF-8 is grouped all the same.
func TestGroupOfInvalidText(t *testing.T) {
	groups := grouped(t, []record{{UUID: "\xff"}}, query.GroupOptions{AggregationPaths: "uuid", UniqueValuePaths: "uuid"})
	if got := string(encode(t, groups.ByKey())); !strings.Contains(got, `"unique_values":{"uuid":["`+"\ufffd"+`"]}`) {
		t.Error(got)
	}
	checkSize(t, groups)
}

type broken string

var errBroken = errors.New("broken")

func (b broken) MarshalJSONTo(*jsontext.Encoder) error { return errBroken }

func TestValueThatCannotBeWritten(t *testing.T) {
	type message struct {
		Text broken `json:"text"`
	}
	for _, options := range []query.GroupOptions{
		{AggregationPaths: "text"}, {UniqueCountPaths: "text"}, {UniqueValuePaths: "text"},
	} {
		grouping, err := query.SchemaOf[message]().Group(options)
		if err != nil {
			t.Fatal(err)
		}
		if err := query.NewGroups(grouping).Add(message{}, ""); !errors.Is(err, errBroken) {
			t.Errorf("%+v: %v", options, err)
		}
	}
}

func BenchmarkAdd(b *testing.B) {
	message := full()
	grouping, err := records.Group(query.GroupOptions{
		AggregationPaths: "meta.name", UniqueCountPaths: "meta.tags", ShowUUIDs: true,
	})
	if err != nil {
		b.Fatal(err)
	}
	groups := query.NewGroups(grouping)
	for b.Loop() {
		if err := groups.Add(&message, message.UUID); err != nil {
			b.Fatal(err)
		}
	}
}
