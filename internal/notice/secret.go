package notice

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/url"
	"strconv"
	"strings"
)

// Secret is a key that webhooks are signed with.
type Secret []byte

// The sizes that Standard Webhooks asks for, in bytes.
const minSecret, maxSecret = 24, 64

// ErrSecret says what a secret looks like, and nothing of the one that was given.
var ErrSecret = errors.New("want whsec_ and 24 to 64 bytes in base64, as of: echo whsec_$(openssl rand -base64 32); or new,old while rotating")

// ParseSecrets reads secrets, whsec_ and base64, with commas between them. Webhooks are
// signed with each of them, so that receivers may have any one.
func ParseSecrets(list string) (secrets []Secret, err error) {
	for text := range strings.SplitSeq(list, ",") {
		encoded, ok := strings.CutPrefix(strings.TrimSpace(text), "whsec_")
		secret, err := base64.StdEncoding.Strict().DecodeString(encoded)
		if !ok || err != nil || len(secret) < minSecret || len(secret) > maxSecret {
			return nil, ErrSecret
		}
		secrets = append(secrets, secret)
	}
	return secrets, nil
}

// sign returns the header webhook-signature of a body.
func sign(secrets []Secret, id string, second int64, body []byte) string {
	var header []string
	for _, secret := range secrets {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(id + "." + strconv.FormatInt(second, 10) + "."))
		mac.Write(body)
		header = append(header, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(header, " ")
}

// ParseURL reads where webhooks are sent. Its errors show nothing of the URL, which may be
// all that a receiver asks of a sender, as Slack's is.
func ParseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || strings.ContainsAny(text, " \t\r\n"):
		return nil, errors.New("want a URL as https://example.com/popupd")
	case u.User != nil:
		return nil, errors.New("want a URL without a user and password: the receiver knows popupd by the signature")
	case u.Fragment != "":
		return nil, errors.New("want a URL without #, which is never sent")
	}
	return u, nil
}
