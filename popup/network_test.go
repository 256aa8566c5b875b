package popup

import (
	"net/netip"
	"strings"
	"testing"
)

func TestParseNetwork(t *testing.T) {
	for text, want := range map[string]string{
		"10.0.0.0/8": "10.0.0.0/8", "10.1.2.3/8": "10.0.0.0/8", "10.1.2.3": "10.1.2.3/32", "0.0.0.0/0": "0.0.0.0/0",
		"2001:DB8::/32": "2001:db8::/32", "::1": "::1/128", "::/0": "::/0", "::ffff:10.0.0.0/104": "10.0.0.0/8", "::ffff:10.0.0.1": "10.0.0.1/32", "::ffff:0:0/96": "0.0.0.0/0",
	} {
		if got, ok := ParseNetwork(text); !ok || got.String() != want {
			t.Errorf("%s: %v, %v; want %s", text, got, ok, want)
		}
	}
	for _, text := range []string{
		"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/0008", "10.0.0/8", "::/129", "::/x", "::ffff:10.0.0.0/95", "::ffff:10.0.0.0/129",
		"fe80::1%eth0", "fe80::%eth0/64", "home", " 10.0.0.0/8", "10.0.0.0 /8",
	} {
		if got, ok := ParseNetwork(text); ok {
			t.Errorf("%q is %v", text, got)
		}
	}
}

// FuzzParseAddr agrees with package netip.
func FuzzParseAddr(f *testing.F) {
	for _, text := range []string{"10.0.0.1", "01.0.0.1", "256.0.0.1", "1.2.3.4.5", "::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7::8", "::1:2:3:4:5:6:7:8", "1::2::3", "::ffff:1.2.3.4",
		"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3.4:5", ":1", "1:", "1:2", "12345::", "g::", "fe80::1%a", "::1.2.3", "1.2.3.4::", "[::1]"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := ParseAddr([]byte(text))
		want, err := netip.ParseAddr(text)
		if wantOK := err == nil && !strings.Contains(text, "%"); ok != wantOK || ok && got != want.Unmap() {
			t.Fatalf("%q is %v, %v; want %v, %v", text, got, ok, want, err)
		}
	})
}
