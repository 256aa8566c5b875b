package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// bidi is a session of WebDriver BiDi (https://w3c.github.io/webdriver-bidi/): commands
// and their results over a WebSocket.
type bidi struct {
	conn *websocket.Conn

	front sync.Mutex // held while a window comes to the front, or takes a key there

	mu      sync.Mutex
	last    int
	waiting map[int]chan bidiResult // by the number of the command
}

type bidiResult struct {
	ID      int             `json:"id"`
	Type    string          `json:"type"` // success, error or event
	Result  json.RawMessage `json:"result"`
	Error   string          `json:"error"`
	Message string          `json:"message"`
}

// bidiError is what a browser says of a command that failed.
type bidiError struct{ code, message string }

func (e *bidiError) Error() string { return e.code + ": " + e.message }

// dialBidi begins a session; ctx ends it.
func dialBidi(ctx context.Context, url string) (*bidi, error) {
	conn, _, err := websocket.Dial(ctx, url+"/session", nil)
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(1 << 24)
	b := &bidi{conn: conn, waiting: map[int]chan bidiResult{}}
	go b.read(ctx)
	_, err = b.call(ctx, "session.new", map[string]any{"capabilities": map[string]any{}})
	return b, err
}

func (b *bidi) read(ctx context.Context) {
	for {
		var r bidiResult
		if err := wsjson.Read(ctx, b.conn, &r); err != nil {
			b.mu.Lock()
			defer b.mu.Unlock()
			for _, c := range b.waiting {
				close(c)
			}
			b.waiting = nil
			return
		}
		b.mu.Lock()
		if c := b.waiting[r.ID]; c != nil && r.Type != "event" {
			c <- r
			delete(b.waiting, r.ID)
		}
		b.mu.Unlock()
	}
}

func (b *bidi) call(ctx context.Context, method string, params any) (json.RawMessage, error) {
	c := make(chan bidiResult, 1)
	b.mu.Lock()
	if b.waiting == nil {
		b.mu.Unlock()
		return nil, errors.New(method + ": the browser has gone")
	}
	b.last++
	id := b.last
	b.waiting[id] = c
	b.mu.Unlock()
	if err := wsjson.Write(ctx, b.conn, map[string]any{"id": id, "method": method, "params": params}); err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	select {
	case r, ok := <-c:
		switch {
		case !ok:
			return nil, errors.New(method + ": the browser has gone")
		case r.Type == "error":
			return nil, fmt.Errorf("%s: %w", method, &bidiError{r.Error, r.Message})
		}
		return r.Result, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%s: %w", method, ctx.Err())
	}
}

// bidiTab is a tab by its id.
type bidiTab struct {
	*bidi
	id string
}

func (t bidiTab) navigate(ctx context.Context, url string) error {
	_, err := t.call(ctx, "browsingContext.navigate", map[string]any{"context": t.id, "url": url, "wait": "complete"})
	return err
}

func (t bidiTab) back(ctx context.Context) error {
	_, err := t.call(ctx, "browsingContext.traverseHistory", map[string]any{"context": t.id, "delta": -1})
	return err
}

func (t bidiTab) offline(ctx context.Context, yes bool) error {
	conditions := map[string]any{"type": "offline"}
	if !yes {
		conditions = nil
	}
	_, err := t.call(ctx, "emulation.setNetworkConditions", map[string]any{"contexts": []string{t.id}, "networkConditions": conditions})
	return err
}

// activate brings the window of the tab to the front.
func (t bidiTab) activate(ctx context.Context) error {
	_, err := t.call(ctx, "browsingContext.activate", map[string]any{"context": t.id})
	return err
}

// press has the window in front: Tab moves the focus in no other.
func (t bidiTab) press(ctx context.Context, key string) error {
	t.front.Lock()
	defer t.front.Unlock()
	if err := t.activate(ctx); err != nil {
		return err
	}
	if named := map[string]string{"Tab": "\uE004", "Escape": "\uE00C"}[key]; named != "" {
		key = named
	}
	_, err := t.call(ctx, "input.performActions", map[string]any{"context": t.id, "actions": []any{map[string]any{
		"type": "key", "id": "keyboard", "actions": []any{map[string]any{"type": "keyDown", "value": key}, map[string]any{"type": "keyUp", "value": key}},
	}}})
	return err
}

func (t bidiTab) evaluate(ctx context.Context, expression string) (string, error) {
	text, err := t.call(ctx, "script.evaluate", map[string]any{"expression": expression, "awaitPromise": true, "target": map[string]any{"context": t.id}})
	if failed := new(bidiError); errors.As(err, &failed) && strings.Contains(failed.message, "destroyed") {
		return "", fmt.Errorf("%w: %w", errLeft, err)
	} else if err != nil {
		return "", err
	}
	var answer struct {
		Result           remoteValue
		ExceptionDetails *struct{ Text string }
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return "", err
	}
	if answer.ExceptionDetails != nil {
		return "", errors.New(answer.ExceptionDetails.Text)
	}
	plain, err := json.Marshal(answer.Result.plain())
	return string(plain), err
}

// remoteValue is script.RemoteValue of the protocol.
type remoteValue struct {
	Type  string
	Value json.RawMessage
}

// plain returns the value as encoding/json has it; what has none is nil.
func (v remoteValue) plain() any {
	switch v.Type {
	case "array":
		var items []remoteValue
		json.Unmarshal(v.Value, &items)
		all := make([]any, len(items))
		for i, item := range items {
			all[i] = item.plain()
		}
		return all
	case "string", "number", "boolean":
		return v.Value
	}
	return nil
}
