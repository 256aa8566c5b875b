// Package catalogtest has the catalogs that benchmarks of matching and of decisions share:
// popups as shops have them, and popups with conditions of their own each. Nothing else is
// here.
package catalogtest

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/popupd/popupd/popup"
)

// Kind is a kind of catalogs, and who asks for their popups.
type Kind struct {
	Name    string
	Request func(n int) popup.Request // for one of n popups
	Fits    int                       // how many popups fit the request, if there are 26 or more; -1: it depends

	members func(i, n int) string // of popup i of n
}

// Rows returns n popups, with the ids from 1 on.
func (k *Kind) Rows(n int) []popup.Row {
	rows := make([]popup.Row, n)
	for i := range rows {
		key := fmt.Sprintf("p%d", i+1)
		rows[i] = popup.Row{
			ID: uint32(i + 1), Version: 1, Key: key,
			Spec: fmt.Appendf(nil, `{"key":%q,"status":"active","priority":%d,%s}`, key, i%10, k.members(i, n)),
		}
	}
	return rows
}

// Kinds returns all kinds. The popups of texts and of all after it have conditions of their
// own each.
func Kinds() []Kind {
	return []Kind{
		{"typical", func(n int) popup.Request { return request("plan", fmt.Sprint("plan-", n/2)) }, 1, typical},
		{"realistic", func(int) popup.Request { return request("segment", "none", "orders", "3") }, 0, realistic},
		{"texts", func(n int) popup.Request { return request("plan", fmt.Sprint("plan-", n/2)) }, 1, func(i, _ int) string {
			return all(condition("plan", popup.Eq, fmt.Sprint("plan-", i)))
		}},
		{"thresholds", func(int) popup.Request { return request("score", "10") }, 1, func(i, _ int) string {
			return all(condition("score", popup.Gte, i+10))
		}},
		{"ranges", func(n int) popup.Request { return request("score", fmt.Sprint(5*n)) }, 3, scores},
		{"versions", func(n int) popup.Request { return onVersion(request(), n/2) }, 1, versions},
		{"prefixes", func(n int) popup.Request { return onPath(request(), "/shop/item-%d/reviews", n/2) }, 1, prefixes},
		{"substrings", func(n int) popup.Request { return onPath(request(), "/shop/blue-item-%d-xl/reviews", n/2) }, 1, func(i, _ int) string {
			return all(condition("path", popup.Contains, fmt.Sprintf("-item-%d-", i)))
		}},
		{"mixed", func(n int) popup.Request {
			return onPath(onVersion(request("score", fmt.Sprint(5*n)), n/2), "/shop/item-%d/reviews", n/2)
		}, -1, func(i, n int) string {
			return [...]func(i, n int) string{scores, versions, prefixes}[i%3](i, n)
		}},
	}
}

// typical returns three placements, two conditions, and some hours and rollouts.
func typical(i, _ int) string {
	members := fmt.Sprintf(`"placements":["default","p%d","home"],%s,"variants":[{"key":"a","weight":50},{"key":"b","weight":50}]`,
		i, all(condition("platform", popup.In, []string{"ios", "android"}), condition("plan", popup.Eq, fmt.Sprint("plan-", i))))
	if i%4 == 0 {
		members += `,"schedule":{"timezone":"Europe/Berlin","days":["mon","tue","wed"],"hours":[["00:00","24:00"]]}`
	}
	if i%3 == 0 {
		members += `,"rollout":{"percent":99.99}`
	}
	return members
}

// realistic returns the popups of a shop's home page, none of which is for the request.
func realistic(i, _ int) string {
	apps := `{"attr":"platform","op":"in","value":["ios","android"]}`
	switch i % 4 {
	case 0:
		return fmt.Sprintf(`"targeting":{"all":[%s,{"attr":"app_version","op":"semver_gte","value":"3.%d"},
			{"attr":"country","op":"in","value":["HK","TW","SG"]}],"none":[{"attr":"segment","op":"eq","value":"staff"}]}`, apps, i%3)
	case 1:
		return fmt.Sprintf(`"targeting":{"all":[{"attr":"platform","op":"eq","value":"web"},{"attr":"country","op":"eq","value":%q}]}`, []string{"CN", "US", "DE", "FR", "JP"}[i/4%5])
	case 2:
		return fmt.Sprintf(`"targeting":{"all":[%s,{"attr":"app_version","op":"semver_gte","value":"4.%d"}],
			"any":[{"attr":"locale","op":"prefix","value":"zh"},{"attr":"locale","op":"eq","value":"en-SG"}]}`, apps, i/4%40)
	}
	return fmt.Sprintf(`"targeting":{"all":[%s,{"attr":"segment","op":"in","value":["s%d","s%d"]},
		{"attr":"orders","op":"gte","value":%d}]},"rollout":{"percent":50}`, apps, i/4%500, i/4%500+1, i/4%10)
}

func scores(i, _ int) string {
	return all(condition("score", popup.Gte, 10*i), condition("score", popup.Lt, 10*i+30))
}

func versions(i, _ int) string {
	return all(condition("app_version", popup.SemverGte, fmt.Sprintf("%d.%d.1", i/50, i%50)), condition("app_version", popup.SemverLt, fmt.Sprintf("%d.%d.5", i/50, i%50)))
}

func prefixes(i, _ int) string {
	return all(condition("path", popup.Prefix, fmt.Sprintf("/shop/item-%d/", i)))
}

// all returns the targeting of a popup whose conditions must all hold.
func all(conditions ...string) string {
	return `"targeting":{"all":[` + strings.Join(conditions, ",") + `]}`
}

func condition(attr string, op popup.Op, value any) string {
	spec, err := json.Marshal(map[string]any{"attr": attr, "op": op, "value": value})
	if err != nil {
		panic(err)
	}
	return string(spec)
}

// request returns a request with these attributes: names and values in turn.
func request(attributes ...string) popup.Request {
	r := popup.Request{User: []byte("user-1234567"), Platform: []byte("ios"), AppVersion: []byte("3.2.1"), Country: []byte("CN"), Locale: []byte("zh-CN")}
	for i := 0; i < len(attributes); i += 2 {
		r.Attrs = append(r.Attrs, popup.Attr{Name: []byte(attributes[i]), Value: []byte(attributes[i+1])})
	}
	return r
}

// onVersion returns the request from the version that popup i of versions is for.
func onVersion(r popup.Request, i int) popup.Request {
	r.AppVersion = fmt.Appendf(nil, "%d.%d.3", i/50, i%50)
	return r
}

// onPath returns the request from a path with the item that popup i of prefixes is for.
func onPath(r popup.Request, path string, i int) popup.Request {
	r.Path = fmt.Appendf(nil, path, i)
	return r
}
