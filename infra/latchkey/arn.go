package latchkey

import (
	"fmt"
	"regexp"
)

// What stands in a text for another that CDK knows later, as of a resource in the same app.
//
// https://docs.aws.amazon.com/cdk/v2/guide/tokens.html
const token = `\$\{Token\[[A-Za-z0-9:._-]+\]\}`

// arnOf gives what the ARNs of a kind of resource look like, which in them stands before the
// resource's name. Of one in the same app CDK may know the whole later, or any part but the
// service and the kind: so the ARN of an alias is refused as that of a key there, too.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
func arnOf(service, kind string) *regexp.Regexp {
	return regexp.MustCompile(fmt.Sprintf(
		`^(%[1]s|arn:(aws[a-z-]*|%[1]s):%[2]s:([a-z0-9-]+|%[1]s):(\d{12}|%[1]s):%[3]s([A-Za-z0-9_.-]+|%[1]s))$`, token, service, kind))
}
