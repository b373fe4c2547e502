// Package keyservicetest gives tests a session key behind KMS's wire protocol.
package keyservicetest

import (
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"latchkey/localstack/keyservice"
	"latchkey/shared/awsclient"
)

// Start serves one key until the test ends. It gives how to reach it, and its id.
func Start(t testing.TB) (client awsclient.Config, id string) {
	t.Helper()
	keys, err := keyservice.Open("")
	if err != nil {
		t.Fatal(err)
	}
	if id, err = keys.Create(); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(keys)
	t.Cleanup(server.Close)
	return awsclient.Config{
		Region:      "local",
		Endpoint:    server.URL,
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	}, id
}
