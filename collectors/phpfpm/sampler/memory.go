package sampler

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// reader reads the memory of a process: that of a worker, or a test's.
type reader interface {
	// Read fills into with what lies at addr, or fails.
	Read(addr uint64, into []byte) error
}

// memory is the memory of another process. It needs CAP_SYS_PTRACE.
type memory struct{ pid int }

// errShort says that memory ended within what was asked for.
var errShort = errors.New("memory ends")

// Read is one process_vm_readv: the process does not stop for it.
func (m memory) Read(addr uint64, into []byte) error {
	if len(into) == 0 {
		return nil
	}
	local := []unix.Iovec{{Base: &into[0], Len: uint64(len(into))}}
	remote := []unix.RemoteIovec{{Base: uintptr(addr), Len: len(into)}}
	n, err := unix.ProcessVMReadv(m.pid, local, remote, 0)
	if err != nil {
		return fmt.Errorf("read memory of process %d: %w", m.pid, err)
	}
	if n != len(into) {
		return errShort
	}
	return nil
}

// view reads values one after the other and keeps the first error, after which it returns zeroes. What
// runs changes while it is read, so that any address may be wrong: who follows pointers bounds how many.
type view struct {
	from reader
	err  error
	word [8]byte
}

func (v *view) read(addr uint64, into []byte) {
	if v.err != nil {
		return
	}
	if addr == 0 {
		v.err = errShort
		return
	}
	v.err = v.from.Read(addr, into)
}

func (v *view) uint64(addr uint64) uint64 {
	v.word = [8]byte{}
	v.read(addr, v.word[:8])
	return native64(v.word[:])
}

// maxText bounds a text from another process.
const maxText = 64 << 10

// text reads n bytes, at most limit of them.
func (v *view) text(addr, n uint64, limit int) []byte {
	b := make([]byte, min(n, uint64(limit), maxText))
	v.read(addr, b)
	if v.err != nil {
		return nil
	}
	return b
}

// native32 and native64 read a number as this processor has it in memory.
func native32(b []byte) uint32 { return binary.NativeEndian.Uint32(b) }
func native64(b []byte) uint64 { return binary.NativeEndian.Uint64(b) }
