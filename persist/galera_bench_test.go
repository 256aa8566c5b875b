package persist

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/popupd/popupd/internal/storetest"
)

// BenchmarkGalera flushes three streams at once, as three servers do, to one, two and
// three nodes of a Galera cluster. All add to the same rows of popup_stats, and often to
// those of the same users.
func BenchmarkGalera(b *testing.B) {
	nodes := storetest.StartGalera(b, 3)
	databases := 0
	for _, size := range []int{200, 2000} {
		for writing := 1; writing <= len(nodes); writing++ {
			b.Run(fmt.Sprintf("%d/%d_nodes", size, writing), func(b *testing.B) {
				databases++
				stores := onNodes(b, fmt.Sprint("bench", databases), nodes[0], nodes[1%writing], nodes[2%writing])
				var begun atomic.Int64
				var flushing sync.WaitGroup
				b.ResetTimer()
				for i, s := range stores {
					id := streamID(byte(i + 1))
					s.register(b, id)
					flushing.Go(func() {
						batches := traffic(16, size, 100_000)
						for n := 0; begun.Add(1) <= int64(b.N); n++ {
							events := batches[n%len(batches)]
							if err := flushUntilDone(b, s.DB, id, events); err != nil {
								b.Error(err)
								return
							}
							later(events, int64(len(batches)*size)/perMS+1)
						}
					})
				}
				flushing.Wait()
				b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "events/s")
				b.ReportMetric(conflicts(stores...)/float64(b.N), "conflicts/flush")
			})
		}
	}
}
