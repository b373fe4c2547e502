package apikey

import (
	"context"
	"fmt"
	"strconv"

	"latchkey/shared/access"
	"latchkey/shared/fault"
	"latchkey/shared/namespace"
)

// MaxSkip is how many keys a listing may pass over before its first.
const MaxSkip = 10_000

// MaxNamespaces is how many namespaces one listing of them looks at, those included
// that it passes over or does not show: each takes a query.
const MaxNamespaces = 1000

// A Selection is a part of the keys of a namespace, or of it and all below, in order
// of namespace and creation.
type Selection struct {
	Namespace namespace.Namespace
	Below     bool
	After     *Locator // begin behind this one, whether or not there is such a key
	Skip      int      // pass over so many; at most MaxSkip
	Limit     int      // at most so many, at least 1
}

// A Page is a part of a listing.
type Page struct {
	Keys []Key
	More bool // whether anything follows
}

// A NamespaceSelection is a part of the namespaces below one that hold keys, in order.
type NamespaceSelection struct {
	Parent namespace.Namespace
	Deep   bool                // at any depth, not only the next
	After  namespace.Namespace // begin behind this one; zero: at the beginning
	Skip   int                 // pass over so many; with what lies between, below MaxNamespaces
	Limit  int                 // at most so many, at least 1

	Queries int // that it may take, at most MaxNamespaces
}

// A NamespacePage is a part of a listing of namespaces. It may hold fewer than were
// asked for though more follow, to bound what one answer takes.
type NamespacePage struct {
	Namespaces []namespace.Namespace
	Behind     namespace.Namespace // go on behind this one; zero: nothing follows
	Queries    int                 // that it took
}

// List reads a page, without the keys' texts. It is eventually consistent. Forbidden:
// the caller may not read all that is asked for. Invalid: the field after lies outside
// of what is listed, or the field skip is over MaxSkip.
func (s *Service) List(ctx context.Context, caller access.Caller, sel Selection) (Page, error) {
	if err := sel.require(caller); err != nil {
		return Page{}, err
	}
	if err := sel.check(); err != nil {
		return Page{}, err
	}
	page, err := s.store.List(ctx, sel)
	if err != nil {
		return Page{}, fmt.Errorf("page of keys: %w", err)
	}
	return page, nil
}

func (s Selection) require(caller access.Caller) error {
	if s.Below {
		return caller.RequireBelow(access.Read, access.APIKey, s.Namespace)
	}
	return caller.Require(access.Read, access.APIKey, s.Namespace)
}

func (s Selection) check() error {
	if s.After != nil && !s.covers(s.After.Namespace) {
		return fault.InvalidField("after", "value lies outside of this list")
	}
	if s.Skip > MaxSkip {
		return fault.InvalidField("skip", "value must be at most "+strconv.Itoa(MaxSkip))
	}
	return nil
}

func (s Selection) covers(ns namespace.Namespace) bool {
	return ns == s.Namespace || s.Below && s.Namespace.Contains(ns)
}

// AddTexts completes the first keys of a page, as many as one answer may hold the texts
// of and at least one, and says how many it completed. Forbidden: the caller may not
// read one of the keys.
func (s *Service) AddTexts(ctx context.Context, caller access.Caller, keys []Key) (int, error) {
	for _, key := range keys {
		if err := caller.Require(access.Read, access.APIKey, key.Locator.Namespace); err != nil {
			return 0, err
		}
	}
	count, err := s.store.AddTexts(ctx, keys)
	if err != nil {
		return 0, fmt.Errorf("texts of a page: %w", err)
	}
	return count, nil
}

// Namespaces finds namespaces that hold keys. It is eventually consistent. Forbidden: the
// caller may not read keys below the parent. Invalid: the field after lies outside of
// what is listed, or the field skip would pass over MaxNamespaces.
func (s *Service) Namespaces(ctx context.Context, caller access.Caller, sel NamespaceSelection) (NamespacePage, error) {
	if err := caller.RequireBelow(access.Read, access.APIKey, sel.Parent); err != nil {
		return NamespacePage{}, err
	}
	if !sel.After.IsZero() && !sel.Parent.Contains(sel.After) {
		return NamespacePage{}, fault.InvalidField("after", "value lies outside of this list")
	}
	passing := sel
	passing.Skip, passing.Limit = 0, min(sel.Skip, MaxNamespaces)+sel.Limit
	passing.Queries = min(sel.Queries, MaxNamespaces)
	page, err := s.store.Namespaces(ctx, passing)
	if err != nil {
		return NamespacePage{}, fmt.Errorf("namespaces that hold keys: %w", err)
	}
	if sel.Skip > len(page.Namespaces) && !page.Behind.IsZero() || sel.Skip > MaxNamespaces {
		return NamespacePage{}, fault.InvalidField("skip", "value would pass over too many namespaces: page by page_id")
	}
	page.Namespaces = page.Namespaces[min(sel.Skip, len(page.Namespaces)):]
	return page, nil
}
