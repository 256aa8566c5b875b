package popup

import (
	"strings"
	"testing"
)

func TestValidTrigger(t *testing.T) {
	long := strings.Repeat("a", 64)
	for _, s := range []string{"load", "exit", "scroll:1", "scroll:100", "delay:1", "delay:3600", "event:a", "event:cart.add_item-2", "event:" + long} {
		if !ValidTrigger(s) {
			t.Errorf("%q is refused", s)
		}
	}
	for _, s := range []string{
		"", "Load", " load", "load:", "load:1", "exit:", "exit ", "scroll", "scroll:", "scroll:0", "scroll:101", "scroll:050", "scroll:+5", "scroll:5%",
		"scroll:5:5", "delay:0", "delay:3601", "delay:1.5", "event", "event:", "event:A", "event:-a", "event:a b", "event:" + long + "a", "click",
	} {
		if ValidTrigger(s) {
			t.Errorf("%q is taken", s)
		}
	}
}
