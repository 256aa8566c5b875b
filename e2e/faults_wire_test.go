package e2e

// Faults of the network and of what the stores answer.
var wireFaults []fault
