package latchkey_test

import (
	"testing"
)

// checkAccessLogs knows every variable in the log: a new one fails here until somebody has
// made sure that no key can stand in it.
func checkAccessLogs(t *testing.T, tmpl template) {
	settings, _ := tmpl.Properties("AWS::ApiGatewayV2::Stage")["APIDefaultStage"]["AccessLogSettings"].(object)
	format, _ := settings["Format"].(string)
	var fields map[string]string
	decode(t, []byte(format), &fields)
	compare(t, map[string]string{
		"time":               "$context.requestTimeEpoch",
		"requestId":          "$context.requestId",
		"sourceIp":           "$context.identity.sourceIp",
		"routeKey":           "$context.routeKey",
		"status":             "$context.status",
		"error":              "$context.error.responseType",
		"responseLength":     "$context.responseLength",
		"responseLatency":    "$context.responseLatency",
		"functionRequestId":  "$context.integration.requestId",
		"integrationStatus":  "$context.integration.integrationStatus",
		"integrationLatency": "$context.integration.latency",
		"integrationError":   "$context.integration.error",
	}, fields)
	compare(t, object{"DestinationArn": "${AccessLogs.Arn}", "Format": format}, settings)
}
