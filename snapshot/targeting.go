package snapshot

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/popupd/popupd/popup"
)

// targeting is a popup's compiled conditions. Popups share those that are equal.
type targeting struct{ all, any, none []*condition }

// match evaluates the conditions one by one; [placementIndex.target] those of a whole
// placement at once.
func (t *targeting) match(r *popup.Request) bool {
	for _, c := range t.all {
		if !c.matches(r) {
			return false
		}
	}
	for _, c := range t.none {
		if c.matches(r) {
			return false
		}
	}
	for _, c := range t.any {
		if c.matches(r) {
			return true
		}
	}
	return len(t.any) == 0
}

// condition is a compiled [popup.Condition]. What it compares with lies in the
// field that its test reads.
type condition struct {
	source string // what it was compiled from
	attr   attribute
	name   string // of a custom attribute
	test   test
	negate bool // neq, not_in, not_exists: the opposite, which a missing attribute satisfies

	texts   []string  // sorted; bools are the texts true and false
	numbers []float64 // sorted
	text    []byte
	number  float64
	version popup.Version
}

// test is what a condition does, its negation left aside.
type test uint8

const (
	testEqual test = iota // one of texts or numbers
	testGt
	testGte
	testLt
	testLte
	testContains
	testPrefix
	testSuffix
	testExists
	testSemverGte
	testSemverLt
)

// matches reports whether the condition holds for the request.
func (c *condition) matches(r *popup.Request) bool {
	var v value
	v.find(r, c.attr, c.name)
	return c.holds(&v)
}

// holds reports whether the condition holds for the value of its attribute.
func (c *condition) holds(v *value) bool {
	if len(v.text) == 0 {
		return c.negate
	}
	return c.satisfied(v) != c.negate
}

// Condition is one compiled condition, for whoever asks about a value and not about a
// request.
type Condition struct{ compiled condition }

// CompileCondition compiles a valid condition.
func CompileCondition(from *popup.Condition) (*Condition, error) {
	compiled, err := compileCondition(from)
	if err != nil {
		return nil, err
	}
	return &Condition{compiled}, nil
}

// Holds reports whether the condition holds for a value of its attribute; an empty one is
// a missing one.
func (c *Condition) Holds(text []byte) bool { return c.compiled.holds(&value{text: text}) }

func (c *condition) satisfied(v *value) bool {
	switch c.test {
	case testExists:
		return true
	case testEqual:
		return c.equals(v)
	case testGt, testGte, testLt, testLte:
		n, ok := v.asNumber()
		return ok && c.compares(n)
	case testContains:
		return bytes.Contains(v.text, c.text)
	case testPrefix:
		return bytes.HasPrefix(v.text, c.text)
	case testSuffix:
		return bytes.HasSuffix(v.text, c.text)
	}
	version := v.asVersion()
	return version != nil && (version.Compare(&c.version) >= 0) == (c.test == testSemverGte)
}

func (c *condition) equals(v *value) bool {
	if _, found := slices.BinarySearchFunc(c.texts, v.text, compareText); found {
		return true
	}
	if len(c.numbers) == 0 {
		return false
	}
	n, ok := v.asNumber()
	if !ok {
		return false
	}
	_, found := slices.BinarySearch(c.numbers, n)
	return found
}

func compareText(text string, value []byte) int {
	switch {
	case text == string(value):
		return 0
	case text < string(value):
		return -1
	}
	return 1
}

func (c *condition) compares(n float64) bool {
	switch c.test {
	case testGt:
		return n > c.number
	case testGte:
		return n >= c.number
	case testLt:
		return n < c.number
	}
	return n <= c.number
}

func (c *compiler) compileTargeting(t *popup.Targeting) (out targeting, err error) {
	for _, group := range []struct {
		from []popup.Condition
		to   *[]*condition
	}{{t.All, &out.all}, {t.Any, &out.any}, {t.None, &out.none}} {
		for i := range group.from {
			shared, err := c.condition(&group.from[i])
			if err != nil {
				return out, err
			}
			*group.to = append(*group.to, shared)
		}
	}
	return out, nil
}

// condition compiles a condition, or returns the one that was compiled from an
// equal one.
func (c *compiler) condition(from *popup.Condition) (*condition, error) {
	source, err := json.Marshal(from)
	if err != nil {
		return nil, fmt.Errorf("encode condition: %w", err)
	}
	if shared := c.conditions[string(source)]; shared != nil {
		return shared, nil
	}
	compiled, err := compileCondition(from)
	if err != nil {
		return nil, err
	}
	compiled.source = string(source)
	c.conditions[compiled.source] = &compiled
	return &compiled, nil
}

var tests = map[popup.Op]struct {
	test   test
	negate bool
}{
	popup.Eq:        {testEqual, false},
	popup.Neq:       {testEqual, true},
	popup.In:        {testEqual, false},
	popup.NotIn:     {testEqual, true},
	popup.Gt:        {testGt, false},
	popup.Gte:       {testGte, false},
	popup.Lt:        {testLt, false},
	popup.Lte:       {testLte, false},
	popup.Contains:  {testContains, false},
	popup.Prefix:    {testPrefix, false},
	popup.Suffix:    {testSuffix, false},
	popup.Exists:    {testExists, false},
	popup.NotExists: {testExists, true},
	popup.SemverGte: {testSemverGte, false},
	popup.SemverLt:  {testSemverLt, false},
}

// compileCondition compiles a valid condition. It has an error only for an
// operator that validation knows and this table does not.
func compileCondition(from *popup.Condition) (condition, error) {
	how, ok := tests[from.Op]
	if !ok {
		return condition{}, fmt.Errorf("operator %q is not compiled", from.Op)
	}
	c := condition{attr: builtins[from.Attr], name: from.Attr, test: how.test, negate: how.negate}
	switch c.test {
	case testEqual:
		values, isList := from.Value.([]any)
		if !isList {
			values = []any{from.Value}
		}
		for _, v := range values {
			c.addEqual(v)
		}
		slices.Sort(c.texts)
		slices.Sort(c.numbers)
	case testGt, testGte, testLt, testLte:
		c.number, _ = popup.Number(from.Value)
	case testContains, testPrefix, testSuffix:
		c.text = []byte(from.Value.(string))
	case testSemverGte, testSemverLt:
		c.version, _ = popup.ParseVersion([]byte(from.Value.(string)))
	}
	return c, nil
}

func (c *condition) addEqual(v any) {
	switch v := v.(type) {
	case string:
		c.texts = append(c.texts, v)
	case bool:
		c.texts = append(c.texts, strconv.FormatBool(v))
	default:
		n, _ := popup.Number(v)
		c.numbers = append(c.numbers, n)
	}
}
