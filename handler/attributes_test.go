package handler

import (
	"net/http"
	"testing"
)

// An attribute that is given several times is a set, in a query and in a body.
func TestSets(t *testing.T) {
	f := newServer(t, nil,
		everyTime+`,"placements":["has"],"targeting":{"all":[{"attr":"tag","op":"eq","value":"b"},{"attr":"tag","op":"in","value":["a"]},{"attr":"tag","op":"gt","value":6}]}`,
		everyTime+`,"placements":["hasnot"],"targeting":{"all":[{"attr":"tag","op":"not_in","value":["b"]}]}`).start()
	for _, c := range []struct {
		query, attributes string
		has, hasNot       bool
	}{
		{"", `{}`, false, true},
		{"&a.tag=b", `{"tag":"b"}`, false, false},
		{"&a.tag=b&a.tag=a&a.tag=7", `{"tag":["b","a",7]}`, true, false},
		{"&a.tag=7&a.other=x&a.tag=a&a.tag=&a.tag=%62", `{"tag":[7,"a","","\u0062"],"other":"x"}`, true, false},
		{"&a.tag=c&a.tag=d&a.tag=c", `{"tag":["c","d","c"]}`, false, true},
		{"&a.tag=", `{"tag":[]}`, false, true},
		{"&a.tag=", `{"tag":null}`, false, true},
		{"&a.tag=b&a.tag=a&a.tag=7", `{"tag":["b",null,"a",7],"other":null}`, true, false},
	} {
		for placement, want := range map[string]bool{"has": c.has, "hasnot": c.hasNot} {
			status := http.StatusNoContent
			var shown []string
			if want {
				status, shown = http.StatusOK, []string{map[string]string{"has": "p1 in has", "hasnot": "p2 in hasnot"}[placement]}
			}
			if got := f.do("GET", "/v1/poll?uid=u&placement="+placement+c.query, "").status; got != status {
				t.Errorf("%s in %s: %d, want %d", c.query, placement, got, status)
			}
			f.clock.advance(day)
			f.shows(`{"uid":"u","placements":["`+placement+`"],"attributes":`+c.attributes+`}`, shown...)
			f.clock.advance(day)
		}
	}
}

// The hours of a popup with user_time are those of the zone that the poll gives.
func TestZoneOfPolls(t *testing.T) {
	f := newServer(t, nil, everyTime+`,"schedule":{"user_time":true,"timezone":"Europe/Berlin","days":["thu"],"hours":[["16:00","17:00"]]}`).start()
	// It is Thursday, 2025-10-09, 08:53 UTC.
	for tz, want := range map[string]string{"Asia/Shanghai": "p1", "Asia%2FShanghai": "p1", "Europe/Berlin": "", "": "", "Mars/Olympus": "", "Asia/Shanghai&tz=UTC": "p1"} {
		f.sees("u", want, "&tz="+tz)
		f.clock.advance(7 * day)
	}
	f.shows(`{"uid":"u","tz":"Asia/Shanghai"}`, "p1 in default")
	f.shows(`{"uid":"u","tz":"UTC"}`)
	f.shows(`{"uid":"u","tz":null}`)
}

// The attribute ip is the client as proxies that are trusted name it, and nothing that
// a client says of itself.
func TestAddressOfPolls(t *testing.T) {
	for _, c := range []struct {
		trusted, forwarded string
		want               int
	}{
		{"", "", 204}, {"", "203.0.113.7", 204}, {"127.0.0.0/8", "203.0.113.7", 200}, {"127.0.0.0/8", "203.0.113.7, 192.0.2.1", 204},
		{"127.0.0.0/8", "192.0.2.1, 203.0.113.7", 200}, {"127.0.0.0/8", "::ffff:203.0.113.7", 200}, {"127.0.0.0/8", "[2001:db8::17]:443", 200}, {"127.0.0.0/8", "unknown", 204},
	} {
		f := newServer(t, func(config *Config) { config.TrustedProxies = mustProxies(t, c.trusted) },
			everyTime+`,"targeting":{"all":[{"attr":"ip","op":"in_cidr","value":["203.0.113.0/24","2001:db8::/64"]},{"attr":"ip","op":"exists"}]}`)
		address := f.serveTCP()
		req, err := http.NewRequest("GET", "http://"+address+"/v1/poll?uid=u&a.ip=203.0.113.7&ip=203.0.113.7", nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.forwarded != "" {
			req.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := f.send(req).status; got != c.want {
			t.Errorf("trusted %q, forwarded %q: %d, want %d", c.trusted, c.forwarded, got, c.want)
		}
	}
}
