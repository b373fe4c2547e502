package endtoend_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"latchkey/localstack/localtest"
	"latchkey/localstack/shell"
	"latchkey/localstack/shellword"
	"latchkey/shared/apikey"
	"latchkey/shared/telemetry"
)

const guide = "../../docs/operations.md"

// The guide's commands that can run without AWS are run in its order, with the local stack
// in Lambda's place and with curl. A leaked key of the tenant, which has made another, is
// there to be found.
func TestGuideCommands(t *testing.T) {
	w := newWorld(t)
	blocks := consoleBlocks(t, guide)
	if len(blocks) != 9 {
		t.Fatalf("the guide has %d commands to run, want 9", len(blocks))
	}
	dir := t.TempDir()
	files := strings.NewReplacer("acme.key", filepath.Join(dir, "acme.key"), "leaked.txt", filepath.Join(dir, "leaked.txt"))
	sh, leaked := shell.New(t), apikey.FullKey{}
	for _, block := range blocks {
		if strings.Contains(block.command, "leaked.txt") {
			leaked = w.leak(t, filepath.Join(dir, "acme.key"), filepath.Join(dir, "leaked.txt"))
		}
		answer, err := sh.Run(w.inDeployment(leaked) + files.Replace(block.command))
		if err != nil {
			t.Fatal(err)
		}
		block.check(t, answer)
	}
	for at := range w.items(t) {
		if strings.HasPrefix(at, "acme#") {
			t.Errorf("%s is left of the tenant that was deleted", at)
		}
	}
}

// Each field of which the guide tells is in a line, but for the one that needs DynamoDB to
// refuse a request.
func TestGuideTellsOfFields(t *testing.T) {
	w := newWorld(t)
	root := "Bearer " + w.root.Reveal()
	send(t, w.stack, http.MethodPost, "/api/v1/service_accounts", root, `{"name":"ci","active":true}`)
	send(t, w.stack, http.MethodDelete, "/v1/namespaces/demo/api-keys/"+vector(t).Locator.ID.String(), root, "")
	send(t, w.stack, http.MethodGet, "/v1/auth", "Bearer "+vector(t).Reveal(), "")
	_, section, _ := strings.Cut(string(must(os.ReadFile(guide))(t)), "\n## Reading logs and metrics\n")
	section, _, _ = strings.Cut(section, "\n## ")
	rows := regexp.MustCompile("(?m)^\\| (`[^|]*`) \\| ").FindAllStringSubmatch(section, -1)
	told := 0
	for _, row := range rows {
		for _, field := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(row[1], -1) {
			told++
			if !strings.Contains(w.log.String(), `"`+field[1]+`":`) && field[1] != string(telemetry.Throttles) {
				t.Errorf("no line has a field %s", field[1])
			}
		}
	}
	if told < 15 {
		t.Errorf("the guide tells of %d fields", told)
	}
}

// inDeployment is what a shell has in which the guide's commands run: the repository's
// folder, credentials, and no settings of this machine.
func (w *world) inDeployment(leaked apikey.FullKey) string {
	return "cd ../..; unset AWS_PROFILE MAKEFLAGS MAKELEVEL MFLAGS STACK; export CGO_ENABLED=0 " +
		"AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_REGION=eu-central-1 AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local PAUSE=1s " +
		"AWS_ENDPOINT_URL_LAMBDA=" + shellword.Quote(w.stack.InvokeURL()) +
		" API=" + shellword.Quote(w.stack.URL()) + " ID=" + leaked.Locator.ID.String() + "\n"
}

// leak makes a key with the administrator's in a file, writes it into another, and makes one
// more with it, which a listing shows when this returns.
func (w *world) leak(t *testing.T, root, into string) apikey.FullKey {
	t.Helper()
	text, err := os.ReadFile(root)
	if err != nil {
		t.Fatal(err)
	}
	admin := strings.TrimSpace(string(text))
	leaked := w.issue(t, admin, "leaked")
	last := w.issue(t, leaked.Reveal(), "made by the leaked one")
	if err := os.WriteFile(into, []byte("TOKEN="+leaked.Reveal()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	localtest.WaitUntil(t, func() bool {
		_, listed := send(t, w.stack, http.MethodGet, "/v1/namespaces/acme/api-keys", "Bearer "+admin, "")
		return strings.Contains(listed, last.Locator.ID.String())
	})
	return leaked
}

func (w *world) issue(t *testing.T, with, name string) apikey.FullKey {
	t.Helper()
	status, body := send(t, w.stack, http.MethodPost, "/v1/namespaces/acme/api-keys", "Bearer "+with,
		fmt.Sprintf(`{"meta":{"name":%q},"spec":{"expiration_time":"2099-12-31T00:00:00Z","permissions":{"roles":["SYSTEM_ROLE_ADMIN"]}}}`, name))
	var made struct{ Spec struct{ Key, Secret string } }
	if err := json.Unmarshal([]byte(body), &made); err != nil {
		t.Fatalf("%d, %v", status, err)
	}
	key, err := apikey.ParsePair(made.Spec.Key, made.Spec.Secret)
	if err != nil {
		t.Fatalf("%d, %v", status, err)
	}
	return key
}

// A consoleBlock is a command and the answer that a page shows.
type consoleBlock struct{ command, answer string }

// consoleBlocks gives those of a page. A command goes on behind a line that ends in \.
func consoleBlocks(t *testing.T, page string) []consoleBlock {
	t.Helper()
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []consoleBlock
	pattern := regexp.MustCompile("(?s)```console\n\\$ ((?:[^\n]*\\\\\n)*[^\n]*)\n(.*?)```")
	for _, match := range pattern.FindAllStringSubmatch(string(content), -1) {
		blocks = append(blocks, consoleBlock{match[1], match[2]})
	}
	return blocks
}

// check wants JSON in the shape that is shown, and other answers as they are shown, with
// something in place of each ellipsis.
func (b consoleBlock) check(t *testing.T, answer []byte) {
	t.Helper()
	if strings.HasPrefix(b.answer, "{") {
		if got, want := shapeOf(t, answer), shapeOf(t, []byte(b.answer)); got != want {
			t.Errorf("%s\nis answered in the shape %s,\nthe guide shows     %s", b.command, got, want)
		}
		return
	}
	shown := strings.ReplaceAll(regexp.QuoteMeta(b.answer), "…", "[^\n]+")
	if !regexp.MustCompile("^" + shown + "$").Match(answer) {
		t.Errorf("%s\nis answered\n%s\nthe guide shows\n%s", b.command, answer, b.answer)
	}
}
