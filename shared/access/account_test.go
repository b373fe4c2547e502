package access

import "testing"

// What somebody may do in a.b with service accounts and with keys: those of the account
// x, of another one, and of none. Who has an account, x, has a key of it; "holds" are the
// accounts whose keys he may hand out.
//
// Of the kind ServiceAccount, x is the account itself, and none is every account at
// once, or a new one.
const accountRights = `
grant                                    place    account  kind             x     other  none  holds

# Who manages keys and accounts, by role or by rules.
SYSTEM_ROLE_ADMIN                        a.b      -        APIKey           rcud  rcud   rcud  x,other
SYSTEM_ROLE_ADMIN                        a.b      -        ServiceAccount   rcud  rcud   rcud  x,other
Owner                                    a.b      -        APIKey           rcud  rcud   rcud  x,other
Owner                                    a.b      -        ServiceAccount   rcud  rcud   rcud  x,other
*:rcud                                   a.b      -        APIKey           rcud  rcud   rcud  x,other
APIKey:rcud,ServiceAccount:rcud          a.b      -        APIKey           rcud  rcud   rcud  x,other
APIKey:rcud,ServiceAccount:rcud          a.b      -        ServiceAccount   rcud  rcud   rcud  x,other
api_key:rcud,service_account:ru          a.b      -        APIKey           rcud  rcud   rcud  x,other
api_key:rcud,service_account:ru          a.b      -        ServiceAccount   ru    ru     ru    x,other

# Nobody hands out what he does not hold: each lacks something of what an account's key does.
APIKey:rcud                              a.b      -        APIKey           rcud  rcud   rcud  -
APIKey:rcud                              a.b      -        ServiceAccount   -     -      -     -
APIKey:rcud,ServiceAccount:r             a.b      -        APIKey           rcud  rcud   rcud  -
APIKey:rcud,ServiceAccount:u             a.b      -        ServiceAccount   u     u      u     -
APIKey:rcu,ServiceAccount:rcud           a.b      -        APIKey           rcu   rcu    rcu   -
APIKey:rud,ServiceAccount:rcud           a.b      -        APIKey           rud   rud    rud   -
APIKey:cud,ServiceAccount:rcud           a.b      -        APIKey           cud   cud    cud   -
ServiceAccount:rcud                      a.b      -        ServiceAccount   rcud  rcud   rcud  -
ServiceAccount:rcud                      a.b      -        APIKey           -     -      -     -
*:rcud,except:ServiceAccount             a.b      -        APIKey           rcud  rcud   rcud  -

# Who reads.
SYSTEM_ROLE_READ_ONLY                    a.b      -        APIKey           r     r      r     -
SYSTEM_ROLE_READ_ONLY                    a.b      -        ServiceAccount   r     r      r     -
Viewer                                   a.b      -        ServiceAccount   r     r      r     -
Editor                                   a.b      -        APIKey           r     r      r     -
Editor                                   a.b      -        ServiceAccount   r     r      r     -
SYSTEM_ROLE_CODE_SCANNER                 a.b      -        ServiceAccount   r     r      r     -
SYSTEM_ROLE_SYNC_ORG                     a.b      -        APIKey           -     -      -     -
nothing                                  a.b      -        APIKey           -     -      -     -
nothing                                  a.b      -        ServiceAccount   -     -      -     -

# An account's key.
nothing                                  a.b      x        APIKey           rcud  r      r     x
nothing                                  a.b      x        ServiceAccount   ru    r      r     x
nothing                                  a.b      x        Project          -     -      -     x

# Should one ever have a grant besides, what either allows.
SYSTEM_ROLE_ADMIN                        a.b      x        ServiceAccount   rcud  rcud   rcud  x,other

# Neither has any rights elsewhere: a.b is above, beside, or below them.
SYSTEM_ROLE_ADMIN                        a/...    -        APIKey           rcud  rcud   rcud  x,other
SYSTEM_ROLE_ADMIN                        a/...    -        ServiceAccount   rcud  rcud   rcud  x,other
APIKey:rcud                              a/...    -        APIKey           rcud  rcud   rcud  -
SYSTEM_ROLE_ADMIN                        a        -        APIKey           -     -      -     -
SYSTEM_ROLE_ADMIN                        a.b.c    -        ServiceAccount   -     -      -     -
SYSTEM_ROLE_ADMIN                        a.bc/... -        ServiceAccount   -     -      -     -
nothing                                  a        x        APIKey           -     -      -     -
nothing                                  a        x        ServiceAccount   -     -      -     -
nothing                                  a.b.c    x        APIKey           -     -      -     -
nothing                                  a.b-c    x        APIKey           -     -      -     -
nothing                                  A.b      x        ServiceAccount   -     -      -     -
`

func TestAccountRights(t *testing.T) {
	_, rows := table(t, accountRights)
	for _, row := range rows {
		kind, holds := row[3], row[7]
		t.Run(row[0]+" in "+row[1]+" with "+row[2]+" on "+kind, func(t *testing.T) {
			c := accountCaller(t, row[1], row[0], row[2])
			for i, account := range []string{"x", "other", ""} {
				testMethodsOf(t, c, account, kind, row[4+i])
				testHoldsAccount(t, c, account, holds)
			}
			testMethodsAtOnce(t, c, kind, row[6])
		})
	}
}

func accountCaller(t *testing.T, place, grant, account string) Caller {
	t.Helper()
	c := caller(t, place, grant)
	if account != "-" {
		c.Account = account
	}
	return c
}

// testMethodsOf tries every set of methods: those within want are allowed, no others.
func testMethodsOf(t *testing.T, c Caller, account, kind, want string) {
	t.Helper()
	for methods := Read; methods <= All; methods++ {
		err := c.RequireOf(account, methods, kind, parse(t, "a.b"))
		within := methods&^methodsIn(t, want) == 0
		expect(t, err, within, "%+v: %s on %s of %q", c, letters(methods), kind, account)
	}
	expect(t, c.RequireOf(account, 0, kind, parse(t, "a.b")), false, "%+v: nothing on %s of %q", c, kind, account)
}

// testMethodsAtOnce holds Require to be about what is nobody's.
func testMethodsAtOnce(t *testing.T, c Caller, kind, want string) {
	t.Helper()
	testMethods(t, c, kind, parse(t, "a.b"), want)
}

func testHoldsAccount(t *testing.T, c Caller, account, holds string) {
	t.Helper()
	want := holds == "x,other" || holds == account
	expect(t, c.RequireHoldsAccount(account, parse(t, "a.b")), want, "%+v hands out keys of %q", c, account)
}

// An account's key can hand on nothing but keys of its account: no grant, though it may
// itself do what the grant would, and nothing below.
func TestAccountKeyGrantsNothing(t *testing.T) {
	c := accountCaller(t, "a.b", "nothing", "x")
	for _, asked := range []string{
		"APIKey:r", "ServiceAccount:r", "ServiceAccount:ru", "APIKey:rcud", "*:r", "SYSTEM_ROLE_READ_ONLY", "SYSTEM_ROLE_SYNC_ORG",
	} {
		expect(t, c.RequireHolds(grantIn(t, asked), parse(t, "a.b"), false), false, "an account's key grants %s", asked)
	}
	expect(t, c.RequireHolds(Grant{}, parse(t, "a.b"), true), false, "an account's key grants propagate")
	expect(t, c.RequireBelow(Read, APIKey, parse(t, "a.b")), false, "an account's key reads what is below")
	expect(t, c.RequireHoldsAccount("x", parse(t, "a.b.c")), false, "an account's key reaches below")
	if len(c.Grant.clauses()) > 0 {
		t.Errorf("an account's key has the grant %+v", c.Grant)
	}
}

// What is not Latchkey's own asks for a grant: whose key it is counts for nothing there.
func TestIsGranted(t *testing.T) {
	for _, grant := range []string{"nothing", "APIKey:r", "SYSTEM_ROLE_ADMIN"} {
		for _, account := range []string{"-", "x"} {
			c := accountCaller(t, "a.b", grant, account)
			for _, kind := range []string{APIKey, ServiceAccount, "orders"} {
				for target, want := range map[string]bool{"a.b": c.Grant.Allows(Read, kind), "a.c": false, "a.b.c": false} {
					if got := c.IsGranted(Read, kind, parse(t, target)); got != want {
						t.Errorf("%+v reads %s in %s: %v", c, kind, target, got)
					}
				}
			}
		}
	}
}

// The rights of an account's key are of its account's id, and of none that is empty.
func TestNobodysAccount(t *testing.T) {
	nobody := accountCaller(t, "a.b", "nothing", "-")
	expect(t, nobody.RequireOf("", Read, APIKey, parse(t, "a.b")), false, "who has no account reads what is of none")
	expect(t, nobody.RequireHoldsAccount("", parse(t, "a.b")), false, "who has no account holds what is of none")
	lost := Caller{Account: "x"}
	expect(t, lost.RequireOf("x", Read, APIKey, lost.Namespace), false, "an account that is nowhere reads there")
	expect(t, lost.RequireHoldsAccount("x", lost.Namespace), false, "an account that is nowhere hands out keys there")
}
