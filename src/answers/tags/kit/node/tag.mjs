// == DOC ==
/** Logits [tokens, tags] of a list of words, one token behind the other. */
