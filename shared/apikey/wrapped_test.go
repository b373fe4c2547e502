package apikey

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"latchkey/shared/apikey/apikeytest"
)

func TestWrappedVectors(t *testing.T) {
	for _, v := range readVectors(t).Accepted {
		t.Run(v.Name, func(t *testing.T) {
			plain, err := ParseFullKey(v.FullKey)
			if err != nil {
				t.Fatal(err)
			}
			if got := plain.RevealWrapped(); got != v.Wrapped {
				t.Errorf("the key is wrapped as %q, want %q", got, v.Wrapped)
			}
			for _, text := range []string{v.Wrapped, strings.TrimPrefix(v.Wrapped, "ZENKEY_")} {
				full, err := ParseFullKey(text)
				if err != nil || full.Reveal() != v.FullKey || full.Locator != plain.Locator {
					t.Errorf("%q: %v", text, err)
				}
				if at, ok := LocatorIn(text); !ok || at != plain.Locator {
					t.Errorf("%q: its locator is %v, %v", text, at, ok)
				}
			}
		})
	}
}

// ZenML's client decodes the form with a JSON parser, and knows it by this beginning.
func TestWrappedIsWhatZenMLDocuments(t *testing.T) {
	full := mint(t, "demo.app")
	text, ok := strings.CutPrefix(full.RevealWrapped(), "ZENKEY_eyJpZCI6I")
	if !ok {
		t.Fatal("the form begins otherwise")
	}
	inner, err := base64.StdEncoding.DecodeString("eyJpZCI6I" + text)
	want := fmt.Sprintf(`{"id":"%s","key":"%s"}`, full.Locator.ID, full.Reveal())
	if err != nil || string(inner) != want {
		t.Errorf("the form holds another text, %v", err)
	}
}

func TestLongestWrappedKeyHasMaximumLength(t *testing.T) {
	longest := slices.MaxFunc(readVectors(t).Accepted, func(a, b apikeytest.Accepted) int {
		return len(a.Wrapped) - len(b.Wrapped)
	})
	if len(longest.Wrapped) != maxWrappedLength || len(longest.FullKey) != MaxFullKeyLength {
		t.Errorf("a full key of %d bytes gives a wrapped one of %d", len(longest.FullKey), len(longest.Wrapped))
	}
}

// What is too long costs nothing to refuse, however long it is.
func TestOverlongWrappedKeyIsNotDecoded(t *testing.T) {
	for _, start := range []string{wrapPrefix, wrapStart} {
		text := start + strings.Repeat("A", 1<<20)
		allocations := testing.AllocsPerRun(10, func() {
			if _, err := ParseFullKey(text); !errors.Is(err, errLength) {
				t.Fatal(err)
			}
		})
		if allocations > 0 {
			t.Errorf("%s…: %v allocations", start, allocations)
		}
	}
}

// A pair is a plain key's: no half of it may be wrapped.
func TestPairIsNeverWrapped(t *testing.T) {
	full := mint(t, "demo")
	identifier, secretPart := full.RevealPair()
	wrapped := full.RevealWrapped()
	for _, pair := range [][2]string{
		{wrapped, secretPart}, {wrapped[:len(wrapped)-60], wrapped[len(wrapped)-59:]}, {"ZENKEY", wrapped[7:]}, {identifier, wrapped[7 : 7+59]},
	} {
		if _, err := ParsePair(pair[0], pair[1]); !errors.Is(err, ErrMalformed) {
			t.Errorf("the pair %q was accepted", pair)
		}
	}
}

// Every text that differs in one character from a wrapped key is refused, or it is that
// key's without its prefix.
func TestWrappedKeyHasOneSpelling(t *testing.T) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_ \n\r\x00"
	wrapped := mint(t, "demo").RevealWrapped()
	for i := range wrapped {
		for _, other := range []byte(alphabet) {
			for _, text := range []string{
				wrapped[:i] + string(other) + wrapped[i+1:], // another one instead
				wrapped[:i] + string(other) + wrapped[i:],   // one more
				wrapped[:i] + wrapped[i+1:],                 // one less
			} {
				if full, err := ParseFullKey(text); err == nil && !slices.Contains(spellings(full), text) {
					t.Errorf("%q is accepted", text)
				} else if err == nil && text != wrapped {
					t.Errorf("%q is a key besides %q", text, wrapped)
				}
			}
		}
	}
}

// wrapping wraps a text as if it were a full key, with the id that it names, so that the
// fuzzer comes past the outer form.
func wrapping(text string) string {
	at, _ := LocatorIn(text)
	inner := wrapBegin + at.ID.String() + wrapMiddle + text + wrapEnd
	return wrapPrefix + base64.StdEncoding.EncodeToString([]byte(inner))
}
