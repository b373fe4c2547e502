// Package dynamotest gives tests the real store: a table of its own for each test,
// on a DynamoDB emulator that a test package starts once, with transports that
// record what is called, what it costs, and fail on command.
//
// A package's tests begin with
//
//	var database dynamotest.Database
//
//	func TestMain(m *testing.M) { os.Exit(database.Run(m)) }
package dynamotest

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"latchkey/localstack/emulator"
	"latchkey/localstack/table"
	"latchkey/shared/awsclient"
	"latchkey/shared/dynamo"
	"latchkey/shared/dynamo/records"
)

// A Database is the emulator of one test process.
type Database struct {
	emulator *emulator.Emulator
	tables   atomic.Int64
}

// Run starts the emulator, runs the tests and gives their exit code. An emulator
// that is missing fails the run.
func (d *Database) Run(m *testing.M) int {
	started, err := emulator.Start(context.Background(), emulator.Config{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer started.Close()
	d.emulator = started
	return m.Run()
}

// Endpoint is the emulator's URL.
func (d *Database) Endpoint() string { return d.emulator.Endpoint() }

// NewTable creates a table for this test and gives a Config that leads to it.
func (d *Database) NewTable(t testing.TB) dynamo.Config {
	t.Helper()
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, t.Name())
	name = fmt.Sprintf("%.200s-%d", name, d.tables.Add(1)) // a test may run more than once
	if err := table.Create(t.Context(), table.Client(d.Endpoint()), name, table.WithoutStream); err != nil {
		t.Fatal(err)
	}
	return dynamo.Config{Config: records.Config{
		Table: name,
		Config: awsclient.Config{
			Region:      "us-east-1", // the SDK compiles a regular expression of each partition for each request to another
			Endpoint:    d.Endpoint(),
			Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
		},
	}}
}

// NewStore gives a store on a table of its own.
func (d *Database) NewStore(t testing.TB) *dynamo.Store {
	t.Helper()
	return dynamo.New(d.NewTable(t))
}
