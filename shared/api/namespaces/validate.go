package namespaces

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"latchkey/shared/api/bearer"
	"latchkey/shared/api/wiring"
	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/web"
)

type validateRequest struct {
	pairRequest

	IssuingUser web.Ignored `json:"issuing_user"`
	Valid       web.Ignored `json:"valid"`
}

type validateAnswer struct {
	Key         string  `json:"key"`
	Secret      string  `json:"secret"`
	IssuingUser *user   `json:"issuing_user"`
	Valid       verdict `json:"valid"`
}

// A verdict is never left out of an answer, also where it is false.
type verdict bool

// IsZero says that no verdict is empty.
func (verdict) IsZero() bool { return false }

// A validator has what a validation is made of, which asks for no sessions.
type validator struct {
	verifier *apikey.Verifier
	answers  func() validateAnswers // made when they are first needed
}

// ValidateAPIKey is the endpoint of operation.ValidateAPIKey.
func ValidateAPIKey(verifier *apikey.Verifier) wiring.Endpoint {
	return endpoint((&validator{verifier: verifier, answers: sync.OnceValue(newValidateAnswers)}).validate)
}

// validate tells whether a pair is good. Well-formed input is always answered with
// 200, and every refusal in the same way: the answer shows the key that was sent,
// and nothing of the key that was found.
func (v *validator) validate(ctx context.Context, r *web.Request) (web.Response, error) {
	var request validateRequest
	if err := web.DecodeJSON(r.Body, &request); err != nil {
		return web.Response{}, err
	}
	if problems := request.problems(); len(problems) > 0 {
		return web.Response{}, fault.InvalidFields(problems...)
	}
	presented, err := apikey.ParsePair(request.Key, request.Secret)
	if err != nil {
		bearer.Judge(r, err)
		return v.answers().invalid(request.Key, isCompact(r))
	}
	found, err := v.verifier.Verify(ctx, presented)
	if err != nil {
		return web.Response{}, err
	}
	r.Judge(found.Reason.String())
	bearer.NotePresented(r, presented.Locator)
	if !found.IsValid() {
		return v.answers().invalid(request.Key, isCompact(r))
	}
	return v.answers().valid(request.Key, found.Key.CreatedBy, isCompact(r))
}

// validateAnswers are the four forms of an answer, encoded once for each process
// from a sample of the message. A validation only fills in its texts: encoding the
// message anew would be a third of all our own work on it.
type validateAnswers struct {
	validFull, validCompact, invalidFull, invalidCompact template
}

func newValidateAnswers() validateAnswers {
	valid := validateAnswer{Key: blank, IssuingUser: userOf(apikey.Actor{ID: blank, Name: blank}), Valid: true}
	invalid := validateAnswer{Key: blank}
	return validateAnswers{
		validFull: newTemplate(valid, false), validCompact: newTemplate(valid, true),
		invalidFull: newTemplate(invalid, false), invalidCompact: newTemplate(invalid, true),
	}
}

func (a validateAnswers) valid(key string, issuer apikey.Actor, compact bool) (web.Response, error) {
	if issuer.ID == "" { // nobody's key: a member that the compact form leaves out
		return web.JSON(http.StatusOK, validateAnswer{Key: key, IssuingUser: userOf(issuer), Valid: true}, compact)
	}
	form := a.validFull
	if compact {
		form = a.validCompact
	}
	// In the order of the message's members.
	return form.fill(key, issuer.Name, issuer.ID)
}

func (a validateAnswers) invalid(key string, compact bool) (web.Response, error) {
	if compact {
		return a.invalidCompact.fill(key)
	}
	return a.invalidFull.fill(key)
}

// A template is an encoded message, taken apart at its blanks.
type template [][]byte

// blank is a text of a sample that a template leaves open.
const blank = "_"

func newTemplate(sample any, compact bool) template {
	response, err := web.JSON(http.StatusOK, sample, compact)
	if err != nil {
		panic(err) // a defect of the sample, which no request changes
	}
	return bytes.Split(response.Body, []byte(`"`+blank+`"`))
}

func (t template) fill(texts ...string) (web.Response, error) {
	size := 0
	for i, part := range t {
		size += len(part)
		if i < len(texts) {
			size += len(texts[i]) + len(`""`)
		}
	}
	body := make([]byte, 0, size)
	for i, part := range t {
		body = append(body, part...)
		if i == len(texts) {
			break
		}
		var err error
		if body, err = jsontext.AppendQuote(body, texts[i]); err != nil {
			return web.Response{}, fmt.Errorf("text of an answer: %w", err)
		}
	}
	return web.JSONBody(http.StatusOK, body), nil
}
