//go:build race

package queue

// underRace says that everything is ten times slower.
const underRace = true
