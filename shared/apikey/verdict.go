package apikey

import "errors"

// A Reason is why a key is or is not accepted. The zero Reason refuses.
type Reason uint8

// The reasons.
const (
	Unknown     Reason = iota // no key has this locator
	WrongSecret               // one has, and another secret
	Disabled
	Expired
	Valid
)

var reasonNames = [...]string{
	Unknown:     "unknown",
	WrongSecret: "wrong_secret",
	Disabled:    "disabled",
	Expired:     "expired",
	Valid:       "valid",
}

// String gives the reason's name in logs.
func (r Reason) String() string { return reasonNames[r] }

// A Verdict is the outcome of verifying a key. The zero Verdict refuses.
type Verdict struct {
	Reason Reason
	Key    Key // zero unless the secret was the key's own
}

// IsValid reports whether the key is accepted.
func (v Verdict) IsValid() bool { return v.Reason == Valid }

// Refusal says, for the log, why the key is not accepted.
func (v Verdict) Refusal() error { return errors.New(v.Reason.String() + " key") }
