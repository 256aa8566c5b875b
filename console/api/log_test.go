package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/popupd/popupd/popup"
)

// A request that fails for want of a store is one line of the log, whatever it
// asked for, and says what that was. What can be no id does not get that far.
func TestFailureIsOneLine(t *testing.T) {
	p := newPlane(t)
	p.store.down = errors.New("the store\nis away\x1b[31m")
	logged := 0
	for _, uid := range []string{"a", "a\r\nlevel=ERROR msg=forged", "a\x1b[2J", "a\x00", "a\u202eb", "a\xff\xfe", `a" msg="forged`, "a\u2028", "a=b c", strings.Repeat("x", 128), strings.Repeat("\n", 4000)} {
		var text, lines bytes.Buffer
		for format, c := range map[string]struct {
			handler slog.Handler
			log     *bytes.Buffer
		}{"text": {slog.NewTextHandler(&text, nil), &text}, "json": {slog.NewJSONHandler(&lines, nil), &lines}} {
			r := httptest.NewRequest("DELETE", "/v1/admin/users/"+url.PathEscape(uid), nil)
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("X-Popupd-Actor", uid)
			w := httptest.NewRecorder()
			p.console(slog.New(c.handler)).ServeHTTP(w, r)
			if !popup.ValidUserID([]byte(uid)) {
				if w.Code != http.StatusBadRequest || c.log.Len() > 0 {
					t.Errorf("%.40q: %d, logged %.300q; want 400 and nothing", uid, w.Code, c.log)
				}
				continue
			}
			if w.Code != http.StatusServiceUnavailable {
				t.Fatalf("%.40q: %d, want 503", uid, w.Code)
			}
			if n := bytes.Count(c.log.Bytes(), []byte("\n")); n != 1 || bytes.ContainsAny(bytes.TrimSuffix(c.log.Bytes(), []byte("\n")), "\r\n\x00\x1b") {
				t.Errorf("%s: %.40q is logged in %d lines: %.300q", format, uid, n, c.log)
			}
		}
		if lines.Len() == 0 {
			continue
		}
		logged++
		var line struct{ Path, Err string }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if line.Path != "/v1/admin/users/"+uid || line.Err != p.store.down.Error() {
			t.Errorf("logged path %.60q and error %q, want user %.60q and %q", line.Path, line.Err, uid, p.store.down)
		}
		if !strings.Contains(text.String(), fmt.Sprintf("err=%q", p.store.down)) {
			t.Errorf("text: %.300q", &text)
		}
	}
	if logged != 6 {
		t.Errorf("%d requests were logged, want those with six ids that may be ones", logged)
	}
}
