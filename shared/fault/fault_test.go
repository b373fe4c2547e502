package fault

import (
	"errors"
	"fmt"
	"testing"
)

func TestKindIsFoundThroughWrapping(t *testing.T) {
	cause := errors.New("cause")
	err := fmt.Errorf("outer: %w", Wrap(NotFound, cause, "no such key"))
	if !errors.Is(err, NotFound) || errors.Is(err, Invalid) || !errors.Is(err, cause) {
		t.Errorf("%v is of another kind", err)
	}
	if f := Of(err); f.Kind != NotFound || f.Message != "no such key" {
		t.Errorf("the fault is %+v", f)
	}
}

func TestUnknownErrorIsInternalAndShowsNothing(t *testing.T) {
	f := Of(errors.New("internals"))
	if f.Kind != Internal || f.Message != "internal error" {
		t.Errorf("the fault is %+v", f)
	}
	if f.Error() != "internal error: internals" {
		t.Errorf("the log would say %q", f.Error())
	}
}

func TestEveryKindHasAName(t *testing.T) {
	names := map[string]bool{}
	for _, kind := range Kinds() {
		if kind.Error() == "" || names[kind.Error()] {
			t.Errorf("kind %d is called %q", kind, kind.Error())
		}
		names[kind.Error()] = true
	}
}

func TestFieldsAreInTheLog(t *testing.T) {
	err := InvalidFields(Field{"name", "is missing"}, Field{"grant", "is too large"})
	if err.Error() != "invalid request: name is missing: grant is too large" {
		t.Errorf("the log would say %q", err.Error())
	}
}
