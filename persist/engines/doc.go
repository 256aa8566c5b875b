// Package engines reads every statement that popupd sends with the parsers of TiDB and of
// Vitess, and looks in them for what these servers parse and then refuse or do otherwise. It
// is a module of its own, so that their dependencies are not popupd's.
//
// The statements are those of persist/testdata/statements.sql: what the tests of package
// persist have sent to a server. docs/stores.md says what follows from it, and what was not
// run.
package engines
