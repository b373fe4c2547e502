package authorizer

import (
	"errors"
	"strings"
)

// A target is what a request asks for, as its ARN tells:
//
//	arn:aws:execute-api:<region>:<account>:<api>/<stage>/<method>/<path>
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
type target struct {
	arn    string
	stage  string // the ARN up to the stage
	method string
	path   string // with a slash before it
}

const connectRoute = "$connect"

var errTarget = errors.New("event of an authorizer: its ARN names no method of an API")

// readTarget reads an ARN. There may be colons in its path.
func readTarget(arn string) (target, error) {
	api, rest, _ := strings.Cut(arn, "/")
	stage, rest, _ := strings.Cut(rest, "/")
	method, path, ok := strings.Cut(rest, "/")
	if !ok || !isAPI(api) || stage == "" || method == "" {
		return target{}, errTarget
	}
	return target{
		arn: arn, stage: arn[:len(api)+len("/")+len(stage)], method: method, path: arn[len(arn)-len(path)-len("/"):],
	}, nil
}

// connectTarget reads the ARN of a WebSocket API's $connect, which has no method.
func connectTarget(arn string) (target, error) {
	parts := strings.Split(arn, "/")
	if len(parts) != 3 || !isAPI(parts[0]) || parts[2] != connectRoute {
		return target{}, errTarget
	}
	return target{arn: arn, stage: parts[0] + "/" + parts[1]}, nil
}

// isAPI reports whether the part of an ARN before the first slash is of an API.
func isAPI(arn string) bool {
	rest, ok := strings.CutPrefix(arn, "arn:")
	_, rest, _ = strings.Cut(rest, ":")
	service, rest, _ := strings.Cut(rest, ":")
	return ok && service == "execute-api" && strings.Count(rest, ":") == 2 && !strings.HasSuffix(rest, ":")
}
