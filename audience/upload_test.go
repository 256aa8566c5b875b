package audience

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/popupd/popupd/popup"
)

func prints(ids ...string) []uint64 {
	all := make([]uint64, 0, len(ids))
	for _, id := range ids {
		all = append(all, Fingerprint(Key{1}, []byte(id)))
	}
	return all
}

func TestUpload(t *testing.T) {
	long := strings.Repeat("a", popup.MaxUserID)
	for _, c := range []struct {
		csv  bool
		file string
		ids  []string
	}{
		{false, "", nil},
		{false, "\n\r\n\n", nil},
		{false, "a", []string{"a"}},
		{false, "a\r\n b \n\nuid\na,b\n\"c\"\r", []string{"a", " b ", "uid", "a,b", `"c"`}},
		{false, "\xef\xbb\xbfa\na", []string{"a", "a"}},
		{false, long + "\r\n" + long, []string{long, long}},
		{true, "", nil},
		{true, "\n\r\n\n", nil},
		{true, "a", []string{"a"}},
		{true, "uid\na\nuid\n", []string{"a", "uid"}},
		{true, "\xef\xbb\xbfUser_ID,plan\r\na,pro\r\nb,\r\n", []string{"a", "b"}},
		{true, "\"a\"\r\n\"b,\"\"c\"\"\",x\n\"d\"", []string{"a", `b,"c"`, "d"}},
		{true, "a,\"two\nlines, \"\"quoted\"\"\",z\nb", []string{"a", "b"}},
		{true, long + "\r\n" + long + ",\n", []string{long, long}},
	} {
		for name, reader := range map[string]io.Reader{"whole": strings.NewReader(c.file), "byte by byte": iotest.OneByteReader(strings.NewReader(c.file))} {
			u := Upload{Key: Key{1}, CSV: c.csv, Size: -1}
			got, err := u.Read(reader)
			if d := cmp.Diff(prints(c.ids...), got); d != "" || err != nil {
				t.Errorf("csv %v, %q, %s: %v (-want +got):\n%s", c.csv, c.file, name, err, d)
			}
		}
	}
}

func TestBrokenLines(t *testing.T) {
	long := strings.Repeat("a", popup.MaxUserID+1)
	for _, c := range []struct {
		csv  bool
		file string
		want []popup.BrokenLine
	}{
		{false, "a\nb\tc\n\n\xff\n" + long, []popup.BrokenLine{{Line: 2, Detail: notAnID}, {Line: 4, Detail: notAnID}, {Line: 5, Detail: notAnID}}},
		{false, strings.Repeat("b", 1<<20) + "\na", []popup.BrokenLine{{Line: 1, Detail: notAnID}}},
		{true, "a\n,b\n\"\"\n" + long + ",c\n", []popup.BrokenLine{{Line: 2, Detail: notAnID}, {Line: 3, Detail: notAnID}, {Line: 4, Detail: notAnID}}},
		{true, "a\"b\n\"c\"d,\"\ne\n", []popup.BrokenLine{{Line: 1, Detail: strayQuote}, {Line: 2, Detail: afterQuote}}},
		{true, "a,\"x\ny\"\n\"b\nc\"\n\td", []popup.BrokenLine{{Line: 3, Detail: notAnID}, {Line: 5, Detail: notAnID}}},
		{true, "a\nb,\"c\nd\ne\n", []popup.BrokenLine{{Line: 2, Detail: noLastQuote}}},
	} {
		u := Upload{Key: Key{1}, CSV: c.csv, Size: int64(len(c.file))}
		_, err := u.Read(strings.NewReader(c.file))
		var broken *BrokenLinesError
		if !errors.As(err, &broken) {
			t.Errorf("csv %v, %.40q: %v", c.csv, c.file, err)
			continue
		}
		if d := cmp.Diff(&BrokenLinesError{Lines: c.want, Total: len(c.want)}, broken); d != "" {
			t.Errorf("csv %v, %.40q (-want +got):\n%s", c.csv, c.file, d)
		}
	}
}

func TestUploadFails(t *testing.T) {
	failure := errors.New("the network is gone")
	for _, isCSV := range []bool{false, true} {
		u := Upload{CSV: isCSV, Size: -1}
		if _, err := u.Read(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(failure))); !errors.Is(err, failure) {
			t.Errorf("csv %v: %v, want %v", isCSV, err, failure)
		}
	}
}

// repeated is a file of one line, many times.
type repeated struct {
	line string
	left int
	rest string
}

func (r *repeated) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if r.rest == "" {
			if r.left == 0 {
				return n, io.EOF
			}
			r.left--
			r.rest = r.line
		}
		c := copy(p[n:], r.rest)
		n, r.rest = n+c, r.rest[c:]
	}
	return n, nil
}

func TestTooManyIDs(t *testing.T) {
	if testing.Short() {
		t.Skip("it needs 80 MB")
	}
	lines := 0
	u := Upload{Size: -1, Progress: func(n int) { lines = n }}
	if got, err := u.Read(&repeated{line: "a\n", left: MaxMembers}); err != nil || len(got) != MaxMembers {
		t.Errorf("%d ids: %d, %v", MaxMembers, len(got), err)
	}
	if lines < MaxMembers-progressEvery {
		t.Errorf("progress was told up to line %d", lines)
	}
	u = Upload{Size: -1}
	if _, err := u.Read(&repeated{line: "a\n", left: MaxMembers + 1}); !errors.Is(err, ErrTooMany) {
		t.Errorf("one more: %v, want %v", err, ErrTooMany)
	}
}

// FuzzUpload holds uploads against package strings, and against encoding/csv where that has
// nothing against a file.
func FuzzUpload(f *testing.F) {
	for _, file := range []string{"a\nb\r\n", "uid,x\n\"a\",\"b\"\"c\"\n", "\xef\xbb\xbfa", "a\"b", "\"\n"} {
		f.Add(file, false)
		f.Add(file, true)
	}
	f.Fuzz(func(t *testing.T, file string, isCSV bool) {
		u := Upload{Key: Key{1}, CSV: isCSV, Size: int64(len(file))}
		got, err := u.Read(strings.NewReader(file))
		var broken *BrokenLinesError
		if err != nil && (!errors.As(err, &broken) || len(broken.Lines) != min(broken.Total, MaxBrokenLines)) {
			t.Fatal(err)
		}
		file = strings.TrimPrefix(file, "\xef\xbb\xbf")
		var ids []string
		if isCSV {
			r := csv.NewReader(bytes.NewReader([]byte(file)))
			r.FieldsPerRecord = -1
			for {
				record, err := r.Read()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					return
				}
				if line, _ := r.FieldPos(0); line != 1 || !isHeader(record[0]) {
					ids = append(ids, record[0])
				}
			}
		} else {
			for line := range strings.SplitSeq(file, "\n") {
				if line = strings.TrimSuffix(line, "\r"); line != "" {
					ids = append(ids, line)
				}
			}
		}
		if bad := slices.ContainsFunc(ids, func(id string) bool { return !popup.ValidUserID([]byte(id)) }); bad != (err != nil) {
			t.Fatalf("%q: %v, has ids that are not valid: %v", file, err, bad)
		}
		if err == nil && !slices.Equal(got, prints(ids...)) {
			t.Errorf("%q: %d ids, want %q", file, len(got), ids)
		}
	})
}
