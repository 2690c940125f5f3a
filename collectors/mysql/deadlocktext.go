package mysql

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
)

// deadlockText is the section LATEST DETECTED DEADLOCK of SHOW ENGINE INNODB
// STATUS, but for the rows in it.
type deadlockText struct {
	// when is in the server's own time zone, to the second.
	when    string
	parties []partyText
}

// partyText is one transaction of a deadlock.
type partyText struct {
	// transaction is its number.
	transaction string
	// statement is as the client sent it, perhaps cut; literals and all.
	statement string
	// schema, table, index and mode are of the lock that it waited for; the
	// index is empty for a lock on the whole table.
	schema, table, index, mode string
	victim                     bool
}

// errNoDeadlock says that there was none since the server started.
var errNoDeadlock = errors.New("the server has no deadlock to tell of")

// errAmbiguous says that the text can be read in more than one way.
var errAmbiguous = errors.New("the text of the deadlock is ambiguous")

// maxParties is how many transactions a deadlock may have.
const maxParties = 32

var (
	transactionMark = regexp.MustCompile(`^\*\*\* \((\d{1,3})\) TRANSACTION:$`)
	waitingMark     = regexp.MustCompile(`^\*\*\* (?:\(\d{1,3}\) )?WAITING FOR THIS LOCK TO BE GRANTED:$`)
	rollbackMark    = regexp.MustCompile(`^\*\*\* WE ROLL BACK TRANSACTION \((\d{1,3})\)$`)
	transactionLine = regexp.MustCompile(`^TRANSACTION (\d{1,20}), `)
	otherMark       = regexp.MustCompile(`^\*\*\* (?:\(\d{1,3}\) HOLDS THE LOCK\(S\):|CONFLICTING WITH:)$`)
	threadLine      = regexp.MustCompile(`^(?:MySQL|MariaDB) thread id \d+, `)
	timeLine        = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}) `)
	recordLine      = regexp.MustCompile("^RECORD LOCKS space id \\d+ page no \\d+ n bits \\d+ index (.+?) of table (`.+) trx id \\d+ lock_mode ([A-Za-z ,-]{1,80})$")
	tableLine       = regexp.MustCompile("^TABLE LOCK table (`.+) trx id \\d+ lock mode ([A-Za-z ,-]{1,80})$")
)

// longestLock bounds the line of a lock, in bytes: names have at most 64 characters. In the patterns such
// a bound would take a megabyte in every process, because they repeat themselves so often.
const longestLock = 2048

const deadlockHeader = "LATEST DETECTED DEADLOCK"

// parseDeadlock reads the output of SHOW ENGINE INNODB STATUS of either family.
//
// The text quotes statements raw, line breaks and all, so that a string in one
// can look like any part of it. Whatever is made up stands beside the real
// thing: a text with one mark too many is refused, and what is read stands
// right behind a mark. A name of a table can then not be a piece of a row.
func parseDeadlock(status string) (deadlockText, error) {
	p := deadlockParser{lines: strings.Split(status, "\n")}
	for p.at = range p.lines {
		if err := p.line(p.lines[p.at]); err != nil {
			return deadlockText{}, err
		}
	}
	if !p.header {
		return deadlockText{}, errNoDeadlock
	}
	if !p.rolledBack || len(p.waiting) != len(p.found.parties) {
		return deadlockText{}, errAmbiguous
	}
	return p.found, nil
}

// deadlockParser goes through the whole text, line by line.
type deadlockParser struct {
	lines []string
	at    int

	found              deadlockText
	header, rolledBack bool
	// inStatement is set from the line that names the thread to the next mark,
	// named from there to the next party.
	inStatement, named bool
	waiting            map[int]bool // parties whose lock was read
}

func (p *deadlockParser) line(line string) error {
	switch {
	case line == deadlockHeader:
		return p.begin()
	case strings.HasPrefix(line, "*** "):
		return p.mark(line)
	case len(p.found.parties) == 0 || p.rolledBack:
		return nil
	}
	party := &p.found.parties[len(p.found.parties)-1]
	switch {
	case p.inStatement:
		party.statement += line + "\n"
	case threadLine.MatchString(line):
		if p.named {
			return errAmbiguous
		}
		p.inStatement, p.named = true, true
	case party.transaction == "":
		if m := transactionLine.FindStringSubmatch(line); m != nil {
			party.transaction = m[1]
		}
	}
	return nil
}

// begin reads the time, two lines below the header.
func (p *deadlockParser) begin() error {
	if p.header || p.at+2 >= len(p.lines) {
		return errAmbiguous
	}
	p.header = true
	p.waiting = map[int]bool{}
	m := timeLine.FindStringSubmatch(p.lines[p.at+2])
	if m == nil {
		return errAmbiguous
	}
	p.found.when = m[1]
	return nil
}

// mark reads a line that begins a piece of the section.
func (p *deadlockParser) mark(line string) error {
	if !p.header || p.rolledBack {
		return errAmbiguous
	}
	p.inStatement = false
	if m := transactionMark.FindStringSubmatch(line); m != nil {
		return p.beginParty(m[1])
	}
	if m := rollbackMark.FindStringSubmatch(line); m != nil {
		return p.end(m[1])
	}
	switch {
	case waitingMark.MatchString(line):
		return p.lock()
	case otherMark.MatchString(line) && len(p.found.parties) > 0:
		return nil
	}
	return errAmbiguous
}

func (p *deadlockParser) beginParty(number string) error {
	n, err := strconv.Atoi(number)
	if err != nil || n != len(p.found.parties)+1 || n > maxParties || len(p.waiting) != n-1 {
		return errAmbiguous
	}
	p.found.parties = append(p.found.parties, partyText{})
	p.named = false
	return nil
}

// lock reads the line below the mark of the lock that a party waited for.
func (p *deadlockParser) lock() error {
	n := len(p.found.parties)
	if n == 0 || p.waiting[n] || p.at+1 >= len(p.lines) {
		return errAmbiguous
	}
	p.waiting[n] = true
	party, line := &p.found.parties[n-1], p.lines[p.at+1]
	if len(line) > longestLock {
		return errAmbiguous
	}
	if m := recordLine.FindStringSubmatch(line); m != nil {
		party.index, party.mode = strings.Trim(m[1], "`"), m[3]
		party.schema, party.table = splitTable(m[2])
	} else if m := tableLine.FindStringSubmatch(line); m != nil {
		party.mode = m[2]
		party.schema, party.table = splitTable(m[1])
	} else {
		return errAmbiguous
	}
	party.mode = strings.TrimSuffix(party.mode, " waiting")
	return nil
}

func (p *deadlockParser) end(number string) error {
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > len(p.found.parties) {
		return errAmbiguous
	}
	p.found.parties[n-1].victim = true
	p.rolledBack = true
	return nil
}

// splitTable takes a name as InnoDB prints it, `schema`.`table`, apart; the name
// of a partition may follow in a comment.
func splitTable(name string) (schema, table string) {
	schema, rest := unquoteName(name)
	table, _ = unquoteName(strings.TrimPrefix(rest, "."))
	return schema, table
}

// unquoteName reads one name in backticks, which are doubled inside it.
func unquoteName(text string) (name, rest string) {
	text, quoted := strings.CutPrefix(text, "`")
	if !quoted {
		return "", text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '`' {
			if i+1 == len(text) || text[i+1] != '`' {
				return b.String(), text[i+1:]
			}
			i++
		}
		b.WriteByte(text[i])
	}
	return "", ""
}
