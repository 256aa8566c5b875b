package server

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/popupd/popupd/internal/popuplist"
	"github.com/popupd/popupd/persist"
	"github.com/popupd/popupd/popup"
	"github.com/popupd/popupd/sdk"
)

// demoPopups are what -demo starts with. The first in rank is for home alone
// and comes back soon, so that a visitor sees the whole life of a popup.
var demoPopups = []string{
	`{"key":"welcome","name":"Welcome","status":"active","priority":30,"placements":["default","home"],
	  "frequency":{"after_click_sec":60,"after_impression_sec":86400},
	  "variants":[{"key":"a","content":{"title":"Welcome!","body":"Good to see you.","link":"https://example.com/tour"}}]}`,
	`{"key":"spring-sale","name":"Spring sale","status":"active","priority":20,"placements":["home"],
	  "frequency":{"after_dismiss_sec":3600},
	  "variants":[{"key":"a","weight":50,"content":{"title":"Spring sale","body":"20 % off until Sunday.","link":"https://example.com/sale"}},
	              {"key":"b","weight":50,"content":{"title":"Two days left","body":"20 % off everything.","link":"https://example.com/sale"}}]}`,
	`{"key":"app-update","name":"App update","status":"active","priority":10,"placements":["default","home"],
	  "targeting":{"all":[{"attr":"platform","op":"in","value":["ios","android"]},{"attr":"app_version","op":"semver_lt","value":"3.0.0"}]},
	  "variants":[{"key":"a","content":{"title":"Update the app","body":"Version 3 is here.","link":"https://example.com/app"}}]}`,
}

// seedDemo makes the sample popups if there are no popups at all: those above, and those
// of the demo shop.
func seedDemo(ctx context.Context, db *persist.DB) error {
	_, present, err := db.FindPopups(ctx, popuplist.Query{Limit: 1})
	if err != nil || len(present) > 0 {
		return err
	}
	text, err := sdk.Demo.ReadFile("demo/popups.json")
	if err != nil {
		return err
	}
	var all []json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return fmt.Errorf("seed demo: %w", err)
	}
	for _, text := range demoPopups {
		all = append(all, json.RawMessage(text))
	}
	for _, text := range all {
		spec, err := popup.Decode(text)
		if err != nil {
			return fmt.Errorf("seed demo: %w", err)
		}
		if _, err := db.Create(ctx, popup.Change{Actor: "demo", Action: "create"}, spec); err != nil {
			return fmt.Errorf("seed demo %s: %w", spec.Key, err)
		}
	}
	return nil
}

// seed returns what makes the sample popups, nil without -demo.
func (s *server) seed() func(context.Context) error {
	if !s.config.Demo {
		return nil
	}
	return func(ctx context.Context) error { return seedDemo(ctx, s.db) }
}

// greet tells someone who is trying popupd where it is. A token that was given is
// known to who gave it, and stdout may be kept where others can read it.
func (s *server) greet() {
	token := s.keys.admin
	if s.config.AdminToken != "" {
		token = "(as given)"
	}
	fmt.Fprintf(s.stdout, "popupd is up, with sample popups. Open http://%s/demo\n  polls and actions  http://%[1]s\n  console and API    http://%s\n  admin token        %s\n",
		s.data.Addr(), s.admin.Addr(), token)
}
