package testbed

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
)

// PopupdOptions say how to start a popupd.
type PopupdOptions struct {
	Binary       string // "" is built from this tree
	Cores, Netns string // as of a Program
	Host         string // address to listen on, 127.0.0.1 by default
	MySQL, Redis string // DSN and URL; "" is embedded
	Data         string // directory; "" is a fresh one
	Token        string // bearer token of the control plane; "" is a random one
	Flags, Env   []string
	Sockets      []Socket // in place of those that it would open
}

// Socket is one that listens, and that popupd is given as a service manager does, under a
// name: data or admin.
type Socket struct {
	Name string
	File *os.File
}

// Popupd is a popupd of a testbed. Its addresses stay the same when it is started
// again.
type Popupd struct {
	*Process
	Binary, Data string
	Address      string // host:port of the data plane, once it has listened
	Admin        string // and of the control plane
	Token        string // bearer token of the control plane
	Flags, Env   []string

	host         string
	mysql, redis string
	sockets      []Socket
	client       *http.Client
}

// Popupd starts a popupd on free ports and waits until it is ready.
func (b *Testbed) Popupd(o PopupdOptions) (*Popupd, error) {
	if o.Binary == "" {
		var err error
		if o.Binary, err = b.Build(".", "."); err != nil {
			return nil, err
		}
	}
	p := b.NewPopupd(o)
	if err := p.Start(); err != nil {
		return nil, err
	}
	if err := p.WaitReady(b.ctx); err != nil {
		p.Kill()
		return nil, err
	}
	return p, nil
}

// NewPopupd returns a popupd that has not been started. Start returns when it
// listens. Flags and Env may be changed while it does not run.
func (b *Testbed) NewPopupd(o PopupdOptions) *Popupd {
	p := &Popupd{
		Binary: o.Binary, Data: o.Data, Token: o.Token, Flags: o.Flags, Env: o.Env,
		host: o.Host, mysql: o.MySQL, redis: o.Redis, sockets: o.Sockets, client: newClient(o.Netns),
	}
	if p.host == "" {
		p.host = "127.0.0.1"
	}
	if p.Data == "" {
		p.Data = b.newDir("data")
	}
	if p.Token == "" {
		p.Token = rand.Text()
	}
	p.Process = b.newProcess(Program{Name: "popupd", Cores: o.Cores, Netns: o.Netns, StderrOnly: true})
	p.prepare = func(program *Program) error {
		program.Args, program.Env, program.Ready = p.args(), p.Env, p.listening()
		if len(p.sockets) > 0 {
			p.pass(program)
		}
		return nil
	}
	return p
}

// args are the command line of the next start.
func (p *Popupd) args() []string {
	address, admin := p.Address, p.Admin
	if address == "" || admin == "" { // it has not listened yet
		p.Address, p.Admin = "", ""
		address, admin = p.host+":0", p.host+":0"
	}
	args := []string{p.Binary, "-listen", address, "-admin-listen", admin, "-admin-token", p.Token, "-data", p.Data, "-log", "json", "-drain", "0s"}
	if p.mysql != "" {
		args = append(args, "-mysql", p.mysql)
	}
	if p.redis != "" {
		args = append(args, "-redis", p.redis)
	}
	return append(args, p.Flags...)
}

// pass has a program be given the sockets (sd_listen_fds(3)): the shell knows which process
// it is, and becomes popupd.
func (p *Popupd) pass(program *Program) {
	var names []string
	program.Files = nil
	for _, s := range p.sockets {
		names, program.Files = append(names, s.Name), append(program.Files, s.File)
	}
	program.Args = append([]string{"sh", "-c", `LISTEN_PID=$$ exec "$@"`, "sh"}, program.Args...)
	program.Env = append(slices.Clip(program.Env), fmt.Sprint("LISTEN_FDS=", len(names)), "LISTEN_FDNAMES="+strings.Join(names, ":"))
}

// listening returns a function that looks for the two lines that name the addresses
// of popupd, and takes them from those of the first start. The data plane is bound
// then; it takes connections once popupd is ready.
func (p *Popupd) listening() func(line string) bool {
	planes := 0
	return func(line string) bool {
		var entry struct{ Msg, Plane, Address string }
		if json.Unmarshal([]byte(line), &entry) != nil || entry.Msg != "bound" && (entry.Msg != "listening" || entry.Plane != "control") {
			return false
		}
		planes++
		switch { // clients go on reading the addresses while it starts again
		case entry.Plane == "data" && p.Address == "":
			p.Address = entry.Address
		case entry.Plane == "control" && p.Admin == "":
			p.Admin = entry.Address
		}
		return planes == 2
	}
}
