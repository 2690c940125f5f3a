package sampler

import (
	"bufio"
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// program is the PHP that a master and its workers run. A fork has all at the same addresses.
type program struct {
	// version is PHP's, such as 8.2.35.
	version string
	api     uint32
	// sapi and executor are where sapi_globals and executor_globals stand.
	sapi, executor uint64
}

var (
	errNoSymbols = errors.New("its program does not name sapi_globals and executor_globals")
	errThreads   = errors.New("its PHP is built for threads (ZTS)")
)

// The symbols that are looked up. Extensions need the first two, so that also stripped programs export them.
const (
	symbolSAPI     = "sapi_globals"
	symbolExecutor = "executor_globals"
	// symbolModules is a hash table of modules, each of which tells for which release and build it is.
	symbolModules = "module_registry"
)

// findProgram looks for PHP in the files that a process has mapped: its program in general, a libphp.so, or
// the program behind a loader that was called by name.
func findProgram(proc string, pid int, from reader) (program, error) {
	dir := filepath.Join(proc, strconv.Itoa(pid))
	maps, err := os.ReadFile(filepath.Join(dir, "maps"))
	if err != nil {
		return program{}, fmt.Errorf("find PHP in process %d: %w", pid, err)
	}
	exe, err := os.Readlink(filepath.Join(dir, "exe"))
	if err != nil {
		return program{}, fmt.Errorf("find PHP in process %d: %w", pid, err)
	}
	for _, f := range mappedFiles(maps) {
		file := filepath.Join(dir, "root", f.path)
		if f.path == exe {
			file = filepath.Join(dir, "exe") // It opens the program even after an upgrade deleted it.
		} else if !strings.Contains(filepath.Base(f.path), "php") {
			continue
		}
		addresses, err := symbolsOf(file, f)
		if err != nil {
			continue
		}
		return readProgram(from, addresses)
	}
	return program{}, fmt.Errorf("find PHP in process %d: %w", pid, errNoSymbols)
}

// mapped is a file in the memory of a process.
type mapped struct {
	path  string
	base  uint64
	inode uint64
}

// mappedFiles returns the files of /proc/PID/maps, each with its lowest address.
func mappedFiles(maps []byte) []mapped {
	var all []mapped
	seen := map[string]bool{}
	for lines := bufio.NewScanner(bytes.NewReader(maps)); lines.Scan(); {
		f := strings.SplitN(lines.Text(), " ", 6)
		if len(f) < 6 {
			continue
		}
		name := strings.TrimLeft(f[5], " ")
		from, _, _ := strings.Cut(f[0], "-")
		base, err := strconv.ParseUint(from, 16, 64)
		inode, inodeErr := strconv.ParseUint(f[4], 10, 64)
		if err != nil || inodeErr != nil || !strings.HasPrefix(name, "/") || seen[name] {
			continue
		}
		seen[name] = true
		all = append(all, mapped{name, base, inode})
	}
	return all
}

// symbolsOf returns the addresses of the symbols in a process that has mapped the file.
func symbolsOf(file string, m mapped) (map[string]uint64, error) {
	fd, err := unix.Open(file, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), file)
	defer f.Close()
	var info unix.Stat_t
	if err := unix.Fstat(fd, &info); err != nil {
		return nil, err
	}
	if info.Ino != m.inode || info.Mode&unix.S_IFMT != unix.S_IFREG || info.Size > maxProgramBytes {
		return nil, errNoSymbols // Another file has taken its name.
	}
	return parseSymbols(f, m.base)
}

// maxProgramBytes is several times the size of a PHP with all its extensions built in.
const maxProgramBytes = 512 << 20

func parseSymbols(r io.ReaderAt, base uint64) (map[string]uint64, error) {
	program, err := elf.NewFile(r)
	if err != nil {
		return nil, err
	}
	symbols, err := program.DynamicSymbols()
	if err != nil {
		return nil, err
	}
	if program.Type == elf.ET_DYN {
		base -= lowestAddress(program)
	} else {
		base = 0
	}
	found := map[string]uint64{}
	for _, s := range symbols {
		if s.Section != elf.SHN_UNDEF && (s.Name == symbolSAPI || s.Name == symbolExecutor || s.Name == symbolModules) {
			found[s.Name] = base + s.Value
		}
	}
	if len(found) == 0 {
		return nil, errNoSymbols
	}
	return found, nil
}

func lowestAddress(f *elf.File) uint64 {
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD {
			return p.Vaddr &^ (p.Align - 1)
		}
	}
	return 0
}

// Offsets in a zend_array and its Buckets, zend_types.h, and in a zend_module_entry, zend_modules.h.
const (
	arrayData     = 16
	arrayUsed     = 24
	bucketSize    = 32
	moduleAPI     = 4
	moduleThreads = 9
	moduleName    = 32
	moduleVersion = 88
	moduleBytes   = 96
	maxModules    = 256
)

func readProgram(from reader, at map[string]uint64) (program, error) {
	p := program{sapi: at[symbolSAPI], executor: at[symbolExecutor]}
	module, err := standardModule(from, at[symbolModules])
	if err != nil {
		return program{}, fmt.Errorf("read the version of PHP: %w", err)
	}
	p.api, p.version = native32(module[moduleAPI:]), textAt(from, native64(module[moduleVersion:]))
	switch {
	case module[moduleThreads] != 0:
		return p, errThreads
	case p.sapi == 0 || p.executor == 0:
		return p, errNoSymbols
	}
	return p, nil
}

// standardModule returns the entry of the module named standard, whose version is that of PHP.
func standardModule(from reader, registry uint64) ([]byte, error) {
	v := view{from: from}
	data, used := v.uint64(registry+arrayData), v.uint64(registry+arrayUsed)&0xffffffff
	entry := make([]byte, moduleBytes)
	for i := range min(used, maxModules) {
		module := v.uint64(data + bucketSize*i)
		v.read(module, entry)
		if v.err != nil {
			return nil, v.err
		}
		if textAt(from, native64(entry[moduleName:])) == "standard" {
			return entry, nil
		}
	}
	return nil, errors.Join(v.err, errNoSymbols)
}
