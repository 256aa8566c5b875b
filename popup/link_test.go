package popup

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// inContent returns a popup whose content has one member.
func inContent(t *testing.T, name string, value any) []byte {
	t.Helper()
	doc, err := json.Marshal(map[string]any{"key": "k", "variants": []any{map[string]any{"content": map[string]any{name: value}}}})
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestLinks(t *testing.T) {
	for _, address := range []string{
		"", "https://example.com/sale", "http://example.com", "HTTPS://EXAMPLE.COM", "mailto:a@b.example", "tel:+4930123", " https://example.com ",
		"/sale", "sale.html", "./sale?a=b:c", "?q=javascript:x", "#top", "//cdn.example/x.png", "a/b:c", "Größe:5", "my page:1",
		"myapp://cart", "com.example.app://cart/5", "whatsapp://send?text=x", "itms-apps://x", "javascript/x:1", "1a:b",
	} {
		for _, name := range []string{"link", "image"} {
			if _, err := Decode(inContent(t, name, address)); err != nil {
				t.Errorf("%s %q: %v", name, address, err)
			}
		}
	}
	for _, address := range []string{
		"javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "\t\n\x00\x1fjavascript:x", "java\nscript:x", "java\tscr\ript\n:x", "javascript\r\n:x",
		"\u00a0javascript:x", "\ufeffjavascript:x", "\u2028javascript:x", "java\u200bscript:x", "java\u00adscript:x", "javascript://example.com/%0aalert(1)",
		"data:text/html,<script>", "data:image/svg+xml;base64,AAAA", "DATA://x", "vbscript:x", "VbScript://x", "file:///etc/passwd", "file://host/x", "FILE:x",
		"blob:https://example.com/1", "about:blank", "view-source:https://example.com", "filesystem:https://x/y", "ftp://example.com", "wss://example.com",
		"myapp:cart", "sms:123", "ms-msdt:/id", "localhost:8080/x", "example.com:8080",
	} {
		for _, name := range []string{"link", "image"} {
			wantPointer(t, inContent(t, name, address), "/variants/0/content/"+name)
		}
		wantPointer(t, inContent(t, "image", map[string]any{"src": address}), "/variants/0/content/image/src")
	}
	for _, value := range []any{5, nil, true, []any{"javascript:x"}, map[string]any{"href": "javascript:x"}, map[string]any{"src": 5}} {
		for _, name := range []string{"link", "image"} {
			if _, err := Decode(inContent(t, name, value)); err != nil {
				t.Errorf("%s %v: %v", name, value, err)
			}
		}
	}
}

// A stored popup that is against the rules that came later is read.
func TestStoredLinks(t *testing.T) {
	doc := inContent(t, "link", "javascript:x")
	s, _, err := DecodeStored(doc)
	if err != nil || s.ValidateStored() != nil {
		t.Errorf("DecodeStored: %v, ValidateStored: %v", err, s.ValidateStored())
	}
	if s.Validate() == nil {
		t.Error("Validate takes it")
	}
}

// FuzzLink: an address that is taken is none in which a browser, which forgives space
// around it and line breaks in it, would find a scheme that runs something.
func FuzzLink(f *testing.F) {
	f.Add(" java\nscript:x")
	f.Add("\x00data:,x")
	f.Add("myapp://cart")
	f.Add("JAVASCRIPT\t://x")
	f.Fuzz(func(t *testing.T, address string) {
		if !isLink(address) {
			return
		}
		seen := strings.ToLower(strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(strings.TrimLeftFunc(address, func(r rune) bool { return r <= ' ' })))
		for _, scheme := range []string{"javascript:", "data:", "vbscript:", "file:", "blob:", "about:", "view-source:", "filesystem:"} {
			if strings.HasPrefix(seen, scheme) {
				t.Fatalf("%q is taken, which a browser reads as %q", address, seen)
			}
		}
	})
}

// wantPointer wants a document to be refused for one error, at a place.
func wantPointer(t *testing.T, doc []byte, pointer string) {
	t.Helper()
	_, err := Decode(doc)
	var errs FieldErrors
	if !errors.As(err, &errs) || len(errs) != 1 || errs[0].Pointer != pointer {
		t.Errorf("Decode(%s): %v, want one error at %s", doc, err, pointer)
	}
}
