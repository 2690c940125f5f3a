package rules

// All returns every rule, cures first, in the order of the site's layers. There
// is no registry: a rule that is not in this list does not exist.
func All() []Rule {
	return []Rule{
		blindSpot(),
		missingIndex(),
		redundantIndex(),
		unusedIndex(),
		longTransaction(),
		largeTransaction(),
		gapLocks(),
		autocommitChatter(),
		lockContention(),
		deadlocks(),
		replicaStopped(),
		replicaFallingBehind(),
		replicaLag(),
		failoverReadiness(),
		singlePoint(),
		connections(),
		diskFilling(),
		poolVerdict(),
		listenQueue(),
		poolTooLarge(),
		sessionLock(),
		getWrites(),
		nPlusOne(),
		repeatedReads(),
		externalCalls(),
		staticFiles(),
		webCron(),
		slowPlugin(),

		poolTooSmall(),
		readSplit(),
		replicaCount(),
		bufferPool(),
	}
}
