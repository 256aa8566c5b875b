//go:build race

package journal

// underRace says that everything is ten times slower.
const underRace = true
