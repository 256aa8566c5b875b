package tuning

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"strings"
)

// Disk is the data directory.
type Disk struct {
	Dir        string // absolute, without symbolic links; what is above it while it is not there
	Journal    string // likewise; "" is in Dir
	AccessErr  error  // why this user cannot keep data there
	Free       int64  // bytes there for this user
	Used       int64  // bytes that popupd has there already
	JournalMax int64  // bytes, of -journal-max
	StateMax   int64  // bytes, of -state-max
	Err        error  // why Free is not known
}

// diskChecks is about the directory of the journal.
func diskChecks() []check {
	return []check{
		{
			name:   "data directory's access",
			wanted: "this user can read and write it",
			why:    "popupd does not start without it. Run the doctor as the user that popupd runs as.",
			look:   dataAccess,
		},
		{
			name:   "data directory's file system",
			wanted: "a local one: ext4, xfs, btrfs, zfs",
			why: "What was shown is in the journal there before the answer leaves, until the database has it. tmpfs loses it at a reboot, a container's" +
				" overlay with the container, and what a network file system says is on disk may not be.",
			source: "https://man7.org/linux/man-pages/man2/fsync.2.html",
			look:   fileSystem,
		},
		{
			name: "data directory's free space",
			why: "While the database is away the journal grows up to -journal-max, then polls get 204 and actions 503. Three dumps of the users' state" +
				" can be there beside it.",
			look: freeSpace,
		},
	}
}

func dataAccess(s *Site) (verdict, error) {
	if s.Disk.AccessErr == nil {
		return verdict{found: "yes"}, nil
	}
	return verdict{
		status: Critical, found: s.Disk.AccessErr.Error(),
		change: "chown -R of the data directory to the user that popupd runs as, or -data elsewhere", rollback: "chown -R to the former user, or the former -data",
	}, nil
}

func fileSystem(s *Site) (verdict, error) {
	dir := path.Clean(cmp.Or(s.Disk.Journal, s.Disk.Dir))
	if !path.IsAbs(dir) {
		return verdict{}, fmt.Errorf("%q is not an absolute path", s.Disk.Dir)
	}
	mounts, err := s.Host.mounts()
	if err != nil {
		return verdict{}, err
	}
	on := mountOf(mounts, dir)
	if on.fsType == "" {
		return verdict{}, errors.New("no file system is mounted there")
	}
	v := verdict{found: fmt.Sprintf("%s at %s", on.fsType, on.point)}
	const move, back = "-data on a local disk, or a volume of one", "the former -data, with the files in it moved"
	switch kind, _, _ := strings.Cut(on.fsType, "."); kind {
	case "ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "bcachefs":
	case "tmpfs", "ramfs":
		v.status, v.change, v.rollback = Critical, move, back
	case "overlay", "aufs", "nfs", "nfs4", "cifs", "smb3", "fuse", "9p", "virtiofs", "ceph", "glusterfs", "vboxsf":
		v.status, v.change, v.rollback = Warn, move, back
	default:
		v.status = Unknown
	}
	switch {
	case hasOption(on.options, "ro") || hasOption(on.super, "ro"):
		v.status, v.found = Critical, v.found+", read-only"
		v.change, v.rollback = "mount -o remount,rw "+on.point+", or -data elsewhere", "mount -o remount,ro "+on.point
	case hasOption(on.super, "nobarrier") || hasOption(on.super, "barrier=0"):
		v.status, v.found = Warn, v.found+", without barriers"
		v.change, v.rollback = "mount with barrier=1: else fsync leaves data in the disk's cache", "mount with barrier=0"
	}
	return v, nil
}

// mountOf returns what is mounted at a path or above it; of several at one point
// the last is seen.
func mountOf(mounts []mount, path string) (on mount) {
	for _, m := range mounts {
		below := m.point == "/" || path == m.point || strings.HasPrefix(path, m.point+"/")
		if below && len(m.point) >= len(on.point) {
			on = m
		}
	}
	return on
}

// leastFree is a segment of the journal.
const leastFree = 64 << 20

func freeSpace(s *Site) (verdict, error) {
	d := s.Disk
	needed := d.JournalMax + 3*d.StateMax
	v := verdict{wanted: size(needed) + ": -journal-max and 3 times -state-max"}
	if d.Err != nil {
		return v, d.Err
	}
	v.found = fmt.Sprintf("%s free, %s in use by popupd", size(d.Free), size(d.Used))
	switch {
	case d.Free < leastFree:
		v.status = Critical
	case d.Free+d.Used < needed:
		v.status = Warn
	default:
		return v, nil
	}
	v.change = "a larger disk, or smaller -journal-max and -state-max"
	v.rollback = fmt.Sprintf("-journal-max %s -state-max %s", flagSize(d.JournalMax), flagSize(d.StateMax))
	return v, nil
}

// flagSize writes bytes as popupd's flags take them.
func flagSize(n int64) string { return strings.ReplaceAll(size(n), " ", "") }
