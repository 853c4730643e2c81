package password

// Decoy, ImportList, Find and Commons are for tests.
const Decoy = decoy

var (
	ImportList = importList
	Find       = find
	Commons    = commons
)
