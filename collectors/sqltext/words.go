package sqltext

import "strings"

// keyword numbers the words that the canonical form, the class or the tables of a statement hang on.
type keyword uint8

const (
	kwNone keyword = iota // no keyword
	kwAny                 // a keyword without a meaning here
	kwAll
	kwAlter
	kwAnalyze
	kwAs
	kwBegin
	kwCall
	kwCommit
	kwCreate
	kwDeallocate
	kwDelayed
	kwDelete
	kwDo
	kwDrop
	kwDual
	kwDuplicate
	kwEnd
	kwExcept
	kwExecute
	kwExists
	kwExplain
	kwFor
	kwForce
	kwFrom
	kwGroup
	kwHandler
	kwHaving
	kwHighPriority
	kwIf
	kwIgnore
	kwIn
	kwIndex
	kwInsert
	kwIntersect
	kwInto
	kwIs
	kwJoin
	kwKey
	kwLimit
	kwLoad
	kwLock
	kwLowPriority
	kwMode
	kwNot
	kwNull
	kwOffset
	kwOn
	kwOptimize
	kwOrder
	kwPartition
	kwPrepare
	kwQuick
	kwRelease
	kwRename
	kwRepair
	kwReplace
	kwReturning
	kwRollback
	kwSavepoint
	kwSelect
	kwSet
	kwShare
	kwShow
	kwStart
	kwStatement
	kwStraightJoin
	kwTable
	kwTables
	kwTo
	kwTransaction
	kwTruncate
	kwUnion
	kwUnlock
	kwUpdate
	kwUse
	kwUsing
	kwValues
	kwWhere
	kwWindow
	kwWith
	kwXA
)

// keywordNames are the words of the numbers above.
var keywordNames = [...]string{
	kwAll: "ALL", kwAlter: "ALTER", kwAnalyze: "ANALYZE", kwAs: "AS", kwBegin: "BEGIN",
	kwCall: "CALL", kwCommit: "COMMIT", kwCreate: "CREATE", kwDeallocate: "DEALLOCATE",
	kwDelayed: "DELAYED", kwDelete: "DELETE", kwDo: "DO", kwDrop: "DROP", kwDual: "DUAL",
	kwDuplicate: "DUPLICATE", kwEnd: "END", kwExcept: "EXCEPT", kwExecute: "EXECUTE",
	kwExists: "EXISTS", kwExplain: "EXPLAIN", kwFor: "FOR", kwForce: "FORCE", kwFrom: "FROM",
	kwGroup: "GROUP", kwHandler: "HANDLER", kwHaving: "HAVING", kwHighPriority: "HIGH_PRIORITY",
	kwIf: "IF", kwIgnore: "IGNORE", kwIn: "IN", kwIndex: "INDEX", kwInsert: "INSERT",
	kwIntersect: "INTERSECT", kwInto: "INTO", kwIs: "IS", kwJoin: "JOIN", kwKey: "KEY",
	kwLimit: "LIMIT", kwLoad: "LOAD", kwLock: "LOCK", kwLowPriority: "LOW_PRIORITY", kwMode: "MODE",
	kwNot: "NOT", kwNull: "NULL", kwOffset: "OFFSET", kwOn: "ON", kwOptimize: "OPTIMIZE",
	kwOrder: "ORDER", kwPartition: "PARTITION", kwPrepare: "PREPARE", kwQuick: "QUICK",
	kwRelease: "RELEASE", kwRename: "RENAME", kwRepair: "REPAIR", kwReplace: "REPLACE",
	kwReturning: "RETURNING", kwRollback: "ROLLBACK", kwSavepoint: "SAVEPOINT", kwSelect: "SELECT",
	kwSet: "SET", kwShare: "SHARE", kwShow: "SHOW", kwStart: "START", kwStatement: "STATEMENT",
	kwStraightJoin: "STRAIGHT_JOIN", kwTable: "TABLE", kwTables: "TABLES", kwTo: "TO",
	kwTransaction: "TRANSACTION", kwTruncate: "TRUNCATE", kwUnion: "UNION", kwUnlock: "UNLOCK",
	kwUpdate: "UPDATE", kwUse: "USE", kwUsing: "USING", kwValues: "VALUES", kwWhere: "WHERE",
	kwWindow: "WINDOW", kwWith: "WITH", kwXA: "XA",
}

// operandFollows are the words behind which an expression begins, so that a sign there is a sign.
// Servers have such a list too (gen_lex_token.cc); MariaDB's lacks comparisons, so it shows a = - ?.
const operandFollows = `
ALL AND ANY AT BETWEEN BY CASE DEFAULT DISTINCT DIV ELSE ELSEIF ENDS ESCAPE EVERY HAVING IF IN INTERVAL
LIKE LIMIT MOD NOT OFFSET ON OR REGEXP RETURN SELECT SET STARTS THEN UNTIL VALUES WHEN WHERE WHILE XOR
`

// noValueFollows are those of them behind which NULL is a keyword, not a value.
const noValueFollows = `NOT SET`

// mustGoOn are the words with which no statement ends: a text that does was cut off.
const mustGoOn = `
AND AS BETWEEN BY CASE CROSS DISTINCT DIV ELSE EXISTS FROM GROUP HAVING IN INNER INSERT
INTERVAL INTO IS JOIN LEFT LIKE LIMIT NATURAL NOT OR ORDER OUTER REGEXP REPLACE RIGHT SELECT
SET STRAIGHT_JOIN THEN UNION USING VALUES WHEN WHERE XOR
`

// word is what the lexer knows about a keyword.
type word struct {
	text      string // in upper case
	canonical string // the word it is the same as; itself if there is none
	hash      uint64 // of canonical
	kw        keyword

	reserved     bool // cannot be a name without quotes
	function     bool // a function in front of a parenthesis, else a name
	bare         bool // a function, but in upper case a keyword without one too
	call         bool // no blank between it and a parenthesis
	spoken       bool // printed in upper case
	operandNext  bool
	noValueNext  bool
	mustContinue bool
}

// wordTable finds words without regard to case, by open addressing.
type wordTable struct {
	slots [4096]uint16 // index in words plus one
	words []word
}

// words is built once and only read.
var words = newWordTable()

func newWordTable() *wordTable {
	t := &wordTable{}
	for w := range strings.FieldsSeq(reservedWords) {
		t.add(w).reserved = true
	}
	for w := range strings.FieldsSeq(otherWords) {
		t.add(w)
	}
	for w := range strings.FieldsSeq(functionWords) {
		t.add(w).function = true
	}
	for line := range strings.Lines(synonyms) {
		same := strings.Fields(line)
		for _, w := range same {
			t.find(w).canonical = same[0]
			t.find(w).hash = hashText(same[0])
		}
	}
	for kw, w := range keywordNames {
		if w != "" {
			t.find(w).kw = keyword(kw)
		}
	}
	t.mark(bareWords, func(w *word) { w.bare = true })
	t.mark(callWords, func(w *word) { w.call = true })
	t.mark(spokenWords, func(w *word) { w.spoken = true })
	t.mark(operandFollows, func(w *word) { w.operandNext = true })
	t.mark(noValueFollows, func(w *word) { w.noValueNext = true })
	t.mark(mustGoOn, func(w *word) { w.mustContinue = true })
	t.inherit()
	return t
}

// mark sets something of each word in a list.
func (t *wordTable) mark(list string, set func(*word)) {
	for name := range strings.FieldsSeq(list) {
		set(t.find(name))
	}
}

// inherit gives every word what the lists above say of the word it is the same as.
func (t *wordTable) inherit() {
	for i := range t.words {
		w := &t.words[i]
		if c := t.find(w.canonical); c != w {
			w.kw, w.call = c.kw, c.call
			w.operandNext, w.noValueNext, w.mustContinue = c.operandNext, c.noValueNext, c.mustContinue
		}
	}
}

func (t *wordTable) add(text string) *word {
	t.words = append(t.words, word{text: text, canonical: text, hash: hashText(text), kw: kwAny})
	folded, _ := hashWord(text)
	i := folded % uint64(len(t.slots))
	for t.slots[i] != 0 {
		i = (i + 1) % uint64(len(t.slots))
	}
	t.slots[i] = uint16(len(t.words)) //nolint:gosec // about 1,100 words
	return &t.words[len(t.words)-1]
}

// find returns the word, nil if it is none of ours.
func (t *wordTable) find(s string) *word {
	folded, _ := hashWord(s)
	return t.lookup(s, folded)
}

// lookup is find for a caller that has the folded hash already.
func (t *wordTable) lookup(s string, folded uint64) *word {
	for i := folded % uint64(len(t.slots)); t.slots[i] != 0; i = (i + 1) % uint64(len(t.slots)) {
		w := &t.words[t.slots[i]-1]
		if len(w.text) == len(s) && equalUpper(s, w.text) {
			return w
		}
	}
	return nil
}

// equalUpper reports whether s is upper without regard to the case of ASCII letters.
func equalUpper(s, upper string) bool {
	for i := 0; i < len(upper); i++ {
		c := s[i]
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		if c != upper[i] {
			return false
		}
	}
	return true
}
