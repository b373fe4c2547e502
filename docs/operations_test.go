// Package docs_test holds the guide to what there is: every target of the Makefile, every
// setting, output and alarm, every command of the AWS command line, every operation and
// field of a query, the figures of the catalogue and of its limits, and every file that it names. What can run
// locally is run in latchkey/localstack/endtoend, and the table of costs is made in
// latchkey/shared/boot.
package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"latchkey/shared/apikey"
	"latchkey/shared/namespace"
	"latchkey/shared/operation"
	"latchkey/shared/schema"
	"latchkey/shared/session"
	"latchkey/shared/telemetry"
	"latchkey/shared/web"
)

const guide = "operations.md"

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// found gives what the group of a pattern matches in a text, each once.
func found(t *testing.T, text, pattern string) []string {
	t.Helper()
	var all []string
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		all = append(all, match[1])
	}
	if len(all) == 0 {
		t.Fatalf("nothing matches %s", pattern)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// commands are the lines and the words in backquotes that begin with a program's name.
func commands(t *testing.T, program string) []string {
	t.Helper()
	text := read(t, guide)
	lines := found(t, text, `(?m)^ *(?: {4}|\$ (?:umask 077; )?)(`+program+` [^#\n]*)`)
	if spans := regexp.MustCompile("`("+program+" [^`]*)`").FindAllStringSubmatch(text, -1); spans != nil {
		lines = append(lines, found(t, text, "`("+program+" [^`]*)`")...)
	}
	return lines
}

// words takes a command apart as a shell does that has no more than simple quotes and
// redirections to look at.
func words(command string) []string {
	var all []string
	for _, word := range regexp.MustCompile(`[^\s']*'[^']*'|\S+`).FindAllString(command, -1)[1:] {
		if !strings.ContainsAny(word[:1], "<>") {
			all = append(all, strings.ReplaceAll(word, "'", ""))
		}
	}
	return all
}

func TestMakeHasTheTargets(t *testing.T) {
	makefile := read(t, "../Makefile")
	for _, command := range commands(t, "make") {
		for _, word := range words(command) {
			name, value, isVariable := strings.Cut(word, "=")
			switch {
			case isVariable && !strings.Contains(makefile, "$("+name+")"):
				t.Errorf("%s: the Makefile has no variable %s", command, name)
			case name == "ARGS":
				checkArguments(t, command, value)
			case !isVariable && !regexp.MustCompile(`(?m)^`+regexp.QuoteMeta(word)+`:`).MatchString(makefile):
				t.Errorf("%s: the Makefile has no target %s", command, word)
			}
		}
	}
}

// What cdk takes beside -c, as the guide uses it.
//
// https://docs.aws.amazon.com/cdk/v2/guide/ref-cli-cmd-deploy.html
var cdkFlags = []string{"--all", "--import-existing-resources"}

func checkArguments(t *testing.T, command, arguments string) {
	t.Helper()
	known, isContext := settings(t), false
	for argument := range strings.FieldsSeq(arguments) {
		name, _, isPair := strings.Cut(argument, "=")
		switch {
		case argument == "-c":
			isContext = true
			continue
		case isContext && (!isPair || !slices.Contains(known, name)):
			t.Errorf("%s: there is no setting %s", command, name)
		case !isContext && !slices.Contains(cdkFlags, argument):
			t.Errorf("%s: cdk's %s is not known here", command, argument)
		}
		isContext = false
	}
}

func TestLimitedRoutesExist(t *testing.T) {
	for _, name := range found(t, read(t, guide), `([a-z-]+)=\d+/\d+`) {
		if op, ok := operation.Named(name); !ok || op.Route == "" {
			t.Errorf("no operation with a route is called %s", name)
		}
	}
}

// settings are those of the README's table, which is held to be whole beside the settings.
func settings(t *testing.T) []string {
	t.Helper()
	_, table, ok := strings.Cut(read(t, "../README.md"), "| value | without it | |\n")
	if !ok {
		t.Fatal("the README has no table of settings")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	return found(t, table, "(?m)^\\| `(\\w+)` \\|")
}

func TestSettingsExist(t *testing.T) {
	known := slices.Concat(settings(t), accessLogFields(t))
	text := read(t, guide)
	for _, name := range slices.Concat(found(t, text, "`\"(\\w+)\"[:`]"), found(t, text, "`([a-z]+[A-Z]\\w*)`")) {
		if !slices.Contains(known, name) && name != "retain_period_minutes" {
			t.Errorf("there is neither a setting nor a field of the access log by the name of %s", name)
		}
	}
}

func accessLogFields(t *testing.T) []string {
	t.Helper()
	return found(t, read(t, "../infra/latchkey/accesslog.go"), `\{"(\w+)", +"\$context`)
}

func TestOutputsAndAlarmsExist(t *testing.T) {
	text, stack, alarms := read(t, guide), read(t, "../infra/latchkey/stack.go"), read(t, "../infra/latchkey/alarms.go")
	for _, name := range found(t, text, "(?:output|new)\\s+`([A-Z]\\w+)`") {
		if !strings.Contains(stack, `= "`+name+`"`) {
			t.Errorf("the stack has no output %s", name)
		}
	}
	for _, name := range found(t, text, "alarm\\s+`([a-z-]+)`") {
		if !strings.Contains(alarms, `"`+name) {
			t.Errorf("there is no alarm %s", name)
		}
	}
}

// A command's service, action, flags and what its answer is searched for are the methods
// and fields of the SDK, whose names are those of the API, as the command line's are.
//
// https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-parameters.html
func TestAWSCommandsExist(t *testing.T) {
	clients := map[string]reflect.Type{
		"dynamodb": reflect.TypeFor[*dynamodb.Client](),
		"kms":      reflect.TypeFor[*kms.Client](),
		"lambda":   reflect.TypeFor[*lambda.Client](),
	}
	for _, command := range commands(t, "aws") {
		parts := words(command)
		client, ok := clients[parts[0]]
		if !ok {
			t.Errorf("%s: the service is not known here", command)
			continue
		}
		method, ok := client.MethodByName(camel(parts[1]))
		if !ok {
			t.Errorf("%s: %s has no action %s", command, parts[0], parts[1])
			continue
		}
		if err := checkFlags(method.Type, parts[2:]); err != nil {
			t.Errorf("%s: %v", command, err)
		}
	}
}

// checkFlags looks at each flag and its value, if it has one, and for what must be set.
func checkFlags(method reflect.Type, flags []string) error {
	input, output := method.In(2).Elem(), method.Out(0).Elem()
	for i := 0; i < len(flags); i++ {
		name, isFlag := strings.CutPrefix(flags[i], "--")
		if !isFlag {
			return fmt.Errorf("%s is no flag", flags[i])
		}
		holder, field := input, camel(name)
		if name == "query" {
			holder, field = output, strings.Split(flags[i+1], ".")[0]
		}
		found, ok := holder.FieldByName(field)
		if !ok {
			return fmt.Errorf("--%s: %s has no %s", name, holder, field)
		}
		if found.Type == reflect.TypeFor[*bool]() {
			continue
		}
		i++
		if i == len(flags) || strings.HasPrefix(flags[i], "--") {
			return fmt.Errorf("--%s has no value", name)
		}
		if err := checkValue(found.Type, flags[i]); err != nil && name != "query" {
			return fmt.Errorf("--%s: %w", name, err)
		}
	}
	return nil
}

// checkValue holds a value of several members, as Name=value,Name=value, to their names.
func checkValue(kind reflect.Type, value string) error {
	if kind.Kind() != reflect.Pointer || kind.Elem().Kind() != reflect.Struct || kind.Elem().PkgPath() == "time" {
		return nil
	}
	for member := range strings.SplitSeq(value, ",") {
		name, _, _ := strings.Cut(member, "=")
		if _, ok := kind.Elem().FieldByName(name); !ok {
			return fmt.Errorf("%s has no %s", kind.Elem(), name)
		}
	}
	return nil
}

// camel is the API's name of what the command line writes with hyphens.
func camel(hyphenated string) string {
	var name strings.Builder
	for part := range strings.SplitSeq(hyphenated, "-") {
		name.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return name.String()
}

func TestQueriesAreOfWhatIsLogged(t *testing.T) {
	text := read(t, guide)
	fields := slices.Concat(accessLogFields(t), []string{"timestamp"})
	for _, row := range found(t, text, "(?m)^\\| (`[^|]*`) \\| ") {
		fields = append(fields, found(t, row+"`_`", "`(\\w+)`")...)
	}
	language := strings.Fields("fields filter sort stats limit by as count and or in not ispresent desc asc")
	for _, query := range found(t, text, "(?s)```insights\n(.*?)```") {
		for _, name := range regexp.MustCompile(`"([a-z-]+)"`).FindAllStringSubmatch(query, -1) {
			if _, ok := operation.Named(name[1]); !ok && name[1] != apikey.Valid.String() {
				t.Errorf("there is no operation %s", name[1])
			}
		}
		own := regexp.MustCompile(` as (\w+)`).FindAllStringSubmatch(query, -1)
		bare := regexp.MustCompile(`"[^"]*"`).ReplaceAllString(query, "")
		for _, name := range regexp.MustCompile(`[A-Za-z_]+`).FindAllString(bare, -1) {
			isOwn := slices.ContainsFunc(own, func(as []string) bool { return as[1] == name })
			if !isOwn && !slices.Contains(language, name) && !slices.Contains(fields, name) {
				t.Errorf("no line has a field %s, of which is asked:\n%s", name, query)
			}
		}
	}
}

func TestVerdictsAreTold(t *testing.T) {
	wanted := []string{telemetry.MalformedVerdict, session.VerdictOf(session.Refuse(nil))}
	for reason := apikey.Unknown; reason <= apikey.Valid; reason++ {
		wanted = append(wanted, reason.String())
	}
	slices.Sort(wanted)
	row := found(t, read(t, guide), "(?m)^\\| `verdict` \\|[^:]*: (.*) \\|$")
	if told := found(t, row[0], "`(\\w+)`"); !slices.Equal(told, wanted) {
		t.Errorf("the guide tells of the verdicts %v, want %v", told, wanted)
	}
}

func TestFiguresAreOurs(t *testing.T) {
	text := read(t, guide)
	for _, figure := range []string{
		fmt.Sprintf("| %d KiB |", web.MaxBodyBytes>>10),
		fmt.Sprintf("| %d KB, so that", schema.MaxKeyItemBytes>>10),
		fmt.Sprintf("| %d bytes; %d bytes |", namespace.MaxLength, apikey.MaxFullKeyLength),
		fmt.Sprintf("| %d,000 | an error; pages", apikey.MaxSkip/1000),
		fmt.Sprintf("| %v s for lists, %v s otherwise,", operation.ListAPIKeys.Timeout.Seconds(), operation.WhoAmI.Timeout.Seconds()),
		fmt.Sprintf("at %d MB (validations %d MB, lists %d MB)",
			operation.CreateAPIKey.MemoryMB, operation.ValidateAPIKey.MemoryMB, operation.ListAPIKeys.MemoryMB),
		"looks again after " + found(t, read(t, "../infra/delete-namespace/main.go"), `const pause = (\d+) \* time.Second`)[0] + " seconds",
		"AttributeName=" + schema.Table.TTL + "\n",
		"StreamViewType=" + schema.Table.StreamView + "\n",
		exchangesText(),
	} {
		if !strings.Contains(text, figure) {
			t.Errorf("the guide does not say %q", figure)
		}
	}
}

// exchangesText is what the limits of the routes that sign come to.
func exchangesText() string {
	routes, rate := 0, operation.Login.Throttle.Rate
	for _, op := range operation.All {
		if slices.Contains(op.SessionKeys, operation.Sign) && op.Throttle.Rate == rate {
			routes++
		}
	}
	words := []string{"no", "one", "two", "three", "four"}
	return fmt.Sprintf("%s routes that exchange have %d requests a second each: %d a second at most, and %d,000 signatures a minute",
		words[routes], rate, routes*rate, routes*rate*60/1000)
}

func TestLinksLeadSomewhere(t *testing.T) {
	for _, link := range found(t, read(t, guide), `\]\(([^)]+)\)`) {
		if strings.HasPrefix(link, "https://") {
			continue
		}
		file, heading, hasHeading := strings.Cut(link, "#")
		if file == "" {
			file = guide
		}
		if text := read(t, filepath.FromSlash(file)); hasHeading && !slices.Contains(headings(t, text), heading) {
			t.Errorf("%s: %s has no such heading", link, file)
		}
	}
}

// headings are a page's, as links write them.
func headings(t *testing.T, text string) []string {
	t.Helper()
	var all []string
	for _, heading := range found(t, text, `(?m)^#+ (.*)$`) {
		plain := regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(heading), "")
		all = append(all, strings.ReplaceAll(plain, " ", "-"))
	}
	return all
}
