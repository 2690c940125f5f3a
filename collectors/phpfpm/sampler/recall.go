package sampler

// recall is which statements one request was seen waiting for. It ends with the request.
type recall struct {
	literals map[string]map[uint64]bool
	// last is the statement of the look before, empty if that was something else, and sent what its connection
	// had sent then.
	last    string
	literal uint64
	sent    uint64
}

// What is remembered of one request at most.
const (
	maxRecalled = 100
	maxLiterals = 100
)

// note takes up a wait and tells whether the request waited for the statement before, and with these literals,
// which are 0 if they are not known: then it does not count. Two looks in a row at one text may be one long call,
// so that the second counts only if the connection has sent something since.
func (r *recall) note(fingerprint string, literal, sent uint64) (repeat, identical bool) {
	same := fingerprint == r.last && literal == r.literal && (sent == 0 || sent == r.sent)
	r.last, r.literal, r.sent = fingerprint, literal, sent
	if fingerprint == "" || literal == 0 || same {
		return false, false
	}
	if r.literals == nil {
		r.literals = map[string]map[uint64]bool{}
	}
	before, known := r.literals[fingerprint]
	if !known {
		if len(r.literals) < maxRecalled {
			r.literals[fingerprint] = map[uint64]bool{literal: true}
		}
		return false, false
	}
	identical = before[literal]
	if len(before) < maxLiterals {
		before[literal] = true
	}
	return true, identical
}
