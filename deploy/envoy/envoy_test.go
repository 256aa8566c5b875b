package envoy

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"go.yaml.in/yaml/v4"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"

	// What the configuration names by "@type".
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/buffer/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/retry/host/previous_hosts/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
)

// TestEnvoy: the configuration is one that Envoy's types and rules allow, and each mistake
// below is one that they do not.
func TestEnvoy(t *testing.T) {
	text, err := os.ReadFile("envoy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := check(text); err != nil {
		t.Error(err)
	}
	for _, mistake := range [][2]string{
		{"lb_policy: RING_HASH", "lb_policy: RING_HUSH"},
		{"minimum_ring_size:", "least_ring_size:"},
		{"connect_timeout: 2s", "connect_timeout: 0s"},
		{"port_value: 8080", "port_value: 80800"},
		{"max_request_bytes: 65536", "max_request_bytes: 0"},     // in a message within a message
		{"stat_prefix: popupd", "stat_prefix: ''"},               // the same
		{"filters.http.buffer.v3.Buffer", "filters.http.v3.Buf"}, // of no type
		{"query_parameter: {name: uid}", "query_parameter: {name: ''}"},
	} {
		changed := strings.Replace(string(text), mistake[0], mistake[1], 1)
		if changed == string(text) {
			t.Errorf("the file has no %q", mistake[0])
		} else if check([]byte(changed)) == nil {
			t.Errorf("%q passes", mistake[1])
		}
	}
}

// TestCircuitBreakers: the servers get what popupd is for, 5,000 requests a second of which
// each is held for 4 s, and a third of them may be sent again within 0.5 s.
func TestCircuitBreakers(t *testing.T) {
	const held, again = 5000 * 4, 5000 / 3 / 2
	text, err := os.ReadFile("envoy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	config, err := read(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range config.GetStaticResources().GetClusters() {
		thresholds := c.GetCircuitBreakers().GetThresholds()
		if len(thresholds) != 1 || thresholds[0].GetPriority() != core.RoutingPriority_DEFAULT {
			t.Fatalf("cluster %s has the thresholds %v: want one of the priority that routes have", c.GetName(), thresholds)
		}
		l := thresholds[0]
		for what, limit := range map[string][2]uint32{
			"connections": {l.GetMaxConnections().GetValue(), held}, "pending requests": {l.GetMaxPendingRequests().GetValue(), held},
			"requests": {l.GetMaxRequests().GetValue(), held}, "retries": {l.GetMaxRetries().GetValue(), again},
		} {
			if limit[0] < limit[1] {
				t.Errorf("cluster %s: at most %d %s at once, want at least %d", c.GetName(), limit[0], what, limit[1])
			}
		}
	}
}

// check returns what is wrong with a configuration.
func check(text []byte) error {
	config, err := read(text)
	if err != nil {
		return err
	}
	return validate(config)
}

func read(text []byte) (*bootstrap.Bootstrap, error) {
	var tree any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return nil, err
	}
	asJSON, err := json.Marshal(tree)
	if err != nil {
		return nil, err
	}
	config := new(bootstrap.Bootstrap)
	return config, protojson.Unmarshal(asJSON, config)
}

// validate applies the rules of the configuration, and of each message that it holds as an Any.
func validate(config *bootstrap.Bootstrap) error {
	problems := []error{config.ValidateAll()}
	err := protorange.Range(config.ProtoReflect(), func(p protopath.Values) error {
		last := p.Index(-1)
		if last.Step.Kind() != protopath.AnyExpandStep {
			return nil
		}
		message, ok := last.Value.Message().Interface().(interface{ ValidateAll() error })
		if !ok {
			return fmt.Errorf("%s has no rules", last.Step.MessageDescriptor().FullName())
		}
		problems = append(problems, message.ValidateAll())
		return nil
	})
	return errors.Join(append(problems, err)...)
}
