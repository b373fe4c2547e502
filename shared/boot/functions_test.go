package boot_test

import (
	"slices"
	"testing"

	"latchkey/shared/api/namespaces"
	"latchkey/shared/api/platform"
	"latchkey/shared/api/reference"
	"latchkey/shared/api/serviceaccounts"
	"latchkey/shared/api/unrouted"
	"latchkey/shared/api/workspaces"
	"latchkey/shared/boot"
	"latchkey/shared/boot/guard"
	"latchkey/shared/boot/records"
	"latchkey/shared/boot/sessions"
	"latchkey/shared/boot/store"
	"latchkey/shared/lambdaweb"
	"latchkey/shared/operation"
)

// A program is what an operation's main gives to boot.Serve.
type program struct {
	operation operation.Operation
	function  boot.Maker
	parts     []boot.Part
}

func serve(op operation.Operation, function boot.Maker, parts ...boot.Part) program {
	return program{op, function, parts}
}

// programs are what the mains serve, argument by argument: the tests of package functions
// hold the two against each other.
var programs = []program{
	serve(operation.CreateAPIKey, boot.WithKeys(namespaces.CreateAPIKey), store.DynamoDB, sessions.KMS),
	serve(operation.ListAPIKeys, boot.WithKeys(namespaces.ListAPIKeys), store.DynamoDB, sessions.KMS),
	serve(operation.GetAPIKey, boot.WithKeys(namespaces.GetAPIKey), store.DynamoDB, sessions.KMS),
	serve(operation.UpdateAPIKey, boot.WithKeys(namespaces.UpdateAPIKey), store.DynamoDB, sessions.KMS),
	serve(operation.DeleteAPIKey, boot.WithKeys(namespaces.DeleteAPIKey), store.DynamoDB, sessions.KMS),
	serve(operation.ListNamespaces, boot.WithKeys(namespaces.ListNamespaces), store.DynamoDB, sessions.KMS),
	serve(operation.ValidateAPIKey, boot.WithVerifier(namespaces.ValidateAPIKey), records.DynamoDB),
	serve(operation.ExchangeAPIKey, boot.WithSessions(namespaces.ExchangeAPIKey), records.DynamoDB, sessions.KMS),
	serve(operation.WhoAmI, boot.WithSessions(namespaces.WhoAmI), records.DynamoDB, sessions.KMS),
	serve(operation.CreateWorkspaceKey, boot.WithKeys(workspaces.CreateWorkspaceKey), store.DynamoDB, sessions.KMS),
	serve(operation.ListWorkspaceKeys, boot.WithKeys(workspaces.ListWorkspaceKeys), store.DynamoDB, sessions.KMS),
	serve(operation.DeleteWorkspaceKey, boot.WithKeys(workspaces.DeleteWorkspaceKey), store.DynamoDB, sessions.KMS),
	serve(operation.ExchangeWorkspaceKey, boot.WithSessions(workspaces.ExchangeWorkspaceKey), records.DynamoDB, sessions.KMS),
	serve(operation.CreateServiceAccount, boot.WithKeys(serviceaccounts.CreateServiceAccount), store.DynamoDB, sessions.KMS),
	serve(operation.ListServiceAccounts, boot.WithKeys(serviceaccounts.ListServiceAccounts), store.DynamoDB, sessions.KMS),
	serve(operation.GetServiceAccount, boot.WithKeys(serviceaccounts.GetServiceAccount), store.DynamoDB, sessions.KMS),
	serve(operation.UpdateServiceAccount, boot.WithKeys(serviceaccounts.UpdateServiceAccount), store.DynamoDB, sessions.KMS),
	serve(operation.DeleteServiceAccount, boot.WithKeys(serviceaccounts.DeleteServiceAccount), store.DynamoDB, sessions.KMS),
	serve(operation.CreateAccountKey, boot.WithKeys(serviceaccounts.CreateAccountKey), store.DynamoDB, sessions.KMS),
	serve(operation.ListAccountKeys, boot.WithKeys(serviceaccounts.ListAccountKeys), store.DynamoDB, sessions.KMS),
	serve(operation.GetAccountKey, boot.WithKeys(serviceaccounts.GetAccountKey), store.DynamoDB, sessions.KMS),
	serve(operation.UpdateAccountKey, boot.WithKeys(serviceaccounts.UpdateAccountKey), store.DynamoDB, sessions.KMS),
	serve(operation.RotateAccountKey, boot.WithKeys(serviceaccounts.RotateAccountKey), store.DynamoDB, sessions.KMS),
	serve(operation.DeleteAccountKey, boot.WithKeys(serviceaccounts.DeleteAccountKey), store.DynamoDB, sessions.KMS),
	serve(operation.Login, boot.WithSessions(serviceaccounts.Login), records.DynamoDB, sessions.KMS),
	serve(operation.CurrentUser, boot.WithKeys(serviceaccounts.CurrentUser), store.DynamoDB, sessions.KMS),
	serve(operation.SessionKeys, boot.WithSessions(platform.SessionKeys), sessions.KMS),
	serve(operation.OpenAPI, boot.Alone(reference.OpenAPI)),
	serve(operation.Docs, boot.Alone(reference.Docs)),
	serve(operation.Authorizer, guard.Authorizer, records.DynamoDB, sessions.KMS, guard.API),
	serve(operation.Bootstrap, boot.Direct(platform.Bootstrap), store.DynamoDB),
	serve(operation.DeleteNamespace, boot.Direct(platform.DeleteNamespace), store.DynamoDB),
	serve(operation.RemoveServiceAccount, boot.Stream(store.RemoveServiceAccount), store.DynamoDB),
	serve(operation.Health, boot.Alone(platform.Health)),
	serve(operation.NotFound, boot.Alone(unrouted.NotFound)),
}

// made assembles the function of an operation.
func made(t testing.TB, op operation.Operation, c boot.Config) lambdaweb.Function {
	t.Helper()
	i := slices.IndexFunc(programs, func(p program) bool { return p.operation.Name == op.Name })
	if i < 0 {
		t.Fatalf("there is no program for %s", op.Name)
	}
	function, err := programs[i].function(op, c)
	if err != nil {
		t.Fatal(err)
	}
	return function
}
