// == IMPORTS ==
import java.nio.ByteBuffer
import java.nio.ByteOrder

// == METHODS ==
/**
 * Takes values before normalization, row by row, channels last; NaN stands for a missing one. A model with several inputs takes all of them in one row, in the
 * places that preprocessing.json states.
 */
fun vectorOf(raw: FloatArray): FloatArray = answersTo(raw)

/** For models of pictures with one or three channels; the picture stands upright and has no transparent parts. */
fun vectorOf(picture: Bitmap): FloatArray = vectorOf(valuesOf(picture))
