package main

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// colourful reports whether w is a terminal that may be coloured: NO_COLOR is
// honoured (no-color.org).
func colourful(w io.Writer) bool {
	return terminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
