package sample

import (
	"fmt"
	"testing"
	"time"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/snapshot"
)

// noon is when tests begin, at the start of a bucket.
const noon = int64(1_760_011_200_000) - 1_760_011_200_000%bucketMS

// bench is a reservoir with a clock that only the test moves.
type bench struct {
	testing.TB
	*Reservoir
	config Config
	nowMS  int64
	users  *frequency.Table
}

func newBench(t testing.TB, perSecond float64, specs ...string) *bench {
	t.Helper()
	b := &bench{TB: t, nowMS: noon, users: frequency.New(frequency.Config{Key: [16]byte{1}})}
	b.config = Config{
		PerSecond: perSecond, File: t.TempDir() + "/sample", Snapshots: snapshot.NewStore(), Now: func() int64 { return b.nowMS },
	}
	b.config.Snapshots.Set(compiled(t, specs...))
	b.Reservoir = NewReservoir(b.config)
	b.Load(b.users)
	return b
}

// compiled compiles active popups p1, p2, … of these specs, JSON without braces.
func compiled(t testing.TB, specs ...string) *snapshot.Snapshot {
	t.Helper()
	catalog := popup.Catalog{Revision: 1}
	for i, spec := range specs {
		if spec != "" {
			spec = "," + spec
		}
		key := fmt.Sprintf("p%d", i+1)
		catalog.Popups = append(catalog.Popups, popup.Row{
			ID: uint32(i + 1), Version: 1, Key: key, Spec: fmt.Appendf(nil, `{"key":%q,"status":"active"%s}`, key, spec),
		})
	}
	s, broken := snapshot.Compile(catalog, nil)
	if len(broken) > 0 {
		t.Fatal(broken)
	}
	return s
}

// offer gives the reservoir a poll as the data plane does.
func (b *bench) offer(r *popup.Request) {
	if hash := b.users.Hash(r.User); b.Keeps(hash) {
		b.Keep(r, hash, b.users, b.nowMS)
	}
}

func (b *bench) poll(user string) { b.offer(&popup.Request{User: []byte(user)}) }

func (b *bench) pass(d time.Duration) { b.nowMS += d.Milliseconds() }

// proposal decodes a proposal.
func proposal(t testing.TB, body string) popup.Proposal {
	t.Helper()
	p, err := popup.DecodeProposal([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (b *bench) simulate(body string) popup.Simulation {
	b.Helper()
	s, err := b.Simulate(b.Context(), proposal(b, body))
	if err != nil {
		b.Fatal(err)
	}
	return s
}
