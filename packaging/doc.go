// Package packaging holds what turns the programs into packages for Debian and for RPM's distributions:
// units, accounts, sample configurations and scripts. Its tests confine the units, build the packages
// and, under PLIMSOLL_FULL=1, install them in a booted Debian.
package packaging
