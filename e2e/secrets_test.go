//go:build linux

package e2e

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/popupd/popupd/internal/storetest"
	"github.com/popupd/popupd/internal/testbed"
)

// write makes a file that its owner alone can read.
func write(t *testing.T, name, content string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// request sends a request and returns the answer with its headers, as text.
func request(t *testing.T, method, url, body string, headers ...string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var text bytes.Buffer
	resp.Header.Write(&text)
	if _, err := io.Copy(&text, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, text.String()
}

// mustQuery runs SQL, which must succeed.
func mustQuery(t *testing.T, mysql *storetest.MySQLServer, sql string) {
	t.Helper()
	if _, err := mysql.Query(sql); err != nil {
		t.Fatal(err)
	}
}

// mustCommand tells Redis something, which must succeed.
func mustCommand(t *testing.T, redis *storetest.RedisServer, command string) {
	t.Helper()
	if reply, err := redis.Command(command); err != nil || reply != "+OK" {
		t.Fatal(reply, err)
	}
}

// readFiles reads all files below a directory into a map, by their paths.
func readFiles(t *testing.T, dir string, into map[string]string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		into[path] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestSecretsStaySecret gives a server its secrets in files and variables, lets it
// work, breaks its stores, and looks for the secrets in all that it shows.
func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	const (
		newKey, oldKey     = "sEcRet-new-4711", "sEcRet-old-4712"
		newSigner, signer  = "sEcRet-signer-new-4713", "sEcRet-signer-old-4714"
		admin              = "sEcRet-admin-4715"
		mysqlPass, badPass = "sEcRet-mysql-4716", "sEcRet-mysql-4717"
		redisPass          = "sEcRet-redis-4718"
	)
	mysql, redis := storetest.StartMySQL(t), storetest.StartRedis(t)
	dsn := strings.Replace(mysql.CreateDatabase(t, "popupd"), "root@", "popupd:"+mysqlPass+"@", 1)
	mustQuery(t, mysql, "CREATE USER popupd IDENTIFIED BY '"+mysqlPass+"'; GRANT ALL ON popupd.* TO popupd")
	mustCommand(t, redis, "CONFIG SET requirepass "+redisPass)
	env := []string{
		"POPUPD_MYSQL=" + dsn,
		"POPUPD_REDIS_FILE=" + write(t, "redis", "redis://:"+redisPass+"@"+redis.Addr+"/0\n"),
		"POPUPD_IDENTITY_SECRET=" + newSigner + "," + signer,
		"POPUPD_SECRET_FILE=" + write(t, "secret", newKey+","+oldKey),
		"POPUPD_WEBHOOK=http://127.0.0.1:1/sEcRet-hook-4719?key=sEcRet-hook-4720", // where nobody listens
		"POPUPD_WEBHOOK_SECRET=whsec_sEcRetsEcRetsEcRetsEcRetsEcRetsE",
		"POPUPD_OIDC_ISSUER=http://127.0.0.1:1", "POPUPD_OIDC_CLIENT_ID=popupd", "POPUPD_OIDC_CLIENT_SECRET=sEcRet-oidc-4721",
	}
	s := launchWith(t, testbed.PopupdOptions{
		Env: env, Flags: []string{"-identity", "monitor", "-admin-token=", "-admin-token-file", write(t, "admin", admin)},
	})
	s.waitReady()
	bearer := []string{"Authorization", "Bearer " + admin}

	shows := map[string]string{} // where -> what
	ask := func(want int, method, url, body string, headers ...string) string {
		t.Helper()
		status, answer := request(t, method, url, body, headers...)
		shows[fmt.Sprintf("%s %s: %d", method, url, status)] += answer
		if status != want {
			t.Errorf("%s %s: %d, want %d: %s", method, url, status, want, answer)
		}
		return answer
	}

	// It works with what it was given.
	ask(201, "POST", s.adminURL+"/v1/admin/popups", `{"key":"hello","status":"active"}`, append(bearer, "Content-Type", "application/json")...)
	mac := hmac.New(sha256.New, []byte(signer))
	mac.Write([]byte("u"))
	answer := ask(200, "GET", s.dataURL+"/v1/poll?uid=u&sig="+hex.EncodeToString(mac.Sum(nil)), "")
	_, token, _ := strings.Cut(answer, `"token":"`)
	token, _, _ = strings.Cut(token, `"`)
	ask(202, "POST", s.dataURL+"/v1/actions", `{"token":"`+token+`","action":"click"}`)
	eventually(t, 20*time.Second, func() error {
		if n, err := mysql.Query("SELECT COUNT(*) FROM popupd.event"); err != nil || n != "2" {
			return fmt.Errorf("%s events are committed, want 2 (%v)", n, err)
		}
		return nil
	})

	// What is refused.
	ask(401, "POST", s.dataURL+"/v1/actions", `{"token":"`+token[:len(token)-2]+`","action":"click"}`)
	ask(200, "GET", s.dataURL+"/v1/poll?uid=v&sig=00", "")
	ask(400, "GET", s.dataURL+"/v1/poll", "")
	ask(401, "GET", s.adminURL+"/v1/admin/popups", "", "Authorization", "Bearer x")
	ask(403, "POST", s.adminURL+"/v1/admin/reload", "", append(bearer, "Sec-Fetch-Site", "cross-site")...)
	ask(404, "GET", s.adminURL+"/debug/pprof/cmdline", "", bearer...)
	ask(503, "GET", s.adminURL+"/login/oidc", "")

	// Who logs in has a cookie, which is nothing of the token.
	ask(204, "POST", s.adminURL+"/login", `{"token":"`+admin+`"}`, "Content-Type", "application/json")
	ask(401, "POST", s.adminURL+"/login", "token=x", "Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html")

	for _, p := range pprof.Profiles() {
		ask(200, "GET", s.adminURL+"/debug/pprof/"+p.Name()+"?debug=2", "", bearer...)
	}
	ask(200, "GET", s.adminURL+"/debug/pprof/", "", bearer...)

	eventually(t, 10*time.Second, func() error {
		if !strings.Contains(s.Log(), `"receiver":"http://127.0.0.1:1"`) {
			return errors.New("the log does not tell of the webhook that can't be delivered")
		}
		return nil
	})

	// Stores that refuse, as the passwords have changed.
	mustQuery(t, mysql, "ALTER USER popupd IDENTIFIED BY '"+badPass+"'; KILL USER popupd")
	mustCommand(t, redis, "AUTH "+redisPass+"\r\nCONFIG SET requirepass "+badPass+"\r\nCLIENT KILL TYPE normal\r\nCLIENT KILL TYPE pubsub")
	eventually(t, 30*time.Second, func() error {
		log := s.Log()
		if !strings.Contains(log, "Access denied") || !strings.Contains(log, "WRONGPASS") {
			return fmt.Errorf("the log does not tell of both stores:\n%s", tail(log, 2000))
		}
		return nil
	})
	ask(503, "GET", s.adminURL+"/v1/admin/popups", "", bearer...)
	ask(503, "POST", s.adminURL+"/v1/admin/reload", "", bearer...)
	for range 12 {
		request(t, "GET", s.adminURL+"/v1/admin/popups", "", "Authorization", "Bearer x")
	}
	ask(429, "GET", s.adminURL+"/v1/admin/popups", "", bearer...)

	ask(200, "GET", s.adminURL+"/metrics", "")
	ask(200, "GET", s.adminURL+"/openapi.yaml", "")
	ask(200, "GET", s.adminURL+"/readyz", "")
	args, err := os.ReadFile("/proc/" + strconv.Itoa(s.Pid()) + "/cmdline")
	if err != nil || !bytes.Contains(args, []byte("-admin-token-file")) {
		t.Fatalf("arguments %q, %v", args, err)
	}
	shows["ps"] = string(args)
	s.stop()
	shows["log"] = s.Log()
	_, out, errs := call(t, env, "doctor")
	shows["doctor"] = out + errs
	_, out, errs = call(t, append(env, "POPUPD_LOG=xml"), "-admin-token", "x")
	shows["a mistake in the call"] = out + errs
	_, out, errs = call(t, env, "-help")
	shows["help"] = out + errs
	readFiles(t, s.Data, shows)
	for where, what := range shows {
		if i := strings.Index(strings.ReplaceAll(what, "sEcRets", "sEcRet-"), "sEcRet-"); i >= 0 {
			t.Errorf("%s shows %.120q", where, what[max(0, i-40):])
		}
	}
	if len(shows) < 30 || !strings.Contains(shows["log"], "locked out") || !strings.Contains(shows["doctor"], "Access denied") {
		t.Errorf("looked at %d texts, doctor says\n%s", len(shows), shows["doctor"])
	}
}

// TestDataIsPrivate: whatever the umask, nobody else can read what is in -data.
func TestDataIsPrivate(t *testing.T) {
	umask := syscall.Umask(0)
	s := launch(t, "-demo")
	syscall.Umask(umask)
	s.waitReady()
	seen := map[string]bool{}
	look := func() {
		t.Helper()
		err := filepath.WalkDir(s.Data, func(path string, d fs.DirEntry, err error) error {
			if err != nil || path == s.Data { // the directory itself was there before
				return err
			}
			info, err := d.Info()
			if os.IsNotExist(err) {
				return nil
			}
			want := os.FileMode(0o600)
			if d.IsDir() {
				want = 0o700
			}
			if got := info.Mode().Perm(); got != want {
				t.Errorf("%s has mode %o, want %o", path, got, want)
			}
			name, _ := filepath.Rel(s.Data, path)
			seen[name] = true
			if filepath.Ext(name) == ".seg" {
				seen["a segment"] = true
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 { // so that there are two dumps, and old streams
		p := s.mustAsk(fmt.Sprint("u", i))
		if status, err := s.act(p.Token, "click"); status != 202 {
			t.Fatal(status, err)
		}
		look()
		s.stop()
		look()
		umask := syscall.Umask(0)
		s.mustStart()
		syscall.Umask(umask)
		s.waitReady()
	}
	for _, name := range []string{"journal", "a segment", "state", "state.1", "popups", "popupd.db", "secret", "state-key", "format"} {
		if !seen[name] {
			t.Errorf("%s was not looked at: %v", name, seen)
		}
	}
}

// TestRotation: -secret old, then new,old, then new.
func TestRotation(t *testing.T) {
	keys := write(t, "secret", "old")
	s := start(t, "-secret-file", keys)
	s.create("hello", `{"after_impression_sec":0,"after_click_sec":0}`)
	token := func(user string) string {
		t.Helper()
		p := s.mustAsk(user)
		if p == nil {
			t.Fatalf("%s sees nothing", user)
		}
		return p.Token
	}
	rotate := func(secret string) {
		t.Helper()
		s.stop()
		if err := os.WriteFile(keys, []byte(secret), 0o600); err != nil {
			t.Fatal(err)
		}
		s.restart()
	}
	takes := func(want int, token, action, what string) {
		t.Helper()
		if status, err := s.act(token, action); status != want {
			t.Errorf("%s: %d, want %d (%v)", what, status, want, err)
		}
	}
	old := token("a")
	takes(202, old, "click", "the old key's token, under it")
	rotate("new,old")
	takes(202, old, "dismiss", "the old key's token, under both")
	fresh := token("b")
	takes(202, fresh, "click", "a token of both")
	rotate("new")
	takes(202, fresh, "dismiss", "a token of both, under the new key: it was signed with the first")
	takes(401, old, "convert", "the old key's token, under the new one")
	rotate("old")
	takes(401, fresh, "convert", "a token of both, under the old key")
	takes(202, old, "convert", "the old key's token, refused before, under the old key")
}
