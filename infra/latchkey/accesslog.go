package latchkey

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/jsii-runtime-go"

	"latchkey/infra/names"
)

// What the access log tells of a request. The route stands for the path: nothing that the
// client sends is in it, neither the path nor the query, a header or the user agent, since
// people put keys into all of them. requestId is that of the function's own line, and
// functionRequestId that of Lambda's.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
var accessLogFields = []struct{ name, variable string }{
	{"time", "$context.requestTimeEpoch"},
	{"requestId", "$context.requestId"},
	{"sourceIp", "$context.identity.sourceIp"},
	{"routeKey", "$context.routeKey"},
	{"status", "$context.status"},
	{"error", "$context.error.responseType"},
	{"responseLength", "$context.responseLength"},
	{"responseLatency", "$context.responseLatency"},
	{"functionRequestId", "$context.integration.requestId"},
	{"integrationStatus", "$context.integration.integrationStatus"},
	{"integrationLatency", "$context.integration.latency"},
	{"integrationError", "$context.integration.error"},
}

// accessLogFormat is a line of JSON. All values are texts, as in AWS's examples: those that
// a request does not have are written as "-".
func accessLogFormat() string {
	var fields []string
	for _, field := range accessLogFields {
		fields = append(fields, fmt.Sprintf("%q:%q", field.name, field.variable))
	}
	return "{" + strings.Join(fields, ",") + "}"
}

// addAccessLogs has API Gateway write a line of each request, also of those that reach no
// function. It does so by way of CloudWatch's log delivery and in no role of ours: the right
// to set that up is whose who deploys, and AWS gives the log group the policy that lets
// the delivery in. An account may have one policy for all of its groups, of limited size;
// a name that begins like this one's does not make that longer.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging.html
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-CWL.html
func (s *Service) addAccessLogs() {
	logs := s.props.Functions.NewLogGroup(s.scope, "AccessLogs", names.AccessLogGroup(s.name))
	stage := s.api.DefaultStage().Node().DefaultChild().(awsapigatewayv2.CfnStage)
	stage.SetAccessLogSettings(&awsapigatewayv2.CfnStage_AccessLogSettingsProperty{
		DestinationArn: logs.LogGroupArn(),
		Format:         jsii.String(accessLogFormat()),
	})
}
