package stacktest

import (
	"reflect"
	"slices"
	"strings"
)

// NeverSet gives the paths of the properties that none of some props says, but of those that
// leave something out, which are called Without….
func NeverSet[Props any](all ...Props) []string {
	var values []reflect.Value
	for _, props := range all {
		values = append(values, reflect.ValueOf(props))
	}
	return neverSet(reflect.TypeFor[Props]().Name(), values)
}

func neverSet(path string, values []reflect.Value) []string {
	if values[0].Kind() != reflect.Struct {
		if slices.ContainsFunc(values, func(v reflect.Value) bool { return !v.IsZero() }) {
			return nil
		}
		return []string{path}
	}
	var all []string
	for i := range values[0].NumField() {
		name := values[0].Type().Field(i).Name
		var inner []reflect.Value
		for _, value := range values {
			inner = append(inner, value.Field(i))
		}
		if !strings.HasPrefix(name, "Without") {
			all = append(all, neverSet(path+"."+name, inner)...)
		}
	}
	return all
}
