// == IMPORTS ==
import kotlin.math.exp

// == METHODS ==
/** Values before normalization, row by row, channels last; those of several inputs where preprocessing.json has them begin. */
fun classify(raw: FloatArray): List<Pair<String, Float>> {
    val logits = answersTo(raw)
    val largest = logits.max()
    val powers = logits.map { exp(it - largest) }
    val sum = powers.sum()
    return labels.zip(powers.map { it / sum }).sortedByDescending { it.second }
}

/** Labels and their scores, for models of pictures with one or three channels; the picture stands upright and has no transparent parts. */
fun classify(picture: Bitmap): List<Pair<String, Float>> = classify(valuesOf(picture))
