// Package mysql reads one MySQL or MariaDB server: what it ran, what waits for
// what, how it replicates, how it is built and set, and what reading it cost.
//
// It holds one connection a server, read-only, with time limits that the server
// enforces and deadlines that the agent does. It never writes, prepares no
// statement (each would be one more digest), and takes nothing from a request.
//
// The two families are told apart by what the server says of itself, and never
// by comparing version numbers: what a server can tell is probed, column by
// column, when a connection opens and every hour. What it will not tell is a
// Gap that names the grant or setting that is lacking.
package mysql
