package latchkey

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// What holds where ServiceProps say nothing.
const (
	defaultSessionKey = "1"
	defaultAudience   = "latchkey"
)

var keyName = regexp.MustCompile(`^[A-Za-z0-9-]+$`)

// An alias has an ARN as well, by which IAM allows nothing.
var keyARN = arnOf("kms", "key/")

func (p ServiceProps) validateSessionKeys() error {
	if len(p.SessionKeys) > 0 && len(p.SessionKeyARNs) > 0 {
		return errors.New("SessionKeys and SessionKeyARNs are both given: session keys are made here, or given, and never both")
	}
	for i, arn := range p.SessionKeyARNs {
		if !keyARN.MatchString(arn) {
			return fmt.Errorf("SessionKeyARNs has %q: it must be the ARN of a KMS key, and no alias", arn)
		}
		if slices.Contains(p.SessionKeyARNs[:i], arn) {
			return fmt.Errorf("SessionKeyARNs has %q twice", arn)
		}
	}
	return p.validateKeyNames()
}

func (p ServiceProps) validateKeyNames() error {
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

// sessionKeys gives the ARNs of the session keys, of which the first signs. It adds those
// that are not given.
func sessionKeys(scope constructs.Construct, p ServiceProps) []string {
	if len(p.SessionKeyARNs) > 0 {
		return slices.Clone(p.SessionKeyARNs)
	}
	names := p.SessionKeys
	if len(names) == 0 {
		names = []string{defaultSessionKey}
	}
	var arns []string
	for _, name := range names {
		arns = append(arns, *newSessionKey(scope, name, p.removal()).KeyArn())
	}
	return arns
}

// The shortest that KMS waits before it deletes a key for good.
const pendingDays = 7

// newSessionKey adds a key that is itself for as long as it keeps its name,
// wherever in the list that stands.
//
// Its policy is CDK's, which AWS recommends: the account may do everything with
// the key, and so leaves it to IAM who may do what. Without that, losing the one
// principal that the policy names would leave a key that nobody can manage.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
func newSessionKey(scope constructs.Construct, name string, removal awscdk.RemovalPolicy) awskms.Key {
	var pending awscdk.Duration
	if removal == awscdk.RemovalPolicy_DESTROY {
		pending = awscdk.Duration_Days(jsii.Number(pendingDays))
	}
	return awskms.NewKey(scope, jsii.String("SessionKey"+name), &awskms.KeyProps{
		Description:   jsii.String(fmt.Sprintf("Session key %s of %s", name, *awscdk.Stack_Of(scope).StackName())),
		KeySpec:       awskms.KeySpec_RSA_2048,
		KeyUsage:      awskms.KeyUsage_SIGN_VERIFY,
		RemovalPolicy: removal,
		PendingWindow: pending,
	})
}
