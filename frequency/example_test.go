package frequency_test

import (
	"fmt"

	"github.com/popupd/popupd/frequency"
	"github.com/popupd/popupd/popup"
)

func ExampleTable() {
	table := frequency.New(frequency.Config{})
	f := popup.Frequency{AfterClickSec: 30 * 86400, AfterDismissSec: 86400, AfterImpressionSec: 86400}
	now := int64(1_767_225_600_000) // 2026-01-01T00:00:00Z

	u := table.Lock([]byte("user-1"))
	defer u.Unlock()
	fmt.Println(u.Check(7, &f, now).Reason)
	u.Serve(&popup.Event{User: []byte("user-1"), Popup: 7, Action: popup.Impression, AtMS: now}, &f)
	fmt.Println(u.Check(7, &f, now+86_399_999).Reason)
	fmt.Println(u.Check(7, &f, now+86_400_000).Reason)
	// Output:
	// eligible
	// cooldown_impression
	// eligible
}
