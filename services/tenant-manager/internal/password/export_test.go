package password

// Decoy is for tests.
const Decoy = decoy
