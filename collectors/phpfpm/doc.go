// Package phpfpm reads PHP-FPM: which masters and pools run on this host, and
// what can be known of them without a privilege. Where the time of workers goes
// needs one, and is read by package sampler, the heart of plimsoll-probe.
//
// Masters and pools are found by the titles that FPM gives its processes, so no
// configuration is needed, and containers are found like all others.
package phpfpm
