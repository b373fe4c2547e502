package standin

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"latchkey/infra/example"
	"latchkey/shared/operation"
)

// Serve serves a table until a test ends, and gives the variables that functions need, which
// lead to it.
func Serve(tb testing.TB, table *Table) map[string]string {
	tb.Helper()
	server := httptest.NewServer(table)
	tb.Cleanup(server.Close)
	return variables(tb, server.URL)
}

// ServeTLS does so over TLS, whose memory and time are the function's, and names the root of
// its certificate as crypto/x509 reads it, beside the roots that the machine has. To read
// those takes half of a start.
func ServeTLS(tb testing.TB, table *Table) map[string]string {
	tb.Helper()
	server := httptest.NewTLSServer(table)
	tb.Cleanup(server.Close)
	roots := filepath.Join(tb.TempDir(), "roots.pem")
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(roots, root, 0o600); err != nil {
		tb.Fatal(err)
	}
	all := variables(tb, server.URL)
	all["SSL_CERT_FILE"] = roots
	return all
}

func variables(tb testing.TB, url string) map[string]string {
	tb.Helper()
	protected, err := example.Protected().Encode()
	if err != nil {
		tb.Fatal(err)
	}
	return map[string]string{
		operation.ServiceNameVariable:     "latchkey",
		operation.TableNameVariable:       "latchkey",
		operation.RetentionVariable:       "30",
		operation.DynamoDBVariable:        url,
		operation.KMSVariable:             url,
		operation.SessionKeysVariable:     "019b7ca9-8f2e-7e98-833b-d887d15218ce",
		operation.SessionIssuerVariable:   "https://latchkey.example.com",
		operation.SessionAudienceVariable: "latchkey",
		operation.ProtectedAPIVariable:    protected,
	}
}
