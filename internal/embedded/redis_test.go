package embedded

import (
	"context"
	"testing"
	"time"

	"github.com/redis/rueidis"
)

// TestQueueAndChannel uses every command that popupd sends to Redis.
func TestQueueAndChannel(t *testing.T) {
	r := NewRedis()
	defer r.Close()
	option := r.Option()
	option.DisableCache, option.ForceSingleClient = true, true
	client, err := rueidis.NewClient(option)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	const key = "popupd:q:{00112233445566778899aabbccddeeff}"
	if err := client.Do(ctx, client.B().Rpush().Key(key).Element("one", "two", "three").Build()).Error(); err != nil {
		t.Fatal(err)
	}
	if err := client.Do(ctx, client.B().Ltrim().Key(key).Start(1).Stop(-1).Build()).Error(); err != nil {
		t.Fatal(err)
	}
	got, err := client.Do(ctx, client.B().Lrange().Key(key).Start(0).Stop(0).Build()).AsStrSlice()
	if err != nil || len(got) != 1 || got[0] != "two" {
		t.Fatalf("head after LTRIM = %q, %v; want [two]", got, err)
	}

	for _, command := range []rueidis.Completed{
		client.B().Ping().Build(), client.B().Expire().Key(key).Seconds(60).Build(), client.B().Del().Key(key).Build(),
	} {
		if err := client.Do(ctx, command).Error(); err != nil {
			t.Errorf("%v: %v", command.Commands(), err)
		}
	}

	received := make(chan string, 1)
	subscribed := make(chan struct{})
	go func() {
		hook := rueidis.PubSubHooks{
			OnMessage:      func(m rueidis.PubSubMessage) { received <- m.Message },
			OnSubscription: func(rueidis.PubSubSubscription) { close(subscribed) },
		}
		dedicated, release := client.Dedicate()
		defer release()
		done := dedicated.SetPubSubHooks(hook)
		dedicated.Do(ctx, client.B().Subscribe().Channel("popupd:config").Build())
		<-done
	}()
	<-subscribed
	if err := client.Do(ctx, client.B().Publish().Channel("popupd:config").Message("7").Build()).Error(); err != nil {
		t.Fatal(err)
	}
	select {
	case m := <-received:
		if m != "7" {
			t.Errorf("message = %q, want 7", m)
		}
	case <-ctx.Done():
		t.Fatal("no message")
	}
}
