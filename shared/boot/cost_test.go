package boot_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"latchkey/docs/doctable"
	"latchkey/infra/example"
	"latchkey/shared/dynamo/dynamotest"
	"latchkey/shared/lambdaweb"
	"latchkey/shared/operation"
)

// Prices in dollars, in us-east-1 and without the free tier, of November 2026.
//
//   - https://aws.amazon.com/api-gateway/pricing/: an HTTP API's request
//   - https://aws.amazon.com/lambda/pricing/: a request, and a GB-second on arm64
//   - https://aws.amazon.com/dynamodb/pricing/on-demand/: a read and a write request unit
//   - https://aws.amazon.com/kms/pricing/: a request that uses an RSA 2048 key
//   - https://aws.amazon.com/cloudwatch/pricing/: a GB of logs, of Lambda and of API Gateway
const (
	priceOfRequest    = 1.00 / 1e6
	priceOfInvocation = 0.20 / 1e6
	priceOfGBSecond   = 0.0000133334
	priceOfRead       = 0.125 / 1e6
	priceOfWrite      = 0.625 / 1e6
	priceOfSignature  = 0.03 / 10_000
	priceOfLogByte    = 0.50 / 1e9
)

// What is taken for granted of a request's logs: the lengths of the function's line, which
// is held to, and of the access log's.
const (
	lineBytes       = 650
	accessLineBytes = 350
)

// A load is a call that is made a million times.
type load struct {
	name         string
	op           operation.Operation
	milliseconds float64 // that Lambda bills, taken for granted
	signatures   float64
	call         func(*costs)
}

// The milliseconds have not been measured in AWS. Twice as many add a few cents.
var loads = []load{
	{"validation of a key", operation.ValidateAPIKey, 5, 0, (*costs).validate},
	{"validation of a service account's key", operation.ValidateAPIKey, 8, 0, (*costs).validateOfAccount},
	{"exchange for a token that is less than a minute old", operation.ExchangeAPIKey, 5, 0, (*costs).exchange},
	{"exchange for a new token", operation.ExchangeAPIKey, 25, 1, (*costs).exchange},
	{"decision of an authorizer", operation.Authorizer, 5, 0, (*costs).authorize},
	{"page of 20 keys", operation.ListAPIKeys, 15, 0, (*costs).list},
	{"creation of a key", operation.CreateAPIKey, 10, 0, (*costs).make},
}

// costs are a deployment with something in it to ask for.
type costs struct {
	*accounts
	t     *testing.T
	log   bytes.Buffer
	key   bootstrapped
	owned string
}

func newCosts(t *testing.T) *costs {
	t.Helper()
	c := &costs{accounts: newAccounts(t), t: t}
	c.config.Log = slog.New(slog.NewJSONHandler(&c.log, nil))
	api, err := example.Protected().Encode()
	if err != nil {
		t.Fatal(err)
	}
	c.config.Protected = api
	c.key = c.create(t, keyBody(c.at.Add(time.Hour), `{"roles":["SYSTEM_ROLE_READ_ONLY"]}`))
	fill(t, c.deployment, 25)
	c.owned = *c.makeKey(t, c.makeAccount(t, "ci"), "k").Body.Key
	c.validateOfAccount() // which notes the use, as one call in a minute does
	return c
}

func (c *costs) validate() { c.send(c.op(operation.ValidateAPIKey), c.pair(c.key.Key, c.key.Secret)) }

func (c *costs) validateOfAccount() {
	c.send(c.op(operation.ValidateAPIKey), c.pair(pairOf(c.t, c.owned)))
}

func (c *costs) exchange() { c.send(c.op(operation.ExchangeAPIKey), c.pair(c.key.Key, c.key.Secret)) }

func (c *costs) list() {
	c.send(c.op(operation.ListAPIKeys), c.asRoot(events.APIGatewayV2HTTPRequest{
		PathParameters: map[string]string{"namespace": "demo"},
		RawQueryString: url.Values{"list_parameters.page_size": {"20"}}.Encode(),
	}))
}

func (c *costs) make() {
	c.send(c.op(operation.CreateAPIKey), c.asRoot(events.APIGatewayV2HTTPRequest{
		PathParameters: map[string]string{"namespace": "demo"},
		Body:           keyBody(c.at.Add(time.Hour), `{"roles":["SYSTEM_ROLE_READ_ONLY"]}`),
	}))
}

func (c *costs) authorize() {
	c.send(c.op(operation.Authorizer), map[string]any{
		"version": "2.0", "type": "REQUEST", "routeKey": "GET /orders", "rawPath": "/orders",
		"routeArn":       "arn:aws:execute-api:eu-central-1:000000000000:local/$default/GET/orders",
		"identitySource": []string{"Bearer " + c.root.FullKey},
		"headers":        map[string]string{"authorization": "Bearer " + c.root.FullKey},
		"requestContext": map[string]any{"http": map[string]string{"method": "GET", "path": "/orders"}},
	})
}

func (c *costs) pair(key, secret string) events.APIGatewayV2HTTPRequest {
	return events.APIGatewayV2HTTPRequest{Body: fmt.Sprintf(`{"key":%q,"secret":%q}`, key, secret)}
}

func (c *costs) asRoot(event events.APIGatewayV2HTTPRequest) events.APIGatewayV2HTTPRequest {
	event.Headers = map[string]string{"authorization": "Bearer " + c.root.FullKey}
	return event
}

// op is the function of an operation, the same each time.
func (c *costs) op(op operation.Operation) lambdaweb.Function {
	if c.warm[op.Name] == nil {
		c.warm[op.Name] = c.function(c.t, op)
	}
	return c.warm[op.Name]
}

// send wants a success. What it cost is in the meter and the log.
func (c *costs) send(function lambdaweb.Function, event any) {
	c.t.Helper()
	payload, err := json.Marshal(event)
	if err != nil {
		c.t.Fatal(err)
	}
	c.meter.Take()
	c.log.Reset()
	answer, err := function.Invoke(c.t.Context(), payload)
	if err != nil || !strings.Contains(c.log.String(), `"verdict":"valid"`) || strings.Contains(c.log.String(), `"fault"`) {
		c.t.Fatalf("%v, %s, %s", err, answer, c.log.String())
	}
}

// The guide's table of costs is made of what the operations ask of DynamoDB here:
// go test ./shared/boot -run Costs -update.
func TestGuideHasTheCosts(t *testing.T) {
	doctable.Hold(t, "../../docs/operations.md", "costs", costsTable(newCosts(t)))
}

func costsTable(c *costs) string {
	var table strings.Builder
	table.WriteString("| a million times | units | time | API Gateway | Lambda | DynamoDB | KMS | logs | together |\n" +
		"| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, l := range loads {
		l.call(c) // the first of a process costs more
		l.call(c)
		reads, writes := unitsOf(c.t, c.meter.Take())
		if length := c.log.Len(); length > lineBytes || length < lineBytes/2 {
			c.t.Errorf("%s: a line of %d bytes, which the guide takes for %d", l.name, length, lineBytes)
		}
		table.WriteString(l.row(reads, writes))
	}
	return table.String()
}

// unitsOf adds up reads and writes. The emulator counts single reads and writes as AWS does;
// transactions, which it does not, are no part of a load.
func unitsOf(t *testing.T, calls []dynamotest.Call) (reads, writes float64) {
	t.Helper()
	for _, call := range calls {
		switch {
		case call.Units <= 0 || strings.HasPrefix(call.Action, "Transact"):
			t.Errorf("%s says nothing of what it costs", call.Action)
		case call.Action == string(operation.PutItem):
			writes += call.Units
		case call.Action == string(operation.GetItem) || call.Action == string(operation.Query):
			reads += call.Units
		default:
			t.Errorf("%s is neither a read nor a write", call.Action)
		}
	}
	return reads, writes
}

func (l load) row(reads, writes float64) string {
	gateway, logged := priceOfRequest, float64(lineBytes+accessLineBytes)
	if l.op.Route == "" { // the protected API's gateway bills it, and logs it
		gateway, logged = 0, lineBytes
	}
	lambda := priceOfInvocation + priceOfGBSecond*float64(l.op.MemoryMB)/1024*l.milliseconds/1000
	prices := []float64{gateway, lambda, priceOfRead*reads + priceOfWrite*writes, priceOfSignature * l.signatures, priceOfLogByte * logged}
	sum, cells := 0.0, ""
	for _, price := range prices {
		sum += price
		cells += fmt.Sprintf(" $%.3f |", price*1e6)
	}
	units := fmt.Sprintf("%g to read", reads)
	if writes > 0 {
		units += fmt.Sprintf(", %g to write", writes)
	}
	return fmt.Sprintf("| %s | %s | %g ms |%s $%.3f |\n", l.name, units, l.milliseconds, cells, sum*1e6)
}
