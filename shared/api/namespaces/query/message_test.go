package query_test

import (
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"latchkey/shared/api/namespaces/query"
)

// A record has a field of every kind, in every place that a path leads through.
type record struct {
	Meta      meta   `json:"meta"`
	Propagate toggle `json:"propagate"`
	Spec      spec   `json:"spec"`
	UUID      string `json:"uuid"`

	Untagged string
	Skipped  string `json:"-"`
	Size     int    `json:"size"`
}

type (
	toggle bool
	name   string
	names  []name
)

type meta struct {
	Name        name              `json:"name,omitzero"`
	Annotations map[string]string `json:"annotations"`
	CreateTime  timestamp         `json:"create_time"`
	Description string            `json:"description"`
	IndexData   *struct{}         `json:"index_data"`
	Tags        names             `json:"tags"`
	UpdateTime  timestamp         `json:"update_time"`
}

type spec struct {
	SeenAt time.Time      `json:"seen_at"`
	Issuer *issuer        `json:"issuer"`
	Rules  map[name]rules `json:"rules"`
}

type rules struct {
	Methods []string `json:"methods"`
	Allowed bool     `json:"allowed"`
	Limit   limit    `json:"limit"`
}

type limit struct {
	Reason string `json:"reason"`
}

type issuer struct {
	Meta meta `json:"meta"`
}

// A timestamp is null where there is none.
type timestamp struct{ time.Time }

func (t timestamp) MarshalJSONTo(to *jsontext.Encoder) error {
	if t.IsZero() {
		return to.WriteToken(jsontext.Null)
	}
	return to.WriteToken(jsontext.String(t.UTC().Format(time.RFC3339Nano)))
}

var (
	records = query.SchemaOf[record]()
	noon    = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
)

// full has a value everywhere, but for the update time.
func full() record {
	return record{
		Meta: meta{
			Name:        "build key",
			Annotations: map[string]string{"team": "blue", "example.org/owner": "ewok@endor.ai"},
			CreateTime:  timestamp{time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)},
			Description: `a "quoted" C:\path`,
			IndexData:   &struct{}{},
			Tags:        names{"ci", "k=v", "blue"},
		},
		Propagate: true,
		Spec: spec{
			SeenAt: noon.Add(-time.Hour),
			Issuer: &issuer{Meta: meta{Name: "ewok@endor.ai@google@api-key"}},
			Rules: map[name]rules{
				"project":     {Methods: []string{"METHOD_READ"}, Allowed: true},
				"a.b":         {Methods: []string{"METHOD_ALL"}, Limit: limit{Reason: "dots"}},
				"b.unlimited": {},
			},
		},
		UUID: "0199c1a0-7b5c-7d3e-8f00-0123456789ab",
	}
}

func encode(t testing.TB, message any) jsontext.Value {
	t.Helper()
	encoded, err := json.Marshal(message, json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}
