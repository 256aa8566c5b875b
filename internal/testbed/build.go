package testbed

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// Build compiles a package of the module in a directory of this repository, "."
// or "bench/rivals", once per Testbed, and returns the path of the binary. flags
// are those of go build.
func (b *Testbed) Build(module, pkg string, flags ...string) (binary string, err error) {
	b.building.Lock()
	defer b.building.Unlock()
	if b.ctx.Err() != nil {
		return "", b.ctx.Err()
	}
	key := strings.Join(append([]string{module, pkg}, flags...), " ")
	if binary := b.binaries[key]; binary != "" {
		return binary, nil
	}
	root, err := b.root()
	if err != nil {
		return "", err
	}
	name := path.Base(pkg)
	if name == "." {
		name = "popupd"
	}
	binary = filepath.Join(b.newDir("bin"), name)
	args := append(append([]string{"build", "-o", binary}, flags...), pkg)
	cmd := exec.CommandContext(b.ctx, "go", args...)
	cmd.Dir = filepath.Join(root, module)
	// Interrupted, it leaves neither its compilers nor their files.
	cmd.Env = append(os.Environ(), "GOTMPDIR="+b.dir)
	killGroupOnCancel(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		if b.ctx.Err() != nil {
			return "", b.ctx.Err()
		}
		return "", fmt.Errorf("build %s in %s: %w\n%s", pkg, module, err, out)
	}
	b.binaries[key] = binary
	return binary, nil
}

// root returns the directory of this repository.
func (b *Testbed) root() (string, error) {
	dir, err := exec.CommandContext(b.ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	return strings.TrimSpace(string(dir)), nil
}
