// == IMPORTS ==
import kotlin.math.exp

// == METHODS ==
private val isLogits = settings.getJSONObject("output").getString("answers") == "logits"

/**
 * Takes values before normalization, row by row, channels last; NaN stands for a missing one. A model with several inputs takes all of them in one row, in the
 * places that preprocessing.json states.
 */
fun predict(raw: FloatArray): List<Pair<String, Float>> =
    labels.zip(answersTo(raw).map { if (isLogits) 1 / (1 + exp(-it)) else it })

/** For models of pictures with one or three channels; the picture stands upright and has no transparent parts. */
fun predict(picture: Bitmap): List<Pair<String, Float>> = predict(valuesOf(picture))
