package lint

import (
	"net/netip"
	"slices"

	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// literal is a condition that has to hold, or has not to.
type literal struct {
	condition *popup.Condition
	at        string // its JSON pointer
	holds     bool
	compiled  *snapshot.Condition // nil: the evaluator does not know its operator
}

func newLiteral(c *popup.Condition, at string, holds bool) literal {
	compiled, _ := snapshot.CompileCondition(c)
	return literal{condition: c, at: at, holds: holds, compiled: compiled}
}

// not returns the opposite.
func (l literal) not() literal {
	l.holds = !l.holds
	return l
}

// met reports whether the literal may be met by a value of its attribute, empty for a
// missing one, now or later.
func (l *literal) met(value []byte) bool {
	if l.condition.Op == popup.OlderThan || l.condition.Op == popup.NewerThan {
		if _, isTime := popup.ParseTime(value); isTime {
			return true
		}
	}
	return l.compiled == nil || l.compiled.Holds(value, 0) == l.holds
}

// allMet reports whether a value meets all literals of its attribute.
func allMet(literals []literal, value []byte) bool {
	for i := range literals {
		if !literals[i].met(value) {
			return false
		}
	}
	return true
}

// builtins are the attributes that polls have a parameter of their own for.
var builtins = snapshot.Builtins()

func isBuiltin(attr string) bool { return slices.Contains(builtins, attr) }

// positive returns the operator without its negation, and whether a value, if there is
// one, has to pass it.
func (l *literal) positive() (op popup.Op, must bool) {
	switch l.condition.Op {
	case popup.Neq:
		return popup.Eq, !l.holds
	case popup.NotIn:
		return popup.In, !l.holds
	case popup.NotExists:
		return popup.Exists, !l.holds
	}
	return l.condition.Op, l.holds
}

// equal returns what the values of eq and in are: texts, as a request has them, and numbers.
func (l *literal) equal() (texts [][]byte, numbers []float64) {
	values, isList := l.condition.Value.([]any)
	if !isList {
		values = []any{l.condition.Value}
	}
	for _, v := range values {
		switch v := v.(type) {
		case string:
			texts = append(texts, []byte(v))
		case bool:
			if v {
				texts = append(texts, []byte("true"))
			} else {
				texts = append(texts, []byte("false"))
			}
		default:
			if n, ok := popup.Number(v); ok {
				numbers = append(numbers, n)
			}
		}
	}
	return texts, numbers
}

// networks returns those that in_cidr names.
func (l *literal) networks() (out []netip.Prefix) {
	values, isList := l.condition.Value.([]any)
	if !isList {
		values = []any{l.condition.Value}
	}
	for _, v := range values {
		network, _ := popup.ParseNetwork(v.(string))
		out = append(out, network)
	}
	return out
}
