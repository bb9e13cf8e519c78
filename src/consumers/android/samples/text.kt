// == EXAMPLE ==
val pair = example.optJSONArray("text")
val given = sample(if (pair == null) listOf(example.getString("text")) else strings(pair))

// == SAMPLE ==
/** A text, or the two of a pair, as the model takes it. */
fun sample(texts: List<String>) = joined(ask("encode", JSONArray(texts).toString()))
