package browser

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestExamples: the wrappers for React, in its strict mode, and for Vue show a popup
// once, and take it away with their component.
func TestExamples(t *testing.T) {
	t.Parallel()
	const options = `{endpoint: window.endpoint, uid: window.uid, placement: window.placement}`
	for name, code := range map[string]string{
		"react": `
			import { createElement, StrictMode } from "react";
			import { createRoot } from "react-dom/client";
			import { usePopups } from "./examples/react.js";
			function Shop() { window.popups = usePopups(` + options + `); return "Shop"; }
			const root = createRoot(document.querySelector("#slot"));
			root.render(createElement(StrictMode, null, createElement(Shop)));
			window.unmount = () => root.unmount();
			window.client = () => popups.current;`,
		"vue": `
			import { createApp } from "vue/dist/vue.runtime.esm-bundler.js";
			import { usePopups } from "./examples/vue.js";
			const app = createApp({setup() { window.popups = usePopups(` + options + `); return () => "Shop"; }});
			app.mount("#slot");
			window.unmount = () => app.unmount();
			window.client = () => popups.value;`,
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, content(`"kind":"toast","title":"Sale"`))
			if _, err := os.Stat("../../sdk/node_modules"); err != nil {
				if os.Getenv("POPUPD_REQUIRE_STORES") == "1" {
					t.Fatalf("%v: make sdk-tools", err)
				}
				t.Skipf("%v: make sdk-tools", err)
			}
			bundle := filepath.Join(t.TempDir(), "bundle.js")
			entry := filepath.Join("../../sdk", name+".gen.js") // beside node_modules
			if err := os.WriteFile(entry, []byte(code), 0o600); err != nil {
				t.Fatal(err)
			}
			defer os.Remove(entry)
			build := exec.CommandContext(t.Context(), "go", "tool", "-modfile=../internal/tools/go.mod", "esbuild", "--bundle", "--format=esm", "--log-level=warning",
				"--define:process.env.NODE_ENV=\"development\"", "--define:__VUE_OPTIONS_API__=true", "--define:__VUE_PROD_DEVTOOLS__=false", "--define:__VUE_PROD_HYDRATION_MISMATCH_DETAILS__=false",
				"--alias:popupd=./popupd.mjs", "--outfile="+bundle, filepath.Base(entry))
			build.Dir = "../../sdk"
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			scripts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Access-Control-Allow-Origin", "*")
				w.Header().Set("Content-Type", "text/javascript")
				http.ServeFile(w, r, bundle)
			}))
			defer scripts.Close()
			p := s.open("/empty")
			p.js(`window.endpoint = "` + s.endpoint + `", window.uid = "` + s.uid + `", window.placement = "` + s.placement + `", void import("` + scripts.URL + `/")`)
			p.is(shown)
			s.reported("view")
			p.is(`roots.length === 1 && typeof client().trigger === "function"`)
			p.js(`void unmount()`)
			p.is(`!` + shown)
		})
	}
}
