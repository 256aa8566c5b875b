package e2e

// Faults of the disk and of what is on it.
var diskFaults []fault
