package stream

import (
	"encoding/json"
	"fmt"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"latchkey/localstack/lambdahost"
	"latchkey/shared/operation"
)

// The text of an event is that of its records between these two.
const (
	eventStart = `{"Records":[`
	eventEnd   = `]}`
)

// A record is one of an event's.
type record struct {
	number string // its sequence number
	text   []byte // JSON
}

func numberOf(found types.Record) string {
	if found.Dynamodb == nil {
		return ""
	}
	return aws.ToString(found.Dynamodb.SequenceNumber)
}

// wants reports whether a change is one that an operation is to know of: the item has
// the attribute now, as a text, which is what the filter in AWS asks for. One that was
// removed has no new image.
func wants(op operation.Operation, found types.Record) bool {
	if found.Dynamodb == nil {
		return false
	}
	_, has := found.Dynamodb.NewImage[op.Feed].(*types.AttributeValueMemberS)
	return has
}

// newRecord writes a change as Lambda does.
func newRecord(arn string, found types.Record) (record, error) {
	change, err := changeOf(found.Dynamodb)
	if err != nil {
		return record{}, fmt.Errorf("record %s: %w", numberOf(found), err)
	}
	text, err := json.Marshal(events.DynamoDBEventRecord{
		AWSRegion:      aws.ToString(found.AwsRegion),
		Change:         change,
		EventID:        aws.ToString(found.EventID),
		EventName:      string(found.EventName),
		EventSource:    aws.ToString(found.EventSource),
		EventVersion:   aws.ToString(found.EventVersion),
		EventSourceArn: arn,
		UserIdentity:   identityOf(found.UserIdentity),
	})
	return record{number: numberOf(found), text: text}, err
}

func identityOf(found *types.Identity) *events.DynamoDBUserIdentity {
	if found == nil {
		return nil
	}
	return &events.DynamoDBUserIdentity{Type: aws.ToString(found.Type), PrincipalID: aws.ToString(found.PrincipalId)}
}

func changeOf(found *types.StreamRecord) (events.DynamoDBStreamRecord, error) {
	change := events.DynamoDBStreamRecord{
		ApproximateCreationDateTime: events.SecondsEpochTime{Time: aws.ToTime(found.ApproximateCreationDateTime)},
		SequenceNumber:              aws.ToString(found.SequenceNumber),
		SizeBytes:                   aws.ToInt64(found.SizeBytes),
		StreamViewType:              string(found.StreamViewType),
	}
	var err error
	if change.Keys, err = attributes(found.Keys); err != nil {
		return change, err
	}
	if change.NewImage, err = attributes(found.NewImage); err != nil {
		return change, err
	}
	change.OldImage, err = attributes(found.OldImage)
	return change, err
}

func attributes(found map[string]types.AttributeValue) (map[string]events.DynamoDBAttributeValue, error) {
	converted := make(map[string]events.DynamoDBAttributeValue, len(found))
	for name, value := range found {
		var err error
		if converted[name], err = attribute(value); err != nil {
			return nil, err
		}
	}
	return converted, nil
}

func attribute(found types.AttributeValue) (events.DynamoDBAttributeValue, error) {
	switch value := found.(type) {
	case *types.AttributeValueMemberB:
		return events.NewBinaryAttribute(value.Value), nil
	case *types.AttributeValueMemberBOOL:
		return events.NewBooleanAttribute(value.Value), nil
	case *types.AttributeValueMemberBS:
		return events.NewBinarySetAttribute(value.Value), nil
	case *types.AttributeValueMemberL:
		return list(value.Value)
	case *types.AttributeValueMemberM:
		converted, err := attributes(value.Value)
		return events.NewMapAttribute(converted), err
	case *types.AttributeValueMemberN:
		return events.NewNumberAttribute(value.Value), nil
	case *types.AttributeValueMemberNS:
		return events.NewNumberSetAttribute(value.Value), nil
	case *types.AttributeValueMemberNULL:
		return events.NewNullAttribute(), nil
	case *types.AttributeValueMemberS:
		return events.NewStringAttribute(value.Value), nil
	case *types.AttributeValueMemberSS:
		return events.NewStringSetAttribute(value.Value), nil
	}
	return events.DynamoDBAttributeValue{}, fmt.Errorf("an attribute of the unknown type %T", found)
}

func list(found []types.AttributeValue) (events.DynamoDBAttributeValue, error) {
	converted := make([]events.DynamoDBAttributeValue, 0, len(found))
	for _, element := range found {
		one, err := attribute(element)
		if err != nil {
			return events.DynamoDBAttributeValue{}, err
		}
		converted = append(converted, one)
	}
	return events.NewListAttribute(converted), nil
}

// eventOf is the event of a batch.
func eventOf(batch []record) []byte {
	event := []byte(eventStart)
	for i, r := range batch {
		if i > 0 {
			event = append(event, ',')
		}
		event = append(event, r.text...)
	}
	return append(event, eventEnd...)
}

// batches divides records into events that are small enough.
func batches(records []record) [][]record {
	var all [][]record
	size := 0
	for _, r := range records {
		last := len(all) - 1
		if last < 0 || len(all[last]) == operation.FeedBatch || size+len(",")+len(r.text) > lambdahost.MaxEvent {
			all, size = append(all, []record{r}), len(eventStart+eventEnd)+len(r.text)
			continue
		}
		all[last] = append(all[last], r)
		size += len(",") + len(r.text)
	}
	return all
}
