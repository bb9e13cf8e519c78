// == IMPORTS ==
import kotlin.math.exp

// == METHODS ==
/** Takes values before normalization, row by row, channels last. A model with several inputs takes all of them in one row, in the places that preprocessing.json states. */
fun classify(raw: FloatArray): List<Pair<String, Float>> {
    val logits = answersTo(raw)
    val largest = logits.max()
    val powers = logits.map { exp(it - largest) }
    val sum = powers.sum()
    return labels.zip(powers.map { it / sum }).sortedByDescending { it.second }
}

/** Labels and their scores, for models of pictures with one or three channels; the picture stands upright and has no transparent parts. */
fun classify(picture: Bitmap): List<Pair<String, Float>> = classify(valuesOf(picture))
