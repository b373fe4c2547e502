package endtoend_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"latchkey/infra/example"
	"latchkey/localstack/gateway"
	"latchkey/localstack/lambdahost"
	"latchkey/localstack/stack"
	"latchkey/shared/operation"
)

// requests are one for each route of the example.
func requests() []string {
	var all []string
	for _, key := range example.Routes() {
		all = append(all, strings.ReplaceAll(key, "{id}", "2"))
	}
	return all
}

const anOrder = `{"item":"a chain","quantity":3}`

// served are the answers to those who may.
var served = map[string]int{
	"GET /orders": http.StatusOK, "GET /orders/2": http.StatusOK,
	"POST /orders": http.StatusCreated, "DELETE /orders/2": http.StatusNoContent,
}

// wantExample wants every route of the example to be answered with a status, 0 for that
// to those who may.
func wantExample(t *testing.T, w *world, credential string, status int) {
	t.Helper()
	for _, request := range requests() {
		want, body := status, fmt.Sprintf(`{"message":%q}`, http.StatusText(status))
		if want == 0 {
			want = served[request]
		}
		method, path, _ := strings.Cut(request, " ")
		got, answer := sendTo(t, method, w.stack.ExampleURL()+path, "Bearer "+credential, anOrder)
		if got != want || status != 0 && answer != body {
			t.Errorf("%s: %d %s, want %d", request, got, answer, want)
		}
	}
}

// makeKey creates a key and gives it in full.
func makeKey(t *testing.T, s *stack.Stack, bearer, namespace, members string) string {
	t.Helper()
	body := `{"meta":{"name":"made"},` + members + `}`
	status, answer := send(t, s, http.MethodPost, "/v1/namespaces/"+namespace+"/api-keys", "Bearer "+bearer, body)
	var made struct{ Spec struct{ Key, Secret string } }
	if err := json.Unmarshal([]byte(answer), &made); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s", status, answer)
	}
	return made.Spec.Key + "_" + made.Spec.Secret
}

// spec is that of a key with permissions.
func spec(permissions string) string {
	return `"spec":{"expiration_time":"2100-01-01T00:00:00Z","permissions":` + permissions + `}`
}

// A key is good in the namespace of the protected API, and from above it if it reaches
// below.
func TestNamespacesOfTheExample(t *testing.T) {
	inner := example.Protected()
	inner.Namespace = "demo.shop"
	encoded, err := inner.Encode()
	if err != nil {
		t.Fatal(err)
	}
	s := restart(t, stack.Config{
		FunctionsDir: binaries, Addr: "127.0.0.1:0", ExampleAddr: "127.0.0.1:0",
		Environment: func(op operation.Operation) map[string]string {
			if op.Name != operation.Authorizer.Name {
				return nil
			}
			return map[string]string{operation.ProtectedAPIVariable: encoded}
		},
	})
	const propagate = `"propagate":true,`
	mayRead := spec(`{"rules":{"orders":{"methods":["METHOD_READ"]}}}`)
	for _, test := range []struct {
		namespace, members string
		status             int
	}{
		{"demo.shop", mayRead, http.StatusOK},
		{"demo", propagate + mayRead, http.StatusOK},
		{"demo", mayRead, http.StatusForbidden},
		{"demo.sho", propagate + mayRead, http.StatusForbidden},
		{"demo.shop.till", propagate + mayRead, http.StatusForbidden},
		{"demo.other", propagate + spec(`{"roles":["SYSTEM_ROLE_ADMIN"]}`), http.StatusForbidden},
	} {
		key := makeKey(t, s, s.FirstKey(), test.namespace, test.members)
		if status, body := sendTo(t, http.MethodGet, s.ExampleURL()+"/orders", "Bearer "+key, ""); status != test.status {
			t.Errorf("%s %s: %d %s, want %d", test.namespace, test.members, status, body, test.status)
		}
	}
}

// A gateway that keeps policies comes to the same for every route, whichever was asked for
// first.
func TestKeptPoliciesSayTheSame(t *testing.T) {
	w := newWorld(t)
	keys := map[string]string{"the administrator's": w.root.Reveal()}
	for name, permissions := range map[string]string{
		"a reader's":   `{"rules":{"orders":{"methods":["METHOD_READ"]}}}`,
		"a maker's":    `{"rules":{"orders":{"methods":["METHOD_CREATE"]}}}`,
		"a remover's":  `{"rules":{"orders":{"methods":["METHOD_READ","METHOD_DELETE"]}}}`,
		"a stranger's": `{"rules":{"books":{"methods":["METHOD_ALL"]}}}`,
	} {
		keys[name] = makeKey(t, w.stack, w.root.Reveal(), "demo", spec(permissions))
	}
	keys["nobody's"] = "nonsense"
	for name, key := range keys {
		want := map[string]int{}
		for _, request := range requests() {
			method, path, _ := strings.Cut(request, " ")
			want[request], _ = sendTo(t, method, w.stack.ExampleURL()+path, "Bearer "+key, anOrder)
		}
		for _, first := range requests() {
			keeping := gatewayWith(t, w.stack, time.Minute)
			for _, request := range append([]string{first}, requests()...) {
				if got := ask(keeping, request, key); got != want[request] {
					t.Errorf("%s key, %s after %s: %d, want %d", name, request, first, got, want[request])
				}
			}
		}
	}
}

// gatewayWith is the example's gateway, but for how long it keeps answers.
func gatewayWith(t *testing.T, s *stack.Stack, ttl time.Duration) http.Handler {
	t.Helper()
	g, err := gateway.New(gateway.Config{Routes: stack.ExampleRoutes(ttl), Invoker: s, Region: lambdahost.Region})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func ask(handler http.Handler, request, key string) (status int) {
	method, path, _ := strings.Cut(request, " ")
	r := httptest.NewRequest(method, path, strings.NewReader(anOrder))
	r.Header.Set("Authorization", "Bearer "+key)
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	return recorder.Code
}
