package latchkey

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"latchkey/infra/function"
	"latchkey/shared/operation"
)

// A ServiceReference is what a function must know of a service, and may be in another
// stack than that: Service.Reference gives it within one app, and the outputs of the
// service's stack to any other. All of it must be set, but what is said to be optional.
// Account and region must be those of the service.
type ServiceReference struct {
	Name           string // of its stack, for metrics
	TableName      string
	TableARN       string
	TableKeyARN    string   // optional: of the KMS key that was given to encrypt the table
	SessionKeyARNs []string // the first signs; the output has them in one text, separated by commas
	Issuer         string   // of session tokens
	Audience       string   // of session tokens
}

// validate names what is missing, before a function is deployed that would miss it.
func (r ServiceReference) validate() error {
	for _, part := range []struct{ name, value string }{
		{"Name", r.Name}, {"TableName", r.TableName}, {"TableARN", r.TableARN}, {"SessionKeyARNs", strings.Join(r.SessionKeyARNs, "")},
		{"Issuer", r.Issuer}, {"Audience", r.Audience},
	} {
		if part.value == "" {
			return fmt.Errorf("service reference has no %s", part.name)
		}
	}
	if slices.ContainsFunc(r.SessionKeyARNs, func(key string) bool { return strings.Contains(key, ",") }) {
		return errors.New("service reference: SessionKeyARNs must be one ARN each: split the output at its commas")
	}
	return nil
}

// environment tells an operation's function of the service, as much as it uses.
func (r ServiceReference) environment(op operation.Operation) map[string]*string {
	variables := map[string]*string{operation.ServiceNameVariable: &r.Name}
	if op.UsesTable() {
		variables[operation.TableNameVariable] = &r.TableName
	}
	if op.UsesSessions() {
		variables[operation.SessionKeysVariable] = jsii.String(strings.Join(r.SessionKeyARNs, ","))
		variables[operation.SessionIssuerVariable] = &r.Issuer
		variables[operation.SessionAudienceVariable] = &r.Audience
	}
	return variables
}

// statements allow an operation what it does to the table and with the session keys.
func (r ServiceReference) statements(op operation.Operation) []awsiam.PolicyStatement {
	return slices.Concat(r.tableStatements(op), r.tableKeyStatements(op), r.sessionStatements(op))
}

// tableStatements has one statement for the table and one for each index that
// the operation touches: an action that is allowed on one must not become
// allowed on another. A confined touch has one of its own.
func (r ServiceReference) tableStatements(op operation.Operation) []awsiam.PolicyStatement {
	var resources []string
	var confined []awsiam.PolicyStatement
	actions := make(map[string][]string)
	for _, touch := range op.Touches {
		if attributes := operation.AttributesOf(touch); attributes != nil {
			confined = append(confined, r.allowConfined(touch, attributes))
			continue
		}
		if actions[touch.Index] == nil {
			resources = append(resources, touch.Index)
		}
		actions[touch.Index] = append(actions[touch.Index], actionOf(touch))
	}
	var statements []awsiam.PolicyStatement
	for _, index := range resources {
		statements = append(statements, function.Allow(r.resource(index), actions[index]...))
	}
	return append(statements, confined...)
}

// allowConfined allows an update that names no other attributes, whether to change
// them or in its condition. It takes three conditions: "for all" is true of a request
// that tells of no attributes at all, and UpdateItem could give back the whole item.
// ReturnValues is in every request, as NONE where nothing is asked for; Select, which
// confines reads, is in none.
//
// No condition can ask for a sort key: an update may be of any item, or make one.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
func (r ServiceReference) allowConfined(touch operation.Touch, attributes []string) awsiam.PolicyStatement {
	statement := function.Allow(r.resource(touch.Index), actionOf(touch))
	statement.AddConditions(&map[string]any{
		"ForAllValues:StringEquals": map[string]any{"dynamodb:Attributes": attributes},
		"Null":                      map[string]any{"dynamodb:Attributes": "false"},
		"StringEquals":              map[string]any{"dynamodb:ReturnValues": "NONE"},
	})
	return statement
}

// tableKeyStatements let DynamoDB decrypt the table's own key for whoever uses the table,
// which it asks for in the caller's name, when it is not its own key that encrypts the
// table. All else it may do by the grants that it got when the table was made. A caller
// can decrypt nothing by himself, and nothing of another table that the key encrypts.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html#dynamodb-kms-authz
func (r ServiceReference) tableKeyStatements(op operation.Operation) []awsiam.PolicyStatement {
	if r.TableKeyARN == "" || !op.UsesTable() {
		return nil
	}
	statement := function.Allow(&r.TableKeyARN, "kms:Decrypt")
	statement.AddCondition(jsii.String("StringEquals"), map[string]any{
		"kms:ViaService": "dynamodb." + *awscdk.Aws_REGION() + ".amazonaws.com",
		"kms:EncryptionContext:aws:dynamodb:tableName": r.TableName,
	})
	return []awsiam.PolicyStatement{statement}
}

func actionOf(touch operation.Touch) string { return "dynamodb:" + string(touch.Action) }

// resource is the ARN of an index, or of the table itself where index is empty.
func (r ServiceReference) resource(index string) *string {
	if index == "" {
		return &r.TableARN
	}
	return jsii.String(r.TableARN + "/index/" + index)
}

// What a token's signature is, RS256 over a digest: nothing else can be signed.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
var signsTokensOnly = map[string]any{
	"kms:SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256",
	"kms:MessageType":      "DIGEST",
}

// sessionStatements has one statement for each action on each key. All may be signed with
// that are verified with: a signature by one is worth as much as by another, and a
// deployment that puts another key first changes the role before the function.
func (r ServiceReference) sessionStatements(op operation.Operation) []awsiam.PolicyStatement {
	var statements []awsiam.PolicyStatement
	for _, action := range op.SessionKeys {
		for _, key := range r.SessionKeyARNs {
			statements = append(statements, allowSession(action, key))
		}
	}
	return statements
}

func allowSession(action operation.KeyAction, key string) awsiam.PolicyStatement {
	statement := function.Allow(&key, "kms:"+string(action))
	if action == operation.Sign {
		statement.AddCondition(jsii.String("StringEquals"), signsTokensOnly)
	}
	return statement
}
