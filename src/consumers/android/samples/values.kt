// == IMPORTS ==
import kotlin.math.exp

// == FIELDS ==
private val isLogits = settings.getJSONObject("output").getString("answers") == "logits"

// == METHODS ==
/** A text, or the two of a pair. */
fun predict(vararg texts: String): List<Pair<String, Float>> {
    val found = answersTo(tokenizer.sample(texts.toList()))
    return labels.zip(found.map { if (isLogits) 1 / (1 + exp(-it)) else it })
}
