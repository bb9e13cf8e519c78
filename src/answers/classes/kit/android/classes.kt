// == IMPORTS ==
import kotlin.math.exp

// == METHODS ==
/** A text, or the two of a pair. */
fun classify(vararg texts: String): List<Pair<String, Float>> {
    val logits = answersTo(tokenizer.sample(texts.toList()))
    val largest = logits.max()
    val powers = logits.map { exp(it - largest) }
    val sum = powers.sum()
    return labels.zip(powers.map { it / sum }).sortedByDescending { it.second }
}
