package phpfpm

import (
	"encoding/binary"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// listening is the state of a socket that listens, as a set of states: TCP_LISTEN of <net/tcp_states.h>.
const listening = 1 << 10

// From <linux/unix_diag.h> and <linux/inet_diag.h>.
const (
	unixDiagName, unixDiagQueue         = 0, 4
	unixShowName, unixShowQueue         = 1, 0x10
	unixRequestBytes, unixAnswerBytes   = 24, 16
	inetRequestBytes, inetAnswerBytes   = 56, 72
	inetAnswerPort, inetAnswerAddress   = 4, 8
	inetAnswerWaiting, inetAnswerLength = 56, 60
)

func unixRequest() []byte {
	r := make([]byte, unixRequestBytes)
	r[0] = unix.AF_UNIX
	binary.NativeEndian.PutUint32(r[4:], listening)
	binary.NativeEndian.PutUint32(r[12:], unixShowName|unixShowQueue)
	return r
}

// inetRequest is an inet_diag_req_v2 of <linux/inet_diag.h>.
func inetRequest(family byte) []byte {
	r := make([]byte, inetRequestBytes)
	r[0], r[1] = family, unix.IPPROTO_TCP
	binary.NativeEndian.PutUint32(r[4:], listening)
	return r
}

// diagnose sends a request and gives each answer to take.
func diagnose(request []byte, take func([]byte)) error {
	s, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return fmt.Errorf("open sock_diag: %w", err)
	}
	defer func() { _ = unix.Close(s) }()
	wait := unix.NsecToTimeval(askWithin.Nanoseconds())
	if err := unix.SetsockoptTimeval(s, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err != nil {
		return fmt.Errorf("set up sock_diag: %w", err)
	}
	if err := unix.Sendto(s, netlinkRequest(request), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("ask sock_diag: %w", err)
	}
	buf := make([]byte, 64<<10)
	for {
		n, _, err := unix.Recvfrom(s, buf, 0)
		if err != nil {
			return fmt.Errorf("read sock_diag: %w", err)
		}
		if done, err := answers(buf[:n], take); done || err != nil {
			return err
		}
	}
}

const sockDiagByFamily = 20 // SOCK_DIAG_BY_FAMILY of <linux/sock_diag.h>

func netlinkRequest(payload []byte) []byte {
	h := unix.NlMsghdr{
		Len: uint32(unix.SizeofNlMsghdr + len(payload)), Type: sockDiagByFamily, Flags: unix.NLM_F_REQUEST | unix.NLM_F_DUMP, //nolint:gosec // some 60 bytes
	}
	return append((*[unix.SizeofNlMsghdr]byte)(unsafe.Pointer(&h))[:unix.SizeofNlMsghdr:unix.SizeofNlMsghdr], payload...)
}

// answers goes through one datagram, and reports whether it was the last.
func answers(datagram []byte, take func([]byte)) (done bool, err error) {
	messages, err := syscall.ParseNetlinkMessage(datagram)
	if err != nil {
		return true, fmt.Errorf("read sock_diag: %w", err)
	}
	for _, m := range messages {
		switch m.Header.Type {
		case unix.NLMSG_DONE:
			return true, nil
		case unix.NLMSG_ERROR:
			code := int32(0)
			if len(m.Data) >= 4 {
				code = int32(binary.NativeEndian.Uint32(m.Data)) //nolint:gosec // an errno below zero
			}
			return true, fmt.Errorf("read sock_diag: %w", syscall.Errno(-code))
		case sockDiagByFamily:
			take(m.Data)
		}
	}
	return false, nil
}
