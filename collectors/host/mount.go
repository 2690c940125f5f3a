package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"plimsoll/collectors"
	"plimsoll/collectors/snapshot"
)

// maxMounts bounds the file systems of a host. The shallowest paths are kept:
// that choice does not move, unlike one by size.
const maxMounts = 7

// mountPatience is how long all file systems together may take to answer.
const mountPatience = 2 * time.Second

// mounts reads what is mounted, and asks each file system for its space.
func (r *reading) mounts(ctx context.Context) {
	// The first process sees the mounts of the host; ours may be in a mount
	// namespace of its own, where systemd made most of them read-only.
	text, err := r.file("1/mountinfo")
	if err != nil {
		text, err = r.file("self/mountinfo")
	}
	if err != nil {
		r.gap("", "mounts are unknown: "+err.Error(), "")
		return
	}
	chosen := keep(r, "file systems", withData(parseMounts(text)), maxMounts)
	r.machine.Mounts = make([]snapshot.Mount, len(chosen))
	ctx, cancel := context.WithTimeout(ctx, mountPatience)
	defer cancel()
	for _, m := range chosen {
		r.usage.ask(filepath.Join(r.root, m.path))
	}
	for i, m := range chosen {
		r.machine.Mounts[i] = r.mount(ctx, m)
	}
}

func (r *reading) mount(ctx context.Context, m mount) snapshot.Mount {
	out := snapshot.Mount{
		Path: collectors.Printable(m.path), Device: collectors.Printable(m.source), Type: collectors.Printable(m.fstype), ReadOnly: m.readOnly,
	}
	space, err := r.usage.answer(ctx, filepath.Join(r.root, m.path))
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		r.gap(out.Path, fmt.Sprintf("%s does not answer: its %s hangs", m.source, m.fstype), "restore or unmount "+out.Path)
	case err != nil:
		r.gap(out.Path, "space is unknown: "+err.Error(), "")
	default:
		out.SizeBytes, out.AvailableBytes = &space.size, &space.available
		out.Inodes, out.InodesFree = space.inodes, space.inodesFree
	}
	return out
}

// mount is one line of mountinfo.
type mount struct {
	// device is major:minor, the identity of the file system.
	device   string
	part     string // What of the file system is mounted; / but for a bind mount.
	path     string
	fstype   string
	source   string
	readOnly bool
}

// parseMounts reads mountinfo (proc_pid_mountinfo(5)), for example
//
//	36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
//
// A mount is read-only if either the mount or the file system is: after an
// error ext4 turns only itself read-only. Lines of another form are skipped.
func parseMounts(text string) []mount {
	var mounts []mount
	for line := range strings.Lines(text) {
		left, right, _ := strings.Cut(line, " - ")
		l, r := strings.Fields(left), strings.Fields(right)
		if len(l) < 6 || len(r) < 3 {
			continue
		}
		options := strings.Split(l[5]+","+r[2], ",")
		mounts = append(mounts, mount{
			device: l[2], part: l[3], path: unescape(l[4]), fstype: r[0], source: unescape(r[1]),
			readOnly: slices.Contains(options, "ro"),
		})
	}
	return mounts
}

// unescape undoes the four escapes of mountinfo.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// withData returns the mounts that hold data, one for each file system and
// path, the shallowest first.
func withData(mounts []mount) []mount {
	byPath := map[string]mount{}
	for _, m := range mounts {
		byPath[m.path] = m // A later mount hides an earlier one.
	}
	var data []mount
	for _, m := range byPath {
		if holdsData(m) {
			data = append(data, m)
		}
	}
	// Of several mounts of one file system the whole one counts, not a bind
	// mount of a folder.
	slices.SortFunc(data, func(a, b mount) int {
		return cmp.Or(cmp.Compare(len(a.part), len(b.part)), shallower(a, b))
	})
	seen := map[string]bool{}
	data = slices.DeleteFunc(data, func(m mount) bool {
		again := seen[m.device]
		seen[m.device] = true
		return again
	})
	slices.SortFunc(data, shallower)
	return data
}

func shallower(a, b mount) int {
	return cmp.Or(cmp.Compare(depth(a.path), depth(b.path)), cmp.Compare(a.path, b.path))
}

func depth(path string) int {
	if path == "/" {
		return 0
	}
	return strings.Count(path, "/")
}

// holdsData says whether a file system can fill up to anybody's harm: one on a
// block device, from another host, of a pool, the root of a container, or a
// /tmp in memory, where database servers sort.
func holdsData(m mount) bool {
	switch m.fstype {
	case "squashfs", "iso9660", "erofs", "autofs":
		return false // Always full, by design; autofs is a place to mount on.
	case "zfs", "9p", "virtiofs", "ceph", "glusterfs", "fuse.glusterfs", "lustre":
		return true
	case "overlay":
		return m.path == "/"
	case "tmpfs":
		return m.path == "/tmp" || m.path == "/var/tmp"
	}
	return strings.HasPrefix(m.source, "/dev/") || strings.HasPrefix(m.source, "//") || strings.Contains(m.source, ":/")
}
