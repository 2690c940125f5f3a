package detect

import (
	"os"
	"path/filepath"
	"syscall"

	"plimsoll/collectors/snapshot"
)

// trusted reports whether nobody but an administrator can have put a socket
// there. Otherwise any user of this host could pass a program of theirs off as
// a database. A socket of root or of our own user is trusted anywhere: those two
// show as they are even where all other owners show as nobody.
func trusted(socket string) bool {
	path, err := filepath.EvalSymlinks(socket)
	if err != nil {
		return false
	}
	if owner, ok := ownerOf(path); ok && (owner == 0 || owner == os.Geteuid()) {
		return true
	}
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm()&0o002 != 0 {
			return false
		}
		if dir == "/" {
			return true
		}
	}
}

func ownerOf(path string) (int, bool) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Uid), true
}

func untrusted(socket string) snapshot.Gap {
	return snapshot.Gap{
		Job: Job, Subject: socket,
		Reason: "every user of this host can make a socket there, so that it is not taken for a database server's unasked",
		Remedy: "name it under mysql: with socket (docs/configuration.md)",
	}
}
