// Package throughput_test measures validations by many clients at once through the whole local
// stack: the programs that are built as they are for Lambda, behind the local gateway, on the
// emulator. The table has no stream, whose records would slow the emulator down.
//
// What it measures has no bar: most of it is the gateway's work and the emulator's, on a
// machine that they share with the clients. It shows whether more clients get more done, and
// what waits. In AWS every request that waits here would have a process of its own. Whether
// everything stays right under load is for package load to tell.
package throughput_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/localstack/bars"
	"latchkey/localstack/lambdabuild"
	"latchkey/localstack/stack"
	"latchkey/shared/apikey"
	"latchkey/shared/operation"
)

// requests is how many each number of clients sends in all.
const requests = 4_000

func BenchmarkValidation(b *testing.B) {
	dir := b.TempDir()
	if err := lambdabuild.ForHere(dir, lambdabuild.Functions, "latchkey/infra/example/orders"); err != nil {
		b.Fatal(err)
	}
	s, err := stack.Start(b.Context(), stack.Config{
		FunctionsDir: dir, Addr: "127.0.0.1:0", ExampleAddr: "127.0.0.1:0", WithoutStream: true,
	})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	validate := newValidation(b, s)
	for _, clients := range []int{1, 8, 32} {
		send(b, validate, clients, 10*clients) // until there are processes
		began := time.Now()
		times := send(b, validate, clients, requests)
		rate := requests / time.Since(began).Seconds()
		bars.Hold(b, fmt.Sprintf("throughput/%d/rate", clients), bars.Once(rate))
		bars.Hold(b, fmt.Sprintf("throughput/%d/p50", clients), bars.Median(times).Scaled(1e3))
		bars.Hold(b, fmt.Sprintf("throughput/%d/p99", clients), bars.Once(bars.Quantile(times, 0.99)*1e3))
	}
	b.ReportMetric(0, "ns/op")
}

// newValidation gives a request for the first key of a stack. Each answer must be yes.
func newValidation(b *testing.B, s *stack.Stack) func() error {
	full, err := apikey.ParseFullKey(s.FirstKey())
	if err != nil {
		b.Fatal(err)
	}
	identifier, secret := full.RevealPair()
	body, err := json.Marshal(map[string]string{"key": identifier, "secret": secret})
	if err != nil {
		b.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	b.Cleanup(client.CloseIdleConnections)
	return func() error {
		response, err := client.Post(s.URL()+operation.ValidateAPIKey.Path(), "application/json", strings.NewReader(string(body)))
		if err != nil {
			return err
		}
		defer response.Body.Close()
		answer, err := io.ReadAll(response.Body)
		if err != nil || !strings.Contains(string(answer), `"valid":true`) {
			return fmt.Errorf("%s: %w: %s", response.Status, err, answer)
		}
		return nil
	}
}

// send has clients send so many requests in all, each its next one when it has an answer. It
// gives how many seconds each took.
func send(b *testing.B, request func() error, clients, count int) []float64 {
	times := make([]float64, count)
	var next atomic.Int64
	var sending sync.WaitGroup
	for range clients {
		sending.Go(func() {
			for i := next.Add(1) - 1; i < int64(count); i = next.Add(1) - 1 {
				began := time.Now()
				if err := request(); err != nil {
					b.Error(err)
					return
				}
				times[i] = time.Since(began).Seconds()
			}
		})
	}
	sending.Wait()
	return times
}
