package boot_test

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	gocmp "github.com/google/go-cmp/cmp"

	"latchkey/docs/doctable"
	"latchkey/localstack/table"
	"latchkey/shared/dynamo"
	"latchkey/shared/dynamo/dynamotest"
	"latchkey/shared/dynamo/dynamotest/capacity"
	"latchkey/shared/operation"
	"latchkey/shared/schema"
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
// may be half as long, or a little longer, and of the access log's.
const (
	lineBytes       = 650
	longestLine     = 700
	accessLineBytes = 350
)

// What is taken for granted of the milliseconds that Lambda bills, none of which have been
// measured in AWS: of the function's own, of each call that it makes, and of a signature.
// Twice as many add a few cents to a million.
const (
	ownTime       = 2
	timeOfSigning = 20
)

var timeOfCall = map[string]float64{
	"GetItem": 3, "Query": 3, "BatchGetItem": 5, "TransactGetItems": 5,
	"PutItem": 5, "UpdateItem": 5, "BatchWriteItem": 10, "TransactWriteItems": 10,
}

// timeInIndex is that of a query in an index, whose answer is the longest.
const timeInIndex = 10

// A bill is what one call of an operation asks for.
type bill struct {
	op         operation.Operation
	calls      []capacity.Entry
	signatures float64
}

// The guide's tables of costs are made of what the operations ask of DynamoDB here:
// go test ./shared/boot -run Costs -update.
func TestGuideHasTheCosts(t *testing.T) {
	c := newCosts(t)
	var rows strings.Builder
	rows.WriteString("| a million times | units | time | API Gateway | Lambda | DynamoDB | KMS | logs | together |\n" +
		"| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, l := range loads {
		fmt.Fprintf(&rows, "| %s %s\n", l.name, c.measure(l).row())
	}
	doctable.Hold(t, "../../docs/operations.md", "costs", rows.String())
}

// What the tables are made of stands in the guide beside them, and what a validation comes
// to in README.md, too.
func TestCostsAreTold(t *testing.T) {
	validation := newCosts(t).measure(loads[0])
	p, together := validation.prices(), fmt.Sprintf("$%.2f", validation.prices().together()*1e6)
	for page, sentences := range map[string][]string{
		"../../README.md": {"a million validations cost about " + together + ","},
		"../../docs/operations.md": {
			fmt.Sprintf("%d ms, and %g for a read, %g for a write, %g for a batch or a transaction of reads, %g for one of writes, "+
				"%d for a page of an index, %d for a signature.", ownTime, timeOfCall["GetItem"], timeOfCall["PutItem"],
				timeOfCall["BatchGetItem"], timeOfCall["TransactWriteItems"], timeInIndex, timeOfSigning),
			fmt.Sprintf("A log line of %d bytes and one of %d in the access log", lineBytes, accessLineBytes),
			fmt.Sprintf("An HTTP API takes $%.2f a million, Lambda $%.2f and $%.10f for a GB-second on arm64, "+
				"DynamoDB $%.3f for a million units to read and $%.3f to write, KMS $%.2f for 10,000 operations with an RSA 2048 key, "+
				"CloudWatch $%.2f for a GB of logs.", priceOfRequest*1e6, priceOfInvocation*1e6, priceOfGBSecond,
				priceOfRead*1e6, priceOfWrite*1e6, priceOfSignature*1e4, priceOfLogByte*1e9),
			fmt.Sprintf("× %g,000 s + $%.3f + $%.2f = %s.", validation.milliseconds(), p.dynamodb*1e6, p.logs*1e6, together),
		},
	} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		unbroken := strings.Join(strings.Fields(string(text)), " ")
		for _, sentence := range sentences {
			if !strings.Contains(unbroken, sentence) {
				t.Errorf("%s does not say %q", page, sentence)
			}
		}
	}
}

// Every operation has its costs, in the order of the catalogue.
func TestGuideHasTheCostsOfEachOperation(t *testing.T) {
	c := newCosts(t)
	var rows strings.Builder
	rows.WriteString("| operation | of | asks DynamoDB for | units to read | to write | of these in indexes | DynamoDB | together |\n" +
		"| --- | --- | --- | --- | --- | --- | --- | --- |\n")
	var priced []string
	for _, l := range usual {
		priced = append(priced, l.op.Name)
		fmt.Fprintf(&rows, "| `%s` | %s %s\n", l.op.Name, l.name, c.measure(l).line())
	}
	if diff := gocmp.Diff(namesOf(operation.All), slices.Compact(priced)); diff != "" {
		t.Errorf("operations that have their costs (-want +got):\n%s", diff)
	}
	doctable.Hold(t, "../../docs/operations.md", "operations' costs", rows.String())
}

func namesOf(operations []operation.Operation) (names []string) {
	for _, op := range operations {
		names = append(names, op.Name)
	}
	return names
}

// measure makes a call and wants a success. The first of a process costs more.
func (c *costs) measure(l load) bill {
	c.t.Helper()
	c.send(l.op, l.event(c))
	event := l.event(c)
	c.meter.Take()
	c.ledger.Take()
	c.send(l.op, event)
	if length := c.log.Len(); length > longestLine || length < lineBytes/2 {
		c.t.Errorf("%s: a line of %d bytes, which the guide takes for %d", l.op.Name, length, lineBytes)
	}
	calls := c.ledger.Take()
	if l.op.UsesTable() != (len(calls) > 0) {
		c.t.Errorf("%s: %d calls", l.op.Name, len(calls))
	}
	c.wantAgreed(l, calls, c.meter.Take())
	return bill{l.op, calls, l.signatures}
}

// wantAgreed wants AWS's rules and the emulator to say the same of each call.
func (c *costs) wantAgreed(l load, calls []capacity.Entry, consumed []dynamotest.Call) {
	c.t.Helper()
	var worked []dynamotest.Call
	for _, call := range calls {
		worked = append(worked, dynamotest.Call{Action: call.Action, Units: call.Read + call.Written})
		if call.Refused {
			c.t.Errorf("%s: a %s is refused, whose cost is not known", l.op.Name, call.Action)
		}
		if timeOfCall[call.Action] == 0 {
			c.t.Errorf("%s: the time of a %s is not known", l.op.Name, call.Action)
		}
	}
	if diff := gocmp.Diff(worked, consumed); diff != "" {
		c.t.Errorf("%s, %s (-by AWS's rules +by the emulator):\n%s", l.op.Name, l.name, diff)
	}
}

func (b bill) units() (read, written, indexed float64) {
	for _, call := range b.calls {
		read, written, indexed = read+call.Read, written+call.Written, indexed+call.Indexed
	}
	return read, written, indexed
}

func (b bill) milliseconds() float64 {
	sum := ownTime + timeOfSigning*b.signatures
	for _, call := range b.calls {
		if call.Index != "" {
			sum += timeInIndex
		} else {
			sum += timeOfCall[call.Action]
		}
	}
	return sum
}

// Prices are of one call, in dollars.
type prices struct{ gateway, lambda, dynamodb, kms, logs float64 }

func (b bill) prices() prices {
	read, written, _ := b.units()
	p := prices{
		gateway:  priceOfRequest,
		lambda:   priceOfInvocation + priceOfGBSecond*float64(b.op.MemoryMB)/1024*b.milliseconds()/1000,
		dynamodb: priceOfRead*read + priceOfWrite*written,
		kms:      priceOfSignature * b.signatures,
		logs:     priceOfLogByte * (lineBytes + accessLineBytes),
	}
	if b.op.Route == "" { // there is no gateway, or it is billed to the API that it protects, as is its log
		p.gateway, p.logs = 0, priceOfLogByte*lineBytes
	}
	return p
}

func (p prices) together() float64 { return p.gateway + p.lambda + p.dynamodb + p.kms + p.logs }

// row is that of the table of the bill, behind its name.
func (b bill) row() string {
	read, written, _ := b.units()
	units := fmt.Sprintf("%g to read", read)
	if written > 0 {
		units += fmt.Sprintf(", %g to write", written)
	}
	p, cells := b.prices(), ""
	for _, price := range []float64{p.gateway, p.lambda, p.dynamodb, p.kms, p.logs, p.together()} {
		cells += fmt.Sprintf(" $%.3f |", price*1e6)
	}
	return fmt.Sprintf("| %s | %g ms |%s", units, b.milliseconds(), cells)
}

// line is that of the table of all operations, behind the operation and the call.
func (b bill) line() string {
	read, written, indexed := b.units()
	p := b.prices()
	return fmt.Sprintf("| %s | %g | %g | %g | $%.3f | $%.3f |", b.asked(), read, written, indexed, p.dynamodb*1e6, p.together()*1e6)
}

// asked names the calls, the same ones together.
func (b bill) asked() string {
	var kinds []string
	count := map[string]int{}
	for _, call := range b.calls {
		kind := kindOf(call)
		if count[kind]++; count[kind] == 1 {
			kinds = append(kinds, kind)
		}
	}
	for i, kind := range kinds {
		kinds[i] = fmt.Sprint(count[kind], " ", kind)
	}
	return cmp.Or(strings.Join(kinds, " + "), "nothing")
}

func kindOf(call capacity.Entry) string {
	kind := call.Action
	if call.Items > 1 {
		kind += fmt.Sprintf(" of %d", call.Items)
	}
	if call.Index != "" {
		kind += " in " + call.Index
	}
	return kind
}

// What a service account's key may call, but for current-user, which tells of the account.
var byAccounts = []operation.Operation{
	operation.GetAPIKey, operation.WhoAmI, operation.ListServiceAccounts, operation.GetServiceAccount,
	operation.CreateAccountKey, operation.ListAccountKeys, operation.GetAccountKey,
	operation.UpdateAccountKey, operation.RotateAccountKey, operation.DeleteAccountKey,
}

// Whoever calls with a service account's key costs the read of that account besides.
func TestCostsOfAccountsAsCallers(t *testing.T) {
	c := newCosts(t)
	account := capacity.Entry{Action: "GetItem", Items: 1, Read: 1}
	names, measured := namesOf(byAccounts), 0
	for _, l := range usual {
		if !slices.Contains(names, l.op.Name) {
			continue
		}
		want := slices.Insert(c.measure(l).calls, 1, account)
		back := c.callAs(*c.owned.Body.Key)
		got := c.measure(l).calls
		back()
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s, %s (-want +got):\n%s", l.op.Name, l.name, diff)
		}
		measured++
	}
	if measured < len(byAccounts) {
		t.Errorf("%d calls for %d operations", measured, len(byAccounts))
	}
}

// The guide takes a key's record for about 350 bytes.
func TestCostsAreOfAnOrdinaryKey(t *testing.T) {
	c := newCosts(t)
	client := table.Client(database.Endpoint())
	out, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &c.table, Key: capacity.Item{
		schema.PartitionKey: &types.AttributeValueMemberS{Value: schema.KeyPartition("demo", c.newKey())},
		schema.SortKey:      &types.AttributeValueMemberS{Value: schema.KeyItem},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if size := dynamo.SizeOf(out.Item); size < 325 || size > 375 {
		t.Errorf("a record of %d bytes", size)
	}
}
