//go:build linux

package main

import (
	"fmt"
	"strings"

	"github.com/popupd/popupd/internal/testbed"
)

// startNginx starts nginx, which gives the answers.
func (b *bench) startNginx(answers []answer) (*target, error) {
	rules, err := nginxRules(answers)
	if err != nil {
		return nil, err
	}
	s, err := b.Nginx(rules, testbed.StoreOptions{Cores: serverCore})
	if err != nil {
		return nil, err
	}
	return &target{Process: s.Process, address: s.Addr}, nil
}

// nginxRules are the directives that give the answers. A single one needs no
// look at the path.
func nginxRules(answers []answer) (string, error) {
	var b strings.Builder
	for _, a := range answers {
		if len(answers) > 1 {
			fmt.Fprintf(&b, "    location = %s {\n", a.Path)
		}
		for _, h := range a.Headers {
			directive := "add_header " + h[0]
			if h[0] == "Content-Type" {
				directive = "default_type"
			}
			value, err := nginxQuote(h[1])
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&b, "    %s %s", directive, value)
			if directive != "default_type" {
				b.WriteString(" always") // add_header knows no 202 by itself
			}
			b.WriteString(";\n")
		}
		body, err := nginxQuote(a.Body)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "    return %d %s;\n", a.Status, body)
		if len(answers) > 1 {
			b.WriteString("    }\n")
		}
	}
	return b.String(), nil
}

func nginxQuote(s string) (string, error) {
	if strings.ContainsAny(s, `'$\`) {
		return "", fmt.Errorf("nginx would not repeat %q", s)
	}
	return "'" + s + "'", nil
}
