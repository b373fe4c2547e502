package dynamo_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/shared/apikey"
	"latchkey/shared/dynamo"
	"latchkey/shared/dynamo/dynamotest"
	"latchkey/shared/fault"
	"latchkey/shared/schema"
)

// A household is an account with a key, and another key whose record TTL has removed.
type household struct {
	account apikey.Account
	key     apikey.Key
	gone    apikey.Key
}

func newHousehold(t *testing.T, config dynamo.Config) household {
	t.Helper()
	h := household{account: withAccountTexts(newAccount("demo", "x"))}
	h.key, h.gone = withTexts(keyOf(h.account, "ci")), keyOf(h.account, "gone")
	createAccount(t, dynamo.New(config), h.account)
	create(t, dynamo.New(config), h.key)
	create(t, dynamo.New(config), h.gone)
	remove(t, config, placeOf(h.gone))
	remove(t, config, place{placeOf(h.gone).partition, schema.UseItem})
	return h
}

// An ownedOperation is one way to use a store with an account.
type ownedOperation struct {
	name  string
	do    func(context.Context, *dynamo.Store, household) error
	items int // more than before
}

// requests are as many as the operation takes.
func (op ownedOperation) requests() int {
	if strings.HasSuffix(op.name, "the name of one that is gone") {
		return 3
	}
	return 1
}

var ownedOperations = []ownedOperation{
	{"create account", func(ctx context.Context, s *dynamo.Store, h household) error {
		return s.CreateAccount(ctx, newAccountLike(h.account, "y"))
	}, 3},
	{"lookup account", func(ctx context.Context, s *dynamo.Store, h household) error {
		return second(s.LookupAccount(ctx, h.account.Locator()))
	}, 0},
	{"get account", func(ctx context.Context, s *dynamo.Store, h household) error {
		return second(s.GetAccount(ctx, h.account.Locator()))
	}, 0},
	{"get account at once", func(ctx context.Context, s *dynamo.Store, h household) error {
		return second(s.GetAccountAtOnce(ctx, h.account.Locator()))
	}, 0},
	{"account named", func(ctx context.Context, s *dynamo.Store, h household) error {
		return second(s.AccountNamed(ctx, h.account.Namespace, "x"))
	}, 0},
	{"key named", func(ctx context.Context, s *dynamo.Store, h household) error {
		return second(s.KeyNamed(ctx, h.account.Locator(), "ci"))
	}, 0},
	{"update account", func(ctx context.Context, s *dynamo.Store, h household) error {
		return s.UpdateAccount(ctx, h.account, h.account)
	}, 0},
	{"switch account", func(ctx context.Context, s *dynamo.Store, h household) error {
		return s.SwitchAccount(ctx, h.account)
	}, 0},
	{"switch key", func(ctx context.Context, s *dynamo.Store, h household) error {
		return s.Switch(ctx, h.key)
	}, 0},
	{"rename account", func(ctx context.Context, s *dynamo.Store, h household) error {
		renamed := h.account
		renamed.Name = "z"
		return s.UpdateAccount(ctx, h.account, renamed)
	}, 0},
	{"mark account", func(ctx context.Context, s *dynamo.Store, h household) error {
		return s.MarkAccount(ctx, h.account, noon)
	}, -1},
	{"create key", func(ctx context.Context, s *dynamo.Store, h household) error {
		return s.Create(ctx, withTexts(keyOf(h.account, "cd")))
	}, 4},
	{"create key with the name of one that is gone", func(ctx context.Context, s *dynamo.Store, h household) error {
		return s.Create(ctx, withTexts(keyOf(h.account, "gone")))
	}, 3},
	{"rename key", func(ctx context.Context, s *dynamo.Store, h household) error {
		return second(tryRenameKey(ctx, s, h.key, "cd"))
	}, 0},
	{"rename key to the name of one that is gone", func(ctx context.Context, s *dynamo.Store, h household) error {
		return second(tryRenameKey(ctx, s, h.key, "gone"))
	}, -1},
	{"rotate key", func(ctx context.Context, s *dynamo.Store, h household) error {
		rotated := h.key
		rotated.Digest, rotated.Previous, rotated.RotatedAt = apikey.Digest{1}, h.key.Digest, noon
		return s.Update(ctx, h.key, rotated)
	}, 0},
	{"delete key", func(ctx context.Context, s *dynamo.Store, h household) error { return s.Delete(ctx, h.key) }, -4},
	{"note use", func(ctx context.Context, s *dynamo.Store, h household) error {
		return s.NoteUse(ctx, h.key.Locator, noon, noon)
	}, 0},
	{"add uses", func(ctx context.Context, s *dynamo.Store, h household) error {
		return s.AddUses(ctx, []apikey.Key{h.key})
	}, 0},
	{"add account texts", func(ctx context.Context, s *dynamo.Store, h household) error {
		return second(s.AddAccountTexts(ctx, []apikey.Account{h.account}))
	}, 0},
	{"accounts", func(ctx context.Context, s *dynamo.Store, h household) error {
		for _, err := range s.Accounts(ctx, h.account.Namespace) {
			return err
		}
		return nil
	}, 0},
	{"account keys", func(ctx context.Context, s *dynamo.Store, h household) error {
		for _, err := range s.AccountKeys(ctx, h.account.Locator()) {
			return err
		}
		return nil
	}, 0},
}

func newAccountLike(account apikey.Account, name string) apikey.Account {
	other := newAccount("demo", name)
	other.Texts = account.Texts
	return other
}

// Two faults that pass are survived, whichever request they strike, and so are answers
// that are lost of what was done; three in a row are an outage. What is done is whole.
func TestFaultsOfOwned(t *testing.T) {
	all := map[string]dynamotest.Fault{"lost answer": dynamotest.LoseAnswer}
	for name, injected := range passingFaults {
		all[name] = injected
	}
	for name, injected := range all {
		for _, op := range ownedOperations {
			t.Run(name+"/"+op.name, func(t *testing.T) {
				t.Parallel()
				for behind := range op.requests() {
					faults := slices.Concat(slices.Repeat([]dynamotest.Fault{dynamotest.Pass}, behind), []dynamotest.Fault{injected, injected})
					wantDone(t, op, faults)
				}
				if name != conflictOfTransactions {
					wantOutage(t, op, injected)
				}
			})
		}
	}
}

func wantDone(t *testing.T, op ownedOperation, faults []dynamotest.Fault) {
	t.Helper()
	config := database.NewTable(t)
	h := newHousehold(t, config)
	before := len(everything(t, config))
	broken := config
	dynamotest.Fail(&broken).Faults = faults
	if err := op.do(t.Context(), dynamo.New(broken), h); err != nil {
		t.Errorf("with %d faults: %v", len(faults), err)
	}
	wantItems(t, "done", config, before+op.items)
	wantWholeBut(t, config, h)
}

func wantOutage(t *testing.T, op ownedOperation, injected dynamotest.Fault) {
	t.Helper()
	config := database.NewTable(t)
	h := newHousehold(t, config)
	broken := config
	transport := dynamotest.Fail(&broken)
	transport.Faults = slices.Repeat([]dynamotest.Fault{injected}, 3)
	err := op.do(t.Context(), dynamo.New(broken), h)
	wantFault(t, "after three faults", err, fault.Unavailable)
	if transport.Requests() != 3 {
		t.Errorf("%d requests, want 3", transport.Requests())
	}
	wantWholeBut(t, config, h)
}

// wantWholeBut is wantWhole, in which the name of the key that is gone may stand.
func wantWholeBut(t *testing.T, config dynamo.Config, h household) {
	t.Helper()
	items := everything(t, config)
	if textOf(items[namePlace(h.gone)], schema.Holder) == h.gone.Locator.ID.String() {
		delete(items, namePlace(h.gone))
	}
	for _, flaw := range flaws(items) {
		t.Error(flaw)
	}
}

// Whatever DynamoDB refuses for good is a defect of ours, and never an answer.
func TestRefusalsOfOwned(t *testing.T) {
	for _, op := range ownedOperations {
		config := database.NewTable(t)
		h := newHousehold(t, config)
		before := everything(t, config)
		broken := config
		transport := dynamotest.Fail(&broken)
		transport.Faults = []dynamotest.Fault{dynamotest.AccessDenied}
		wantFault(t, op.name, op.do(t.Context(), dynamo.New(broken), h), fault.Internal)
		if transport.Requests() != 1 {
			t.Errorf("%s: %d requests, want 1", op.name, transport.Requests())
		}
		if diff := cmp.Diff(before, everything(t, config), ignoreUnexported); diff != "" {
			t.Errorf("%s:\n%s", op.name, diff)
		}
	}
}

// An outage while it is asked who has a name is no name that is free, and none that is
// taken.
func TestOutageWhileANameIsTaken(t *testing.T) {
	for _, op := range ownedOperations {
		config := database.NewTable(t)
		h := newHousehold(t, config)
		before := everything(t, config)
		broken := config
		dynamotest.Break(&broken, "GetItem", dynamotest.ServerError)
		err := op.do(t.Context(), dynamo.New(broken), h)
		switch op.name {
		case "create key with the name of one that is gone", "rename key to the name of one that is gone":
			wantFault(t, op.name, err, fault.Unavailable)
			if diff := cmp.Diff(before, everything(t, config), ignoreUnexported); diff != "" {
				t.Errorf("%s:\n%s", op.name, diff)
			}
		}
	}
}

func TestTimeoutOfOwned(t *testing.T) {
	for _, op := range ownedOperations {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			config := database.NewTable(t)
			h := newHousehold(t, config)
			broken := config
			dynamotest.Fail(&broken).Faults = []dynamotest.Fault{dynamotest.Hang(t)}
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			wantFault(t, "when the caller's time is up", op.do(ctx, dynamo.New(broken), h), fault.Unavailable)
			wantWholeBut(t, config, h)
		})
	}
}
