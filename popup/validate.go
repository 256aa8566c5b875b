package popup

// Validate returns FieldErrors or nil.
func (s *Spec) Validate() error { return nil }
