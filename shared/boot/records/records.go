// Package records is the part of functions that verify keys and do nothing else with the
// table.
package records

import (
	"latchkey/shared/boot"
	"latchkey/shared/dynamo/records"
	"latchkey/shared/operation"
)

// DynamoDB reads the table that the environment names.
func DynamoDB(e *boot.Environment, c *boot.Config) { c.Records = records.New(Table(e)) }

// Table is where the environment says that the table is.
func Table(e *boot.Environment) records.Config {
	return records.Config{
		Config: e.Client(operation.DynamoDBVariable),
		Table:  e.Required(operation.TableNameVariable),
	}
}
