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
	parts := strings.SplitN(arn, "/", 4)
	if len(parts) != 4 || !isAPI(parts[0]) || parts[1] == "" || parts[2] == "" {
		return target{}, errTarget
	}
	return target{arn: arn, stage: parts[0] + "/" + parts[1], method: parts[2], path: "/" + parts[3]}, nil
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
	parts := strings.Split(arn, ":")
	return len(parts) == 6 && parts[0] == "arn" && parts[2] == "execute-api" && parts[5] != ""
}
