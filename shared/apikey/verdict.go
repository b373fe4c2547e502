package apikey

// A Reason is why a key is or is not accepted. The zero Reason refuses. It is itself an
// error, so that who is refused can be told apart by errors.Is.
type Reason uint8

// The reasons.
const (
	Unknown     Reason = iota // no key has this locator
	WrongSecret               // one has, and another secret
	Disabled
	Expired
	AccountDisabled // the service account that the key belongs to is switched off
	AccountRemoved  // it was deleted
	Valid
)

var reasonNames = [...]string{
	Unknown:     "unknown",
	WrongSecret: "wrong_secret",
	Disabled:    "disabled",
	Expired:     "expired",
	Valid:       "valid",

	AccountDisabled: "account_disabled",
	AccountRemoved:  "account_removed",
}

// String gives the reason's name in logs.
func (r Reason) String() string { return reasonNames[r] }

// Error says it of a key that is refused.
func (r Reason) Error() string { return r.String() + " key" }

// A Verdict is the outcome of verifying a key. The zero Verdict refuses.
type Verdict struct {
	Reason Reason
	Key    Key // zero unless the secret was the key's own
}

// IsValid reports whether the key is accepted.
func (v Verdict) IsValid() bool { return v.Reason == Valid }
