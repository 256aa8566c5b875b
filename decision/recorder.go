package decision

import "github.com/popupd/popupd/popup"

// recorder is what stopped the popups that a decision tried, by id. Those that nothing
// stopped are the decision's winners, controls and held-out popups; those that are missing
// did not fit the request, or came after the end of the search.
type recorder map[uint32]popup.Reason
