package kit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"
)

// Modules that carry the schemas; they are downloaded, and not compiled.
const (
	kubernetes         = "k8s.io/kubernetes@v1.37.2"
	prometheusOperator = "github.com/prometheus-operator/prometheus-operator@v0.94.0"
)

// moduleDir returns where a module, as PATH@VERSION, lies after it was downloaded.
func moduleDir(module string) (string, error) {
	cmd := exec.Command("go", "mod", "download", "-json", module)
	cmd.Dir = os.TempDir() // outside of this module, whose go.sum need not know it
	out, err := cmd.Output()
	var found struct{ Dir, Error string }
	if e := json.Unmarshal(out, &found); e == nil && found.Error != "" {
		err = errors.New(found.Error)
	}
	if err != nil {
		return "", fmt.Errorf("download %s: %w", module, err)
	}
	return found.Dir, nil
}

// Schemas are what the manifests of a cluster must be like.
type Schemas struct {
	compiler *jsonschema.Compiler
	where    map[string]string // by apiVersion and kind
}

// OpenSchemas reads the OpenAPI document of Kubernetes, and the definition of ServiceMonitor.
// Members that the document does not name are refused, as kubectl does by default.
func OpenSchemas() (*Schemas, error) {
	s := &Schemas{compiler: jsonschema.NewCompiler(), where: map[string]string{}}
	dir, err := moduleDir(kubernetes)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(dir, "api/openapi-spec/swagger.json"))
	if err != nil {
		return nil, err
	}
	var document struct {
		Definitions map[string]map[string]any `json:"definitions"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	for name, definition := range document.Definitions {
		for _, kind := range kindsOf(definition) {
			s.where[kind] = "kubernetes.json#/definitions/" + name
		}
		strict(definition)
		numbersToo(name, definition)
	}
	if err := s.add("kubernetes.json", document); err != nil {
		return nil, err
	}
	return s, s.addServiceMonitor()
}

func (s *Schemas) addServiceMonitor() error {
	dir, err := moduleDir(prometheusOperator)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(dir, "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml"))
	if err != nil {
		return err
	}
	var definition struct {
		Spec struct {
			Versions []struct {
				Name   string
				Schema struct {
					OpenAPIV3Schema map[string]any `json:"openAPIV3Schema"`
				}
			}
		}
	}
	if err := yaml.Unmarshal(text, &definition); err != nil {
		return err
	}
	for _, version := range definition.Spec.Versions {
		file := "servicemonitor-" + version.Name + ".json"
		schema := version.Schema.OpenAPIV3Schema
		delete(schema["properties"].(map[string]any), "metadata") // of which it says only that it is an object
		schema["properties"].(map[string]any)["metadata"] = map[string]any{"$ref": "kubernetes.json#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
		strict(schema)
		if err := s.add(file, schema); err != nil {
			return err
		}
		s.where["monitoring.coreos.com/"+version.Name+" ServiceMonitor"] = file
	}
	return nil
}

// add gives the compiler a document, as its decoder wants numbers.
func (s *Schemas) add(name string, document any) error {
	text, err := json.Marshal(document)
	if err != nil {
		return err
	}
	decoded, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return s.compiler.AddResource(name, decoded)
}

// kindsOf returns "apiVersion kind" of each resource that has this definition.
func kindsOf(definition map[string]any) (kinds []string) {
	all, _ := definition["x-kubernetes-group-version-kind"].([]any)
	for _, one := range all {
		kind := one.(map[string]any)
		version := kind["version"].(string)
		if group := kind["group"].(string); group != "" {
			version = group + "/" + version
		}
		kinds = append(kinds, version+" "+kind["kind"].(string))
	}
	return kinds
}

// strict has objects refuse members that are not among their properties.
func strict(schema map[string]any) {
	if _, ok := schema["properties"]; ok && schema["additionalProperties"] == nil && schema["x-kubernetes-preserve-unknown-fields"] == nil {
		schema["additionalProperties"] = false
	}
	for _, below := range schema {
		switch below := below.(type) {
		case map[string]any:
			strict(below)
		case []any:
			for _, one := range below {
				if one, ok := one.(map[string]any); ok {
					strict(one)
				}
			}
		}
	}
}

// numbersToo lets quantities and ports be numbers, which the document calls strings.
func numbersToo(name string, definition map[string]any) {
	if strings.HasSuffix(name, ".IntOrString") || strings.HasSuffix(name, ".Quantity") {
		definition["type"] = []any{"string", "number"}
		delete(definition, "format")
	}
}

// Check checks manifests, separated by "---", and returns their kinds.
func (s *Schemas) Check(manifests string) (kinds []string, err error) {
	for _, text := range strings.Split("\n"+manifests, "\n---") {
		var object map[string]any
		if err := yaml.UnmarshalStrict([]byte(text), &object); err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%w in\n%s", err, text)
		}
		if object == nil {
			continue
		}
		kind := fmt.Sprintf("%v %v", object["apiVersion"], object["kind"])
		where, ok := s.where[kind]
		if !ok {
			return nil, fmt.Errorf("no cluster knows %s", kind)
		}
		schema, err := s.compiler.Compile(where)
		if err != nil {
			return nil, err
		}
		if err := schema.Validate(object); err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
		kinds = append(kinds, kind)
	}
	return kinds, nil
}
