// Package guard is the part and the function of an authorizer, which stands before another
// API.
package guard

import (
	"latchkey/shared/authorizer"
	"latchkey/shared/boot"
	"latchkey/shared/lambdaweb"
	"latchkey/shared/operation"
	"latchkey/shared/protected"
)

// API is the one that the environment describes.
func API(e *boot.Environment, c *boot.Config) {
	c.Protected = e.Required(operation.ProtectedAPIVariable)
}

// Authorizer makes the function of operation.Authorizer. Its error is what is wrong with the
// description of the API.
func Authorizer(op operation.Operation, c boot.Config) (lambdaweb.Function, error) {
	api, err := protected.Parse(c.Protected)
	if err != nil {
		return nil, err
	}
	a, err := authorizer.New(authorizer.Config{API: api, Sessions: c.Bearer().Sessions, Clock: c.Clock})
	if err != nil {
		return nil, err
	}
	return lambdaweb.Direct(op, a.Authorize, c.Recorder()), nil
}
