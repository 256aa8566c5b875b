package api

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/popupd/popupd/popup"
)

const (
	defaultExport = 10_000
	maxExport     = 100_000
	// exportTimeout is longer than the store reads for one call, for clients that are slow.
	exportTimeout = time.Minute
)

// exportedEvent is an event as JSON. Times are RFC 3339, UTC.
type exportedEvent struct {
	ID       string     `json:"id"` // unique, and always the same
	At       time.Time  `json:"at"`
	Action   string     `json:"action"`
	UID      string     `json:"uid"` // empty: erased
	PopupID  uint32     `json:"popup_id"`
	Popup    string     `json:"popup"`
	Version  uint32     `json:"version"`
	Variant  string     `json:"variant"`
	ServedAt *time.Time `json:"served_at"` // null: of a reset
	Nth      uint32     `json:"nth"`
}

func exported(e popup.CountedEvent) exportedEvent {
	return exportedEvent{
		ID: strconv.FormatUint(uint64(e.StreamNo), 10) + "-" + strconv.FormatUint(e.Seq, 10),
		At: time.UnixMilli(e.AtMS).UTC(), Action: e.Action.String(), UID: e.User, PopupID: e.PopupID, Popup: e.Popup,
		Version: e.Version, Variant: e.Variant, ServedAt: popup.TimeOf(e.ServedAtMS), Nth: e.Nth,
	}
}

// eventWriter writes events in one of the formats. After some of them it writes the
// cursor behind them, so that a client which got only a part of an answer can use that.
type eventWriter interface {
	mediaType() string
	begin() error
	event(exportedEvent) error
	cursor(string) error
	flush() error
}

// ndjson is a JSON object a line; one with a cursor has nothing else.
type ndjson struct {
	to   *bufio.Writer
	json *json.Encoder
}

func newNDJSON(w io.Writer) *ndjson {
	f := &ndjson{to: bufio.NewWriter(w)}
	f.json = json.NewEncoder(f.to)
	f.json.SetEscapeHTML(false)
	return f
}

func (f *ndjson) mediaType() string           { return "application/x-ndjson" }
func (f *ndjson) begin() error                { return nil }
func (f *ndjson) event(e exportedEvent) error { return f.json.Encode(e) }
func (f *ndjson) flush() error                { return f.to.Flush() }

func (f *ndjson) cursor(c string) error {
	return f.json.Encode(struct {
		Cursor string `json:"cursor"`
	}{c})
}

// csvFile is a header and a row an event; one with a cursor has nothing else.
type csvFile struct{ to *csv.Writer }

var csvColumns = []string{"id", "at", "action", "uid", "popup_id", "popup", "version", "variant", "served_at", "nth", "cursor"}

func (f csvFile) mediaType() string { return "text/csv; charset=utf-8" }
func (f csvFile) begin() error      { return f.to.Write(csvColumns) }

func (f csvFile) event(e exportedEvent) error {
	number := func(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
	served := ""
	if e.ServedAt != nil {
		served = e.ServedAt.Format(time.RFC3339Nano)
	}
	return f.to.Write([]string{
		e.ID, e.At.Format(time.RFC3339Nano), e.Action, e.UID, number(e.PopupID), e.Popup, number(e.Version), e.Variant, served, number(e.Nth), "",
	})
}

func (f csvFile) cursor(c string) error {
	row := make([]string, len(csvColumns))
	row[len(row)-1] = c
	return f.to.Write(row)
}

func (f csvFile) flush() error {
	f.to.Flush()
	return f.to.Error()
}

// exportEvents streams what was counted. What goes wrong after the first bytes cuts the
// answer off: the client goes on from the last cursor that it got.
func (a *API) exportEvents(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	var out eventWriter
	switch q.Get("format") {
	case "", "ndjson":
		out = newNDJSON(w)
	case "csv":
		out = csvFile{csv.NewWriter(w)}
	default:
		return invalidParameter("format", "must be ndjson or csv.")
	}
	limit := defaultExport
	if q.Has("limit") {
		n, err := strconv.Atoi(q.Get("limit"))
		if err != nil || n < 1 || n > maxExport {
			return invalidParameter("limit", "must be 1 to "+strconv.Itoa(maxExport)+".")
		}
		limit = n
	}
	ctx, cancel := context.WithTimeout(r.Context(), exportTimeout)
	defer cancel()
	begun, control := false, http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Now().Add(exportTimeout + storeTimeout)) // the listener's is shorter; in tests there may be none
	err := a.config.Exporter.CountedEvents(ctx, q.Get("after"), limit, func(events []popup.CountedEvent, cursor string) error {
		if !begun {
			begun = true
			w.Header().Set("Content-Type", out.mediaType())
			if err := out.begin(); err != nil {
				return err
			}
		}
		for _, e := range events {
			if err := out.event(exported(e)); err != nil {
				return err
			}
		}
		if err := out.cursor(cursor); err != nil {
			return err
		}
		if err := out.flush(); err != nil {
			return err
		}
		return control.Flush()
	})
	if err != nil && begun {
		if r.Context().Err() == nil {
			a.config.Log.Warn("export of events was cut off", "err", err)
		}
		panic(http.ErrAbortHandler)
	}
	return err
}
