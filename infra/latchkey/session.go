package latchkey

import (
	"fmt"
	"regexp"

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

func (p ServiceProps) validateSessionKeys() error {
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

// newSessionKeys adds the session keys, of which the first signs.
func newSessionKeys(scope constructs.Construct, names []string) []awskms.Key {
	if len(names) == 0 {
		names = []string{defaultSessionKey}
	}
	var keys []awskms.Key
	for _, name := range names {
		keys = append(keys, newSessionKey(scope, name))
	}
	return keys
}

// newSessionKey adds a key that is itself for as long as it keeps its name,
// wherever in the list that stands.
//
// Its policy is CDK's, which AWS recommends: the account may do everything with
// the key, and so leaves it to IAM who may do what. Without that, losing the one
// principal that the policy names would leave a key that nobody can manage.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
func newSessionKey(scope constructs.Construct, name string) awskms.Key {
	return awskms.NewKey(scope, jsii.String("SessionKey"+name), &awskms.KeyProps{
		Description:   jsii.String(fmt.Sprintf("Session key %s of %s", name, *awscdk.Stack_Of(scope).StackName())),
		KeySpec:       awskms.KeySpec_RSA_2048,
		KeyUsage:      awskms.KeyUsage_SIGN_VERIFY,
		RemovalPolicy: awscdk.RemovalPolicy_RETAIN,
	})
}
