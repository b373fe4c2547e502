package latchkey

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/jsii-runtime-go"

	"latchkey/shared/operation"
)

// The longest that any browser keeps an answer to a preflight for.
const preflightHours = 2

const anyOrigin = "*"

var origin = regexp.MustCompile(`^https?://[a-z0-9.-]+(:\d{1,5})?$`)

func (p ServiceProps) validateOrigins() error {
	for _, from := range p.AllowedOrigins {
		if from == anyOrigin && len(p.AllowedOrigins) > 1 {
			return fmt.Errorf("AllowedOrigins has %q beside others: name those alone, or nothing but %[1]q", from)
		}
		if from != anyOrigin && !origin.MatchString(from) {
			return fmt.Errorf("AllowedOrigins has %q: an origin is as https://console.example.com, in lower case and without a path", from)
		}
	}
	return nil
}

// corsOf lets pages of the origins send what a client sends, and read the answers. They
// get no credentials from a browser: who has none of a key's own has none. API Gateway
// answers preflights by itself then.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
func corsOf(origins []string) *awsapigatewayv2.CorsPreflightOptions {
	if len(origins) == 0 {
		return nil
	}
	return &awsapigatewayv2.CorsPreflightOptions{
		AllowOrigins:     jsii.Strings(origins...),
		AllowMethods:     catalogueMethods(),
		AllowHeaders:     jsii.Strings(operation.RequestHeaders...),
		AllowCredentials: jsii.Bool(false),
		MaxAge:           awscdk.Duration_Hours(jsii.Number(preflightHours)),
	}
}

func catalogueMethods() *[]awsapigatewayv2.CorsHttpMethod {
	var methods []awsapigatewayv2.CorsHttpMethod
	for _, op := range operation.All {
		if method := op.Method(); method != "" {
			methods = append(methods, awsapigatewayv2.CorsHttpMethod(method))
		}
	}
	slices.Sort(methods)
	methods = slices.Compact(methods)
	return &methods
}
