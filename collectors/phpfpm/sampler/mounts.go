package sampler

import (
	"bytes"
	"os"
	"strings"
)

// mounts are the file systems that a pool's workers see, by where they are mounted. To ask a file system of its
// type (statfs) would hang with a server of files that hangs; this does not.
type mounts struct {
	// at are paths of mounts, each with whether it is on another machine.
	at map[string]bool
}

// readMounts reads /proc/PID/mountinfo.
func readMounts(file string) (*mounts, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return parseMountInfo(text), nil
}

// parseMountInfo reads lines such as
//
//	36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - nfs4 server:/export rw
func parseMountInfo(text []byte) *mounts {
	m := &mounts{at: map[string]bool{}}
	for line := range bytes.Lines(text) {
		before, after, _ := strings.Cut(string(line), " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if len(left) > 4 && len(right) > 0 {
			m.at[unescape.Replace(left[4])] = isRemote(right[0])
		}
	}
	return m
}

// unescape undoes the kernel's way to write blanks in a path.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

func isRemote(fstype string) bool {
	switch fstype {
	case "nfs", "nfs4", "cifs", "smb3", "ceph", "lustre", "afs", "9p", "ocfs2", "gfs2", "glusterfs", "beegfs":
		return true
	}
	// Of file systems that programs serve, nearly all that hold a site are of another machine (GlusterFS, s3fs,
	// sshfs, goofys, EFS's helper).
	return strings.HasPrefix(fstype, "fuse.") && fstype != "fuse.lxcfs" && fstype != "fuse.portal"
}

// remote reports whether a path is on another machine. The longest path of a mount that begins it decides.
func (m *mounts) remote(name string) bool {
	for dir := name; strings.HasPrefix(dir, "/"); {
		if remote, ok := m.at[dir]; ok {
			return remote
		}
		i := strings.LastIndexByte(dir, '/')
		if i == 0 {
			return m.at["/"]
		}
		dir = dir[:i]
	}
	return false
}
