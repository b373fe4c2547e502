// Package schema is the single DynamoDB table as plain data: its keys, indexes,
// TTL and stream, and the only constructors of a partition or sort key. The
// store, the CDK app and the local stack read it, so it imports nothing but the
// standard library.
//
// The table:
//
//	item             pk                                sk                holds
//	key              <namespace>#<key id>              key               what verification needs, 4 KB at most
//	its texts        same                              about             description, tags, annotations; only where there are any
//	its use          same                              use               when it was last used; only of an account's key
//	service account  <namespace>#account/<id>          account           its name and state, 4 KB at most
//	its texts        same                              about             description, avatar; only where there are any
//	its key's name   same                              key/<name>        which of its keys has the name
//	account's name   <namespace>#account-name/<name>   account-name      which account has the name
//
// The names of an account's keys lie in its own partition, so that a strongly consistent
// query finds every key that an account has, but those that TTL is about to remove: who
// removes what a deleted account leaves behind must not rely on an index, which may not
// know the latest.
//
// The index by-namespace:
//
//	tenant                                       path
//	the namespace's first segment                <namespace with '$' for '.'>#<key id>
//	the same + "#accounts", of service accounts  <namespace with '$' for '.'>#<account id>
//
// Dots are written '$' because '#' < '$' < every character of a segment. The
// subtree of a.b is then exactly the range from "a$b#" to before "a$b%", and
// a.b-c, a.bc and a.b_c lie outside it; with dots, a.b-c would sort into it. A
// key's id is a UUIDv7, so a listing is in order of namespace, then of creation.
//
// The index by-owner holds the keys that belong to an account:
//
//	owner                       path
//	<namespace>#account/<id>    as above
//
// An item without these attributes is in no index. No index holds a digest.
package schema

import "strings"

// MaxKeyItemBytes is the size up to which one strongly consistent read of an
// item costs one read unit.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
const MaxKeyItemBytes = 4096

// RetentionDays is for how many days a key stays after its expiry, to be listed as
// expired, before TTL removes it, where a deployment says nothing else. What was stored
// keeps the end that it was stored with.
const RetentionDays = 30

// Attributes of the table's and the indexes' keys, and the TTL.
const (
	PartitionKey = "pk"
	SortKey      = "sk"
	Tenant       = "tenant"
	Path         = "path"
	Owner        = "owner"
	PurgeAt      = "purge_at" // seconds since 1970, after which DynamoDB removes the item
)

// Attributes of a key's record. Those of its texts are in no index and the store's own.
const (
	Name      = "name"
	User      = "user"
	Digest    = "digest"
	Disabled  = "disabled"
	Grant     = "grant"
	Propagate = "propagate"
	ExpiresAt = "expires_at"
	CreatedAt = "created_at"
	CreatedBy = "created_by"
	UpdatedAt = "updated_at"
	UpdatedBy = "updated_by"
	Version   = "version"
	HasTexts  = "has_texts"

	Previous  = "previous" // digest of the secret before the last rotation
	RotatedAt = "rotated_at"
	Retain    = "retain_minutes" // for how long since then the previous secret is good
)

// Members of the maps in a key's record: of its grant, and of who made or changed it.
const (
	GrantRoles  = "roles"
	GrantRules  = "rules"
	GrantExcept = "except"
	ActorID     = "id"
	ActorName   = "name"
)

// Attributes of a service account's record beside those it shares with a key's.
const (
	FullName  = "full_name"
	HasAvatar = "has_avatar"
	RemovedAt = "removed_at" // since when it is being removed
)

// Attributes of the smaller items.
const (
	UsedAt = "used_at" // of a key's use: microseconds since 1970, 0 for never
	Holder = "holder"  // of a name: the id of what has it
)

// Sort keys of the items of one key or one account, and of an account's name.
const (
	KeyItem         = "key"
	AboutItem       = "about"
	UseItem         = "use"
	AccountItem     = "account"
	AccountNameItem = "account-name"

	// A sort key has at most 1,024 bytes, and a name takes up to 4 × 255, which leaves
	// four for the prefix.
	keyNamePrefix = "key/"
)

// UseAttributes are all that is written when a key is used.
var UseAttributes = []string{PartitionKey, SortKey, UsedAt}

// An Index is a global secondary index.
type Index struct {
	Name         string
	PartitionKey string
	SortKey      string
	Projected    []string // the attributes that it holds beside all keys
}

// A Layout is everything that CreateTable needs but the table's name. All key
// attributes are strings.
type Layout struct {
	PartitionKey string
	SortKey      string
	TTL          string
	StreamView   string
	Indexes      []Index
}

// What a list shows, and no digest.
var listed = []string{
	Name, User, Disabled, Grant, Propagate, ExpiresAt, CreatedAt, CreatedBy, UpdatedAt, UpdatedBy, Version, HasTexts,
	RotatedAt, Retain,
}

// ByNamespace lists one namespace or a whole subtree.
var ByNamespace = Index{
	Name: "by-namespace", PartitionKey: Tenant, SortKey: Path,
	Projected: append([]string{Owner, FullName, HasAvatar}, listed...),
}

// ByOwner lists one account's keys.
var ByOwner = Index{Name: "by-owner", PartitionKey: Owner, SortKey: Path, Projected: listed}

// Table is the table's layout.
var Table = Layout{
	PartitionKey: PartitionKey,
	SortKey:      SortKey,
	TTL:          PurgeAt,
	StreamView:   "NEW_AND_OLD_IMAGES",
	Indexes:      []Index{ByNamespace, ByOwner},
}

// KeyPartition is the partition key of a key's items.
func KeyPartition(namespace, id string) string { return namespace + "#" + id }

// NoPartition is the partition key of no item: no namespace is empty.
const NoPartition = "#"

const accountPrefix = "account/"

// AccountPartition is the partition key of a service account's items, and in ByOwner of
// its keys.
func AccountPartition(namespace, id string) string { return namespace + "#" + accountPrefix + id }

// SplitAccountPartition takes a service account's partition key apart. It reports false
// for a text that AccountPartition does not give.
func SplitAccountPartition(partition string) (namespace, id string, ok bool) {
	namespace, rest, _ := strings.Cut(partition, "#")
	id, ok = strings.CutPrefix(rest, accountPrefix)
	return namespace, id, ok
}

// AccountNamePartition is the partition key of the name of a service account.
func AccountNamePartition(namespace, name string) string { return namespace + "#account-name/" + name }

// KeyNameItem is the sort key of a key's name in its account's partition.
func KeyNameItem(name string) string { return keyNamePrefix + name }

// KeyNames covers the names of an account's keys in its partition: '0' follows '/'.
func KeyNames() Range { return Range{From: keyNamePrefix, To: "key0"} }

// AccountItems covers an account's record and its texts in its partition, and no name.
func AccountItems() Range { return Range{From: AboutItem, To: AccountItem} }

// TenantOf is the partition of ByNamespace that holds a namespace's keys.
func TenantOf(namespace string) string {
	tenant, _, _ := strings.Cut(namespace, ".")
	return tenant
}

// AccountsTenantOf is the partition of ByNamespace that holds a namespace's service
// accounts.
func AccountsTenantOf(namespace string) string { return TenantOf(namespace) + "#accounts" }

// PathOf is the sort key of a key or an account in both indexes.
func PathOf(namespace, id string) string { return encodePath(namespace) + "#" + id }

// SplitPath takes a sort key of an index apart. It reports false for a text
// that PathOf does not give.
func SplitPath(path string) (namespace, id string, ok bool) {
	encoded, id, ok := strings.Cut(path, "#")
	if !ok || strings.Contains(encoded, ".") {
		return "", "", false
	}
	return strings.ReplaceAll(encoded, "$", "."), id, true
}

// A Range is a closed interval of sort keys.
type Range struct {
	From string
	To   string
}

// NamespaceRange covers the keys of one namespace.
func NamespaceRange(namespace string) Range {
	encoded := encodePath(namespace)
	return Range{From: encoded + "#", To: encoded + "$"}
}

// SubtreeRange covers the keys of a namespace and of all below it.
func SubtreeRange(namespace string) Range {
	encoded := encodePath(namespace)
	return Range{From: encoded + "#", To: encoded + "%"}
}

// BelowRange covers the keys of all that is below a namespace, and not its own.
func BelowRange(namespace string) Range {
	encoded := encodePath(namespace)
	return Range{From: encoded + "$", To: encoded + "%"}
}

// BehindNamespace is the rest of the range behind the keys of a namespace in it, and
// with subtree also behind those of all below.
func (r Range) BehindNamespace(namespace string, subtree bool) Range {
	if subtree {
		return Range{From: encodePath(namespace) + "%", To: r.To}
	}
	return Range{From: encodePath(namespace) + "$", To: r.To}
}

// After is the rest of the range behind a sort key in it. A path
// ends in an id, and no other continues it, so that appending '!' to it gives a
// text between it and the next.
func (r Range) After(path string) Range { return Range{From: path + "!", To: r.To} }

func encodePath(namespace string) string { return strings.ReplaceAll(namespace, ".", "$") }
