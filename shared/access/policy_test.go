package access

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"latchkey/shared/fault"
	"latchkey/shared/namespace"
)

// This file is the policy, as tables. They are read like this.
//
// Methods are letters: r for read, c for create, u for update, d for delete, and
// "-" for none of them.
//
// A place is a namespace, and with "/..." everything below it too: the caller in
// "a.b/..." has propagate, the one in "a.b" has not.
//
// A grant is roles, rules and exceptions, separated by commas:
//
//	SYSTEM_ROLE_READ_ONLY,Project:rc      a role, and a rule on one kind
//	*:rcud,except:Secret                  a rule on every kind but one
//	nothing                               the empty grant

// Who has a role in a.b with propagate may do this. Of a role, "every" is every kind
// of resource, "others" every kind that no row before it names.
const rolesWithPropagate = `
#                                                         own   child  grand-   parent  sibling  look-alikes
#                                                                      child
role                         kinds                        a.b   a.b.c  a.b.c.d  a       a.c      a.bc  a.b-c  a.b_c  a.B  aa.b

SYSTEM_ROLE_ADMIN            every                        rcud  rcud   rcud     -       -        -     -      -      -    -
SYSTEM_ROLE_READ_ONLY        every                        r     r      r        -       -        -     -      -      -    -
SYSTEM_ROLE_POLICY_EDITOR    Policy,PolicyTemplate        rcud  rcud   rcud     -       -        -     -      -      -    -
SYSTEM_ROLE_POLICY_EDITOR    others                       r     r      r        -       -        -     -      -      -    -
SYSTEM_ROLE_CODE_SCANNER     Project,Repository,Finding   rcud  rcud   rcud     -       -        -     -      -      -    -
SYSTEM_ROLE_CODE_SCANNER     others                       r     r      r        -       -        -     -      -      -    -
SYSTEM_ROLE_ONPREM_SCHEDULER Installation,Project         rcud  rcud   rcud     -       -        -     -      -      -    -
SYSTEM_ROLE_ONPREM_SCHEDULER Namespace,ScanRequest        rcud  rcud   rcud     -       -        -     -      -      -    -
SYSTEM_ROLE_ONPREM_SCHEDULER others                       r     r      r        -       -        -     -      -      -    -
SYSTEM_ROLE_ENDOR_PATCHING   every                        -     -      -        -       -        -     -      -      -    -
SYSTEM_ROLE_SYNC_ORG         every                        -     -      -        -       -        -     -      -      -    -
SYSTEM_ROLE_ENDOR_PROXY      every                        -     -      -        -       -        -     -      -      -    -
SYSTEM_ROLE_PACKAGE_FIREWALL every                        -     -      -        -       -        -     -      -      -    -
SYSTEM_ROLE_AI_AUDIT         every                        -     -      -        -       -        -     -      -      -    -
Owner                        every                        rcud  rcud   rcud     -       -        -     -      -      -    -
Editor                       APIKey,ServiceAccount        r     r      r        -       -        -     -      -      -    -
Editor                       others                       rcud  rcud   rcud     -       -        -     -      -      -    -
Viewer                       every                        r     r      r        -       -        -     -      -      -    -
`

// Without propagate, only this.
const rolesWithoutPropagate = `
#                                                         own   child  grand-   parent  sibling  look-alikes
#                                                                      child
role                         kinds                        a.b   a.b.c  a.b.c.d  a       a.c      a.bc  a.b-c  a.b_c  a.B  aa.b

SYSTEM_ROLE_ADMIN            every                        rcud  -      -        -       -        -     -      -      -    -
SYSTEM_ROLE_READ_ONLY        every                        r     -      -        -       -        -     -      -      -    -
SYSTEM_ROLE_POLICY_EDITOR    Policy,PolicyTemplate        rcud  -      -        -       -        -     -      -      -    -
SYSTEM_ROLE_POLICY_EDITOR    others                       r     -      -        -       -        -     -      -      -    -
SYSTEM_ROLE_CODE_SCANNER     Project,Repository,Finding   rcud  -      -        -       -        -     -      -      -    -
SYSTEM_ROLE_CODE_SCANNER     others                       r     -      -        -       -        -     -      -      -    -
SYSTEM_ROLE_ONPREM_SCHEDULER Installation,Project         rcud  -      -        -       -        -     -      -      -    -
SYSTEM_ROLE_ONPREM_SCHEDULER Namespace,ScanRequest        rcud  -      -        -       -        -     -      -      -    -
SYSTEM_ROLE_ONPREM_SCHEDULER others                       r     -      -        -       -        -     -      -      -    -
SYSTEM_ROLE_ENDOR_PATCHING   every                        -     -      -        -       -        -     -      -      -    -
SYSTEM_ROLE_SYNC_ORG         every                        -     -      -        -       -        -     -      -      -    -
SYSTEM_ROLE_ENDOR_PROXY      every                        -     -      -        -       -        -     -      -      -    -
SYSTEM_ROLE_PACKAGE_FIREWALL every                        -     -      -        -       -        -     -      -      -    -
SYSTEM_ROLE_AI_AUDIT         every                        -     -      -        -       -        -     -      -      -    -
Owner                        every                        rcud  -      -        -       -        -     -      -      -    -
Editor                       APIKey,ServiceAccount        r     -      -        -       -        -     -      -      -    -
Editor                       others                       rcud  -      -        -       -        -     -      -      -    -
Viewer                       every                        r     -      -        -       -        -     -      -      -    -
`

// everyKind is our kinds, those that a role names, and one that nobody names.
var everyKind = []string{
	APIKey, ServiceAccount,
	"Project", "Repository", "Finding", "Policy", "PolicyTemplate", "Installation", "Namespace", "ScanRequest",
	"SomethingElse",
}

// What a grant allows, by kind, in the namespace that its holder is in.
const grants = `
grant                                         APIKey  api_key  ServiceAccount  Project  SomethingElse

# Methods, one by one and together.
APIKey:r                                      r       r        -               -        -
APIKey:c                                      c       c        -               -        -
APIKey:u                                      u       u        -               -        -
APIKey:d                                      d       d        -               -        -
APIKey:rc                                     rc      rc       -               -        -
APIKey:ud                                     ud      ud       -               -        -
APIKey:rud                                    rud     rud      -               -        -
APIKey:rcud                                   rcud    rcud     -               -        -
APIKey:-                                      -       -        -               -        -
nothing                                       -       -        -               -        -

# Kinds, one by one and together.
Project:rcud                                  -       -        -               rcud     -
APIKey:r,Project:cd                           r       r        -               cd       -

# Neither case nor underscores count in a kind; all else does.
api_key:rc                                    rc      rc       -               -        -
API_KEY:rc                                    rc      rc       -               -        -
_aPiKeY_:rc                                   rc      rc       -               -        -
service_account:rc                            -       -        rc              -        -
APIKey:r,api_key:c                            rc      rc       -               -        -
APIKeys:rcud                                  -       -        -               -        -
APIKe:rcud                                    -       -        -               -        -
API-Key:rcud                                  -       -        -               -        -
API:rcud                                      -       -        -               -        -
_:rcud                                        -       -        -               -        -

# Every kind, and every kind but some.
*:r                                           r       r        r               r        r
*:cu                                          cu      cu       cu              cu       cu
*:rcud                                        rcud    rcud     rcud            rcud     rcud
*_:rcud                                       -       -        -               -        -
*:rcud,except:APIKey                          -       -        rcud            rcud     rcud
*:rcud,except:api_key                         -       -        rcud            rcud     rcud
*:rcud,except:APIKeys                         rcud    rcud     rcud            rcud     rcud
*:rcud,except:APIKey,except:Project           -       -        rcud            -        rcud

# Rules add up.
*:r,Project:c                                 r       r        r               rc       r
*:r,Project:d,api_key:u                       ru      ru       r               rd       r

# So do roles and rules.
SYSTEM_ROLE_READ_ONLY,APIKey:c                rc      rc       r               r        r
SYSTEM_ROLE_SYNC_ORG,APIKey:c                 c       c        -               -        -
SYSTEM_ROLE_CODE_SCANNER,service_account:ud   r       r        rud             rcud     r
SYSTEM_ROLE_POLICY_EDITOR,Editor              r       r        r               rcud     rcud
Viewer,*:d,except:Project                     rd      rd       rd              r        rd

# An exception takes from the rule on every kind, and never from another rule or a role.
*:rcud,APIKey:r,except:APIKey                 r       r        rcud            rcud     rcud
*:rcud,api_key:r,except:API_KEY               r       r        rcud            rcud     rcud
APIKey:rc,except:APIKey                       rc      rc       -               -        -
Project:rc,except:APIKey                      -       -        -               rc       -
SYSTEM_ROLE_READ_ONLY,except:APIKey           r       r        r               r        r
SYSTEM_ROLE_ADMIN,except:APIKey               rcud    rcud     rcud            rcud     rcud
SYSTEM_ROLE_CODE_SCANNER,except:Project       r       r        r               rcud     r
SYSTEM_ROLE_READ_ONLY,*:rcud,except:APIKey    r       r        rcud            rcud     rcud
Editor,*:rcud,except:Project                  rcud    rcud     rcud            rcud     rcud
`

// A granter has a grant, or a place, and may hand on some and not others.
type granter struct {
	has  string
	asks []ask
}

// An ask is for a grant, or a place.
type ask struct {
	reason  string
	text    string
	granted bool
}

func allow(reason, text string) ask { return ask{reason, text, true} }
func deny(reason, text string) ask  { return ask{reason, text, false} }

// Nobody grants what he does not hold: who holds this grant may grant, where he may
// grant at all, these and not those.
var whatOneGrants = []granter{
	{"nothing", []ask{
		allow("nothing", "nothing"),
		deny("a method", "Project:r"),
		deny("every kind", "*:r"),
		deny("a role", "SYSTEM_ROLE_READ_ONLY"),
		deny("a token", "SYSTEM_ROLE_SYNC_ORG"),
	}},

	// One kind.
	{"Project:rc", []ask{
		allow("what one holds", "Project:rc"),
		allow("the same, spelled differently", "pro_JECT:rc"),
		allow("less", "Project:r"),
		allow("nothing", "nothing"),
		deny("one method more", "Project:rcu"),
		deny("another method", "Project:d"),
		deny("every method", "Project:rcud"),
		deny("another kind", "Finding:r"),
		deny("one kind more", "Project:rc,Finding:r"),
		deny("a kind that looks alike", "Projects:r"),
		deny("a kind of our own", "APIKey:r"),
		deny("every kind", "*:r"),
		deny("every kind but another", "*:r,except:Finding"),
		deny("every kind but the one held", "*:r,except:Project"),
		deny("every kind but one that is none", "*:r,except:_"),
		deny("a role", "SYSTEM_ROLE_READ_ONLY"),
		deny("a role that includes the rule", "SYSTEM_ROLE_CODE_SCANNER"),
		deny("a token", "SYSTEM_ROLE_SYNC_ORG"),
		deny("a token besides", "Project:rc,SYSTEM_ROLE_SYNC_ORG"),
	}},
	{"Project:r,Finding:c", []ask{
		allow("what one holds", "Project:r,Finding:c"),
		allow("one kind of two", "Finding:c"),
		deny("methods of one kind on the other", "Project:c"),
		deny("methods of both kinds on one", "Project:rc"),
	}},
	{"_:rcud,APIKey:rcud", []ask{
		allow("the kind held", "APIKey:rcud"),
		deny("every kind, by who has a kind that is none", "*:r"),
		deny("everything, by who has a kind that is none", "SYSTEM_ROLE_ADMIN"),
	}},
	{"*_:rcud", []ask{
		allow("what one holds", "*_:rcud"),
		deny("every kind, by who has one that only looks like it", "*:r"),
	}},

	// Every kind.
	{"*:r", []ask{
		allow("what one holds", "*:r"),
		allow("a kind instead of every kind", "Secret:r"),
		allow("an exception more", "*:r,except:Secret"),
		allow("the role that is the same", "SYSTEM_ROLE_READ_ONLY"),
		allow("the other API's role that is the same", "Viewer"),
		deny("one method more", "*:rc"),
		deny("one method more on a kind", "Secret:rc"),
		deny("one method more on every kind but one", "*:rc,except:Secret"),
		deny("a role beyond", "SYSTEM_ROLE_POLICY_EDITOR"),
		deny("the other API's role beyond", "Editor"),
		deny("everything", "SYSTEM_ROLE_ADMIN"),
		deny("a token", "SYSTEM_ROLE_SYNC_ORG"),
	}},
	{"*:rcu", []ask{
		allow("what one holds", "*:rcu"),
		allow("a role within", "SYSTEM_ROLE_READ_ONLY"),
		deny("the method that one lacks", "Project:d"),
		deny("a role with the method that one lacks", "SYSTEM_ROLE_CODE_SCANNER"),
		deny("everything as a rule", "*:rcud"),
		deny("everything as a role", "SYSTEM_ROLE_ADMIN"),
		deny("everything as the other API's role", "Owner"),
		deny("a token, by who lacks one method", "SYSTEM_ROLE_SYNC_ORG"),
	}},
	{"*:rcud", []ask{
		allow("what one holds", "*:rcud"),
		allow("the role that is the same", "SYSTEM_ROLE_ADMIN"),
		allow("the other API's role that is the same", "Owner"),
		allow("a role within", "SYSTEM_ROLE_CODE_SCANNER"),
		allow("the other API's role within", "Editor"),
		allow("a kind of our own", "APIKey:rcud"),
		allow("an exception", "*:rcud,except:Secret"),
		allow("a token, by who has everything", "SYSTEM_ROLE_SYNC_ORG"),
		allow("every token", "SYSTEM_ROLE_ENDOR_PATCHING,SYSTEM_ROLE_ENDOR_PROXY,SYSTEM_ROLE_PACKAGE_FIREWALL,SYSTEM_ROLE_AI_AUDIT"),
	}},

	// Every kind but some.
	{"*:rcud,except:Secret", []ask{
		allow("what one holds", "*:rcud,except:Secret"),
		allow("the exception spelled differently", "*:rcud,except:SEC_RET"),
		allow("an exception more", "*:rcud,except:Secret,except:Project"),
		allow("fewer methods", "*:r,except:Secret"),
		allow("another kind than the one left out", "Project:rcud"),
		deny("dropping the exception", "*:rcud"),
		deny("dropping the exception, with fewer methods", "*:r"),
		deny("another exception", "*:rcud,except:Project"),
		deny("an exception that looks alike", "*:rcud,except:Secrets"),
		deny("an exception that is no kind", "*:rcud,except:_"),
		deny("the kind left out", "Secret:r"),
		deny("the kind left out, spelled differently", "sec_ret:r"),
		deny("the kind left out, besides what one holds", "*:rcud,Secret:r,except:Secret"),
		deny("the role without the exception", "SYSTEM_ROLE_ADMIN"),
		deny("the exception beside a role that ignores it", "SYSTEM_ROLE_ADMIN,except:Secret"),
		deny("a role that reads the kind left out", "SYSTEM_ROLE_READ_ONLY"),
		deny("a token, by who lacks one kind", "SYSTEM_ROLE_SYNC_ORG"),
	}},
	{"*:rcud,except:Secret,except:Project", []ask{
		allow("what one holds", "*:rcud,except:Project,except:Secret"),
		allow("an exception more", "*:rcud,except:Secret,except:Project,except:Finding"),
		deny("dropping the first exception", "*:rcud,except:Project"),
		deny("dropping the second exception", "*:rcud,except:Secret"),
		deny("as many exceptions, but others", "*:rcud,except:Secret,except:Finding"),
	}},
	{"*:rcud,Secret:r,except:Secret", []ask{
		allow("what one holds", "*:rcud,Secret:r,except:Secret"),
		allow("dropping the exception, within the rule that mends it", "*:r"),
		allow("a role that the two rules make", "Viewer"),
		deny("dropping the exception, beyond the rule that mends it", "*:ru"),
		deny("the kind left out, beyond the rule that mends it", "Secret:ru"),
	}},
	{"*:rcud,Secret:rcud,except:Secret", []ask{
		allow("dropping an exception that another rule makes whole", "*:rcud"),
		allow("the role that the two rules make", "SYSTEM_ROLE_ADMIN"),
	}},

	// Roles.
	{"SYSTEM_ROLE_ADMIN", []ask{
		allow("what one holds", "SYSTEM_ROLE_ADMIN"),
		allow("the rule that is the same", "*:rcud"),
		allow("the other API's role that is the same", "Owner"),
		allow("the role and a rule", "SYSTEM_ROLE_ADMIN,Secret:rcud"),
		allow("a role within", "SYSTEM_ROLE_ONPREM_SCHEDULER"),
		allow("a token, by who has everything", "SYSTEM_ROLE_SYNC_ORG"),
	}},
	{"SYSTEM_ROLE_ADMIN,except:Secret", []ask{
		allow("the kind that the exception does not take from the role", "Secret:rcud"),
		allow("the role", "SYSTEM_ROLE_ADMIN"),
		allow("a token, by who has everything", "SYSTEM_ROLE_AI_AUDIT"),
	}},
	{"Owner", []ask{
		allow("what one holds", "Owner"),
		allow("the other API's role that is the same", "SYSTEM_ROLE_ADMIN"),
		allow("a role within", "Editor"),
		allow("a token, by who has everything", "SYSTEM_ROLE_ENDOR_PATCHING"),
	}},
	{"SYSTEM_ROLE_READ_ONLY", []ask{
		allow("what one holds", "SYSTEM_ROLE_READ_ONLY"),
		allow("the rule that is the same", "*:r"),
		allow("the other API's role that is the same", "Viewer"),
		allow("reading one kind", "APIKey:r"),
		deny("another method", "APIKey:c"),
		deny("another method on every kind", "*:u"),
		deny("a role beyond: policies", "SYSTEM_ROLE_POLICY_EDITOR"),
		deny("a role beyond: scanning", "SYSTEM_ROLE_CODE_SCANNER"),
		deny("a role beyond: scheduling", "SYSTEM_ROLE_ONPREM_SCHEDULER"),
		deny("a role beyond: editing", "Editor"),
		deny("everything", "SYSTEM_ROLE_ADMIN"),
		deny("everything, as the other API has it", "Owner"),
		deny("a token: patching", "SYSTEM_ROLE_ENDOR_PATCHING"),
		deny("a token: synchronising", "SYSTEM_ROLE_SYNC_ORG"),
		deny("a token: proxy", "SYSTEM_ROLE_ENDOR_PROXY"),
		deny("a token: firewall", "SYSTEM_ROLE_PACKAGE_FIREWALL"),
		deny("a token: audit", "SYSTEM_ROLE_AI_AUDIT"),
		deny("a token besides", "SYSTEM_ROLE_READ_ONLY,SYSTEM_ROLE_SYNC_ORG"),
	}},
	{"SYSTEM_ROLE_POLICY_EDITOR", []ask{
		allow("what one holds", "SYSTEM_ROLE_POLICY_EDITOR"),
		allow("the rules that are the same", "*:r,Policy:rcud,policy_template:rcud"),
		allow("a role within", "SYSTEM_ROLE_READ_ONLY"),
		allow("a kind of the role", "PolicyTemplate:cd"),
		deny("another kind", "Project:c"),
		deny("the methods of the role on every kind", "*:rcud"),
		deny("the methods of the role on every kind but another", "*:rcud,except:Project"),
		deny("a role beside", "SYSTEM_ROLE_CODE_SCANNER"),
	}},
	{"*:r,Policy:rcud,PolicyTemplate:rcud", []ask{
		allow("a role by the rules that it expands to", "SYSTEM_ROLE_POLICY_EDITOR"),
		deny("a role beside", "SYSTEM_ROLE_CODE_SCANNER"),
	}},
	{"*:r,Policy:rcud,PolicyTemplate:rcu", []ask{
		allow("what one holds", "*:r,Policy:rcud,PolicyTemplate:rcu"),
		deny("a role by nearly all rules that it expands to", "SYSTEM_ROLE_POLICY_EDITOR"),
	}},
	{"SYSTEM_ROLE_CODE_SCANNER", []ask{
		allow("what one holds", "SYSTEM_ROLE_CODE_SCANNER"),
		allow("the kind that two roles share", "Project:rcud"),
		allow("a role within", "SYSTEM_ROLE_READ_ONLY"),
		deny("a role that shares a kind", "SYSTEM_ROLE_ONPREM_SCHEDULER"),
		deny("a role besides", "SYSTEM_ROLE_CODE_SCANNER,SYSTEM_ROLE_POLICY_EDITOR"),
	}},
	{"SYSTEM_ROLE_CODE_SCANNER,SYSTEM_ROLE_POLICY_EDITOR", []ask{
		allow("both roles", "SYSTEM_ROLE_POLICY_EDITOR,SYSTEM_ROLE_CODE_SCANNER"),
		allow("rules from both roles", "Policy:d,Finding:d"),
		deny("a third role", "SYSTEM_ROLE_ONPREM_SCHEDULER"),
	}},
	{"Editor", []ask{
		allow("what one holds", "Editor"),
		allow("the rules that are the same", "*:rcud,APIKey:r,ServiceAccount:r,except:APIKey,except:ServiceAccount"),
		allow("the role below", "Viewer"),
		allow("a role on kinds of others", "SYSTEM_ROLE_CODE_SCANNER"),
		deny("the role above", "Owner"),
		deny("everything", "*:rcud"),
		deny("everything but keys", "*:rcud,except:APIKey"),
		deny("everything but accounts", "*:rcud,except:ServiceAccount"),
		deny("creating keys", "APIKey:c"),
		deny("deleting keys, spelled differently", "api_key:d"),
		deny("updating accounts", "ServiceAccount:u"),
		deny("a token", "SYSTEM_ROLE_PACKAGE_FIREWALL"),
	}},
	{"*:rcud,except:APIKey,except:ServiceAccount", []ask{
		allow("what one holds", "*:rcud,except:APIKey,except:ServiceAccount"),
		deny("a role that reads the kinds left out", "Editor"),
	}},

	// Tokens: roles that mean nothing here.
	{"SYSTEM_ROLE_ENDOR_PROXY", []ask{
		allow("what one holds", "SYSTEM_ROLE_ENDOR_PROXY"),
		deny("another token", "SYSTEM_ROLE_SYNC_ORG"),
		deny("the token that came after it", "SYSTEM_ROLE_PACKAGE_FIREWALL"),
		deny("a token besides", "SYSTEM_ROLE_ENDOR_PROXY,SYSTEM_ROLE_AI_AUDIT"),
		deny("a method", "Project:r"),
		deny("a role", "Viewer"),
	}},
	{"SYSTEM_ROLE_READ_ONLY,SYSTEM_ROLE_SYNC_ORG", []ask{
		allow("both", "SYSTEM_ROLE_SYNC_ORG,SYSTEM_ROLE_READ_ONLY"),
		allow("the token", "SYSTEM_ROLE_SYNC_ORG"),
		deny("another token", "SYSTEM_ROLE_ENDOR_PATCHING"),
		deny("the token and more methods", "SYSTEM_ROLE_SYNC_ORG,Project:c"),
	}},
}

// Nor does anybody grant beyond his place: who is here may grant, of what he may
// grant at all, a key for these places and not for those.
var whereOneGrants = []granter{
	{"a.b", []ask{
		allow("own namespace", "a.b"),
		deny("propagate without having it", "a.b/..."),
		deny("below without propagate", "a.b.c"),
		deny("below, and propagate, without having it", "a.b.c/..."),
		deny("above", "a"),
		deny("above, and propagate", "a/..."),
		deny("beside", "a.c"),
		deny("look-alike", "a.bc"),
	}},
	{"a.b/...", []ask{
		allow("own namespace", "a.b"),
		allow("own namespace, and propagate", "a.b/..."),
		allow("below", "a.b.c"),
		allow("below, and propagate", "a.b.c/..."),
		allow("far below", "a.b.c.d.e.f"),
		allow("below, by its own name", "a.b.a.b"),
		deny("above", "a"),
		deny("above, and propagate", "a/..."),
		deny("beside", "a.c"),
		deny("beside, and propagate", "a.c/..."),
		deny("below what is beside", "a.c.b"),
		deny("look-alike: longer", "a.bc"),
		deny("look-alike: longer, and propagate", "a.bc/..."),
		deny("look-alike: with a hyphen", "a.b-c"),
		deny("look-alike: with an underscore", "a.b_c"),
		deny("look-alike: other case", "a.B"),
		deny("look-alike: other case above", "A.b"),
		deny("look-alike: longer above", "aa.b"),
		deny("look-alike: no dot", "ab"),
		deny("look-alike: same end", "x.a.b"),
		deny("below a look-alike", "a.bc.d"),
		deny("below a look-alike with a hyphen", "a.b-c.d"),
		deny("below a look-alike of other case", "a.B.c"),
		deny("another tenant's", "x.b"),
	}},
	{"a/...", []ask{
		allow("below: a.b", "a.b"),
		allow("below: its look-alike", "a.bc"),
		allow("below: its look-alike with a hyphen", "a.b-c/..."),
		deny("another tenant", "b"),
		deny("look-alike: longer", "ab"),
		deny("look-alike: with a hyphen", "a-b"),
		deny("look-alike: with an underscore", "a_b"),
		deny("look-alike: other case", "A"),
		deny("below a look-alike", "ab.b/..."),
	}},
}

func TestRolesWithPropagate(t *testing.T)    { testRoles(t, "a.b/...", rolesWithPropagate) }
func TestRolesWithoutPropagate(t *testing.T) { testRoles(t, "a.b", rolesWithoutPropagate) }

func testRoles(t *testing.T, place, policy string) {
	header, rows := table(t, policy)
	targets := header[2:]
	decided := map[Role][]string{}
	for _, row := range rows {
		name, cells := row[0], row[2:]
		kinds := kindsIn(row[1], decided[Role(name)])
		decided[Role(name)] = append(decided[Role(name)], kinds...)
		t.Run(name+" on "+row[1], func(t *testing.T) {
			for i, target := range targets {
				if cells[i] != "-" && target != "a.b" && !strings.HasPrefix(target, "a.b.") {
					t.Fatalf("the table gives %s in %s, which is not below a.b", cells[i], target)
				}
				for _, kind := range kinds {
					testMethods(t, caller(t, place, name), kind, parse(t, target), cells[i])
				}
			}
		})
	}
	testEverythingIsDecided(t, decided)
}

func kindsIn(cell string, decided []string) []string {
	switch cell {
	case "every":
		return everyKind
	case "others":
		return slices.DeleteFunc(slices.Clone(everyKind), func(kind string) bool { return slices.Contains(decided, kind) })
	}
	return strings.Split(cell, ",")
}

// testMethods tries every set of methods: those within want are allowed, and no other.
func testMethods(t *testing.T, c Caller, kind string, target namespace.Namespace, want string) {
	t.Helper()
	allowed := methodsIn(t, want)
	for methods := Read; methods <= All; methods++ {
		within := methods&^allowed == 0
		err := c.Require(methods, kind, target)
		expect(t, err, within, "%+v: %s on %s in %s", c, letters(methods), kind, target)
		err = c.RequireBelow(methods, kind, target)
		expect(t, err, within && c.Propagate, "%+v: %s on %s in and below %s", c, letters(methods), kind, target)
	}
}

// testEverythingIsDecided fails unless the table has each role, and of each role each
// kind once.
func testEverythingIsDecided(t *testing.T, decided map[Role][]string) {
	t.Helper()
	for _, name := range append(SystemRoles(), Owner, Editor, Viewer) {
		if !slices.Equal(slices.Sorted(slices.Values(decided[name])), slices.Sorted(slices.Values(everyKind))) {
			t.Errorf("%s: the table decides %v, want each kind once", name, decided[name])
		}
		delete(decided, name)
	}
	for name := range decided {
		t.Errorf("%s is in the table, and no API has it", name)
	}
}

// The tables are about the roles and kinds that the package knows.
func TestTablesAreComplete(t *testing.T) {
	known := append(SystemRoles(), Owner, Editor, Viewer)
	if got, want := slices.Sorted(maps.Keys(roles)), slices.Sorted(slices.Values(known)); !slices.Equal(got, want) {
		t.Errorf("roles that expand: %v, want %v", got, want)
	}
	spelled := append(normaliseAll(everyKind), unnamed)
	for _, kind := range mentioned(slices.Collect(maps.Values(roles))...) {
		if !slices.Contains(spelled, kind) {
			t.Errorf("a role names %s, and no table decides it", kind)
		}
	}
}

func TestGrants(t *testing.T) {
	header, rows := table(t, grants)
	for _, row := range rows {
		t.Run(row[0], func(t *testing.T) {
			for i, kind := range header[1:] {
				testMethods(t, caller(t, "a.b", row[0]), kind, parse(t, "a.b"), row[i+1])
			}
		})
	}
}

// Every row about what one grants is tried with every row about where.
func TestGranting(t *testing.T) {
	for _, holder := range whatOneGrants {
		for _, what := range holder.asks {
			t.Run(holder.has+" grants "+what.reason, func(t *testing.T) {
				for _, local := range whereOneGrants {
					for _, where := range local.asks {
						testGranting(t, holder.has, what, local.has, where)
					}
				}
			})
		}
	}
}

// testGranting expects that what both rows allow is granted, and nothing else. What one
// of them refuses is granted to a caller that differs in one thing: it holds what is
// asked, or is where that is asked for. So the row's reason is the only one.
func testGranting(t *testing.T, held string, what ask, place string, where ask) {
	t.Helper()
	asked := grantIn(t, what.text)
	target, propagate := placeIn(t, where.text)
	for _, try := range []struct {
		held, place string
		want        bool
	}{
		{held, place, what.granted && where.granted},
		{what.text, place, where.granted},
		{held, where.text, what.granted},
	} {
		err := caller(t, try.place, try.held).RequireHolds(asked, target, propagate)
		expect(t, err, try.want, "%s in %s grants %s in %s (%s)", try.held, try.place, what.text, where.text, where.reason)
	}
}

// Places are the same for acting: with "/...", in a namespace and below it.
func TestPlaces(t *testing.T) {
	for _, local := range whereOneGrants {
		c := caller(t, local.has, "SYSTEM_ROLE_ADMIN")
		for _, where := range local.asks {
			t.Run("from "+local.has+" to "+where.reason, func(t *testing.T) {
				target, below := placeIn(t, where.text)
				require := c.Require
				if below {
					require = c.RequireBelow
				}
				expect(t, require(Read, APIKey, target), where.granted, "an administrator in %s acts in %s", local.has, where.text)
			})
		}
	}
}

// Each refusal stands beside something that the same caller may grant.
func TestRefusalsHaveNeighbours(t *testing.T) {
	for _, g := range slices.Concat(whatOneGrants, whereOneGrants) {
		if !slices.ContainsFunc(g.asks, func(a ask) bool { return a.granted }) {
			t.Errorf("%s may grant nothing: its refusals prove nothing", g.has)
		}
	}
}

// Who is in no namespace may do nothing, anywhere; nobody may do anything nowhere.
func TestNowhere(t *testing.T) {
	everywhere, nowhere := parse(t, "a"), namespace.Namespace{}
	lost := Caller{Propagate: true, Grant: Grant{Roles: []Role{Admin}}}
	for _, test := range []struct {
		caller Caller
		target namespace.Namespace
	}{
		{lost, everywhere},
		{lost, nowhere},
		{caller(t, "a/...", "SYSTEM_ROLE_ADMIN"), nowhere},
		{Caller{}, everywhere},
		{Caller{}, nowhere},
	} {
		testMethods(t, test.caller, APIKey, test.target, "-")
		expect(t, test.caller.RequireHolds(Grant{}, test.target, false), false, "%+v grants in %q", test.caller, test.target)
	}
}

// expect fails the test unless err is nil where allowed, and Forbidden where not.
func expect(t *testing.T, err error, allowed bool, format string, args ...any) {
	t.Helper()
	if allowed && err != nil || !allowed && !errors.Is(err, fault.Forbidden) {
		t.Fatalf(format+": %v, want allowed %v", append(args, err, allowed)...)
	}
}

// table reads lines of cells, the first one the header. A line that begins with "#" is
// a comment.
func table(t *testing.T, text string) (header []string, rows [][]string) {
	t.Helper()
	for line := range strings.Lines(text) {
		cells := strings.Fields(line)
		switch {
		case len(cells) == 0 || cells[0] == "#":
		case header == nil:
			header = cells
		case len(cells) != len(header):
			t.Fatalf("%q has %d cells, want %d", line, len(cells), len(header))
		default:
			rows = append(rows, cells)
		}
	}
	return header, rows
}

const methodLetters = "rcud" // in the order of the bits of Method

func methodsIn(t *testing.T, cell string) Method {
	t.Helper()
	var methods Method
	for _, letter := range strings.TrimPrefix(cell, "-") {
		i := strings.IndexRune(methodLetters, letter)
		if i < 0 {
			t.Fatalf("%q is no set of methods", cell)
		}
		methods |= Read << i
	}
	return methods
}

func letters(methods Method) string {
	var text strings.Builder
	for i, letter := range methodLetters {
		if methods&(Read<<i) != 0 {
			text.WriteRune(letter)
		}
	}
	return text.String()
}

func grantIn(t *testing.T, text string) Grant {
	t.Helper()
	g := Grant{Rules: map[string]Method{}}
	for part := range strings.SplitSeq(text, ",") {
		kind, rest, isRule := strings.Cut(part, ":")
		_, isRole := roles[Role(part)]
		switch {
		case kind == "except":
			g.Except = append(g.Except, rest)
		case isRule:
			g.Rules[kind] |= methodsIn(t, rest)
		case isRole:
			g.Roles = append(g.Roles, Role(part))
		case part != "nothing":
			t.Fatalf("%q is no part of a grant", part)
		}
	}
	return g
}

func placeIn(t *testing.T, text string) (ns namespace.Namespace, propagate bool) {
	t.Helper()
	path, propagate := strings.CutSuffix(text, "/...")
	return parse(t, path), propagate
}

func caller(t *testing.T, place, grant string) Caller {
	t.Helper()
	ns, propagate := placeIn(t, place)
	return Caller{Namespace: ns, Propagate: propagate, Grant: grantIn(t, grant)}
}

func parse(t *testing.T, path string) namespace.Namespace {
	t.Helper()
	ns, err := namespace.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	return ns
}
