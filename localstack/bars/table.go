package bars

// Where things are measured.
var (
	parser   = Test{"shared/apikey", "TestParserAllocatesLittle"}
	calls    = Test{"shared/boot", "TestCostOfValidation"}
	uses     = Test{"shared/boot", "TestCostOfUse"}
	allocs   = Test{"shared/boot", "TestAllocationsOfValidation"}
	verify   = Test{"shared/boot", "BenchmarkValidation"}
	pages    = Test{"shared/boot", "BenchmarkPages"}
	scans    = Test{"shared", "TestNothingScans"}
	starts   = Test{"localstack/coldstart", "BenchmarkColdStart"}
	firsts   = Test{"localstack/coldstart", "BenchmarkFirstInvocation"}
	lengths  = Test{"localstack/coldstart", "BenchmarkBootstrapLength"}
	gateways = Test{"localstack/throughput", "BenchmarkValidation"}
)

// Calls and units of a validation, and of a page: each call's action and what it costs.
const (
	oneRead   = "GetItem 1"
	twoReads  = "GetItem 1, GetItem 1"
	twoNoted  = "GetItem 1, GetItem 1, UpdateItem 1"
	onePage   = "GetItem 1, Query 1"
	noCall    = "none"
	noScan    = "none"
	validate  = "validate-api-key"
	authorize = "authorizer"
	// Others is every function but the two that others wait for with each of their requests.
	Others = "others"
)

// All is what is measured, in the order in which it is shown.
//
//   - 1: a validation reads one item through a client that is made for it, which costs a
//     fraction of what the SDK's does, so that all of it takes half of the SDK's read alone.
//   - 3: the smaller bar is what is left without the SDK's client of DynamoDB, the larger one
//     what a client costs that is made of static options, 1.3 to 1.5 times the empty function,
//     and not what the SDK's default configuration costs, 1.9 times. It is of the program:
//     the service is asked without TLS, and then a process does not wait for its connection.
//     In AWS it does, for several times as long, which is shown without a bar.
//   - 4: the tables that are built when they are first needed, next to a service that answers
//     in a millisecond, over TLS. The connection is there by then.
//   - 5: what is left of a function if nothing is in it that it does not use.
//   - 6: the most that the process has had in memory by then, as Lambda counts it and kills for
//     it. The heap has not grown by then as far as operation.Runtime lets it: a process that
//     lives for thousands of invocations has 25 MB, which package runtimecost measures.
//   - 10: whoever holds no key must not learn from the time of an answer whether a secret is
//     right. Whether an identifier exists he may learn: identifiers are public, and an answer
//     without an item is decoded faster.
//   - 11: noise costs us nothing. The form in which clients of the service-accounts API carry
//     keys is decoded twice.
var All = []Bar{
	{"validation/time", 1, "validation ÷ GetItem through the SDK, time", Ratio, atMost(0.45), verify},
	{"validation/cpu", 1, "validation ÷ GetItem through the SDK, CPU", Ratio, atMost(0.45), verify},
	{"validation/allocations", 2, "allocations of a validation beyond its GetItem", Count, atMost(24), allocs},

	{"coldstart/" + validate, 3, "cold start ÷ empty function: validate-api-key", Ratio, atMost(1.2), starts},
	{"coldstart/" + authorize, 3, "cold start ÷ empty function: authorizer", Ratio, atMost(1.2), starts},
	{"coldstart/" + Others, 3, "cold start ÷ empty function: the slowest other", Ratio, atMost(1.6), starts},
	{"first/" + validate, 4, "first invocation ÷ warm one: validate-api-key", Ratio, atMost(2), firsts},
	{"first/" + authorize, 4, "first invocation ÷ warm one: authorizer", Ratio, atMost(2), firsts},
	{"length/" + validate, 5, "bootstrap for arm64: validate-api-key", Megabytes, atMost(7.5), lengths},
	{"length/" + authorize, 5, "bootstrap for arm64: authorizer", Megabytes, atMost(7.5), lengths},
	{"length/" + Others, 5, "bootstrap for arm64: the longest other", Megabytes, atMost(9), lengths},
	{"memory/peak", 6, "most memory of validate-api-key in 150 invocations (VmHWM)", Mebibytes, atMost(20), firsts},

	{"calls/valid", 7, "calls and units: a valid key", Count, exactly(oneRead), calls},
	{"calls/largest", 7, "calls and units: the largest legal key", Count, exactly(oneRead), calls},
	{"calls/wrong-secret", 7, "calls and units: a wrong secret", Count, exactly(oneRead), calls},
	{"calls/unknown", 7, "calls and units: an unknown key", Count, exactly(oneRead), calls},
	{"calls/disabled", 7, "calls and units: a disabled key", Count, exactly(oneRead), calls},
	{"calls/expired", 7, "calls and units: an expired key", Count, exactly(oneRead), calls},
	{"calls/account", 7, "calls and units: a service account's key", Count, exactly(twoReads), uses},
	{"calls/account-first", 7, "calls and units: a service account's key, once a minute", Count, exactly(twoNoted), uses},

	{"page/50/calls", 8, "calls and units: page of 20 among 50 keys", Count, exactly(onePage), pages},
	{"page/500/calls", 8, "calls and units: page of 20 among 500 keys", Count, exactly(onePage), pages},
	{"page/5000/calls", 8, "calls and units: page of 20 among 5,000 keys", Count, exactly(onePage), pages},
	{"page/50000/calls", 8, "calls and units: page of 20 among 50,000 keys", Count, exactly(onePage), pages},
	{"page/500/time", 8, "page among 500 keys ÷ among 50", Ratio, atMost(1.25), pages},
	{"page/5000/time", 8, "page among 5,000 keys ÷ among 50", Ratio, atMost(1.25), pages},
	{"page/50000/time", 8, "page among 50,000 keys ÷ among 50", Ratio, atMost(1.25), pages},

	{"scans", 9, "files that scan or grant Scan, but for the local TTL", Count, exactly(noScan), scans},
	{"wrong-secret/time", 10, "wrong secret ÷ right secret, time", Ratio, Limit{Least: 0.95, Most: 1.05}, verify},
	{"calls/malformed", 11, "calls and units: a malformed key", Count, exactly(noCall), calls},
	{"calls/mistyped", 11, "calls and units: a mistyped key", Count, exactly(noCall), calls},
	{"malformed/allocations", 11, "allocations to refuse a malformed key, at most", Count, atMost(5), parser},
	{"malformed/allocations-wrapped", 11, "allocations to refuse one in ZenML's outer form, at most", Count, atMost(6), parser},

	{"unknown/time", 0, "unknown key ÷ known key, time (identifiers are public)", Ratio, Limit{}, verify},
	{"getitem/time", 0, "GetItem through the client of a validation ÷ through the SDK, time", Ratio, Limit{}, verify},
	{"getitem/call", 0, "GetItem through the SDK", Microseconds, Limit{}, verify},
	{"validation/call", 0, "validation", Microseconds, Limit{}, verify},
	{"validation/all-allocations", 0, "allocations of a validation with its GetItem", Count, Limit{}, allocs},
	{"coldstart/empty/time", 0, "cold start of the empty function", Milliseconds, Limit{}, starts},
	{"coldstart/" + validate + "/time", 0, "cold start of validate-api-key", Milliseconds, Limit{}, starts},
	{"coldstart/tls/time", 0, "cold start of validate-api-key that waits for its connection, over TLS", Milliseconds, Limit{}, starts},
	{"coldstart/" + authorize + "/time", 0, "cold start of the authorizer", Milliseconds, Limit{}, starts},
	{"first/" + validate + "/time", 0, "first invocation of validate-api-key", Milliseconds, Limit{}, firsts},
	{"first/" + validate + "/warm", 0, "warm invocation of validate-api-key", Milliseconds, Limit{}, firsts},
	{"first/" + authorize + "/time", 0, "first invocation of the authorizer", Milliseconds, Limit{}, firsts},
	{"first/" + authorize + "/warm", 0, "warm invocation of the authorizer", Milliseconds, Limit{}, firsts},
	{"memory/last", 0, "memory of validate-api-key after 150 invocations (VmRSS)", Mebibytes, Limit{}, firsts},
	{"page/50/call", 0, "page of 20 among 50 keys, in process", Milliseconds, Limit{}, pages},
	{"throughput/1/rate", 0, "validations through the gateway, 1 client", PerSecond, Limit{}, gateways},
	{"throughput/1/p50", 0, "half of them within, 1 client", Milliseconds, Limit{}, gateways},
	{"throughput/1/p99", 0, "99 % of them within, 1 client", Milliseconds, Limit{}, gateways},
	{"throughput/8/rate", 0, "validations through the gateway, 8 clients", PerSecond, Limit{}, gateways},
	{"throughput/8/p50", 0, "half of them within, 8 clients", Milliseconds, Limit{}, gateways},
	{"throughput/8/p99", 0, "99 % of them within, 8 clients", Milliseconds, Limit{}, gateways},
	{"throughput/32/rate", 0, "validations through the gateway, 32 clients", PerSecond, Limit{}, gateways},
	{"throughput/32/p50", 0, "half of them within, 32 clients", Milliseconds, Limit{}, gateways},
	{"throughput/32/p99", 0, "99 % of them within, 32 clients", Milliseconds, Limit{}, gateways},
}

func atMost(most float64) Limit { return Limit{Most: most} }

func exactly(text string) Limit { return Limit{Exactly: text} }
