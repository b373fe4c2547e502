package latchkey

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"latchkey/infra/function"
	"latchkey/shared/operation"
)

// Validate finds out before CDK does, and in one sentence, what is wrong: a property that
// cannot be meant, or a function that has not been built.
func (p ServiceProps) Validate() error {
	for _, validate := range []func() error{
		p.validateRemoval, p.Table.validate, p.validateSessionKeys, p.validateOrigins, p.Domain.validate,
		p.validateThrottles, p.validateConcurrency, p.Functions.Validate, p.validateTags, p.Alarms.validate,
		p.validateLogLevel,
	} {
		if err := validate(); err != nil {
			return err
		}
	}
	for _, op := range deployed() {
		if err := function.Validate(p.Bootstraps, op); err != nil {
			return err
		}
	}
	return nil
}

func (p ServiceProps) validateRemoval() error {
	if !slices.Contains([]awscdk.RemovalPolicy{"", awscdk.RemovalPolicy_RETAIN, awscdk.RemovalPolicy_DESTROY}, p.RemovalPolicy) {
		return fmt.Errorf("RemovalPolicy %q must be %s or %s", p.RemovalPolicy, awscdk.RemovalPolicy_RETAIN, awscdk.RemovalPolicy_DESTROY)
	}
	if p.removal() == awscdk.RemovalPolicy_DESTROY && !p.Table.WithoutDeletionProtection {
		return errors.New("RemovalPolicy DESTROY cannot delete a table that is protected from deletion: take the protection away, too")
	}
	return nil
}

func (p ServiceProps) validateConcurrency() error {
	for _, name := range slices.Sorted(maps.Keys(p.ReservedConcurrency)) {
		if !slices.ContainsFunc(deployed(), func(op operation.Operation) bool { return op.Name == name }) {
			return fmt.Errorf("no operation of a service is called %q, which is in ReservedConcurrency", name)
		}
		if p.ReservedConcurrency[name] < 1 {
			return fmt.Errorf("ReservedConcurrency has %d for %s: it must be at least 1", p.ReservedConcurrency[name], name)
		}
	}
	return nil
}

// validateLogLevel refuses alarms that nothing would set off: those of wrong secrets, malformed
// keys and refusals count what is in the lines of requests, and that of server errors takes off
// what is in them.
func (p ServiceProps) validateLogLevel() error {
	if p.Alarms.Topic != "" && !p.Functions.LogsRequests() {
		return fmt.Errorf("Alarms.Topic needs the lines of requests, which Functions.LogLevel %s leaves out: "+
			"take INFO or DEBUG, or no topic", p.Functions.LogLevel)
	}
	return nil
}

// What AWS allows in tags, of which a resource may have 50.
//
// https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
const maxTags = 50

var (
	tagKey   = regexp.MustCompile(`^[\pL\pN _.:/=+@-]{1,128}$`)
	tagValue = regexp.MustCompile(`^[\pL\pN _.:/=+@-]{0,256}$`)
)

func (p ServiceProps) validateTags() error {
	if len(p.Tags) > maxTags {
		return fmt.Errorf("%d tags are more than the %d that AWS takes", len(p.Tags), maxTags)
	}
	for _, key := range slices.Sorted(maps.Keys(p.Tags)) {
		if !tagKey.MatchString(key) || strings.HasPrefix(strings.ToLower(key), "aws:") || !tagValue.MatchString(p.Tags[key]) {
			return fmt.Errorf("tag %q=%q must be of letters, digits, spaces and _.:/=+-@, without aws: in front", key, p.Tags[key])
		}
	}
	return nil
}
