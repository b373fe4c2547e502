// Package telemetry is what a function tells of each invocation: one line of its log,
// which is an entry for people to search and the metrics of that invocation at once, in
// CloudWatch's embedded metric format. Nothing is sent anywhere: CloudWatch makes the
// metrics of the lines.
//
// # Metrics
//
// There are few, because each combination of a metric with the values of its dimensions
// is billed by the month; whatever the platform counts by itself, as the invocations,
// errors and durations of a single function, is not counted again. All have the service
// for a dimension, and verdicts what was decided as well. Keys and namespaces are fields
// of the line, to be searched for, and never dimensions: there are as many as customers
// like to make.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
package telemetry

// Namespace is that of the metrics in CloudWatch.
const Namespace = "Latchkey"

// The dimensions of metrics, which are fields of the line.
const (
	ServiceDimension = "service" // which Latchkey it is: its stack's name
	VerdictDimension = "verdict" // an apikey.Reason, or MalformedVerdict
)

// The verdicts that are counted by themselves as well.
const (
	MalformedVerdict   = "malformed"    // what is no key at all, and was not looked for
	WrongSecretVerdict = "wrong_secret" // apikey.WrongSecret
)

// A Metric is a number that lines hold.
type Metric string

// The metrics. Those that are zero are left out of a line.
const (
	Requests      Metric = "requests"       // invocations that came to an answer or an error
	Faults        Metric = "faults"         // of those, which failed for a reason of ours: with a 500 or 503, or an error
	Milliseconds  Metric = "milliseconds"   // from the event to the answer
	ColdStarts    Metric = "cold_starts"    // first requests of a process
	Throttles     Metric = "throttles"      // tries that DynamoDB or KMS refused for being too many
	Verdicts      Metric = "verdicts"       // keys and tokens that were looked at, by VerdictDimension
	MalformedKeys Metric = "malformed_keys" // of those, which are no keys
	WrongSecrets  Metric = "wrong_secrets"  // of those, which name a key and have not its secret
	Declined      Metric = "declined"       // answers of 500 or above that the client brought about: 501 and 504
)

// metrics are all of them, in the order in which a line has them.
var metrics = [...]Metric{Requests, Milliseconds, Faults, ColdStarts, Throttles, Verdicts, MalformedKeys, WrongSecrets, Declined}

// DimensionsOf names the dimensions that a metric has.
func DimensionsOf(m Metric) []string {
	if m == Verdicts {
		return []string{ServiceDimension, VerdictDimension}
	}
	return []string{ServiceDimension}
}
