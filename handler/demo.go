package handler

import (
	"io/fs"
	"mime"
	"path"

	"github.com/valyala/fasthttp"

	"github.com/popupd/popupd/sdk"
)

// demoPages are the files of the demo shop that have paths without a suffix.
var demoPages = map[string]string{"index.html": "/demo", "zh.html": "/demo/zh", "ar.html": "/demo/ar"}

// newDemo returns the files of the demo shop by their paths.
func (o *origins) newDemo() map[string]*file {
	entries, err := fs.ReadDir(sdk.Demo, "demo")
	if err != nil {
		panic(err) // it is embedded
	}
	files := map[string]*file{}
	for _, entry := range entries {
		content, err := sdk.Demo.ReadFile("demo/" + entry.Name())
		if err != nil {
			panic(err)
		}
		f := o.newFile(content, mime.TypeByExtension(path.Ext(entry.Name())), "no-cache")
		page, ok := demoPages[entry.Name()]
		if !ok {
			page = "/demo/" + entry.Name()
		}
		for _, a := range []*answer{f.plain, f.gzipped} {
			a.header.Set(fasthttp.HeaderContentSecurityPolicy, "default-src 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'")
		}
		files[page] = f
	}
	return files
}
