package latchkey_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"

	"latchkey/infra/function"
	"latchkey/infra/latchkey"
	"latchkey/infra/stacktest"
	"latchkey/shared/operation"
)

const (
	keyARN         = "arn:aws:kms:eu-central-1:123456789012:key/"
	certificateARN = "arn:aws:acm:eu-central-1:123456789012:certificate/019b7ca9-8f2e-7e98-833b-d887d15218ce"
)

// everything is a service with all that can be chosen together, but what rotated and watched
// have. Of the preset for trying things it keeps nothing.
func everything() latchkey.ServiceProps {
	p := latchkey.Dev()
	p.RemovalPolicy = awscdk.RemovalPolicy_RETAIN
	p.Table = latchkey.TableProps{Name: "api-keys", RetentionDays: 7, KeyARN: keyARN + "table"}
	p.SessionKeyARNs = []string{keyARN + "2", keyARN + "1"}
	p.Domain = latchkey.Domain{Name: "keys.example.com", CertificateARN: certificateARN, Exclusive: true}
	p.AllowedOrigins = []string{"https://console.example.com", "http://localhost:3000"}
	p.Throttles = map[string]operation.Throttle{"login": {Rate: 50, Burst: 20}, "not-found": {Rate: 1, Burst: 2}}
	p.ReservedConcurrency = map[string]int{"validate-api-key": 200, "remove-service-account": 1}
	p.Functions = function.Settings{LogRetentionDays: 90, LogLevel: awslambda.ApplicationLogLevel_WARN, Tracing: true}
	p.Tags = map[string]string{"team": "platform", "cost-center": "1"}
	return p
}

// rotated is a service amid a rotation, whose session tokens are as somebody wants them.
func rotated() latchkey.ServiceProps {
	return latchkey.ServiceProps{
		SessionKeys: []string{"2", "1"}, Issuer: "https://keys.example.com", Audience: "example",
		Functions: function.Settings{LogLevel: awslambda.ApplicationLogLevel_DEBUG},
	}
}

// watched is everything with alarms, which take the lines of requests, and with session keys of
// its own: the largest stack that a service makes.
func watched(alarms latchkey.Alarms) latchkey.ServiceProps {
	p := everything()
	p.SessionKeyARNs, p.SessionKeys = nil, []string{"2", "1"}
	p.Functions.LogLevel = awslambda.ApplicationLogLevel_DEBUG
	p.Alarms = alarms
	p.Alarms.Topic = topic
	return p
}

// All that can be chosen is in one of the services, but what leaves something out.
func TestEverythingIsChosen(t *testing.T) {
	plain := latchkey.ServiceProps{Bootstraps: "dist/lambda"}
	for _, property := range stacktest.NeverSet(plain, everything(), rotated(), watched(limits())) {
		t.Errorf("no service has %s", property)
	}
}

// checkStage holds the stage to it that every route has its limit, and is there before it
// has. CloudFormation fails otherwise.
func checkStage(t *testing.T, tmpl template) {
	limits, routes := make(object), []string{}
	for _, op := range routed() {
		limit := op.Throttle
		if other, ok := tmpl.props.Throttles[op.Name]; ok {
			limit = other
		}
		limits[op.Route] = object{"ThrottlingRateLimit": float64(limit.Rate), "ThrottlingBurstLimit": float64(limit.Burst)}
		routes = append(routes, id(op, "Route"))
	}
	stage := tmpl.OfType("AWS::ApiGatewayV2::Stage")
	depends := slices.Sorted(slices.Values(stage["APIDefaultStage"].DependsOn))
	compare(t, slices.Sorted(slices.Values(routes)), depends)
	compare(t, map[string]object{"APIDefaultStage": {
		"ApiId": "${API}", "StageName": "$default", "AutoDeploy": true, "RouteSettings": limits,
		"DefaultRouteSettings": object{"ThrottlingRateLimit": 100.0, "ThrottlingBurstLimit": 100.0},
	}}, stacktest.Without("AccessLogSettings", tmpl.Properties("AWS::ApiGatewayV2::Stage")))
}

func checkDomain(t *testing.T, tmpl template) {
	domains, mappings := make(map[string]object), make(map[string]object)
	if domain := tmpl.props.Domain; domain.Name != "" {
		domains["Domain"] = object{"DomainName": domain.Name, "DomainNameConfigurations": []any{object{
			"CertificateArn": domain.CertificateARN, "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2",
		}}}
		mappings["Mapping"] = object{"ApiId": "${API}", "DomainName": "${Domain}", "Stage": "$default"}
		compare(t, []string{"APIDefaultStage"}, tmpl.Resources["Mapping"].DependsOn)
	}
	compare(t, domains, tmpl.Properties("AWS::ApiGatewayV2::DomainName"))
	compare(t, mappings, tmpl.Properties("AWS::ApiGatewayV2::ApiMapping"))
}

// What no tags can be put on.
var untagged = []string{
	"AWS::Lambda::Permission", "AWS::ApiGatewayV2::Route", "AWS::ApiGatewayV2::Integration", "AWS::ApiGatewayV2::ApiMapping",
	"AWS::SQS::QueuePolicy",
}

func checkTags(t *testing.T, tmpl template) {
	want, got := make(map[string]map[string]string), make(map[string]map[string]string)
	for id, resource := range tmpl.Resources {
		if tmpl.props.Tags != nil && !slices.Contains(untagged, resource.Type) {
			want[id] = tmpl.props.Tags
		}
	}
	for id, tags := range tmpl.tags {
		got[id] = tagsIn(tags)
	}
	compare(t, want, got)
}

// tagsIn reads both of CloudFormation's ways to write tags.
func tagsIn(node any) map[string]string {
	tags := make(map[string]string)
	switch node := node.(type) {
	case object:
		for key, value := range node {
			tags[key] = value.(string)
		}
	case []any:
		for _, tag := range node {
			tags[tag.(object)["Key"].(string)] = tag.(object)["Value"].(string)
		}
	}
	return tags
}

// A stack may have 500 resources, of which some are left to whoever puts the service into a
// stack of his own.
//
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
const maxResources = 400

func checkSize(t *testing.T, tmpl template) {
	if len(tmpl.Resources) > maxResources {
		t.Errorf("%d resources, want %d at most", len(tmpl.Resources), maxResources)
	}
}

// Prod is what holds without anything.
func TestProd(t *testing.T) { compare(t, latchkey.ServiceProps{}, latchkey.Prod()) }

func TestRefusedProps(t *testing.T) {
	bootstraps := stubBootstraps(t)
	for want, spoil := range map[string]func(*latchkey.ServiceProps){
		`RemovalPolicy "SNAPSHOT" must be RETAIN or DESTROY`: func(p *latchkey.ServiceProps) { p.RemovalPolicy = "SNAPSHOT" },
		"RemovalPolicy DESTROY cannot delete a table that is protected from deletion: take the protection away, too": func(p *latchkey.ServiceProps) {
			p.RemovalPolicy = awscdk.RemovalPolicy_DESTROY
		},
		`table's Name "a b" must be 3 to 255 letters, digits, underscores, dots and hyphens`: func(p *latchkey.ServiceProps) { p.Table.Name = "a b" },
		"table's RetentionDays -1 must be from 1 to 3650":                                    func(p *latchkey.ServiceProps) { p.Table.RetentionDays = -1 },
		"table's RetentionDays 3651 must be from 1 to 3650":                                  func(p *latchkey.ServiceProps) { p.Table.RetentionDays = 3651 },
		`table's KeyARN "alias/keys" must be the ARN of a KMS key, and no alias`:             func(p *latchkey.ServiceProps) { p.Table.KeyARN = "alias/keys" },
		"SessionKeys and SessionKeyARNs are both given: session keys are made here, or given, and never both": func(p *latchkey.ServiceProps) {
			p.SessionKeys, p.SessionKeyARNs = []string{"1"}, []string{keyARN + "1"}
		},
		`SessionKeyARNs has "arn:aws:kms:eu-central-1:123456789012:alias/keys": it must be the ARN of a KMS key, and no alias`: func(p *latchkey.ServiceProps) {
			p.SessionKeyARNs = []string{"arn:aws:kms:eu-central-1:123456789012:alias/keys"}
		},
		`SessionKeyARNs has "arn:aws:kms:eu-central-1:123456789012:key/1" twice`: func(p *latchkey.ServiceProps) {
			p.SessionKeyARNs = []string{keyARN + "1", keyARN + "1"}
		},
		`AllowedOrigins has "*" beside others: name those alone, or nothing but "*"`: func(p *latchkey.ServiceProps) {
			p.AllowedOrigins = []string{"https://a.example.com", "*"}
		},
		`AllowedOrigins has "https://a.example.com/": an origin is as https://console.example.com, in lower case and without a path`: func(p *latchkey.ServiceProps) {
			p.AllowedOrigins = []string{"https://a.example.com/"}
		},
		`AllowedOrigins has "https://*": an origin is as https://console.example.com, in lower case and without a path`: func(p *latchkey.ServiceProps) {
			p.AllowedOrigins = []string{"https://*"}
		},
		"Domain has no Name: give the name that its certificate is for": func(p *latchkey.ServiceProps) {
			p.Domain.CertificateARN = certificateARN
		},
		"Domain is Exclusive and has no Name: give the one at which alone the API is to answer": func(p *latchkey.ServiceProps) {
			p.Domain.Exclusive = true
		},
		`Domain "https://keys.example.com" must be a name in lower case as keys.example.com`: func(p *latchkey.ServiceProps) {
			p.Domain = latchkey.Domain{Name: "https://keys.example.com", CertificateARN: certificateARN}
		},
		`CertificateARN "" must be the ARN of a certificate in ACM for the domain`: func(p *latchkey.ServiceProps) { p.Domain.Name = "keys.example.com" },
		`no operation with a route is called "bootstrap", which is in Throttles`:   func(p *latchkey.ServiceProps) { p.Throttles = throttles("bootstrap", 1, 1) },
		`no operation with a route is called "nothing", which is in Throttles`:     func(p *latchkey.ServiceProps) { p.Throttles = throttles("nothing", 1, 1) },
		"limit of login in Throttles, 0 requests per second and 1 at once, must be at least 1 and 1": func(p *latchkey.ServiceProps) {
			p.Throttles = throttles("login", 0, 1)
		},
		`no operation of a service is called "authorizer", which is in ReservedConcurrency`: func(p *latchkey.ServiceProps) {
			p.ReservedConcurrency = map[string]int{"authorizer": 1}
		},
		"ReservedConcurrency has 0 for login: it must be at least 1": func(p *latchkey.ServiceProps) {
			p.ReservedConcurrency = map[string]int{"login": 0}
		},
		`LogLevel "FATAL" must be one of [DEBUG INFO WARN ERROR]`: func(p *latchkey.ServiceProps) { p.Functions.LogLevel = "FATAL" },
		"Alarms.Topic needs the lines of requests, which Functions.LogLevel WARN leaves out: take INFO or DEBUG, or no topic": func(p *latchkey.ServiceProps) {
			p.Alarms.Topic, p.Functions.LogLevel = topic, awslambda.ApplicationLogLevel_WARN
		},
		"Alarms.Topic needs the lines of requests, which Functions.LogLevel ERROR leaves out: take INFO or DEBUG, or no topic": func(p *latchkey.ServiceProps) {
			p.Alarms.Topic, p.Functions.LogLevel = topic, awslambda.ApplicationLogLevel_ERROR
		},
		"LogRetentionDays 31 must be one of CloudWatch's: " +
			"[1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653]": func(p *latchkey.ServiceProps) {
			p.Functions.LogRetentionDays = 31
		},
		`tag "aws:team"="a" must be of letters, digits, spaces and _.:/=+-@, without aws: in front`: func(p *latchkey.ServiceProps) {
			p.Tags = map[string]string{"aws:team": "a"}
		},
		`tag "team"="a,b" must be of letters, digits, spaces and _.:/=+-@, without aws: in front`: func(p *latchkey.ServiceProps) {
			p.Tags = map[string]string{"team": "a,b"}
		},
		"51 tags are more than the 50 that AWS takes": func(p *latchkey.ServiceProps) {
			p.Tags = make(map[string]string)
			for i := range 51 {
				p.Tags[fmt.Sprint(i)] = ""
			}
		},
	} {
		props := latchkey.ServiceProps{Bootstraps: bootstraps}
		spoil(&props)
		_, err := latchkey.NewStack(nil, stackName, props)
		compare(t, want, fmt.Sprint(err))
	}
}

func throttles(name string, rate, burst int) map[string]operation.Throttle {
	return map[string]operation.Throttle{name: {Rate: rate, Burst: burst}}
}
