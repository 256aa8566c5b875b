package browser

import (
	"slices"
	"testing"
)

const shown = `!!document.querySelector("popupd-host")`

// TestKinds: each kind is shown once it is polled for, reports that it was seen and
// that it was dismissed, and goes.
func TestKinds(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"modal", "banner", "toast"} {
		t.Run(kind, func(t *testing.T) {
			s := newSite(t, content(`"kind":"`+kind+`","title":"Sale","body":"20 % off"`))
			p := s.open("/")
			p.is(shown)
			p.is(`roots[0].querySelector(".title").textContent === "Sale" && roots[0].querySelector(".body").textContent === "20 % off"`)
			s.reported("view")
			p.click(".close")
			p.is(`!` + shown)
			s.reported("view", "dismiss")
			s.polled(1)
		})
	}
}

// TestInline: an inline popup goes where the page says.
func TestInline(t *testing.T) {
	s := newSite(t, content(`"kind":"inline","title":"Sale","cta":"OK"`))
	p := s.start(`container: {"` + s.placement + `": "#slot"}`)
	p.is(`!!document.querySelector("#slot popupd-host")`)
	s.reported("view")
	p.click(".cta")
	p.is(`!` + shown)
	s.reported("view", "click")
}

// TestNoContainer: an inline popup without a place is released.
func TestNoContainer(t *testing.T) {
	s := newSite(t, content(`"kind":"inline","title":"Sale"`))
	p := s.start(`container: "#nowhere"`)
	s.reported("release")
	p.is(`failures[0].startsWith("no container")`)
}

// TestModalKeys: Tab stays inside, the page hears no key, Esc dismisses once, and the
// focus returns.
func TestModalKeys(t *testing.T) {
	s := newSite(t, content(`"title":"Sale","cta":"Yes","dismiss":"No"`))
	p := s.open("/empty")
	p.js(`window.keys = 0; document.addEventListener("keydown", () => keys++); document.querySelector("#host").focus()`)
	p.init("")
	p.is(shown)
	p.is(`roots[0].activeElement.tagName === "DIALOG"`)
	for _, want := range []string{"cta", "dismiss", "close", "cta"} {
		p.press("Tab")
		p.is(`roots[0].activeElement.className === "` + want + `"`)
		if s.firefox == nil { // only in its active window is there a focus ring
			p.is(`getComputedStyle(roots[0].activeElement).outlineColor === getComputedStyle(roots[0].querySelector(".card")).color`) // and not that of the text in it, which may be the card's own
		}
	}
	p.press("x")
	p.press("Escape")
	p.is(`!` + shown)
	s.until("dismiss", func(_ []map[string]any, actions []string) bool { return slices.Contains(actions, "dismiss") })
	p.is(`document.activeElement.id === "host" && keys === 0`)
	_, actions := s.seen() // each is a request of its own, and either may come first
	if slices.Sort(actions); !slices.Equal(actions, []string{"dismiss"}) && !slices.Equal(actions, []string{"dismiss", "view"}) {
		t.Errorf("actions %q, want one dismiss and at most one view", actions)
	}
}

// TestRemovedModal: a modal popup that the page has removed holds back no poll.
func TestRemovedModal(t *testing.T) {
	s := newSite(t, content(`"title":"Sale"`))
	p := s.start("")
	p.is(shown)
	s.reported("view")
	p.js(`document.querySelector("popupd-host").remove()`)
	p.js(`client.refresh()`)
	s.polled(2)
}

// TestHostDialog: nothing is asked while a modal dialog of the page is open.
func TestHostDialog(t *testing.T) {
	s := newSite(t, content(`"title":"Sale"`))
	p := s.open("/empty")
	p.js(`{ const dialog = document.createElement("dialog"); dialog.id = "own"; document.body.append(dialog); dialog.showModal(); }`)
	p.init("")
	p.js(`new Promise((resolve) => setTimeout(resolve, 1500))`)
	s.polled(0)
	p.js(`document.querySelector("#own").close()`)
	p.is(shown)
	s.polled(1)
}
