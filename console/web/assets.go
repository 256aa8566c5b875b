package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/popupd/popupd/console"
	"github.com/popupd/popupd/sdk"
)

//go:embed dist static
var embedded embed.FS

// assets are the files that pages load. Their address has the hash of all of them, so that
// browsers may keep each for ever.
type assets struct {
	path  string // "/assets/HASH/"
	files map[string]*asset
}

type asset struct {
	kind    string // Content-Type
	content []byte
	gzipped func() []byte
}

func newAssets() (*assets, error) {
	a, sum := &assets{files: map[string]*asset{}}, sha256.New()
	add := func(name string, content []byte) error {
		if a.files[name] != nil {
			return fmt.Errorf("two files are named %s", name)
		}
		fmt.Fprintf(sum, "%s %d\n", name, len(content))
		sum.Write(content)
		a.files[name] = &asset{kindOf(name), content, sync.OnceValue(func() []byte { return compress(content) })}
		return nil
	}
	err := fs.WalkDir(embedded, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := embedded.ReadFile(name)
		if err != nil {
			return err
		}
		return add(path.Base(name), content)
	})
	// What the preview shows popups with is what pages load.
	err = errors.Join(err, add("popupd.js", sdk.Script), add("popupd.mock.mjs", sdk.Mock))
	a.path = "/assets/" + hex.EncodeToString(sum.Sum(nil)[:8]) + "/"
	return a, err
}

// kindOf does not leave the types that browsers insist on to the host's tables.
func kindOf(name string) string {
	switch path.Ext(name) {
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(path.Ext(name))
}

func compress(content []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is a valid one
	_, _ = w.Write(content)                               // memory takes all
	_ = w.Close()
	return b.Bytes()
}

// serve answers with a file. A page of before an update asks for the files of before: it is
// told that they have gone, and loads anew.
func (a *assets) serve(w http.ResponseWriter, r *http.Request) error {
	file := a.files[r.PathValue("file")]
	if file == nil || r.URL.Path != a.path+r.PathValue("file") {
		return console.NewProblem(http.StatusNotFound, "not_found", "There is no such file in this version.")
	}
	h, content := w.Header(), file.content
	h.Set("Content-Type", file.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Access-Control-Allow-Origin", "*") // the preview's frame has no origin, and loads modules
	h.Set("Vary", "Accept-Encoding")
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		content = file.gzipped()
	}
	h.Set("Content-Length", strconv.Itoa(len(content)))
	_, _ = w.Write(content) // an error means that the client has gone
	return nil
}
