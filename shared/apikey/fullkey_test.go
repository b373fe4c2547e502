package apikey

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/localstack/bars"
	"latchkey/shared/apikey/apikeytest"
	"latchkey/shared/namespace"
)

func readVectors(t testing.TB) apikeytest.Vectors {
	t.Helper()
	v, err := apikeytest.ReadVectors()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestAcceptedVectors(t *testing.T) {
	scanner := regexp.MustCompile(`^lk_[0-9a-v]+_[0-9a-v]{59}$`)
	for _, v := range readVectors(t).Accepted {
		t.Run(v.Name, func(t *testing.T) {
			full, err := ParseFullKey(v.FullKey)
			if err != nil {
				t.Fatal(err)
			}
			digest := full.Secret.Digest()
			identifier, secretPart := full.RevealPair()
			for _, field := range []struct{ name, got, want string }{
				{"namespace", full.Locator.Namespace.String(), v.Namespace},
				{"id", full.Locator.ID.String(), v.UUID},
				{"public identifier", identifier, v.Key},
				{"secret part", secretPart, v.Secret},
				{"full key", full.Reveal(), v.FullKey},
				{"digest", hex.EncodeToString(digest[:]), v.Digest},
			} {
				if field.got != field.want {
					t.Errorf("%s: %q, want %q", field.name, field.got, field.want)
				}
			}
			if pair, err := ParsePair(v.Key, v.Secret); err != nil || pair.Reveal() != v.FullKey {
				t.Errorf("as a pair: %v", err)
			}
			whole := strings.TrimPrefix(v.FullKey, prefix)
			if _, err := ParsePair("lk", whole); !errors.Is(err, ErrMalformed) {
				t.Errorf("split in another place: %v", err)
			}
			if len(v.FullKey) > MaxFullKeyLength || !scanner.MatchString(v.FullKey) {
				t.Errorf("%q is over the length or not what scanners match", v.FullKey)
			}
		})
	}
}

func TestLongestKeyHasMaximumLength(t *testing.T) {
	longest := slices.MaxFunc(readVectors(t).Accepted, func(a, b apikeytest.Accepted) int {
		return len(a.FullKey) - len(b.FullKey)
	})
	if len(longest.Namespace) != namespace.MaxLength || len(longest.FullKey) != MaxFullKeyLength {
		t.Errorf("a namespace of %d bytes gives a key of %d", len(longest.Namespace), len(longest.FullKey))
	}
}

func TestRefusedVectors(t *testing.T) {
	covered := map[string]bool{}
	for _, v := range readVectors(t).Refused {
		t.Run(v.Name, func(t *testing.T) {
			_, err := ParseFullKey(v.Text)
			if !errors.Is(err, ErrMalformed) || !strings.HasSuffix(err.Error(), ": "+v.Reason) {
				t.Errorf("%v, want %s", err, v.Reason)
			}
		})
		covered["malformed key: "+v.Reason] = true
	}
	for _, refusal := range []error{errLength, errPrefix, errChecksum, errSpelling, errVersion, errNamespace, errID, errWrap, errWrapID} {
		if !covered[refusal.Error()] {
			t.Errorf("no vector for %q", refusal)
		}
	}
}

func TestParserAllocatesLittle(t *testing.T) {
	most := map[string]bars.Figure{}
	for _, v := range readVectors(t).Refused {
		allocations := testing.AllocsPerRun(100, func() {
			if _, err := ParseFullKey(v.Text); err == nil {
				t.Fatal("accepted")
			}
		})
		if id := allocationsBar(v.Text); most[id].Of == "" || allocations > most[id].Value {
			most[id] = bars.Figure{Value: allocations, Of: v.Name}
		}
	}
	for id, figure := range most {
		bars.Hold(t, id, figure)
	}
}

// allocationsBar is what the refusal of a text is held to: it may cost more only where it
// has to be decoded twice.
func allocationsBar(text string) string {
	if isWrapped(text) && len(text) <= maxWrappedLength {
		return "malformed/allocations-wrapped"
	}
	return "malformed/allocations"
}

func FuzzParseFullKey(f *testing.F) {
	v := readVectors(f)
	for _, accepted := range v.Accepted {
		f.Add(accepted.FullKey)
		f.Add(accepted.Wrapped)
		f.Add(strings.TrimPrefix(accepted.Wrapped, wrapPrefix))
	}
	for _, refused := range v.Refused {
		f.Add(refused.Text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, candidate := range []string{text, withChecksum(text), wrapping(text), strings.TrimPrefix(wrapping(text), wrapPrefix)} {
			full, err := ParseFullKey(candidate)
			if err != nil {
				if !errors.Is(err, ErrMalformed) {
					t.Errorf("%q: an error of another kind: %v", candidate, err)
				}
				continue
			}
			if again := spellings(full); !slices.Contains(again, candidate) {
				t.Errorf("%q was accepted and is written %q", candidate, again)
			}
		}
	})
}

// spellings are the texts that mean a key.
func spellings(full FullKey) []string {
	wrapped := full.RevealWrapped()
	return []string{full.Reveal(), wrapped, strings.TrimPrefix(wrapped, wrapPrefix)}
}

// withChecksum lets the fuzzer past the checksum.
func withChecksum(text string) string {
	if len(text) < checkLength {
		return text
	}
	checked := text[:len(text)-checkLength]
	sum := checksumOf(checked)
	return checked + string(sum[:])
}

func TestSecretCannotBePrinted(t *testing.T) {
	full := mint(t, "demo")
	_, secretPart := full.RevealPair()
	bits := full.Secret.bits()
	raw := bits[:]
	hidden := struct{ key FullKey }{full}

	var printed bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%o", "%b", "%c", "%U", "%e", "%p"} {
		for _, value := range []any{full.Secret, &full.Secret, full, &full, hidden, &hidden, []Secret{full.Secret}, map[string]any{"k": full}} {
			fmt.Fprintf(&printed, verb+"\n", value)
		}
	}
	fmt.Fprintln(&printed, full.Secret.String())
	if err := json.NewEncoder(&printed).Encode(map[string]any{"k": full, "s": full.Secret}); err != nil {
		t.Fatal(err)
	}
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&printed, nil), slog.NewTextHandler(&printed, nil)} {
		slog.New(handler).Info("planted", "secret", full.Secret, "key", full, "in any", []any{full})
	}

	for name, forbidden := range map[string]string{
		"secret part": secretPart, "its bits": string(raw), "hex": hex.EncodeToString(raw),
		"upper-case hex": strings.ToUpper(hex.EncodeToString(raw)), "decimal": strings.Trim(fmt.Sprint(raw), "[]"),
	} {
		if strings.Contains(printed.String(), forbidden) {
			t.Errorf("the output shows the secret's %s", name)
		}
	}
	if !strings.Contains(printed.String(), redacted) {
		t.Errorf("the output never says %s", redacted)
	}
}

func TestDigestMatches(t *testing.T) {
	digest := mint(t, "demo").Secret.Digest()
	if !digest.matches(digest) {
		t.Error("a digest does not match itself")
	}
	for i := range digest {
		other := digest
		other[i] ^= 1
		if digest.matches(other) || other.matches(digest) {
			t.Errorf("digests that differ in byte %d match", i)
		}
	}
	if (Digest{}).matches(Digest{}) || (Secret{}).Digest().matches(Digest{}) {
		t.Error("the zero digest matches")
	}
}

func TestIDsSortByCreation(t *testing.T) {
	start := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	var last string
	for i := range 5000 {
		id, err := newID(start.Add(time.Duration(i)*time.Microsecond), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		text := id.String()
		if text <= last {
			t.Fatalf("%s comes after %s", text, last)
		}
		if parsed, ok := ParseID(strings.ToUpper(text)); !ok || parsed != id {
			t.Fatalf("ParseID(%q) = %v, %v", strings.ToUpper(text), parsed, ok)
		}
		last = text
	}
}

func TestParseIDRefuses(t *testing.T) {
	for _, text := range []string{
		"", "x", "019b7ca98f2e7e98833bd887d15218ce", "{019b7ca9-8f2e-7e98-833b-d887d15218ce}",
		"urn:uuid:019b7ca9-8f2e-7e98-833b-d887d15218ce", "019b7ca9-8f2e-4e98-833b-d887d15218ce",
		"019b7ca9-8f2e-7e98-c33b-d887d15218ce", "019b7ca9_8f2e_7e98_833b_d887d15218ce",
	} {
		if id, ok := ParseID(text); ok {
			t.Errorf("ParseID(%q) = %v", text, id)
		}
	}
}

func mint(t testing.TB, path string) FullKey {
	t.Helper()
	ns, err := namespace.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	full, err := NewService(Config{Random: rand.Reader}).mint(ns, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return full
}
