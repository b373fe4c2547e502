package latchkey_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/jsii-runtime-go"

	"latchkey/infra/latchkey"
	"latchkey/infra/stacktest"
)

// TestMadeInTheSameApp gives a service what the same app makes in another stack.
func TestMadeInTheSameApp(t *testing.T) {
	t.Cleanup(func() { jsii.Close() })
	app := stacktest.NewApp(t, nil)
	props := latchkey.ServiceProps{Bootstraps: stubBootstraps(t)}
	addNeighbours(app, &props)
	if _, err := latchkey.NewStack(app, stackName, props); err != nil {
		t.Fatal(err)
	}
	props.Table.KeyARN = "${made/TableKey.Arn}"
	props.Domain.CertificateARN = "${made/Certificate}"
	tmpl := template{
		Template: stacktest.Synthesise(t, app)[stackName], props: props,
		sessions: sessions{given: []string{"${made/SessionKey.Arn}"}},
	}
	checkTable(t, tmpl)
	checkSessionKeys(t, tmpl)
	checkPolicies(t, tmpl)
	checkDomain(t, tmpl)
	for id, alarm := range tmpl.Properties("AWS::CloudWatch::Alarm") {
		if actions := fmt.Sprint(alarm["AlarmActions"]); actions != "[${made/Topic}]" {
			t.Errorf("%s tells %s", id, actions)
		}
	}
}

// addNeighbours adds a stack with all that a service can be given the ARN of.
func addNeighbours(app awscdk.App, props *latchkey.ServiceProps) {
	made := awscdk.NewStack(app, jsii.String("made"), nil)
	props.Table.KeyARN = *awskms.NewKey(made, jsii.String("TableKey"), nil).KeyArn()
	props.SessionKeyARNs = []string{*awskms.NewKey(made, jsii.String("SessionKey"), &awskms.KeyProps{
		KeySpec: awskms.KeySpec_RSA_2048, KeyUsage: awskms.KeyUsage_SIGN_VERIFY,
	}).KeyArn()}
	props.Domain = latchkey.Domain{
		Name: "keys.example.com",
		CertificateARN: *awscertificatemanager.NewCertificate(made, jsii.String("Certificate"), &awscertificatemanager.CertificateProps{
			DomainName: jsii.String("keys.example.com"),
		}).CertificateArn(),
	}
	props.Alarms.Topic = *awssns.NewTopic(made, jsii.String("Topic"), nil).TopicArn()
}

// What CDK knows later is refused like all else where it is no ARN of the kind.
func TestRefusedTokens(t *testing.T) {
	const of = "arn:${Token[AWS.Partition.3]}:kms:${Token[AWS.Region.4]}:${Token[AWS.AccountId.2]}:"
	bootstraps := stubBootstraps(t)
	for _, arn := range []string{of + "alias/keys", of + "${Token[TOKEN.20]}", "${Token[TOKEN.20]}/keys", "${Token[TOKEN.20]"} {
		_, err := latchkey.NewStack(nil, stackName, latchkey.ServiceProps{Bootstraps: bootstraps, SessionKeyARNs: []string{arn}})
		compare(t, fmt.Sprintf("SessionKeyARNs has %q: it must be the ARN of a KMS key, and no alias", arn), fmt.Sprint(err))
	}
}
