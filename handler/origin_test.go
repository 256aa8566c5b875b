package handler

import (
	"strings"
	"testing"
)

func TestParseOrigins(t *testing.T) {
	for list, want := range map[string]string{
		"*": "*", " * ": "*",
		"https://example.com":                        "https://example.com",
		"https://example.com, http://b.example:8000": "https://example.com,http://b.example:8000",
		// What has one meaning is written as browsers write it.
		"HTTPS://Example.COM":     "https://example.com",
		"https://example.com:443": "https://example.com",
		"http://example.com:80":   "http://example.com",
		"http://example.com:443":  "http://example.com:443",
		"https://example.com:443,https://example.com,https://EXAMPLE.com": "https://example.com",
		"https://bücher.example":                               "https://xn--bcher-kva.example",
		"https://BÜCHER.example:8443":                          "https://xn--bcher-kva.example:8443",
		"https://faß.example":                                  "https://xn--fa-hia.example",
		"https://例え.テスト":                                       "https://xn--r8jz45g.xn--zckzah",
		"https://ｅｘａｍｐｌｅ。com":                                  "https://example.com",
		"https://xn--bcher-kva.example":                        "https://xn--bcher-kva.example",
		"https://my_host.example":                              "https://my_host.example",
		"https://a--b.example":                                 "https://a--b.example",
		"https://example.com.":                                 "https://example.com.",
		"http://localhost:3000":                                "http://localhost:3000",
		"http://127.0.0.1:8080":                                "http://127.0.0.1:8080",
		"http://[::1]:8000":                                    "http://[::1]:8000",
		"http://[::1]:80":                                      "http://[::1]",
		"http://[2001:DB8:0:0:0:0:0:1]":                        "http://[2001:db8::1]",
		"http://[::ffff:192.0.2.1]":                            "http://[::ffff:c000:201]",
		"https://*.example.com":                                "https://*.example.com",
		"https://*.BÜCHER.example:443":                         "https://*.xn--bcher-kva.example",
		"https://*.example.com:8443":                           "https://*.example.com:8443",
		"capacitor://localhost,ionic://localhost,app://.":      "capacitor://localhost,ionic://localhost,app://.",
		"chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb":  "chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb",
		"moz-extension://0F5A1B9C-92a4-4f0e-8b0f-9a0d3a1c2b3d": "moz-extension://0f5a1b9c-92a4-4f0e-8b0f-9a0d3a1c2b3d",
	} {
		if got, err := ParseOrigins(list); err != nil || strings.Join(got, ",") != want {
			t.Errorf("%s: %q, %v; want %s", list, got, err, want)
		}
	}
	const any = "https://example.com, https://example.com:8443, https://*.example.com or *"
	for list, want := range map[string]string{
		// What the entry may have meant is told.
		"https://example.com/":              "https://example.com",
		"https://EXAMPLE.com/shop?x=1":      "https://example.com",
		"https://example.com:8443/":         "https://example.com:8443",
		"https://example.com?":              "https://example.com",
		`https://example.com\`:              "https://example.com",
		"https://example.com#a":             "https://example.com",
		"https://example.com:":              "https://example.com",
		"https://example.com:0":             "https://example.com",
		"https://example.com:99999":         "https://example.com",
		"https://example.com:*":             "https://example.com",
		"https://example.com:-1":            "https://example.com",
		"https://example.com:port":          "https://example.com",
		"https://example.com:080":           "https://example.com:80",
		"http://example.com:080":            "http://example.com",
		"https://user:password@example.com": "https://example.com",
		"https://user@example.com:8443/a":   "https://example.com:8443",
		"example.com":                       "https://example.com",
		"//example.com":                     "https://example.com",
		"example.com:8443/":                 "https://example.com:8443",
		"*.example.com":                     "https://*.example.com",
		"https:example.com":                 "https://example.com",
		"https://a.example,example.com":     "https://example.com",
		"":                                  any, "https://a.example,": any, "https://": any, "https:///": any, "https://:443": any, "null": any,
		"file://": any, "file:///a": any, "ftp://example.com": any, "htps://example.com": any, "wss://example.com": any, "data://x": any, "javascript://x": any,
		"https://*": any, "https://*.": any, "https://*example.com": any, "https://a.*.example.com": any, "https://example.*": any, "https://*.*.example.com": any,
		"*://example.com": any, "https://*.192.0.2.1": any, "chrome-extension://*": any, "https://**.example.com": any,
		"https://a b.example": any, "https://a..example": any, "https://.example.com": any, "https://ex%61mple.com": any, "https://a,b.example": "https://b.example",
		"https://xn--a.example": any, "http://\xe200": any, "https://a\u0000b.example": any, "https://a:80:80": any, "https://" + strings.Repeat("a.", 200) + "example": any,
		"http://127.1": any, "http://127.0.0.01": any, "http://1.2.3.256": any, "http://0x7f000001": any, "http://1.2.3.4.5": any, "http://example.0x1": any, "http://2130706433": any,
		"http://::1": any, "http://[::1": any, "http://[::1]x": any, "http://[fe80::1%25eth0]": any, "http://[127.0.0.1]": any, "http://[]": any,
	} {
		got, err := ParseOrigins(list)
		if err == nil || !strings.HasSuffix(err.Error(), ": want "+want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %q, %v; want an error that ends with %s", list, got, err, want)
		}
	}
	if got, err := ParseOrigins("https://a.example,*"); err == nil {
		t.Errorf("* beside others: %q, want an error", got)
	}
}

func TestWildcardOrigins(t *testing.T) {
	o, err := newOrigins([]string{"https://*.example.com", "http://*.b.example:8000", "https://c.example"})
	if err != nil {
		t.Fatal(err)
	}
	for origin, want := range map[string]bool{
		"https://a.example.com": true, "https://a.b-c.example.com": true, "https://xn--bcher-kva.example.com": true, "http://a.b.example:8000": true, "https://c.example": true,
		"https://example.com": false, "https://.example.com": false, "http://a.example.com": false, "https://a.example.com:8443": false, "https://a.example.com.": false,
		"https://aexample.com": false, "https://a.example.com.evil.example": false, "https://evil.example/.example.com": false, "https://evil.example:1.example.com": false,
		"https://evil@a.example.com": false, "https://evil.example#.example.com": false, "https://a..example.com": false, "https://A.example.com": false,
		"https://a.example.com ": false, "null": false, "": false, "http://a.b.example": false, "https://a.c.example": false, "https://a.example.com, https://b.example.com": false,
	} {
		if got := o.allow([]byte(origin)); got != want {
			t.Errorf("%q allowed: %v, want %v", origin, got, want)
		}
	}
	long := []byte("https://a.example.com")
	if n := testing.AllocsPerRun(100, func() { o.allow(long) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkAllowOrigin(b *testing.B) {
	for name, list := range map[string][]string{
		"listed":   {"https://a.example", "https://b.example", "https://c.example:8443"},
		"wildcard": {"https://a.example", "https://*.b.example", "https://*.c.example:8443"},
	} {
		o, err := newOrigins(list)
		if err != nil {
			b.Fatal(err)
		}
		for _, origin := range [][]byte{[]byte("https://shop.c.example:8443"), []byte("https://c.example:8443"), []byte("https://other.example")} {
			b.Run(name+"/"+string(origin[8:]), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					o.allow(origin)
				}
			})
		}
	}
}
