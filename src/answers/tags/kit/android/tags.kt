// == METHODS ==
fun tag(text: String) = tag(tokenizer.wordsIn(text))

fun tag(words: List<String>): List<Pair<String, String?>> {
    val (sample, starts) = tokenizer.sample(words)
    val logits = answersTo(sample)
    val tags = arrayOfNulls<String>(words.size)
    starts.forEachIndexed { at, word ->
        if (word >= 0) tags[word] = labels[labels.indices.maxByOrNull { logits[at * labels.size + it] }!!]
    }
    return words.zip(tags)
}

// == EXAMPLE ==
val given = sample(strings(example.getJSONArray("words"))).first

// == SAMPLE ==
/** A list of words as the model takes it, and for each token the position of the word that begins with it, or -1. */
fun sample(words: List<String>): Pair<FloatArray, IntArray> {
    val answer = ask("encodeWords", JSONArray(words).toString())
    val starts = answer.getJSONArray("words")
    return Pair(joined(answer), IntArray(starts.length()) { starts.getInt(it) })
}

/** A text as words and punctuation marks. */
fun wordsIn(text: String) = strings(ask("cutWords", JSONObject.quote(text)).getJSONArray("words"))
