package latchkey

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/jsii-runtime-go"

	"latchkey/shared/operation"
)

// What holds where Props say nothing.
const (
	defaultSessionKey = "1"
	defaultAudience   = "latchkey"
)

// What a token's signature is, RS256 over a digest: nothing else can be signed.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
var signsTokensOnly = map[string]any{
	"kms:SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256",
	"kms:MessageType":      "DIGEST",
}

var keyName = regexp.MustCompile(`^[A-Za-z0-9-]+$`)

func (p Props) validateSessionKeys() error {
	seen := make(map[string]bool)
	for _, name := range p.SessionKeys {
		if !keyName.MatchString(name) {
			return fmt.Errorf("session key %q must be named with letters, digits and hyphens", name)
		}
		if seen[name] {
			return fmt.Errorf("session key %q is named twice", name)
		}
		seen[name] = true
	}
	return nil
}

// A sessions is what the functions share that issue or verify session tokens.
type sessions struct {
	keys     []awskms.Key // the first signs
	issuer   *string
	audience *string
}

// newSessions adds the session keys. Endpoint is where the API answers, and so
// where the keys are published.
func newSessions(stack awscdk.Stack, props Props, endpoint *string) sessions {
	s := sessions{issuer: endpoint, audience: jsii.String(defaultAudience)}
	if props.Issuer != "" {
		s.issuer = &props.Issuer
	}
	if props.Audience != "" {
		s.audience = &props.Audience
	}
	names := props.SessionKeys
	if len(names) == 0 {
		names = []string{defaultSessionKey}
	}
	for _, name := range names {
		s.keys = append(s.keys, newSessionKey(stack, name))
	}
	return s
}

// newSessionKey adds a key that is itself for as long as it keeps its name,
// wherever in the list that stands.
//
// Its policy is CDK's, which AWS recommends: the account may do everything with
// the key, and so leaves it to IAM who may do what. Without that, losing the one
// principal that the policy names would leave a key that nobody can manage.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
func newSessionKey(stack awscdk.Stack, name string) awskms.Key {
	return awskms.NewKey(stack, jsii.String("SessionKey"+name), &awskms.KeyProps{
		Description:   jsii.String(fmt.Sprintf("Session key %s of %s", name, *stack.StackName())),
		KeySpec:       awskms.KeySpec_RSA_2048,
		KeyUsage:      awskms.KeyUsage_SIGN_VERIFY,
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
	})
}

func (s sessions) variables() map[string]*string {
	var ids []string
	for _, key := range s.keys {
		ids = append(ids, *key.KeyId())
	}
	return map[string]*string{
		operation.SessionKeysVariable:     jsii.String(strings.Join(ids, ",")),
		operation.SessionIssuerVariable:   s.issuer,
		operation.SessionAudienceVariable: s.audience,
	}
}

// statements has one statement for each action on each key. All may be signed with
// that are verified with: a signature by one is worth as much as by another, and a
// deployment that puts another key first changes the role before the function.
func (s sessions) statements(op operation.Operation) []awsiam.PolicyStatement {
	var statements []awsiam.PolicyStatement
	for _, action := range op.SessionKeys {
		for _, key := range s.keys {
			statements = append(statements, allowSession(action, key))
		}
	}
	return statements
}

func allowSession(action operation.KeyAction, key awskms.Key) awsiam.PolicyStatement {
	statement := allow(key.KeyArn(), "kms:"+string(action))
	if action == operation.Sign {
		statement.AddCondition(jsii.String("StringEquals"), signsTokensOnly)
	}
	return statement
}
