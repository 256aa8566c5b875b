package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// Flags whose value nobody should see come in a second spelling, the name of a
// file that holds it: -secret-file for -secret. What is in a file is neither in
// the list of processes nor in the environment of what popupd is started by.
const fileSuffix = "-file"

// maxSecret is the size that a secret file may have, in bytes.
const maxSecret = 64 << 10

// addFileFlags adds the second spelling of these flags.
func addFileFlags(fs *flag.FlagSet, names ...string) {
	for _, name := range names {
		fs.String(name+fileSuffix, "", "Read -"+name+" from this `file`")
	}
}

// readFileFlags sets flags to what is in the files that were named for them. It
// returns the files that not only their owner can read or write.
func readFileFlags(fs *flag.FlagSet) (exposed []string, err error) {
	fs.VisitAll(func(f *flag.Flag) {
		name, ok := strings.CutSuffix(f.Name, fileSuffix)
		path := f.Value.String()
		if !ok || path == "" || err != nil || fs.Lookup(name) == nil {
			return
		}
		if fs.Lookup(name).Value.String() != "" {
			err = fmt.Errorf("-%s and -%s exclude each other; %w", name, f.Name, ErrUsage)
			return
		}
		secret, mode, readErr := readSecret(path)
		if readErr != nil {
			err = fmt.Errorf("-%s: %w", f.Name, readErr)
			return
		}
		if mode.Perm()&0o077 != 0 {
			exposed = append(exposed, path)
		}
		err = fs.Set(name, secret)
	})
	return exposed, err
}

// readSecret returns the line in a file, without the space around it, and the
// file's mode. Its errors never show what is in the file.
func readSecret(path string) (secret string, mode os.FileMode, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", 0, err
	}
	if secret, err = readSecretFrom(f); err != nil {
		return "", 0, fmt.Errorf("%s: %w", path, err)
	}
	return secret, info.Mode(), nil
}

func readSecretFrom(r io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxSecret+1))
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(text))
	switch {
	case len(text) > maxSecret:
		return "", errors.New("longer than a secret")
	case secret == "":
		return "", errors.New("is empty")
	case strings.ContainsAny(secret, "\r\n\x00"):
		return "", errors.New("more than one line")
	}
	return secret, nil
}
