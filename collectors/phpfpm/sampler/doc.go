// Package sampler finds out where the time of PHP-FPM's workers goes, without an extension, without a
// change to PHP's configuration, without a request to FPM, and without stopping a worker for it.
//
// It looks at all workers of a pool some twenty times a second:
//
//   - The scoreboard in the memory that FPM's processes share says which workers have a request, since
//     when, and when it ended.
//   - /proc/PID/schedstat says for how long each ran and waited for a processor: exactly, also between
//     two looks. If it did not run since the last look, it is in the same wait, and nothing more is read.
//   - /proc/PID/syscall and the memory behind its arguments say what a worker waits for, and the sockets
//     of its descriptors for whom.
//   - The memory of PHP says for which request (its parameters), at which place of the program (the stack),
//     and with which statement (the argument of the function that waits).
//
// Processor and run queue are thus the kernel's own figures, the time with a request is the scoreboard's,
// and what is left of it is shared out by the looks. See ledger for how.
//
// Everything that is read belongs to somebody else's process, which runs on meanwhile and may be hostile:
// lengths are bounded, pointers are followed a bounded number of times, a sample that changed while it was
// read is not used, and a layout that does not pass its self-check is not used at all. Literals of statements
// and values of a request are normalised at once, or compared within the request by a keyed hash, and leave
// neither this package nor the probe's memory; cookies and bodies are never looked at.
package sampler
