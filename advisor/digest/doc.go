// Package digest ranks the statements of slow logs, and shows them: as text, JSON, Markdown and a page.
//
// A Builder reads logs with package slowlog. What it has read becomes a Digest, which is plain data with
// a published schema, docs/digest.schema.json; all other formats are renderings of it. Compare says what
// became of the statements of one Digest in another.
//
// What a log does not tell is nil and shown as a dash, never as zero: servers differ much in what they
// write. Everything in a log was chosen by strangers, so each rendering shows it through package layout.
package digest
