package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"log"
	"strconv"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// nextPollSec is after how long a page polls again, at least and at most.
const (
	minNextPollSec = 30
	maxNextPollSec = 300
)

// server answers polls out of two parts, which differ from rung to rung.
type server struct {
	secret []byte
	due    interface {
		dueTo(dst []popup, r *request, nowMS int64) (due []popup, soonest int64, err error)
	}
	shown interface {
		record(i impression) (bool, error)
	}
	pending func() int // nil: none ever is
	popups  sync.Pool  // of *[]popup
}

func (s *server) handle(ctx *fasthttp.RequestCtx) {
	switch string(ctx.Path()) {
	case "/v1/poll":
		if err := s.poll(ctx); err != nil {
			log.Println("poll:", err)
			ctx.Error("", fasthttp.StatusInternalServerError)
		}
	case "/pending": // for the bench, which waits until it is 0
		n := 0
		if s.pending != nil {
			n = s.pending()
		}
		ctx.SetBodyString(strconv.Itoa(n))
	default:
		ctx.SetStatusCode(fasthttp.StatusNotFound)
	}
}

func (s *server) poll(ctx *fasthttp.RequestCtx) error {
	args := ctx.QueryArgs()
	r := request{
		user: string(args.Peek("uid")), placement: string(args.Peek("placement")), platform: string(args.Peek("platform")),
	}
	if r.user == "" || len(r.user) > 128 {
		ctx.SetStatusCode(fasthttp.StatusBadRequest)
		return nil
	}
	if r.placement == "" {
		r.placement = "default"
	}
	// A version that is none is below all others.
	r.version, _ = parseVersion(string(args.Peek("app_version")))

	h := &ctx.Response.Header
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "Popup-Next-Poll, Popup-Triggers, Retry-After")
	buf, _ := s.popups.Get().(*[]popup)
	if buf == nil {
		buf = new([]popup)
	}
	defer s.popups.Put(buf)
	now := time.Now().UnixMilli()
	due, soonest, err := s.due.dueTo((*buf)[:0], &r, now)
	if err != nil {
		return err
	}
	*buf = due
	for n := range due {
		p := &due[n]
		ok, err := s.shown.record(impression{user: r.user, popup: p.id, variant: p.variant, atMS: now, nextMS: now + p.waitMS})
		if err != nil {
			return err
		}
		if ok {
			ctx.SetContentType("application/json")
			ctx.Response.SetBodyRaw(s.answer(p, &r, now))
			return nil
		}
		soonest = earlier(soonest, now+p.waitMS)
	}
	wait := int64(maxNextPollSec)
	if soonest > 0 {
		wait = min(max((soonest-now)/1000, minNextPollSec), maxNextPollSec)
	}
	ctx.SetStatusCode(fasthttp.StatusNoContent)
	h.Set("Popup-Next-Poll", strconv.FormatInt(wait, 10))
	return nil
}

// answer is as long as popupd's, with a token that is signed as popupd's is.
func (s *server) answer(p *popup, r *request, nowMS int64) []byte {
	token := make([]byte, 4, 256)
	token = binary.BigEndian.AppendUint64(token, uint64(nowMS))
	token = binary.BigEndian.AppendUint32(token, p.id)
	token = binary.BigEndian.AppendUint32(token, 1)
	token = append(token, byte(len(r.user)))
	token = append(append(token, r.user...), p.variant...)
	mac := hmac.New(sha256.New, s.secret)
	mac.Write(token)
	token = mac.Sum(token)[:len(token)+16]

	body := make([]byte, 0, len(p.head)+len(p.tail)+512)
	body = append(append(append(body, p.head...), r.placement...), p.tail...)
	body = base64.RawURLEncoding.AppendEncode(append(body, "v1."...), token)
	return append(body, `","next_poll_sec":60}`...)
}
