package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"

	"github.com/popupd/popupd/popup"
)

// targeting is a popup's compiled conditions. Popups share those that are equal.
type targeting struct {
	all, any, none []*condition
	audiences      []string // keys of the audiences that they name, sorted
}

// match evaluates the conditions one by one; a [segment] finds those of a whole
// placement at once. v is scratch memory that knows the time and the user's audiences.
func (t *targeting) match(r *popup.Request, v *value) bool {
	for _, c := range t.all {
		if !c.matches(r, v) {
			return false
		}
	}
	for _, c := range t.none {
		if c.matches(r, v) {
			return false
		}
	}
	for _, c := range t.any {
		if c.matches(r, v) {
			return true
		}
	}
	return len(t.any) == 0
}

// count returns how many conditions are of this attribute.
func (t *targeting) count(attr attribute) (n int) {
	for _, group := range [][]*condition{t.all, t.any, t.none} {
		for _, c := range group {
			if c.attr == attr {
				n++
			}
		}
	}
	return n
}

// condition is a compiled [popup.Condition]. What it compares with lies in the
// field that its test reads.
type condition struct {
	from   popup.Condition // what it was compiled from
	source string          // the same of all that are equal
	attr   attribute
	name   string // of a custom attribute
	test   test
	negate bool // neq, not_in, not_exists: the opposite, which a missing attribute satisfies
	fold   bool // texts are compared folded, see appendFolded; texts and text are

	texts    []string  // sorted; bools are the texts true and false
	numbers  []float64 // sorted
	text     []byte
	number   float64
	version  popup.Version
	pattern  *regexp.Regexp
	ms       int64 // a time, or an age
	networks []netip.Prefix
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
	testSemverEq
	testSemverGt
	testSemverGte
	testSemverLt
	testSemverLte
	testMatches
	testBefore
	testAfter
	testOlder // than ms
	testNewer
	testInNetworks
)

// matches reports whether the condition holds for the request. v is scratch memory that
// knows the time and the user's audiences.
func (c *condition) matches(r *popup.Request, v *value) bool { return c.hits(r, v) != c.negate }

// hits reports whether the test is passed by one of the values that the request gives
// the attribute.
func (c *condition) hits(r *popup.Request, v *value) bool {
	if c.attr == attrAudience {
		return v.users.isInAny(c.texts)
	}
	m := membersOf(r, c.attr, c.name)
	for text := m.next(); text != nil; text = m.next() {
		if v.set(c.attr, text) && c.satisfied(v) {
			return true
		}
	}
	return false
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

// Holds reports whether the condition holds at nowMS for a single value of its attribute,
// which may be one that counts as missing, as an empty one does.
func (c *Condition) Holds(text []byte, nowMS int64) bool {
	v := value{nowMS: nowMS}
	passes := v.set(c.compiled.attr, text) && c.compiled.satisfied(&v)
	return passes != c.compiled.negate
}

// satisfied reports whether a value passes the test.
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
		return bytes.Contains(v.compared(c.fold), c.text)
	case testPrefix:
		return bytes.HasPrefix(v.compared(c.fold), c.text)
	case testSuffix:
		return bytes.HasSuffix(v.compared(c.fold), c.text)
	case testMatches:
		return len(v.text) <= popup.MaxMatched && c.pattern.Match(v.text)
	case testBefore, testAfter, testOlder, testNewer:
		ms, ok := v.asTime()
		return ok && c.isAt(ms, v.nowMS)
	case testInNetworks:
		a, ok := v.asAddr()
		return ok && slices.ContainsFunc(c.networks, func(n netip.Prefix) bool { return n.Contains(a) })
	}
	version := v.asVersion()
	return version != nil && c.isOrdered(version.Compare(&c.version))
}

func (c *condition) equals(v *value) bool {
	if _, found := slices.BinarySearchFunc(c.texts, v.compared(c.fold), compareText); found {
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

// isAt compares a time with that of the condition.
func (c *condition) isAt(ms, nowMS int64) bool {
	switch c.test {
	case testBefore:
		return ms < c.ms
	case testAfter:
		return ms > c.ms
	case testOlder:
		return ms < nowMS-c.ms
	}
	return ms > nowMS-c.ms
}

// isOrdered reports whether a version passes that compares like this with the condition's.
func (c *condition) isOrdered(order int) bool {
	switch c.test {
	case testSemverEq:
		return order == 0
	case testSemverGt:
		return order > 0
	case testSemverGte:
		return order >= 0
	case testSemverLt:
		return order < 0
	}
	return order <= 0
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
			if shared.attr == attrAudience {
				out.audiences = append(out.audiences, shared.texts...)
			}
		}
	}
	slices.Sort(out.audiences)
	out.audiences = slices.Compact(out.audiences)
	return out, nil
}

// condition compiles a condition, or returns the one that was compiled from an
// equal one.
func (c *compiler) condition(from *popup.Condition) (*condition, error) {
	source := string(appendSource(nil, from))
	c.mu.Lock()
	shared := c.conditions[source]
	c.mu.Unlock()
	if shared != nil {
		return shared, nil
	}
	compiled, err := compileCondition(from)
	if err != nil {
		return nil, err
	}
	compiled.from, compiled.source = *from, source
	c.mu.Lock()
	defer c.mu.Unlock()
	if shared := c.conditions[source]; shared != nil {
		return shared, nil
	}
	c.conditions[source] = &compiled
	return &compiled, nil
}

// appendSource appends what two conditions have the same of if they are equal, and no others.
func appendSource(dst []byte, c *popup.Condition) []byte {
	dst = appendOperand(appendOperand(dst, c.Attr), string(c.Op))
	dst = strconv.AppendBool(dst, c.IgnoreCase)
	return appendOperand(dst, c.Value)
}

func appendOperand(dst []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		dst = strconv.AppendInt(append(dst, 's'), int64(len(v)), 10)
		return append(append(dst, ':'), v...)
	case bool:
		return strconv.AppendBool(append(dst, 'b'), v)
	case []any:
		dst = strconv.AppendInt(append(dst, 'l'), int64(len(v)), 10)
		for _, element := range v {
			dst = appendOperand(append(dst, ','), element)
		}
		return dst
	case nil:
		return append(dst, 'n')
	}
	n, _ := popup.Number(v)
	return strconv.AppendFloat(append(dst, 'f'), n, 'g', -1, 64)
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
	popup.SemverEq:  {testSemverEq, false},
	popup.SemverGt:  {testSemverGt, false},
	popup.SemverGte: {testSemverGte, false},
	popup.SemverLt:  {testSemverLt, false},
	popup.SemverLte: {testSemverLte, false},
	popup.Matches:   {testMatches, false},
	popup.Before:    {testBefore, false},
	popup.After:     {testAfter, false},
	popup.OlderThan: {testOlder, false},
	popup.NewerThan: {testNewer, false},
	popup.InCIDR:    {testInNetworks, false},
}

// compileCondition compiles a valid condition. It has an error only for an operator that
// validation knows and this table does not, a pattern that is not valid, or a condition that was
// stored when audience was an attribute like any other.
func compileCondition(from *popup.Condition) (c condition, err error) {
	how, ok := tests[from.Op]
	if !ok {
		return condition{}, fmt.Errorf("operator %q is not compiled", from.Op)
	}
	c = condition{attr: builtins[from.Attr], name: from.Attr, test: how.test, negate: how.negate, fold: from.IgnoreCase}
	if from.Attr == popup.AudienceAttr {
		return compileAudienceCondition(from, c)
	}
	text, _ := from.Value.(string)
	switch c.test {
	case testEqual:
		for _, v := range operands(from.Value) {
			c.addEqual(v)
		}
		slices.Sort(c.texts)
		slices.Sort(c.numbers)
	case testGt, testGte, testLt, testLte:
		c.number, _ = popup.Number(from.Value)
	case testContains, testPrefix, testSuffix:
		c.text = []byte(c.operand(text))
	case testSemverEq, testSemverGt, testSemverGte, testSemverLt, testSemverLte:
		c.version, _ = popup.ParseVersion([]byte(text))
	case testMatches:
		c.pattern, err = popup.CompilePattern(text)
	case testBefore, testAfter:
		c.ms, _ = popup.ParseTime([]byte(text))
	case testOlder, testNewer:
		c.ms, _ = popup.ParseAge(text)
	case testInNetworks:
		for _, v := range operands(from.Value) {
			network, _ := popup.ParseNetwork(v.(string))
			c.networks = append(c.networks, network)
		}
	}
	return c, err
}

// compileAudienceCondition completes a condition on audiences.
func compileAudienceCondition(from *popup.Condition, c condition) (condition, error) {
	keys, isList := from.Value.([]any)
	if from.Op != popup.In && from.Op != popup.NotIn || c.fold || !isList {
		return condition{}, errors.New("audience has the keys of audiences, and goes with in and not_in only")
	}
	for _, key := range keys {
		text, _ := key.(string)
		if !popup.ValidAudienceKey(text) {
			return condition{}, fmt.Errorf("%v is not the key of an audience", key)
		}
		c.texts = append(c.texts, text)
	}
	slices.Sort(c.texts)
	return c, nil
}

// operands returns the values of a list, or the one value.
func operands(value any) []any {
	if values, isList := value.([]any); isList {
		return values
	}
	return []any{value}
}

func (c *condition) addEqual(v any) {
	switch v := v.(type) {
	case string:
		c.texts = append(c.texts, c.operand(v))
	case bool:
		c.texts = append(c.texts, c.operand(strconv.FormatBool(v)))
	default:
		n, _ := popup.Number(v)
		c.numbers = append(c.numbers, n)
	}
}

// operand returns a text as values are compared with it.
func (c *condition) operand(text string) string {
	if c.fold {
		return Folded(text)
	}
	return text
}
