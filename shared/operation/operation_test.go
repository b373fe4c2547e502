package operation

import (
	"slices"
	"strings"
	"testing"

	"latchkey/shared/schema"
)

func TestCatalogue(t *testing.T) {
	names, routes := map[string]bool{}, map[string]bool{}
	for _, op := range All {
		if names[op.Name] || op.Route != "" && routes[op.Route] {
			t.Errorf("%s: its name or route is there twice", op.Name)
		}
		names[op.Name], routes[op.Route] = true, true
		if op.Summary == "" || op.API == "" || op.Caller == "" || op.MemoryMB < 128 || op.Timeout <= 0 {
			t.Errorf("%s: a column is empty", op.Name)
		}
		if (op.Route == "") != slices.Contains([]Caller{IAM, Stream, Gateway}, op.Caller) {
			t.Errorf("%s: an operation has a route, or is invoked with IAM rights, by the stream or by a gateway", op.Name)
		}
		if (op.Feed != "") != (op.Caller == Stream) {
			t.Errorf("%s: the stream, and nobody else, is told what to bring", op.Name)
		}
		if op.Path() != "" && APIOf(op.Path()) != op.API {
			t.Errorf("%s belongs to %s, its path to %s", op.Name, op.API, APIOf(op.Path()))
		}
		if authenticates(op) && !slices.Contains(op.Touches, Touch{Action: GetItem}) {
			t.Errorf("%s authenticates without a read", op.Name)
		}
		if authenticates(op) && !slices.Contains(op.Touches, Touch{Action: UpdateItem, Item: schema.UseItem}) {
			t.Errorf("%s does not note that a key was used", op.Name)
		}
		for i, touch := range op.Touches {
			if slices.Contains(op.Touches[:i], touch) {
				t.Errorf("%s has the touch %v twice", op.Name, touch)
			}
			if touch.Item != "" && (len(AttributesOf(touch)) == 0 || touch.Index != "") {
				t.Errorf("%s is confined to the item %s, and to none of its attributes", op.Name, touch.Item)
			}
		}
		for _, touch := range op.Touches {
			if touch.Index != "" && !slices.ContainsFunc(schema.Table.Indexes, func(i schema.Index) bool { return i.Name == touch.Index }) {
				t.Errorf("%s touches the index %s, which is not there", op.Name, touch.Index)
			}
		}
		if found, ok := Named(op.Name); !ok || found.Route != op.Route {
			t.Errorf("%s is not found by its name", op.Name)
		}
	}
	if _, ok := Named("nothing"); ok {
		t.Error("an operation was found that is not there")
	}
}

// A limit is for a route, and every route has one.
func TestThrottles(t *testing.T) {
	for _, op := range All {
		limited := op.Throttle.Rate > 0 && op.Throttle.Burst > 0
		if limited != (op.Route != "") || !limited && op.Throttle != (Throttle{}) {
			t.Errorf("%s has the route %q and the limit %+v", op.Name, op.Route, op.Throttle)
		}
		if op.Name == ValidateAPIKey.Name {
			continue
		}
		if op.Throttle.Rate >= ValidateAPIKey.Throttle.Rate || op.Throttle.Burst >= ValidateAPIKey.Throttle.Burst {
			t.Errorf("%s may be called as often as keys may be validated", op.Name)
		}
	}
	if most := ValidateAPIKey.Throttle; most.Rate > accountRate || most.Burst > accountBurst {
		t.Errorf("validating keys may take more than an account has: %+v", most)
	}
}

// What API Gateway lets an account have by default in the regions where it is least.
const accountRate, accountBurst = 2500, 1250

// signatures are what KMS makes per second with RSA keys where it makes the fewest.
const signatures = 500

// However many tokens are asked for at once, some signatures are left to others.
func TestSignersStayWithinTheQuota(t *testing.T) {
	var rate, burst int
	for _, op := range All {
		if slices.Contains(op.SessionKeys, Sign) {
			rate, burst = rate+op.Throttle.Rate, burst+op.Throttle.Burst
		}
	}
	if rate == 0 || rate > signatures*2/3 || burst > signatures*2/3 {
		t.Errorf("%d tokens per second and %d at once may be asked for", rate, burst)
	}
}

// Whoever makes or changes keys and accounts writes items; to use a key, or to remove
// one, writes none.
func TestWritesItems(t *testing.T) {
	for _, op := range []Operation{CreateAPIKey, UpdateAPIKey, CreateWorkspaceKey, UpdateAccountKey, RotateAccountKey, Bootstrap, CreateServiceAccount} {
		if !op.WritesItems() {
			t.Errorf("%s writes no items", op.Name)
		}
	}
	for _, op := range []Operation{ListAPIKeys, ValidateAPIKey, ExchangeAPIKey, Login, Authorizer, DeleteAPIKey, RemoveServiceAccount, SessionKeys, Health} {
		if op.WritesItems() {
			t.Errorf("%s writes items", op.Name)
		}
	}
}

func authenticates(op Operation) bool { return op.Caller == KeyHolder || op.Caller == Gateway }

// A use is all that is written without being asked for, and says nothing of a key.
func TestAttributesOf(t *testing.T) {
	use := AttributesOf(Touch{Action: UpdateItem, Item: schema.UseItem})
	if !slices.Equal(use, []string{schema.PartitionKey, schema.SortKey, schema.UsedAt}) {
		t.Errorf("a use is confined to %v", use)
	}
	if free := AttributesOf(Touch{Action: UpdateItem}); free != nil {
		t.Errorf("what is not confined is confined to %v", free)
	}
}

func TestAPIOf(t *testing.T) {
	for path, want := range map[string]API{
		"/v1": Namespaces, "/v1/": Namespaces, "/v1/auth/api-key": Namespaces, "/v10": Platform,
		"/api/v1/api-key": Workspaces, "/api/v1/api-key/list": Workspaces, "/api/v1/api-keys": Platform,
		"/api/v1/auth": Workspaces, "/api/v1/authx": Platform,
		"/api/v1/service_accounts/x/api_keys": ServiceAccounts, "/api/v1/login": ServiceAccounts, "/api/v1/current-user": ServiceAccounts,
		"/": Platform, "": Platform, "/health": Platform, "/api/v1": Platform,
	} {
		if got := APIOf(path); got != want {
			t.Errorf("%q belongs to %s, want %s", path, got, want)
		}
	}
}

func TestMethods(t *testing.T) {
	for path, want := range map[string][]string{
		"/v1/namespaces/a.b/api-keys":                  {"POST", "GET", "PATCH"},
		"/v1/namespaces/a.b/api-keys/x":                {"GET", "DELETE"},
		"/v1/namespaces/a.b/api-keys/x/y":              nil,
		"/v1/namespaces//api-keys":                     nil,
		"/v1/namespaces/a.b/api-keys/":                 nil,
		"/v1/auth/api-key/validate":                    {"POST"},
		"/v1/auth/api-key/validate/nested":             nil,
		"/api/v1/service_accounts":                     {"POST", "GET"},
		"/api/v1/service_accounts/x":                   {"GET", "PUT", "DELETE"},
		"/api/v1/service_accounts/x/api_keys":          {"POST", "GET"},
		"/api/v1/service_accounts/x/api_keys/y":        {"GET", "PUT", "DELETE"},
		"/api/v1/service_accounts/x/api_keys/rotate":   {"GET", "PUT", "DELETE"},
		"/api/v1/service_accounts/x/api_keys/y/rotate": {"PUT"},
		"/api/v1/service_accounts/x/y":                 nil,
		"/health":                                      {"GET"},
		"/":                                            nil,
	} {
		if got := Methods(path); !slices.Equal(got, want) {
			t.Errorf("%q has %v, want %v", path, got, want)
		}
	}
}

// What is withheld is nobody's route, on a path that somebody has: else it would be
// unknown anyway.
func TestWithheld(t *testing.T) {
	for _, route := range withheld {
		method, path, _ := strings.Cut(route, " ")
		methods := Methods(path)
		if len(methods) == 0 || slices.Contains(methods, method) || !IsWithheld(method, path) {
			t.Errorf("%s: its path has %v", route, methods)
		}
	}
	if IsWithheld("DELETE", "/v1/auth/api-key") {
		t.Error("every other method is withheld too")
	}
}
