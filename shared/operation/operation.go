// Package operation is the catalogue: every operation's name, route, API, and
// what it does to the table. The CDK app, the local stack, the functions, the
// sample events, the tests and the README's table all read it, so it is data
// and imports nothing but the standard library, the schema and the form of route keys.
//
// Each operation is a Lambda function of its own, built from
// functions/<name>. Its Touches and its SessionKeys become its IAM policy, and a test
// records what it really calls and compares.
package operation

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"latchkey/shared/route"
	"latchkey/shared/schema"
)

// An API is one of the wire protocols that Latchkey speaks. Errors are rendered
// in the envelope of the API whose path was asked for.
type API string

// The APIs. Platform is what belongs to none of the three.
const (
	Namespaces      API = "namespaces"
	Workspaces      API = "workspaces"
	ServiceAccounts API = "service-accounts"
	Platform        API = "platform"
)

// A Caller says who may call an operation.
type Caller string

// The callers.
const (
	Anyone    Caller = "anyone"     // no credential
	KeyHolder Caller = "key holder" // Authorization: Bearer <key or session token>, checked inside the function
	IAM       Caller = "IAM"        // no route: lambda:InvokeFunction on the function
	Stream    Caller = "the stream" // no route: the table's stream, with what has changed
	Gateway   Caller = "a gateway"  // no route: API Gateway or AppSync, before another API
)

// An Action is a DynamoDB action, named as in an IAM policy without its prefix.
// A transaction is authorised by the actions of its parts.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
type Action string

// The actions that operations use. Scan is none of them.
const (
	GetItem      Action = "GetItem"
	BatchGetItem Action = "BatchGetItem"
	Query        Action = "Query"
	PutItem      Action = "PutItem"
	UpdateItem   Action = "UpdateItem"
	DeleteItem   Action = "DeleteItem"

	ConditionCheckItem Action = "ConditionCheckItem"
	BatchWriteItem     Action = "BatchWriteItem"
)

// A Touch is one action on the table or on one of its indexes.
type Touch struct {
	Action Action
	Index  string // empty: the table itself

	// Item is the sort key of the only items that the action is for, of which it needs
	// no other attributes than AttributesOf gives. Empty: any.
	Item string
}

// AttributesOf gives the attributes that a touch is confined to; nil if it is not.
func AttributesOf(t Touch) []string {
	if t.Item == schema.UseItem {
		return schema.UseAttributes
	}
	return nil
}

// A KeyAction is a KMS action on the session keys, named as an Action is.
type KeyAction string

// The actions on session keys that operations use.
const (
	Sign         KeyAction = "Sign"         // issue tokens, with the first of the keys
	GetPublicKey KeyAction = "GetPublicKey" // verify tokens
)

// ServiceNameVariable is the environment variable that tells a function the name of the
// Latchkey that it is part of, for its metrics.
const ServiceNameVariable = "SERVICE_NAME"

// TableNameVariable is the environment variable that tells a function the name
// of the table.
const TableNameVariable = "TABLE_NAME"

// DynamoDBVariable and KMSVariable are the environment variables that name another
// service than the region's, as every AWS SDK reads them.
const (
	DynamoDBVariable = "AWS_ENDPOINT_URL_DYNAMODB"
	KMSVariable      = "AWS_ENDPOINT_URL_KMS"
)

// The environment variables that tell a function about session tokens.
const (
	SessionKeysVariable     = "SESSION_KEYS"     // the ids or ARNs of the keys, separated by commas; the first signs
	SessionIssuerVariable   = "SESSION_ISSUER"   // of the tokens
	SessionAudienceVariable = "SESSION_AUDIENCE" // of the tokens
)

// ProtectedAPIVariable is the environment variable that tells an authorizer of the API
// before which it stands; see package protected.
const ProtectedAPIVariable = "PROTECTED_API"

// RetentionVariable is the environment variable that tells a function for how many days
// an expired key stays listed, from 1 to MaxRetentionDays. Without it there are
// schema.RetentionDays.
const (
	RetentionVariable = "RETENTION_DAYS"
	MaxRetentionDays  = 3650
)

// RequestHeaders are the headers that functions read and a browser sends to another
// origin only if that allows them.
var RequestHeaders = []string{"authorization", "content-type", "request-timeout"}

// How the stream feeds a function.
const (
	FeedBatch   = 10 // records in an event at most
	FeedRetries = 10 // of a batch, after the first attempt
)

// A Throttle is the limit of a route, a bucket of tokens of which each request takes one.
// All clients share it: it keeps one route from using up what the account has, by default
// 10,000 requests per second and 5,000 at once for all APIs of a region, a quarter of that
// in some, and is no limit per client. API Gateway keeps to it as well as it can, and
// answers 429 beyond.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
type Throttle struct {
	Rate  int // tokens that are added per second
	Burst int // tokens that the bucket holds
}

// DefaultThrottle is for what has no limit of its own, which no route of the catalogue is.
var DefaultThrottle = Throttle{Rate: 100, Burst: 100}

// DefaultRoute is the route key that takes every request no other route takes.
const DefaultRoute = route.Default

// An Operation is one row of the catalogue.
type Operation struct {
	Name    string // of its function and its folder
	Route   string // API Gateway's route key; empty where there is no route
	API     API
	Caller  Caller
	Summary string
	Touches []Touch

	SessionKeys []KeyAction

	// Feed is the attribute, a text, that an item must have for its change to be sent to an
	// operation whose caller is the stream.
	Feed string

	MemoryMB int
	Runtime  Runtime
	Timeout  time.Duration

	// Throttle is the limit of the route, which all clients share; zero where there is no
	// route.
	Throttle Throttle
}

const (
	apiKeysPath = "/v1/namespaces/{namespace}/api-keys"
	apiKeyPath  = apiKeysPath + "/{uuid}"

	workspaceKeyPath = "/api/v1/api-key"

	accountsPath    = "/api/v1/service_accounts"
	accountPath     = accountsPath + "/{account}"
	accountKeysPath = accountPath + "/api_keys"
	accountKeyPath  = accountKeysPath + "/{key}"

	// Memory is for the processor time that comes with it. A creation takes 13 ms at 256 MB,
	// of which it waits 7, and 10 at 512. To refuse the largest event takes 84 MB.
	memoryMB = 256
	timeout  = 10 * time.Second

	// Others wait for a validation with each of their own requests. It takes 8 ms at most at
	// 256 MB, 6 at 512 and 5 at 1,024, of which it waits 3.5, and so does the first of a
	// process, which has a connection by then; each step costs a million 1 or 2 cents more.
	validateMemoryMB = 512

	// What reads nothing takes a fifth of a millisecond of processor time.
	smallMemoryMB = 128

	// A list may pass over, count or sort thousands of keys. The gateway waits 30 s. To sort
	// 10,000 keys with the largest grants takes 2 s of processor time, 7 s with this part of
	// a processor, and all the memory that it may have.
	listMemoryMB = 512
	listTimeout  = 29 * time.Second

	removeTimeout     = 5 * time.Minute
	deletionTimeout   = time.Minute
	authorizerTimeout = 9 * time.Second
)

// The limits of the routes. Validation is what others wait for; it stays below what an
// account has in the smallest regions, 2,500 requests per second and 1,250 at once, and
// asks for no more functions at once than an account has by default. The exchanges sign: of
// RSA signatures KMS makes 1,000 per second for a whole account and region by default,
// 500 where it has less, and the three of them ask for 300 at most. A write takes of the
// 1,000 per second that a tenant's partition of the index does, and a list may read
// thousands of items. What is read in a browser is large, is read by few at once, and
// whoever has it sent for fun has it paid by others.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html
var (
	validateThrottle = Throttle{Rate: 2000, Burst: 1000}
	exchangeThrottle = Throttle{Rate: 100, Burst: 100}
	readThrottle     = Throttle{Rate: 500, Burst: 500}
	writeThrottle    = Throttle{Rate: 200, Burst: 200}
	listThrottle     = Throttle{Rate: 100, Burst: 100}
	publishThrottle  = Throttle{Rate: 500, Burst: 500}
	documentThrottle = Throttle{Rate: 2, Burst: 10}
)

// What it takes to tell who calls: the record of the key that is presented, or whose
// token is, that of its service account, and for a token a public key. Of an account's
// key it is noted that it was used.
var (
	authenticate = Touch{Action: GetItem}
	noteUse      = Touch{Action: UpdateItem, Item: schema.UseItem}
	verify       = []KeyAction{GetPublicKey}
)

// byKeyHolder completes the row of an operation that a key holder calls: before anything
// else it tells who that is. Memory, runtime, time and limit are the usual ones, unless the
// row says otherwise.
func byKeyHolder(o Operation) Operation {
	o.Caller = KeyHolder
	o.Touches = append([]Touch{authenticate, noteUse}, o.Touches...)
	o.SessionKeys = verify
	o.MemoryMB = cmp.Or(o.MemoryMB, memoryMB)
	o.Runtime = cmp.Or(o.Runtime, UsualRuntime)
	o.Timeout = cmp.Or(o.Timeout, timeout)
	o.Throttle = cmp.Or(o.Throttle, usualThrottle(o))
	return o
}

// usualThrottle is that of the reads and that of the writes.
func usualThrottle(o Operation) Throttle {
	if o.Method() == "GET" {
		return readThrottle
	}
	return writeThrottle
}

// The operations.
var (
	CreateAPIKey = byKeyHolder(Operation{
		Name: "create-api-key", Route: "POST " + apiKeysPath, API: Namespaces,
		Summary: "Create a key; its secret is in this answer and never again",
		Touches: []Touch{{Action: PutItem}},
	})
	ListAPIKeys = byKeyHolder(Operation{
		Name: "list-api-keys", Route: "GET " + apiKeysPath, API: Namespaces,
		Summary:  "List the keys of a namespace or of a whole subtree, page by page",
		Touches:  []Touch{{Action: Query, Index: schema.ByNamespace.Name}, {Action: BatchGetItem}},
		MemoryMB: listMemoryMB, Timeout: listTimeout, Throttle: listThrottle,
	})
	GetAPIKey = byKeyHolder(Operation{
		Name: "get-api-key", Route: "GET " + apiKeyPath, API: Namespaces,
		Summary: "Read one key",
		Touches: []Touch{{Action: Query}},
	})
	UpdateAPIKey = byKeyHolder(Operation{
		Name: "update-api-key", Route: "PATCH " + apiKeysPath, API: Namespaces,
		Summary: "Change a key's name, description, tags or annotations",
		Touches: []Touch{{Action: Query}, {Action: PutItem}, {Action: DeleteItem}, {Action: ConditionCheckItem}},
	})
	DeleteAPIKey = byKeyHolder(Operation{
		Name: "delete-api-key", Route: "DELETE " + apiKeyPath, API: Namespaces,
		Summary: "Delete a key; the next request with it is refused",
		Touches: []Touch{{Action: DeleteItem}},
	})
	ValidateAPIKey = Operation{
		Name: "validate-api-key", Route: "POST /v1/auth/api-key/validate", API: Namespaces, Caller: Anyone,
		Summary:  "Tell whether a key and its secret are valid now",
		Touches:  []Touch{authenticate, noteUse},
		MemoryMB: validateMemoryMB, Runtime: UsualRuntime, Timeout: timeout, Throttle: validateThrottle,
	}
	ExchangeAPIKey = Operation{
		Name: "exchange-api-key", Route: "POST /v1/auth/api-key", API: Namespaces, Caller: Anyone,
		Summary:     "Exchange a key and its secret for a session token",
		Touches:     []Touch{authenticate, noteUse},
		SessionKeys: []KeyAction{Sign},
		MemoryMB:    memoryMB, Runtime: UsualRuntime, Timeout: timeout, Throttle: exchangeThrottle,
	}
	WhoAmI = byKeyHolder(Operation{
		Name: "who-am-i", Route: "GET /v1/auth", API: Namespaces,
		Summary: "Tell who the bearer of a key or token is, and what it may do",
	})
	ListNamespaces = byKeyHolder(Operation{
		Name: "list-namespaces", Route: "GET /v1/namespaces/{namespace}/namespaces", API: Namespaces,
		Summary:  "List the namespaces below one that hold keys",
		Touches:  []Touch{{Action: Query, Index: schema.ByNamespace.Name}},
		MemoryMB: listMemoryMB, Timeout: listTimeout, Throttle: listThrottle,
	})
	CreateWorkspaceKey = byKeyHolder(Operation{
		Name: "create-workspace-key", Route: "POST " + workspaceKeyPath, API: Workspaces,
		Summary: "Create a key in a workspace; it is in this answer and never again",
		Touches: []Touch{{Action: PutItem}},
	})
	ListWorkspaceKeys = byKeyHolder(Operation{
		Name: "list-workspace-keys", Route: "GET " + workspaceKeyPath + "/list", API: Workspaces,
		Summary:  "List the keys of a workspace, or all that the caller may see",
		Touches:  []Touch{{Action: Query, Index: schema.ByNamespace.Name}, {Action: BatchGetItem}},
		MemoryMB: listMemoryMB, Timeout: listTimeout, Throttle: listThrottle,
	})
	DeleteWorkspaceKey = byKeyHolder(Operation{
		Name: "delete-workspace-key", Route: "DELETE " + workspaceKeyPath, API: Workspaces,
		Summary: "Delete a key; the next request with it is refused",
		Touches: []Touch{{Action: DeleteItem}},
	})
	ExchangeWorkspaceKey = Operation{
		Name: "exchange-workspace-key", Route: "POST /api/v1/auth", API: Workspaces, Caller: Anyone,
		Summary:     "Exchange a key for a session token of 15 minutes",
		Touches:     []Touch{authenticate, noteUse},
		SessionKeys: []KeyAction{Sign},
		MemoryMB:    memoryMB, Runtime: UsualRuntime, Timeout: timeout, Throttle: exchangeThrottle,
	}
	CreateServiceAccount = byKeyHolder(Operation{
		Name: "create-service-account", Route: "POST " + accountsPath, API: ServiceAccounts,
		Summary: "Create a service account",
		Touches: []Touch{{Action: PutItem}},
	})
	ListServiceAccounts = byKeyHolder(Operation{
		Name: "list-service-accounts", Route: "GET " + accountsPath, API: ServiceAccounts,
		Summary:  "List the service accounts of the caller's namespace",
		Touches:  []Touch{{Action: Query, Index: schema.ByNamespace.Name}, {Action: BatchGetItem}},
		MemoryMB: listMemoryMB, Timeout: listTimeout, Throttle: listThrottle,
	})
	GetServiceAccount = byKeyHolder(Operation{
		Name: "get-service-account", Route: "GET " + accountPath, API: ServiceAccounts,
		Summary: "Read one service account, by name or id",
		Touches: []Touch{{Action: Query}},
	})
	UpdateServiceAccount = byKeyHolder(Operation{
		Name: "update-service-account", Route: "PUT " + accountPath, API: ServiceAccounts,
		Summary: "Rename a service account, describe it, or switch it off and on with all its keys",
		Touches: []Touch{{Action: Query}, {Action: PutItem}, {Action: UpdateItem}, {Action: DeleteItem}},
	})
	DeleteServiceAccount = byKeyHolder(Operation{
		Name: "delete-service-account", Route: "DELETE " + accountPath, API: ServiceAccounts,
		Summary: "Delete a service account; the next request with one of its keys is refused",
		Touches: []Touch{{Action: Query}, {Action: UpdateItem}, {Action: DeleteItem}},
	})
	CreateAccountKey = byKeyHolder(Operation{
		Name: "create-account-key", Route: "POST " + accountKeysPath, API: ServiceAccounts,
		Summary: "Create a key of a service account; it is in this answer and never again",
		Touches: []Touch{{Action: Query}, {Action: PutItem}, {Action: ConditionCheckItem}},
	})
	ListAccountKeys = byKeyHolder(Operation{
		Name: "list-account-keys", Route: "GET " + accountKeysPath, API: ServiceAccounts,
		Summary:  "List the keys of a service account",
		Touches:  []Touch{{Action: Query}, {Action: Query, Index: schema.ByOwner.Name}, {Action: BatchGetItem}},
		MemoryMB: listMemoryMB, Timeout: listTimeout, Throttle: listThrottle,
	})
	GetAccountKey = byKeyHolder(Operation{
		Name: "get-account-key", Route: "GET " + accountKeyPath, API: ServiceAccounts,
		Summary: "Read one key of a service account, by name or id",
		Touches: []Touch{{Action: Query}},
	})
	UpdateAccountKey = byKeyHolder(Operation{
		Name: "update-account-key", Route: "PUT " + accountKeyPath, API: ServiceAccounts,
		Summary: "Rename a key of a service account, describe it, or switch it off and on",
		Touches: []Touch{{Action: Query}, {Action: PutItem}, {Action: UpdateItem}, {Action: DeleteItem}, {Action: ConditionCheckItem}},
	})
	RotateAccountKey = byKeyHolder(Operation{
		Name: "rotate-account-key", Route: "PUT " + accountKeyPath + "/rotate", API: ServiceAccounts,
		Summary: "Give a key of a service account a new secret; the old one is good for as long as is asked for",
		Touches: []Touch{{Action: Query}, {Action: PutItem}},
	})
	DeleteAccountKey = byKeyHolder(Operation{
		Name: "delete-account-key", Route: "DELETE " + accountKeyPath, API: ServiceAccounts,
		Summary: "Delete a key of a service account; the next request with it is refused",
		Touches: []Touch{{Action: Query}, {Action: DeleteItem}},
	})
	Login = Operation{
		Name: "login", Route: "POST /api/v1/login", API: ServiceAccounts, Caller: Anyone,
		Summary:     "Log in with a key, by OAuth 2's password form, for a session token",
		Touches:     []Touch{authenticate, noteUse},
		SessionKeys: []KeyAction{Sign},
		MemoryMB:    memoryMB, Runtime: UsualRuntime, Timeout: timeout, Throttle: exchangeThrottle,
	}
	CurrentUser = byKeyHolder(Operation{
		Name: "current-user", Route: "GET /api/v1/current-user", API: ServiceAccounts,
		Summary: "Tell who the bearer of a key or token is",
		Touches: []Touch{{Action: Query}},
	})
	SessionKeys = Operation{
		Name: "session-keys", Route: "GET /.well-known/jwks.json", API: Platform, Caller: Anyone,
		Summary:     "Publish the keys that session tokens can be verified with",
		SessionKeys: verify,
		MemoryMB:    memoryMB, Runtime: UsualRuntime, Timeout: timeout, Throttle: publishThrottle,
	}
	OpenAPI = Operation{
		Name: "openapi", Route: "GET /openapi.json", API: Platform, Caller: Anyone,
		Summary:  "Describe every route, in OpenAPI 3.1",
		MemoryMB: memoryMB, Runtime: UsualRuntime, Timeout: timeout, Throttle: documentThrottle,
	}
	// Docs makes its page with a process's first request: the memory is for the CPU that
	// comes with it.
	Docs = Operation{
		Name: "docs", Route: "GET /docs", API: Platform, Caller: Anyone,
		Summary:  "Show the description of every route in a browser",
		MemoryMB: 512, Runtime: UsualRuntime, Timeout: timeout, Throttle: documentThrottle,
	}
	// Authorizer is deployed once for each protected API, beside that, and not with the
	// other operations. A gateway waits 10 s for it.
	Authorizer = Operation{
		Name: "authorizer", API: Platform, Caller: Gateway,
		Summary:     "Tell API Gateway or AppSync whether a request to another API may pass",
		Touches:     []Touch{authenticate, noteUse},
		SessionKeys: verify,
		MemoryMB:    validateMemoryMB, Runtime: UsualRuntime, Timeout: authorizerTimeout,
	}
	Bootstrap = Operation{
		Name: "bootstrap", API: Platform, Caller: IAM,
		Summary:  "Make the first administrator's key of a namespace, or one more",
		Touches:  []Touch{{Action: PutItem}},
		MemoryMB: memoryMB, Runtime: UsualRuntime, Timeout: timeout,
	}
	DeleteNamespace = Operation{
		Name: "delete-namespace", API: Platform, Caller: IAM,
		Summary: "Delete keys and service accounts of a namespace and of all below it, until there are none",
		Touches: []Touch{
			{Action: Query, Index: schema.ByNamespace.Name}, {Action: Query},
			{Action: UpdateItem}, {Action: DeleteItem}, {Action: BatchWriteItem},
		},
		MemoryMB: memoryMB, Runtime: UsualRuntime, Timeout: deletionTimeout,
	}
	RemoveServiceAccount = Operation{
		Name: "remove-service-account", API: Platform, Caller: Stream,
		Summary:  "Remove what a deleted service account has left behind",
		Touches:  []Touch{{Action: Query}, {Action: BatchWriteItem}, {Action: DeleteItem}},
		Feed:     schema.RemovedAt,
		MemoryMB: memoryMB, Runtime: UsualRuntime, Timeout: removeTimeout,
	}
	Health = Operation{
		Name: "health", Route: "GET /health", API: Platform, Caller: Anyone,
		Summary:  "Answer without reading anything",
		MemoryMB: smallMemoryMB, Runtime: UsualRuntime, Timeout: 3 * time.Second, Throttle: publishThrottle,
	}
	NotFound = Operation{
		Name: "not-found", Route: DefaultRoute, API: Platform, Caller: Anyone,
		Summary:  "Answer what no route takes, in the envelope of the API whose path it was",
		MemoryMB: smallMemoryMB, Runtime: UsualRuntime, Timeout: 3 * time.Second, Throttle: DefaultThrottle,
	}
)

// All is the catalogue, in the order in which it is shown.
var All = []Operation{
	CreateAPIKey, ListAPIKeys, GetAPIKey, UpdateAPIKey, DeleteAPIKey, ListNamespaces,
	ValidateAPIKey, ExchangeAPIKey, WhoAmI,
	CreateWorkspaceKey, ListWorkspaceKeys, DeleteWorkspaceKey, ExchangeWorkspaceKey,
	CreateServiceAccount, ListServiceAccounts, GetServiceAccount, UpdateServiceAccount, DeleteServiceAccount,
	CreateAccountKey, ListAccountKeys, GetAccountKey, UpdateAccountKey, RotateAccountKey, DeleteAccountKey,
	Login, CurrentUser,
	SessionKeys, OpenAPI, Docs, Authorizer, Bootstrap, DeleteNamespace, RemoveServiceAccount, Health, NotFound,
}

// Named finds an operation by its name.
func Named(name string) (Operation, bool) {
	i := slices.IndexFunc(All, func(op Operation) bool { return op.Name == name })
	if i < 0 {
		return Operation{}, false
	}
	return All[i], true
}

// Method is the HTTP method of the operation's route, empty where it has none.
func (o Operation) Method() string {
	method, _, ok := strings.Cut(o.Route, " ")
	if !ok {
		return ""
	}
	return method
}

// Path is the path template of the operation's route, empty where it has none.
func (o Operation) Path() string {
	_, path, _ := strings.Cut(o.Route, " ")
	return path
}

// UsesTable reports whether the operation touches the table at all.
func (o Operation) UsesTable() bool { return len(o.Touches) > 0 }

// OnlyVerifies reports whether the operation does nothing with the table but what it takes to
// tell whether a key is good.
func (o Operation) OnlyVerifies() bool {
	return o.UsesTable() && !slices.ContainsFunc(o.Touches, func(t Touch) bool { return t != authenticate && t != noteUse })
}

// WritesItems reports whether the operation writes items that may have an end, and so must
// know how long they stay after it. To note a use says nothing of that.
func (o Operation) WritesItems() bool {
	return slices.ContainsFunc(o.Touches, func(t Touch) bool {
		return (t.Action == PutItem || t.Action == UpdateItem) && t.Item == ""
	})
}

// UsesSessions reports whether the operation issues or verifies session tokens.
func (o Operation) UsesSessions() bool { return len(o.SessionKeys) > 0 }

// The path prefixes that belong to an API, whole segments each.
var prefixes = []struct {
	path string
	api  API
}{
	{"/v1", Namespaces},
	{"/api/v1/api-key", Workspaces},
	{"/api/v1/auth", Workspaces},
	{"/api/v1/service_accounts", ServiceAccounts},
	{"/api/v1/login", ServiceAccounts},
	{"/api/v1/current-user", ServiceAccounts},
}

// APIOf tells to which API a path belongs, known to the catalogue or not.
func APIOf(path string) API {
	for _, prefix := range prefixes {
		if rest, ok := strings.CutPrefix(path, prefix.path); ok && (rest == "" || rest[0] == '/') {
			return prefix.api
		}
	}
	return Platform
}

// HasPath reports whether a path is one of the operation's route, by whatever method. The
// default route, which takes what no other does, has no paths of its own.
func (o Operation) HasPath(path string) bool {
	key, err := route.Parse(o.Route)
	if err != nil || key.IsDefault() {
		return false
	}
	_, ok := key.Bind(route.Split(path))
	return ok
}

// withheld are routes of the vendors' that Latchkey does not have, on paths that it has
// with other methods. They are as unknown as a path that nobody has.
var withheld = []string{
	"GET /v1/auth/api-key", // the exchange with the secret in the URL
}

// IsWithheld reports whether a request is for a route that Latchkey knowingly lacks.
func IsWithheld(method, path string) bool { return slices.Contains(withheld, method+" "+path) }

// Methods lists the methods that the catalogue has for a path.
func Methods(path string) []string {
	var methods []string
	for _, op := range All {
		if op.HasPath(path) {
			methods = append(methods, op.Method())
		}
	}
	return methods
}
