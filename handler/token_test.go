package handler

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

func mustKeyring(t testing.TB, secrets ...string) *keyring {
	t.Helper()
	var list [][]byte
	for _, s := range secrets {
		list = append(list, []byte(s))
	}
	k, err := newKeyring(list)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sampleToken() token {
	return token{user: []byte("u-1"), popup: 7, version: 3, variant: []byte("a"), servedAtMS: 1_700_000_000_123}
}

var tokenDiff = cmp.AllowUnexported(token{})

// The format is a promise: tokens issued by one release are taken by the next.
func TestTokenGolden(t *testing.T) {
	const want = "v1.BIrCQQAAAYvP5Wh7AAAABwAAAAMDdS0xYfDQi2OQR7xvU2OPq3FDTFs"
	sample := sampleToken()
	if got := string(mustKeyring(t, "0123456789abcdef").append(nil, &sample)); got != want {
		t.Errorf("token = %s\nwant    %s", got, want)
	}
}

func TestTokenRoundTrip(t *testing.T) {
	longest := token{
		user: bytes.Repeat([]byte("u"), popup.MaxUserID), popup: 1<<32 - 1, version: 1<<32 - 1,
		variant: bytes.Repeat([]byte("v"), popup.MaxVariantKey), servedAtMS: popup.Never,
	}
	k := mustKeyring(t, "secret")
	for _, want := range []token{sampleToken(), longest, {user: []byte("x"), variant: []byte{}}} {
		text := k.append([]byte("before"), &want)[len("before"):]
		if len(text) > maxToken {
			t.Errorf("token of %d characters, want %d at most", len(text), maxToken)
		}
		var got token
		buf, ok := k.verify(&got, text, []byte("kept"))
		if !ok {
			t.Fatalf("%s is not accepted", text)
		}
		if d := cmp.Diff(want, got, tokenDiff); d != "" {
			t.Errorf("round trip (-want +got):\n%s", d)
		}
		if !bytes.HasPrefix(buf, []byte("kept")) {
			t.Errorf("buffer = %q, want what was in it first", buf)
		}
	}
}

func TestTokenRotation(t *testing.T) {
	sample := sampleToken()
	before, during, after := mustKeyring(t, "old"), mustKeyring(t, "new", "old"), mustKeyring(t, "new")
	for _, c := range []struct {
		name          string
		issuer, taker *keyring
		want          bool
	}{
		{"old by old", before, before, true},
		{"old by both", before, during, true},
		{"both by new", during, after, true},
		{"both by old", during, before, false},
		{"old by new", before, after, false},
	} {
		var got token
		if _, ok := c.taker.verify(&got, c.issuer.append(nil, &sample), nil); ok != c.want {
			t.Errorf("%s: accepted = %v, want %v", c.name, ok, c.want)
		}
	}
}

func TestTokenRefused(t *testing.T) {
	k := mustKeyring(t, "secret")
	sample := sampleToken()
	good := k.append(nil, &sample)
	for i := range good {
		for bit := range 8 {
			bad := bytes.Clone(good)
			bad[i] ^= 1 << bit
			var got token
			if buf, ok := k.verify(&got, bad, nil); ok || len(buf) > 0 {
				t.Errorf("bit %d of byte %d changed: accepted = %v, %d bytes kept", bit, i, ok, len(buf))
			}
		}
	}
	// The last character has bits to spare, which would give a token many spellings.
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for _, c := range []byte(alphabet) {
		other := append(bytes.Clone(good[:len(good)-1]), c)
		var got token
		if _, ok := k.verify(&got, other, nil); ok != bytes.Equal(other, good) {
			t.Errorf("%s: accepted = %v", other, ok)
		}
	}
	// A MAC of ours over something that is no token, as another version might make.
	signed := func(payload []byte) []byte {
		b := append(k.keys[0].id[:], payload...)
		b = append(b, k.keys[0].mac.of(tokenPrefix, b)[:tokenMAC]...)
		return []byte("v1." + base64.RawURLEncoding.EncodeToString(b))
	}
	payload := func(at int64, user int, rest string) []byte {
		b := binary.BigEndian.AppendUint64(nil, uint64(at))
		return append(append(append(b, make([]byte, 8)...), byte(user)), rest...)
	}
	for name, text := range map[string][]byte{
		"empty":             {},
		"version alone":     []byte("v1."),
		"other version":     append([]byte("v2."), good[3:]...),
		"no version":        good[3:],
		"cut":               good[:len(good)-1],
		"line break inside": append(append(bytes.Clone(good[:20]), '\n'), good[20:]...),
		"padded":            append(bytes.Clone(good), '='),
		"too long":          []byte("v1." + strings.Repeat("A", 10_000)),
		"no user":           signed(payload(1, 0, "xxxxx")),
		"user past the end": signed(payload(1, 9, "x")),
		"user too long":     signed(payload(1, 129, strings.Repeat("x", 129))),
		"variant too long":  signed(payload(1, 1, strings.Repeat("x", 34))),
		"negative time":     signed(payload(-1, 1, "x")),
		"time after never":  signed(payload(popup.Never+1, 1, "x")),
	} {
		var got token
		if _, ok := k.verify(&got, text, nil); ok {
			t.Errorf("%s: accepted", name)
		}
	}
	var got token
	if _, ok := k.verify(&got, signed(payload(1, 1, "x")), nil); !ok {
		t.Error("a payload signed by the test itself is not accepted: the cases above show nothing")
	}
}

func TestNewKeyringErrors(t *testing.T) {
	for name, secrets := range map[string][][]byte{"none": nil, "empty": {[]byte("x"), {}}} {
		if _, err := newKeyring(secrets); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestSigned(t *testing.T) {
	// printf 'u-1' | openssl dgst -sha256 -hmac secret
	const sig = "8a756f7a5508f73fdfa425b9e762443bcfcfe5f372ab3643a890ddcd2433f599"
	m := signers{newMAC([]byte("secret"))}
	for _, c := range []struct {
		uid, sig string
		want     bool
	}{
		{"u-1", sig, true},
		{"u-1", strings.ToUpper(sig), true},
		{"u-2", sig, false},
		{"u-1", sig[:62], false},
		{"u-1", sig + "00", false},
		{"u-1", "zz" + sig[2:], false},
		{"u-1", "", false},
	} {
		if got := m.signed([]byte(c.uid), []byte(c.sig)); got != c.want {
			t.Errorf("signed(%q, %q) = %v, want %v", c.uid, c.sig, got, c.want)
		}
	}
}

func FuzzToken(f *testing.F) {
	k := mustKeyring(f, "secret", "older")
	sample := sampleToken()
	f.Add(k.append(nil, &sample))
	f.Add([]byte("v1."))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, text []byte) {
		var got token
		if _, ok := k.verify(&got, text, nil); ok {
			if again := k.append(nil, &got); !bytes.Equal(again, text) {
				t.Fatalf("accepted %s, which is not %s", text, again)
			}
		}
	})
}

func BenchmarkHotTokenAppend(b *testing.B) {
	k := mustKeyring(b, "secret")
	sample := sampleToken()
	dst := make([]byte, 0, maxToken)
	b.ReportAllocs()
	for b.Loop() {
		dst = k.append(dst[:0], &sample)
	}
}

func BenchmarkHotTokenVerify(b *testing.B) {
	k := mustKeyring(b, "secret")
	sample := sampleToken()
	text := k.append(nil, &sample)
	buf := make([]byte, 0, maxTokenBytes)
	var got token
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := k.verify(&got, text, buf); !ok {
			b.Fatal("not accepted")
		}
	}
}
