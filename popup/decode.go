package popup

import "encoding/json"

// Decode reads a spec.
func Decode(data []byte) (Spec, error) {
	var s Spec
	err := json.Unmarshal(data, &s)
	return s, err
}

// Encode returns the spec as JSON.
func (s Spec) Encode() []byte {
	b, _ := json.Marshal(s)
	return b
}
