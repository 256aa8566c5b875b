package kit

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

func loadCompose(env ...string) (*types.Project, error) {
	options, err := cli.NewProjectOptions([]string{"../docker/compose.yaml"}, cli.WithEnv(env))
	if err != nil {
		return nil, err
	}
	return options.LoadProject(context.Background())
}

// TestCompose: Compose takes the file, says which variable is missing, and popupd has the flags
// that its variables stand for.
func TestCompose(t *testing.T) {
	env := []string{"POPUPD_DB_PASSWORD=p", "POPUPD_SECRET=s", "POPUPD_ADMIN_TOKEN=t"}
	project, err := loadCompose(env...)
	if err != nil {
		t.Fatal(err)
	}
	service := project.Services["popupd"]
	var flags [][]string
	for name := range service.Environment {
		flags = append(flags, []string{"", "-" + strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, "POPUPD_"), "_", "-"))})
	}
	checkFlags(t, flags)
	if _, err := os.Stat(service.Build.Context + "/" + service.Build.Dockerfile); err != nil {
		t.Error(err)
	}
	for i := range env {
		name, _, _ := strings.Cut(env[i], "=")
		if _, err := loadCompose(append(env[:i:i], env[i+1:]...)...); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}
