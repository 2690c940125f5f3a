// Package check holds the conventions of this repository as tests: who may import whom, what the agent
// links, how packages are named and described, and what no file may contain.
package check
