package cli

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func TestParsePlan(t *testing.T) {
	c, err := ParsePlan(strings.Fields("-polls 50000 -users 10e6 -after-click forever -after-dismiss 36h -memory 16GiB -json"), []string{"POPUPD_RETENTION=720h", "POPUPD_LISTEN=:1", "POPUPD_POPUPS=7"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if c.Polls != 50000 || c.Users != 10e6 || c.AfterClick != Forever || c.AfterDismiss != 36*time.Hour || c.AfterImpression != 24*time.Hour ||
		c.Memory != 16<<30 || !c.JSON || c.Retention != 720*time.Hour || c.Popups != 7 || c.Seen != 7 {
		t.Errorf("parsed %+v", c)
	}
}

func TestParsePlanMistakes(t *testing.T) {
	const good = "-polls 1 -users 1 "
	for args, want := range map[string]string{
		"":                          "-polls is missing",
		"-polls 1":                  "-users is missing",
		"-polls -1 -users 1":        "-polls -1: want 1 to",
		"-polls NaN -users 1":       "-polls NaN: want 1 to",
		"-polls 1 -users 1e30":      "-users 1e+30: want 1 to 1e+12",
		"-polls many -users 1":      `invalid value "many" for flag -polls`,
		good + "-serve 1.5":         "-serve 1.5: want 0 to 1",
		good + "-clicks -0.1":       "-clicks -0.1: want 0 to 1",
		good + "-actions 0.05":      "-actions 0.05: want 0.1 to 100",
		good + "-average 0":         "-average 0: want 0.001 to 1",
		good + "-popups 0":          "-popups 0: want 1 to",
		good + "-seen 11":           "-seen 11: want 0 to 10",
		good + "-variants 9":        "-variants 9: want 1 to 8",
		good + "-uid-bytes 129":     "-uid-bytes 129: want 1 to 128",
		good + "-connections 0":     "-connections 0: want 1 to",
		good + "-cores 0":           "-cores 0: want 0.1 to",
		good + "-spare -1":          "-spare -1: want 0 to",
		good + "-memory 256MiB":     "-memory: want 512MiB or more",
		good + "-memory much":       `"much" is not a size`,
		good + "-after-click never": `"never" is neither forever nor a time such as 720h`,
		good + "-after-dismiss -1s": `"-1s" is neither forever nor a time`,
		good + "-retention -1s":     "-retention -1s: want 0 or more",
		good + "-outage -1s":        "-outage -1s: want 0 or more",
		good + "-visit 5s":          "-visit 5s: want 1m or more",
		good + "-state-scope some":  `-state-scope "some": want all or hashed`,
		good + "-no-such":           "flag provided but not defined: -no-such",
		good + "more":               `unknown argument "more"`,
	} {
		if _, err := ParsePlan(strings.Fields(args), nil, io.Discard); !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", args, err, want)
		}
	}
}
