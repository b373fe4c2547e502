// Package apikey is the heart of Latchkey: what a key is, how it is written, and
// what can be done with it. It knows no HTTP, JSON, Lambda or DynamoDB.
//
// # The written form
//
//		lk_<locator>_<secret><checksum>
//		└──────────┘                     the public identifier: safe to list and to log
//		             └────────────────┘  the secret part
//
//	  - locator: a version byte (0), the bytes of the namespace and the 16 bytes of
//	    the key's UUIDv7. A key names its own record, so that verifying it takes one
//	    read by primary key, and no index.
//	  - secret: 256 random bits.
//	  - checksum: the CRC-32 (IEEE) of all that stands before it, most significant
//	    byte first. A typo, a cut-off key and scanner noise are refused without a
//	    read. It is no defence, only a filter.
//
// All three are lower-case base32 in RFC 4648's hex alphabet without padding, so
// that only '_' joins the parts and a double click selects the whole, which is
// shorter than 512 characters. Secret scanners can match
//
//	lk_[0-9a-v]+_[0-9a-v]{59}
//
// and check the checksum. A key has one spelling: a text is accepted only if
// writing what was read gives the same text, its namespace is a valid one and its
// id is a UUIDv7.
//
// Clients of ZenML carry a key wrapped: ZENKEY_ and the base64 of {"id":"<the key's
// id>","key":"<the full key>"}. The prefix may be missing. Nothing else may differ, and
// the id must be the key's own. What is promised below holds for this form too.
//
// Compatibility is a promise: a key that any release has issued is read by every
// later one, and means the same. Another layout takes another version byte. The
// vectors in testdata/vectors.json are published, for other implementations and
// for scanners, and never change; new ones may be added.
//
// # At rest
//
// The record holds the SHA-256 of the secret's 256 bits. Against that many random
// bits a slow hash or a pepper adds nothing that an attacker feels, and either
// would cost every verification. Digests are compared in constant time, also
// with a dummy where the key is unknown: every refusal of an unknown key or of a wrong
// secret takes the same read and the same comparisons.
//
// # Rotation
//
// A key can be given a new secret. Its locator stays, so that its tokens go on; so do its
// name and its grant. The secret before goes on for as many minutes as are
// asked for; there is one generation of it, so that rotating twice stops the first, and
// rotating with none stops every older one at once. Both digests are compared each time,
// with a dummy where there is none. Who rotates a key gets its new secret, so he must
// hold all that it does.
//
// # Service accounts
//
// A key may belong to a service account of its namespace: then it has no grant, its
// name is unique in the account, and it is as good as the account is: switched off, on
// and deleted with it. Its verification reads the account too. When it was last used is
// kept, to the minute, and exactly for a login; of other keys nobody could see it.
//
// Deleting an account marks it and frees its name, in one transaction. From then on it is
// not there for anybody and its keys are refused; PurgeAccount removes what is left,
// however long that takes and however often it begins again. Who renames an account or a
// key all the time cannot hold off its deletion: only its last name may be free later.
//
// A name is held by a reservation that is written with the record that has it. So names
// are unique under every race, and free in the same moment in which their holder is
// gone.
//
// # Deleting a namespace
//
// DeleteNamespace deletes a namespace with all below it, a tenant by its first segment. It
// goes by the store's listings, the keys first, in order of namespace and creation: so a
// key goes before all that was made by it. A key goes with all that belongs to it at once,
// so that wherever a call ends, the next one finds the rest. An account goes as
// DeleteAccount and PurgeAccount have it go; one that is marked and not yet purged, also
// because a call ended in between, is in no listing, gives nothing, and is left to whoever
// purges deleted accounts.
//
// A key can make others until it is deleted, and a listing shows them only a moment after
// they are made. Whoever makes the next key with the newest one, as fast as keys are
// deleted, therefore stays ahead of the deletion for as long as he may create. What stops
// him is a limit of creations: with a second between them, a call shows and deletes the
// newest key before it has made another.
//
// A call that found nothing is complete, and not yet the end: what was under way when its
// maker's key was deleted, or made right before, may show a moment later. Nothing is left
// when a call finds nothing that begins so long after a complete one as a creation and the
// listing's lag may take together. Keys that live above the namespace and reach into it are
// not of it, and can make new keys in it.
//
// What no listing shows is left to the store's removal of expired items: a key's texts, use
// and name, of which that has removed the record first. They give nothing, nobody is shown
// them, and they have the record's purge time.
//
// # Verdict and fault
//
// A bad key is an answer, a Verdict; not being able to check is an error. The
// zero Verdict refuses. Whether a key is expired is decided in one function of
// the key and the clock: at ExpiresAt it is.
package apikey
