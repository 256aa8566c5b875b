package kit

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	"sigs.k8s.io/yaml"
)

const chartDir = "../helm/popupd"

// given are the values without which the chart renders nothing.
const given = "{mysql: 'popupd:PASSWORD@tcp(mysql:3306)/popupd', redis: 'redis://redis:6379/0', secret: s, adminToken: t}"

// render returns the manifests of the chart, as helm template prints them.
func render(t *testing.T, values string) (string, error) {
	t.Helper()
	chart, err := loader.Load(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	release := chartutil.ReleaseOptions{Name: "popupd", Namespace: "shop", IsInstall: true}
	all, err := chartutil.ToRenderValues(chart, valuesOf(t, values), release, nil)
	if err != nil {
		return "", err
	}
	rendered, err := engine.Render(chart, all)
	if err != nil {
		return "", err
	}
	var manifests strings.Builder
	for _, name := range slices.Sorted(maps.Keys(rendered)) {
		if strings.HasSuffix(name, ".yaml") {
			fmt.Fprintf(&manifests, "---\n%s\n", rendered[name])
		}
	}
	return manifests.String(), nil
}

func valuesOf(t *testing.T, text string) (values map[string]any) {
	t.Helper()
	if err := yaml.UnmarshalStrict([]byte(text), &values); err != nil {
		t.Fatal(err)
	}
	return values
}

// TestChart: Helm has nothing to say against the chart, and a cluster takes what it renders, with
// few values and with all.
func TestChart(t *testing.T) {
	schemas, err := OpenSchemas()
	if err != nil {
		t.Fatal(err)
	}
	few := []string{"v1 Secret", "v1 Service", "v1 Service", "v1 Service", "policy/v1 PodDisruptionBudget", "apps/v1 StatefulSet"}
	for _, c := range []struct {
		name, values string
		want         []string
	}{
		{"few", given, few},
		{"of a secret that exists", "{existingSecret: mine}", few[1:]},
		{"all", `
existingSecret: mine
image: {tag: v1.2.3}
imagePullSecrets: [{name: registry}]
replicas: 10
flags: {min-gap: 1h, report-timezone: Asia/Shanghai}
env: [{name: OTEL_EXPORTER_OTLP_ENDPOINT, value: "http://collector:4318"}]
persistence: {size: 20Gi, storageClass: fast}
service: {type: LoadBalancer, annotations: {example.com/internal: "true"}}
ingress: {enabled: true, tlsSecret: popups-tls, annotations: {nginx.ingress.kubernetes.io/proxy-body-size: 32k}}
serviceMonitor: {enabled: true, labels: {release: prometheus}}
admin: {from: [{namespaceSelector: {matchLabels: {name: monitoring}}}]}
podAnnotations: {a: b}
podLabels: {team: shop}
nodeSelector: {disk: ssd}
tolerations: [{key: popups, operator: Exists}]
affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname}]}}
priorityClassName: high
`, slices.Concat(few[1:], []string{"networking.k8s.io/v1 Ingress", "networking.k8s.io/v1 Ingress", "v1 Service", "networking.k8s.io/v1 NetworkPolicy", "monitoring.coreos.com/v1 ServiceMonitor"})},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, m := range lint.All(chartDir, valuesOf(t, c.values), "shop", true).Messages {
				if m.Severity > support.InfoSev {
					t.Error(m)
				}
			}
			manifests, err := render(t, c.values)
			if err != nil {
				t.Fatal(err)
			}
			kinds, err := schemas.Check(manifests)
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(kinds)
			if want := slices.Sorted(slices.Values(c.want)); !slices.Equal(kinds, want) {
				t.Errorf("kinds %q, want %q", kinds, want)
			}
			if strings.Contains(manifests, "kind: ServiceMonitor") && !strings.Contains(manifests, "jobLabel: app.kubernetes.io/name") {
				t.Error("the job is not popupd, which alerts ask for")
			}
			checkFlags(t, regexp.MustCompile(`(?m)^ +- "?(-[a-z-]+)=`).FindAllStringSubmatch(manifests, -1))
		})
	}
}

// TestIngress: who is hashed on uid is who has one. ingress-nginx has one hash for all that a
// Service gets, so what has none must not go to the same.
func TestIngress(t *testing.T) {
	manifests, err := render(t, "{existingSecret: mine, ingress: {enabled: true, annotations: {nginx.ingress.kubernetes.io/proxy-body-size: 32k}}}")
	if err != nil {
		t.Fatal(err)
	}
	hashed, services := map[string]bool{}, map[string]string{} // of paths
	for _, text := range strings.Split(manifests, "---\n") {
		var ingress struct {
			Kind     string
			Metadata struct{ Annotations map[string]string }
			Spec     struct {
				Rules []struct {
					HTTP struct {
						Paths []struct {
							Path    string
							Backend struct{ Service struct{ Name string } }
						}
					}
				}
			}
		}
		if err := yaml.Unmarshal([]byte(text), &ingress); err != nil {
			t.Fatal(err)
		}
		if ingress.Kind != "Ingress" {
			continue
		}
		const nginx = "nginx.ingress.kubernetes.io/"
		annotations := ingress.Metadata.Annotations
		isHashed := annotations[nginx+"upstream-hash-by"] == "$arg_uid"
		if isHashed && (annotations[nginx+"proxy-next-upstream"] != "off" || annotations[nginx+"proxy-body-size"] != "32k") {
			t.Errorf("polls have the annotations %q", annotations)
		}
		for _, rule := range ingress.Spec.Rules {
			for _, p := range rule.HTTP.Paths {
				hashed[p.Path], services[p.Path] = isHashed, p.Backend.Service.Name
			}
		}
	}
	if len(hashed) != 2 || !hashed["/v1/"] || hashed["/sdk"] || services["/v1/"] == services["/sdk"] {
		t.Errorf("hashed: %v, services: %v", hashed, services)
	}
}

// checkFlags fails the test for flags that docs/configuration.md does not have.
func checkFlags(t *testing.T, flags [][]string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	if len(flags) < 4 {
		t.Errorf("%d flags found: are they read at all?", len(flags))
	}
	for _, f := range flags {
		if !strings.Contains(string(page), "| `"+f[1]+"` |") {
			t.Errorf("popupd has no flag %s", f[1])
		}
	}
}

// TestChartRefuses: what is missing is said, with what to do; and the schemas find mistakes.
func TestChartRefuses(t *testing.T) {
	for _, missing := range []string{"mysql", "redis", "secret", "adminToken"} {
		values := valuesOf(t, given)
		delete(values, missing)
		text, _ := yaml.Marshal(values)
		if _, err := render(t, string(text)); err == nil || !strings.Contains(err.Error(), missing+": ") || !strings.Contains(err.Error(), "existingSecret") {
			t.Errorf("without %s: %v", missing, err)
		}
	}
	schemas, err := OpenSchemas()
	if err != nil {
		t.Fatal(err)
	}
	manifests, err := render(t, given)
	if err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string][2]string{
		"a member that is misspelt": {"replicas:", "replica:"},
		"a text for a number":       {"failureThreshold: 120", "failureThreshold: many"},
		"a member that is missing":  {"- name: popupd", "- tty: true"},
		"an unknown kind":           {"kind: StatefulSet", "kind: StatefulSets"},
	} {
		changed := strings.Replace(manifests, change[0], change[1], 1)
		if changed == manifests {
			t.Fatalf("%s: nothing to change", what)
		}
		if _, err := schemas.Check(changed); err == nil {
			t.Errorf("%s is not found", what)
		}
	}
}
