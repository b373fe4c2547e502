package query

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxGroupPaths bounds each list of paths of a grouping: every message is read by each
// of them.
const maxGroupPaths = 20

// GroupOptions say how to group. Paths are separated by commas and lead to a Text, a
// Flag, a Time or a List.
type GroupOptions struct {
	AggregationPaths string // messages with the same values there are a group
	UniqueCountPaths string // whose values are counted
	UniqueValuePaths string // whose values are told
	ShowUUIDs        bool
}

// A Grouping divides messages into groups. Without aggregation paths they are one.
type Grouping struct {
	schema       Schema
	aggregation  []Path
	uniqueCounts []Path
	uniqueValues []Path
	showUUIDs    bool
}

// Group reads how to group.
func (s Schema) Group(options GroupOptions) (Grouping, error) {
	g := Grouping{schema: s, showUUIDs: options.ShowUUIDs}
	for _, list := range []struct {
		text  string
		paths *[]Path
	}{
		{options.AggregationPaths, &g.aggregation},
		{options.UniqueCountPaths, &g.uniqueCounts},
		{options.UniqueValuePaths, &g.uniqueValues},
	} {
		paths, err := s.groupPaths(list.text)
		if err != nil {
			return Grouping{}, err
		}
		*list.paths = paths
	}
	return g, nil
}

func (s Schema) groupPaths(list string) ([]Path, error) {
	paths, err := s.paths(list)
	if err != nil {
		return nil, err
	}
	if len(paths) > maxGroupPaths {
		return nil, fmt.Errorf("more than %d paths", maxGroupPaths)
	}
	for i, path := range paths {
		if slices.ContainsFunc(paths[:i], func(p Path) bool { return p.text == path.text }) {
			return nil, fmt.Errorf("%.100q is named twice", path.text)
		}
		if path.kind == Map || path.kind == Message {
			return nil, fmt.Errorf("%.100q is a %s and has no value to group by", path.text, path.kind)
		}
	}
	return paths, nil
}

// Paths gives all that the grouping looks at.
func (g Grouping) Paths() []Path { return slices.Concat(g.aggregation, g.uniqueCounts, g.uniqueValues) }

// Groups are messages, grouped.
type Groups struct {
	grouping Grouping
	byKey    map[string]*group
	size     int // of the answer
	held     int // beside the answer
}

// A group is the sum of its messages. Its sets are in the order of the paths.
type group struct {
	count   int
	uuids   []string
	counted []set
	valued  []set
}

// A set has values in their JSON form.
type set map[string]bool

// NewGroups begins with no message.
func NewGroups(grouping Grouping) *Groups {
	return &Groups{grouping: grouping, byKey: map[string]*group{}}
}

// Add puts a message, as Matches takes it, into its group. It fails only where a value
// cannot be written in JSON.
func (g *Groups) Add(message any, uuid string) error {
	v := g.grouping.schema.valueOf(message)
	key, err := g.grouping.keyOf(v)
	if err != nil {
		return err
	}
	into := g.group(key)
	into.count++
	if g.grouping.showUUIDs {
		into.uuids = append(into.uuids, uuid)
		g.size += wireSize(uuid) + comma
	}
	grown, err := collect(into.counted, g.grouping.uniqueCounts, v, digestOf)
	g.held += grown
	if err != nil {
		return err
	}
	grown, err = collect(into.valued, g.grouping.uniqueValues, v, asItIs)
	g.size += grown
	return err
}

// digestOf stands for a value that is only counted, however long it is.
func digestOf(value jsontext.Value) string {
	sum := sha256.Sum256(value)
	return string(sum[:])
}

func asItIs(value jsontext.Value) string { return string(value) }

type keyMember struct {
	Key   string         `json:"key"`
	Value jsontext.Value `json:"value"`
}

// keyOf gives the text that names a message's group.
func (g Grouping) keyOf(message reflect.Value) (string, error) {
	members := make([]keyMember, len(g.aggregation))
	for i, path := range g.aggregation {
		value, err := path.encode(message)
		if err != nil {
			return "", err
		}
		members[i] = keyMember{Key: path.text, Value: value}
	}
	key, err := json.Marshal(members)
	if err != nil {
		return "", fmt.Errorf("key of a group: %w", err)
	}
	return string(key), nil
}

func (g *Groups) group(key string) *group {
	known, ok := g.byKey[key]
	if !ok {
		known = &group{counted: sets(g.grouping.uniqueCounts), valued: sets(g.grouping.uniqueValues)}
		g.byKey[key] = known
		g.size += g.grouping.sizeOfGroup(key)
	}
	return known
}

func sets(paths []Path) []set {
	all := make([]set, len(paths))
	for i := range all {
		all[i] = set{}
	}
	return all
}

// collect adds a message's values to the set of each path, as of gives them, and gives
// the size of those that are new.
func collect(into []set, paths []Path, message reflect.Value, of func(jsontext.Value) string) (int, error) {
	grown := 0
	for i, path := range paths {
		values, err := path.values(message)
		if err != nil {
			return grown, err
		}
		for _, value := range values {
			if member := of(value); !into[i][member] {
				into[i][member] = true
				grown += wireSizeOfJSON(member) + comma
			}
		}
	}
	return grown, nil
}

// values gives the elements of a List, or the one value of another field; none if it
// is missing.
func (p Path) values(message reflect.Value) ([]jsontext.Value, error) {
	encoded, err := p.encode(message)
	if err != nil || string(encoded) == null {
		return nil, err
	}
	if p.kind != List {
		return []jsontext.Value{encoded}, nil
	}
	var elements []jsontext.Value
	err = json.Unmarshal(encoded, &elements)
	return elements, err
}

// A Group is one of a list's groups as it is answered.
type Group struct {
	Count        Count                       `json:"aggregation_count"`
	UUIDs        []string                    `json:"aggregation_uuids"`
	UniqueCounts map[string]Count            `json:"unique_counts"`
	UniqueValues map[string][]jsontext.Value `json:"unique_values"`
	// Value is that of an aggregation over time: none.
	Value struct{} `json:"aggregation_value"`
}

// A Count is how many there are.
type Count struct {
	Count Total `json:"count"`
}

// A Total is never left out of an answer, also where it is zero.
type Total int

// IsZero says that no total is empty.
func (Total) IsZero() bool { return false }

// ByKey gives the groups by the text that names them. Within a group, uuids and values
// are sorted. json.Deterministic sorts the rest.
func (g *Groups) ByKey() map[string]Group {
	answers := make(map[string]Group, len(g.byKey))
	for key, group := range g.byKey {
		answers[key] = Group{
			Count:        Count{Total(group.count)},
			UUIDs:        slices.Sorted(slices.Values(group.uuids)),
			UniqueCounts: byPath(g.grouping.uniqueCounts, group.counted, set.count),
			UniqueValues: byPath(g.grouping.uniqueValues, group.valued, set.sorted),
		}
	}
	return answers
}

func byPath[T any](paths []Path, sets []set, of func(set) T) map[string]T {
	if len(paths) == 0 {
		return nil // so that it is left out where empty members are
	}
	answers := make(map[string]T, len(paths))
	for i, path := range paths {
		answers[path.text] = of(sets[i])
	}
	return answers
}

func (s set) count() Count { return Count{Total(len(s))} }

func (s set) sorted() []jsontext.Value {
	values := make([]jsontext.Value, 0, len(s))
	for _, value := range slices.Sorted(maps.Keys(s)) {
		values = append(values, jsontext.Value(value))
	}
	return values
}
