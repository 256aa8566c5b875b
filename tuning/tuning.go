// Package tuning looks at a machine and at the stores and says what popupd
// would have otherwise.
package tuning
