package server

import "github.com/popupd/popupd/internal/userstate"

// startUsers starts what keeps the users' state.
func (s *server) startUsers(p *parts) {
	p.run("users", s.users.Run)
	p.run("epochs", s.users.RunEpochs)
	for range userstate.LookUpQueries {
		p.run("look-ups", s.users.RunLookUps)
	}
}
