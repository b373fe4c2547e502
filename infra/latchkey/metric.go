package latchkey

import (
	"fmt"
	"slices"
	"strings"

	"latchkey/infra/names"
	"latchkey/shared/operation"
	"latchkey/shared/telemetry"
)

// The namespaces of the metrics that AWS writes.
const (
	gatewayMetrics = "AWS/ApiGateway"
	lambdaMetrics  = "AWS/Lambda"
	dynamoMetrics  = "AWS/DynamoDB"
	queueMetrics   = "AWS/SQS"
)

// Statistics as CloudWatch spells them.
const (
	total   = "Sum"
	average = "Average"
	highest = "Maximum"
	p50     = "p50"
	p99     = "p99"
)

// Every alarm and graph looks at five minutes at a time: long enough for a service that
// few call, and a period that CloudWatch keeps for two months.
const periodSeconds = 5 * 60

// A metric is one of CloudWatch's with a statistic of it. It is data, and not CDK's metric,
// of which a dashboard takes hundreds: each is a conversation with another process.
type metric struct {
	namespace  string
	name       string
	statistic  string
	dimensions []dimension
}

type dimension struct{ name, value string }

// apiMetric is one of the HTTP API's stage. A REST API's have other names.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
func (s *Service) apiMetric(name, statistic string) metric {
	return metric{gatewayMetrics, name, statistic, []dimension{{"ApiId", *s.api.ApiId()}, {"Stage", *s.api.DefaultStage().StageName()}}}
}

// functionMetric is one of an operation's function.
//
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
func (s *Service) functionMetric(op operation.Operation, name, statistic string) metric {
	return metric{lambdaMetrics, name, statistic, []dimension{{"FunctionName", names.Function(s.name, op)}}}
}

// tableMetric is one of the table without its indexes, or of one index.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
func (s *Service) tableMetric(index, name, statistic string) metric {
	dimensions := []dimension{{"TableName", *s.table.TableName()}}
	if index != "" {
		dimensions = append(dimensions, dimension{"GlobalSecondaryIndexName", index})
	}
	return metric{dynamoMetrics, name, statistic, dimensions}
}

// requestMetric is one of the table and a kind of request. DynamoDB has none of all kinds
// together for errors and latency.
func (s *Service) requestMetric(request, name, statistic string) metric {
	return metric{dynamoMetrics, name, statistic, []dimension{{"TableName", *s.table.TableName()}, {"Operation", request}}}
}

// deadLetterMetric is one of the queue of dead letters.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
func (s *Service) deadLetterMetric(name, statistic string) metric {
	return metric{queueMetrics, name, statistic, []dimension{{"QueueName", *s.deadLetters.QueueName()}}}
}

// ownMetric is one that functions write, of those that have the service for their only
// dimension.
func (s *Service) ownMetric(m telemetry.Metric, statistic string) metric {
	return metric{telemetry.Namespace, string(m), statistic, []dimension{{telemetry.ServiceDimension, s.name}}}
}

// verdicts is an expression that finds the numbers of all verdicts that there are, so that
// nobody has to list them here.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
func (s *Service) verdicts() string {
	schema := strings.Join(append([]string{telemetry.Namespace}, telemetry.DimensionsOf(telemetry.Verdicts)...), ",")
	return fmt.Sprintf(`SEARCH('{%s} MetricName="%s" %s="%s"', '%s')`,
		schema, telemetry.Verdicts, telemetry.ServiceDimension, s.name, total)
}

// The requests in which DynamoDB may count an action. A transaction is one request, under
// its own name, whatever its parts.
var requestsWith = map[operation.Action][]string{
	operation.GetItem:            {"GetItem", "TransactGetItems"},
	operation.BatchGetItem:       {"BatchGetItem"},
	operation.Query:              {"Query"},
	operation.PutItem:            {"PutItem", "TransactWriteItems"},
	operation.UpdateItem:         {"UpdateItem", "TransactWriteItems"},
	operation.DeleteItem:         {"DeleteItem", "TransactWriteItems"},
	operation.ConditionCheckItem: {"TransactWriteItems"},
	operation.BatchWriteItem:     {"BatchWriteItem"},
}

// requests are the kinds of request that the operations make, authorizers' included.
func requests() []string {
	var all []string
	for _, op := range operation.All {
		for _, touch := range op.Touches {
			all = append(all, requestsWith[touch.Action]...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
