//go:build linux

package kit

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestImage builds the image by Buildah, with what the Dockerfile's first stage makes built here
// instead, since its base comes from a registry; and runs it in a chroot, as the user that it names.
func TestImage(t *testing.T) {
	if _, err := exec.LookPath("buildah"); err != nil {
		t.Skip("no buildah: make kit installs it")
	}
	dockerfile, err := os.ReadFile("../docker/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	build := regexp.MustCompile(`(?m)^RUN (CGO_ENABLED=0 go build .*) -o /out/popupd`).FindSubmatch(dockerfile)
	if build == nil {
		t.Fatal("the Dockerfile builds no /out/popupd")
	}
	dir := t.TempDir()
	run := func(script string) string {
		t.Helper()
		cmd := exec.Command("sh", "-euc", script)
		cmd.Dir = "../.."
		cmd.Env = append(os.Environ(), "STAGE="+dir, "BUILDAH=buildah --root "+dir+"/store --runroot "+dir+"/run --storage-driver vfs", "ISOLATION=--isolation chroot")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s\n%v\n%s", script, err, out)
		}
		return string(out)
	}
	run(`mkdir -p -m 700 $STAGE/out/data; cp /etc/ssl/certs/ca-certificates.crt $STAGE/out/; ` + string(build[1]) + ` -o $STAGE/out/popupd .`)
	run(`$BUILDAH bud $ISOLATION --build-context build=$STAGE --ignorefile deploy/docker/Dockerfile.dockerignore -f deploy/docker/Dockerfile -t popupd .`)
	t.Cleanup(func() { run(`$BUILDAH rm -a >/dev/null; $BUILDAH rmi -a -f >/dev/null`) })
	if out := run(`$BUILDAH run $ISOLATION $($BUILDAH from popupd) -- /popupd version`); !strings.Contains(out, "popupd") {
		t.Errorf("popupd version in the image prints %q", out)
	}
	// It starts with its data directory, and ends by itself after what it can't reach.
	if out := run(`timeout 20 $BUILDAH run $ISOLATION $($BUILDAH from popupd) -- /popupd -mysql nonsense 2>&1 || true`); !strings.Contains(out, "-mysql") {
		t.Errorf("popupd with a wrong DSN prints %q", out)
	}
	mounted := strings.TrimSpace(run(`$BUILDAH mount $($BUILDAH from popupd)`))
	var files []string
	err = filepath.WalkDir(mounted, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files = append(files, strings.TrimPrefix(path, mounted))
		}
		return err
	})
	if err != nil || strings.Join(files, " ") != "/etc/ssl/certs/ca-certificates.crt /popupd" {
		t.Errorf("files of the image: %q, %v", files, err)
	}
}
