package popup

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
)

// Bounds on what a regular expression costs when it is tried. A text of MaxMatched bytes
// takes at most so many steps for each byte as the program has instructions.
const (
	maxInstructions = 500
	maxClassRunes   = 4096 // bounds of the ranges of character classes, all together
)

// CompilePattern compiles the regular expression of a condition: RE2 as package regexp
// has it, of at most [MaxPattern] bytes. It refuses one whose program is too large, such
// as of nested counted repetitions, before it builds the program.
func CompilePattern(expr string) (*regexp.Regexp, error) {
	if expr == "" || len(expr) > MaxPattern || !isText(expr) {
		return nil, fmt.Errorf("must have 1 to %d bytes, none of them control characters", MaxPattern)
	}
	tree, err := syntax.Parse(expr, syntax.Perl)
	if wrong := (*syntax.Error)(nil); errors.As(err, &wrong) {
		return nil, fmt.Errorf("must be a regular expression (RE2): %s in %s", wrong.Code, wrong.Expr)
	} else if err != nil {
		return nil, err
	}
	if instructions(tree) > maxInstructions {
		return nil, fmt.Errorf("is too costly: with its repetitions written out it has more than %d instructions", maxInstructions)
	}
	if classRunes(tree) > maxClassRunes {
		return nil, fmt.Errorf("is too costly: its character classes have more than %d ranges", maxClassRunes/2)
	}
	return regexp.Compile(expr)
}

// instructions returns how many instructions the program of an expression has, at most:
// repetitions are unrolled. It stops counting where there are too many.
func instructions(tree *syntax.Regexp) int {
	inner := 0
	for _, sub := range tree.Sub {
		inner = min(inner+instructions(sub), maxInstructions+1)
	}
	switch tree.Op {
	case syntax.OpLiteral:
		return len(tree.Rune)
	case syntax.OpConcat:
		return inner
	case syntax.OpCapture, syntax.OpStar:
		return inner + 2
	case syntax.OpAlternate:
		return inner + len(tree.Sub)
	case syntax.OpRepeat:
		return (inner + 1) * max(tree.Min, tree.Max, 1)
	}
	return inner + 1
}

// classRunes returns how many bounds of ranges the classes of an expression have.
func classRunes(tree *syntax.Regexp) (n int) {
	if tree.Op == syntax.OpCharClass {
		n = len(tree.Rune)
	}
	for _, sub := range tree.Sub {
		n += classRunes(sub)
	}
	return n
}
