package sampler

import (
	"errors"
	"strings"
)

// request is what the web server said of a request. Cookies, bodies and addresses of visitors are never read.
type request struct {
	method, uri, script, root string
}

var errNoRequest = errors.New("no request in the worker's memory")

// Offsets in a fcgi_request and what hangs on it, main/fastcgi.c. sapi_globals begins with the pointer to it.
const (
	envOffset       = 8296     // fcgi_request.env
	bucketsOffset   = 1024 + 8 // fcgi_hash.buckets, behind 128 pointers and the list
	bucketsData     = 16       // fcgi_hash_buckets.data, behind a count and the next
	bucketBytes     = 48       // {hash, name length, name, value length, value, next, next in list}
	bucketsInBlock  = 128      // FCGI_HASH_TABLE_SIZE
	maxBucketBlocks = 8        // more than 1,000 parameters are an attack
	maxURI          = 8 << 10  // nginx takes no longer line by default
	maxRoot         = 1024     // of a path
	maxMethod       = 32       // the longest of WebDAV has 16
)

// readRequest reads the parameters of the request that a worker has.
func readRequest(from reader, sapi uint64) (request, error) {
	v := view{from: from}
	context := v.uint64(sapi)
	block := v.uint64(context + envOffset + bucketsOffset)
	var r request
	room := make([]byte, bucketsData+bucketsInBlock*bucketBytes)
	for range maxBucketBlocks {
		if block == 0 || v.err != nil {
			break
		}
		v.read(block, room)
		n := min(native32(room), bucketsInBlock)
		for i := range n {
			r.take(&v, room[bucketsData+i*bucketBytes:])
		}
		block = native64(room[8:])
	}
	if v.err != nil {
		return request{}, v.err
	}
	if r.method == "" || r.script == "" {
		return request{}, errNoRequest
	}
	return r, nil
}

// take keeps a parameter that is wanted. Its name is compared by length and hash before it is read.
func (r *request) take(v *view, bucket []byte) {
	hash, size := native32(bucket), native32(bucket[4:])
	name, length, value := native64(bucket[8:]), native32(bucket[16:]), native64(bucket[24:])
	wanted, into, limit := r.wanted(hash, size)
	if into == nil || value == 0 || string(v.text(name, uint64(size), len(wanted))) != wanted {
		return
	}
	*into = string(v.text(value, uint64(length), limit))
}

func (r *request) wanted(hash, size uint32) (name string, into *string, limit int) {
	switch {
	case size == 11 && hash == hashOf("REQUEST_URI"):
		return "REQUEST_URI", &r.uri, maxURI
	case size == 14 && hash == hashOf("REQUEST_METHOD"):
		return "REQUEST_METHOD", &r.method, maxMethod
	case size == 11 && hash == hashOf("SCRIPT_NAME"):
		return "SCRIPT_NAME", &r.script, maxURI
	case size == 13 && hash == hashOf("DOCUMENT_ROOT"):
		return "DOCUMENT_ROOT", &r.root, maxRoot
	}
	return "", nil, 0
}

// hashOf is FCGI_HASH_FUNC for names of three bytes and more.
func hashOf(name string) uint32 {
	n := len(name)
	return uint32(name[3])<<2 + uint32(name[n-2])<<4 + uint32(name[n-1])<<2 + uint32(n)
}

// agrees reports whether FPM itself says the same of the request: the self-check of the layout. FPM knows
// SCRIPT_NAME, cut at 127 bytes and, where PHP found the script above it, without the rest of the path.
func (r request) agrees(method, script string) bool {
	const most = slotQuery - slotURI - 1
	cut := r.script[:min(len(r.script), most)]
	return r.method[:min(len(r.method), slotLength-slotMethod-1)] == method &&
		(strings.HasPrefix(cut, script) || strings.HasPrefix(script, cut))
}
