// Package clients makes clients of docs/openapi.yaml with the generators that
// people use, and has each of them call every operation of a running popupd, whose
// answers are held against the document. The programs live in the folders beside
// this file, each with its generator pinned; what is generated is not kept. There
// is nothing here to import.
package clients
