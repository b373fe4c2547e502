package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"latchkey/shared/apikey"
	"latchkey/shared/apikey/apikeytest"
)

func TestKeysAreLocated(t *testing.T) {
	keys := vectors(t)
	first, second := keys[0], keys[1]
	identifier, secret := first.RevealPair()
	for name, test := range map[string]struct {
		text string
		want []apikey.FullKey
	}{
		"a full key":           {first.Reveal(), keys[:1]},
		"in a file":            {"export KEY=\"" + first.Reveal() + "\"\n", keys[:1]},
		"twice":                {first.Reveal() + "\n" + first.Reveal(), keys[:1]},
		"its public half":      {identifier, keys[:1]},
		"cut off":              {identifier + "_" + secret[:10], keys[:1]},
		"another's secret":     {identifier + "_" + strings.Repeat("0", len(secret)), keys[:1]},
		"wrapped":              {"token: " + first.RevealWrapped() + ";", keys[:1]},
		"wrapped, no prefix":   {strings.TrimPrefix(first.RevealWrapped(), "ZENKEY_"), keys[:1]},
		"two":                  {second.Reveal() + " " + first.Reveal(), keys[:2]},
		"beside what is none":  {"lk_0000 lk_zzz eyJpZCI6Inhpdd== " + first.Reveal(), keys[:1]},
		"followed by anything": {identifier + "-and-so-on", keys[:1]},
	} {
		var out bytes.Buffer
		if err := run(strings.NewReader(test.text), &out); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if want := linesOf(test.want); out.String() != want {
			t.Errorf("%s: %q, want %q", name, out.String(), want)
		}
		if strings.Contains(out.String(), secret[:10]) {
			t.Errorf("%s: part of the secret is printed", name)
		}
	}
}

func TestNoKeyIsAnError(t *testing.T) {
	for _, text := range []string{"", "no key", "lk_", "lk_0", "lk_00000000000000000000000000000000000"} {
		var out bytes.Buffer
		if err := run(strings.NewReader(text), &out); !errors.Is(err, errNone) || out.Len() > 0 {
			t.Errorf("%q: %v, %q", text, err, out.String())
		}
	}
}

func linesOf(keys []apikey.FullKey) string {
	var lines strings.Builder
	for _, key := range keys {
		fmt.Fprintf(&lines, "%s %s %s\n", key.Locator.Namespace, key.Locator.ID, key.Locator)
	}
	return lines.String()
}

// vectors are two published keys, in the order of a listing.
func vectors(t *testing.T) []apikey.FullKey {
	t.Helper()
	published, err := apikeytest.ReadVectors()
	if err != nil {
		t.Fatal(err)
	}
	var keys []apikey.FullKey
	for _, vector := range published.Accepted {
		key, err := apikey.ParseFullKey(vector.FullKey)
		if err != nil {
			t.Fatal(err)
		}
		if len(keys) == 0 || keys[0].Locator.Compare(key.Locator) < 0 {
			keys = append(keys, key)
		}
	}
	if len(keys) < 2 {
		t.Fatal("the vectors are too few")
	}
	return keys[:2]
}
