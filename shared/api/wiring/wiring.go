// Package wiring is what the APIs have in common towards whoever assembles them: what an
// operation is made of, and what it becomes.
//
// An API makes each of its operations by a function of its own, and none makes them all:
// a program that names one links what this one needs.
package wiring

import (
	"time"

	"latchkey/shared/apikey"
	"latchkey/shared/session"
	"latchkey/shared/web"
)

// A Bearer says what an operation is made of that asks only who presents a credential. All
// of it must be set.
type Bearer struct {
	Sessions *session.Service
	Clock    func() time.Time
}

// A Config says what an operation is made of that manages keys as well. All of it must be
// set.
type Config struct {
	Bearer
	Keys *apikey.Service
}

// An Endpoint is an operation as a server runs it: what answers, and the form of its API's
// errors.
type Endpoint struct {
	Handler  web.Handler
	Envelope web.Envelope
}
