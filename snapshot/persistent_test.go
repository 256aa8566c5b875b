package snapshot

import (
	"maps"
	"testing"

	"pgregory.net/rapid"
)

// A tree is a map of which every earlier version stays as it was, whatever the hashes are.
func TestTreeIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type version struct {
			tree tree[int, int]
			want map[int]int
		}
		few := rapid.Uint64Max(1).Draw(t, "hashes are few") == 1
		hash := func(key int) uint64 {
			if few {
				return uint64(key%3) << 60
			}
			return uint64(key) * 0x9e3779b97f4a7c15
		}
		versions := []version{{want: map[int]int{}}}
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			last := versions[len(versions)-1]
			next := version{last.tree, maps.Clone(last.want)}
			keys := rapid.SliceOfNDistinct(rapid.IntRange(0, 200), 0, 100, rapid.ID).Draw(t, "keys")
			if rapid.Bool().Draw(t, "added") {
				var values []entry[int, int]
				for _, key := range keys {
					value := rapid.Int().Draw(t, "value")
					values = append(values, entry[int, int]{hash(key), key, value})
					next.want[key] = value
				}
				next.tree = next.tree.with(values...)
			} else {
				for _, key := range keys {
					next.tree = next.tree.without(hash(key), key)
					delete(next.want, key)
				}
			}
			versions = append(versions, next)
		}
		for i, v := range versions {
			if v.tree.size != len(v.want) {
				t.Fatalf("version %d has %d entries, want %d", i, v.tree.size, len(v.want))
			}
			n := 0
			v.tree.each(func(int) { n++ })
			for key := range 201 {
				if got, want := v.tree.get(hash(key), key), v.want[key]; got != want {
					t.Fatalf("version %d has %d at %d, want %d", i, got, key, want)
				}
			}
			if n != len(v.want) {
				t.Fatalf("version %d lists %d entries, want %d", i, n, len(v.want))
			}
		}
	})
}
