package audience

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func encode(t testing.TB, s *Set) []byte {
	t.Helper()
	var b bytes.Buffer
	n, err := s.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatalf("WriteTo = %d, %v; wrote %d bytes", n, err, b.Len())
	}
	return b.Bytes()
}

func TestReadBack(t *testing.T) {
	for _, n := range []int{0, 1, 2, 1000, 70_000} {
		s := build(t, fingerprints(0, n))
		b := encode(t, s)
		again, err := Read(iotest.HalfReader(bytes.NewReader(b)))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(s, again, cmp.AllowUnexported(Set{}, block{})); d != "" {
			t.Errorf("of %d members (-written +read):\n%s", n, d)
		}
	}
}

// Whatever byte of a stored set is another one, and wherever it is cut off, it is refused.
func TestReadDamaged(t *testing.T) {
	b := encode(t, build(t, fingerprints(0, 50)))
	for i := range b {
		damaged := bytes.Clone(b)
		damaged[i] ^= 0x10
		if _, err := Read(bytes.NewReader(damaged)); !errors.Is(err, ErrDamaged) {
			t.Errorf("byte %d differs: %v, want %v", i, err, ErrDamaged)
		}
		if _, err := Read(bytes.NewReader(b[:i])); !errors.Is(err, ErrDamaged) {
			t.Errorf("%d bytes: %v, want %v", i, err, ErrDamaged)
		}
	}
}

func TestReadNewer(t *testing.T) {
	b := appendHeader(nil, version+1, 0)
	if _, err := Read(bytes.NewReader(b)); !errors.Is(err, ErrNewer) {
		t.Errorf("of the next version: %v, want %v", err, ErrNewer)
	}
}

func TestReadFails(t *testing.T) {
	failure := errors.New("the network is gone")
	b := encode(t, build(t, fingerprints(0, 50)))
	if _, err := Read(io.MultiReader(bytes.NewReader(b[:100]), iotest.ErrReader(failure))); !errors.Is(err, failure) {
		t.Errorf("Read = %v, want %v", err, failure)
	}
}

func TestWriteFails(t *testing.T) {
	r, w := io.Pipe()
	failure := errors.New("the network is gone")
	r.CloseWithError(failure)
	if _, err := build(t, fingerprints(0, 50)).WriteTo(w); !errors.Is(err, failure) {
		t.Errorf("WriteTo = %v, want %v", err, failure)
	}
}

// Bytes that are read as a set are those that it is written as.
func FuzzReadAudience(f *testing.F) {
	for _, n := range []int{0, 1, 5} {
		f.Add(encode(f, build(f, fingerprints(0, n))))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		if again := encode(t, s); !bytes.HasPrefix(b, again) {
			t.Errorf("read %x, written %x", b, again)
		}
		for _, f := range fingerprints(0, 10) {
			s.Has(f)
		}
	})
}
