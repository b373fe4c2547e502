package boot_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"latchkey/shared/apikey"
	"latchkey/shared/operation"
)

// A listing of namespaces looks at no more than 1,000, shown or not, and says so rather
// than show a wrong page.
func TestNamespaceBounds(t *testing.T) {
	d := newDeployment(t)
	want := fillNamespaces(t, d, apikey.MaxNamespaces+3)
	for _, refused := range []struct{ query, parameter string }{
		{"page_token=1001", "PageToken"},
		{"page_token=2147483647", "PageToken"},
		{"page_token=1001&list_parameters.filter=meta.name+exists", "PageToken"},
		{"count=true", "Count"},
		{"sort.path=meta.name", "Sort.Path"},
		{"group.aggregation_paths=meta.name", "Group.AggregationPaths"},
	} {
		d.meter.Take()
		status, body := listNamespaces(t, d, refused.query)
		if status != 400 || !strings.Contains(body, "invalid ListParameters."+refused.parameter+":") {
			t.Errorf("%s: %d %.300s", refused.query, status, body)
		}
		if calls := len(d.meter.Take()); calls > apikey.MaxNamespaces+10 {
			t.Errorf("%s: %d calls", refused.query, calls)
		}
	}
	for _, query := range []string{"page_size=500", "filter=meta.name+exists&list_parameters.page_size=30"} {
		if got := walkNamespaces(t, d, query); strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%q walks through %d namespaces, want %d", query, len(got), len(want))
		}
	}
	if got := walkNamespaces(t, d, "page_token=990&list_parameters.page_size=500"); strings.Join(got, " ") != strings.Join(want[990:], " ") {
		t.Errorf("behind 990 there are %d namespaces: %.100v", len(got), got)
	}
}

// A page by filter that finds nothing reads a bounded number of namespaces and leads on.
func TestNamespacesThatNoFilterFinds(t *testing.T) {
	d := newDeployment(t)
	fillNamespaces(t, d, 300)
	d.meter.Take()
	status, body := listNamespaces(t, d, "filter=meta.name==nothing")
	if status != 200 || !strings.Contains(body, "next_page_id") || strings.Contains(body, "uuid") {
		t.Errorf("%d %.300s", status, body)
	}
	if calls := len(d.meter.Take()); calls > 210 {
		t.Errorf("%d calls", calls)
	}
	if found := walkNamespaces(t, d, "filter=meta.name==nothing"); len(found) != 0 {
		t.Errorf("found are %v", found)
	}
}

// fillNamespaces puts a key into each of many namespaces, and gives these in order.
func fillNamespaces(t testing.TB, d *deployment, count int) []string {
	t.Helper()
	var paths []string
	for i := range count {
		ns := parse(t, fmt.Sprintf("demo.n%05d", i))
		key := d.rootKey(t)
		key.Locator.Namespace = ns
		if err := d.store.Create(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, ns.String())
	}
	return paths
}

func (d *deployment) rootKey(t testing.TB) apikey.Key {
	t.Helper()
	at, ok := apikey.LocatorIn(d.root.Key)
	if !ok {
		t.Fatal("the root key's identifier cannot be read")
	}
	key, err := d.store.Get(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func listNamespaces(t testing.TB, d *deployment, query string) (int, string) {
	t.Helper()
	if query != "" {
		query = "list_parameters." + query
	}
	return d.call(t, operation.ListNamespaces, events.APIGatewayV2HTTPRequest{
		RawPath:        "/v1/namespaces/demo/namespaces",
		PathParameters: map[string]string{"namespace": "demo"}, RawQueryString: query,
	})
}

// walkNamespaces follows page_id to the end.
func walkNamespaces(t testing.TB, d *deployment, query string) []string {
	t.Helper()
	var paths []string
	for next := query; ; {
		status, body := listNamespaces(t, d, next)
		var page struct {
			List struct {
				Objects []struct {
					Spec struct {
						Full string `json:"full_name"`
					}
				}
				Response struct {
					Next string `json:"next_page_id"`
				}
			}
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil || status != 200 {
			t.Fatalf("%s: %d %s", next, status, body)
		}
		for _, object := range page.List.Objects {
			paths = append(paths, object.Spec.Full)
		}
		if page.List.Response.Next == "" {
			return paths
		}
		cursor := "page_id=" + page.List.Response.Next
		if next = cursor; query != "" {
			next = query + "&list_parameters." + cursor
		}
	}
}
