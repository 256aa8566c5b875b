package handler

import (
	"bytes"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"

	"github.com/popupd/popupd/popup"
)

// token is the proof that a popup was served: the page hands it back with
// what the user did.
type token struct {
	user       []byte
	popup      uint32
	version    uint32
	variant    []byte
	servedAtMS int64
}

// A token is "v1." and the unpadded URL-safe base64 of, big endian:
//
//	0  key id      4 bytes, the start of HMAC(secret, "key id")
//	4  served at   int64, ms
//	12 popup       uint32
//	16 version     uint32
//	20 len(user)   uint8
//	21 user, then variant
//	-16 MAC        the first 16 bytes of HMAC(secret, "v1." and all before it)
//
// The MAC is checked before anything but the key id is looked at.
const (
	keyIDSize     = 4
	tokenHeader   = 21
	tokenMAC      = 16
	minTokenBytes = tokenHeader + 1 // without its MAC
	maxTokenBytes = tokenHeader + popup.MaxUserID + popup.MaxVariantKey + tokenMAC
)

const (
	tokenVersion = "v1."
	maxToken     = len(tokenVersion) + (maxTokenBytes*8+5)/6 // characters
)

var (
	tokenPrefix = []byte(tokenVersion)
	keyIDLabel  = []byte("key id")
	tokenBase64 = base64.RawURLEncoding.Strict()
)

// keyring signs with the first of its keys and accepts all of them. It serves
// one goroutine at a time.
type keyring struct {
	keys []ringKey
	buf  [len(tokenVersion) + maxTokenBytes]byte
}

type ringKey struct {
	id  [keyIDSize]byte
	mac *mac
}

// newKeyring returns a keyring of the secrets, of which there must be one.
func newKeyring(secrets [][]byte) (*keyring, error) {
	if len(secrets) == 0 {
		return nil, errors.New("no secret to sign tokens with")
	}
	k := new(keyring)
	for _, s := range secrets {
		if len(s) == 0 {
			return nil, errors.New("the secret that signs tokens is empty")
		}
		key := ringKey{mac: newMAC(s)}
		copy(key.id[:], key.mac.of(keyIDLabel))
		k.keys = append(k.keys, key)
	}
	return k, nil
}

// append appends the token to dst.
func (k *keyring) append(dst []byte, t *token) []byte {
	key := &k.keys[0]
	b := append(k.buf[:0], tokenVersion...) // is signed, too: one piece takes the hash less time than two
	b = append(b, key.id[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(t.servedAtMS))
	b = binary.BigEndian.AppendUint32(b, t.popup)
	b = binary.BigEndian.AppendUint32(b, t.version)
	b = append(b, byte(len(t.user)))
	b = append(b, t.user...)
	b = append(b, t.variant...)
	b = append(b, key.mac.of(b)[:tokenMAC]...)
	dst = append(dst, tokenVersion...)
	return tokenBase64.AppendEncode(dst, b[len(tokenVersion):])
}

// verify reads a token that one of the keys signed into t, whose slices then
// refer to what it appends to buf. It reports false for any other text.
func (k *keyring) verify(t *token, text, buf []byte) (_ []byte, ok bool) {
	if len(text) > maxToken {
		return buf, false
	}
	start := len(buf)
	buf, ok = k.open(tokenPrefix, text, buf)
	if b := buf[start:]; !ok || len(b) < minTokenBytes || !t.decode(b) {
		return buf[:start], false
	}
	return buf, true
}

// open appends to buf what is in a token that begins with version, as far as its MAC, if
// one of the keys signed it. It reports false for any other text, and appends nothing.
func (k *keyring) open(version, text, buf []byte) (_ []byte, ok bool) {
	text, ok = bytes.CutPrefix(text, version)
	// The decoder skips line breaks, which would give a token many spellings.
	if !ok || bytes.IndexByte(text, '\n') >= 0 || bytes.IndexByte(text, '\r') >= 0 {
		return buf, false
	}
	start := len(buf)
	buf, err := tokenBase64.AppendDecode(buf, text)
	if b := buf[start:]; err != nil || len(b) < keyIDSize+tokenMAC || !k.signed(version, b) {
		return buf[:start], false
	}
	return buf[:len(buf)-tokenMAC], true
}

// signed reports whether one of the keys made the MAC at the end of b, over version and
// all before it. The version keeps a token of one kind from being one of another.
func (k *keyring) signed(version, b []byte) bool {
	end := len(b) - tokenMAC
	for i := range k.keys {
		key := &k.keys[i]
		if string(b[:keyIDSize]) == string(key.id[:]) &&
			subtle.ConstantTimeCompare(key.mac.of(version, b[:end])[:tokenMAC], b[end:]) == 1 {
			return true
		}
	}
	return false
}

// decode reads b, a token of at least minTokenBytes without its MAC, into t, whose
// slices then refer to it.
func (t *token) decode(b []byte) (ok bool) {
	user := int(b[tokenHeader-1])
	if user == 0 || user > popup.MaxUserID || tokenHeader+user > len(b) {
		return false
	}
	*t = token{
		servedAtMS: int64(binary.BigEndian.Uint64(b[keyIDSize:])),
		popup:      binary.BigEndian.Uint32(b[12:]),
		version:    binary.BigEndian.Uint32(b[16:]),
		user:       b[tokenHeader : tokenHeader+user : tokenHeader+user],
		variant:    b[tokenHeader+user:],
	}
	return len(t.variant) <= popup.MaxVariantKey && t.servedAtMS >= 0 && t.servedAtMS <= popup.Never
}
