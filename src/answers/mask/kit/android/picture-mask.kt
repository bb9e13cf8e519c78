// == IMPORTS ==
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.Rect

// == METHODS ==
/** The picture with the colours of its mask over it; it stands upright and has no transparent parts. */
fun masked(picture: Bitmap): Bitmap {
    val out = picture.copy(Bitmap.Config.ARGB_8888, true)
    val paint = Paint().apply { alpha = 128 }
    Canvas(out).drawBitmap(coloured(segment(picture)), null, Rect(0, 0, out.width, out.height), paint)
    return out
}

/** Class of each pixel at the size of the model's input, row by row: its place in labels.txt. */
fun segment(picture: Bitmap): IntArray = segment(valuesOf(picture))

/** Values before normalization, row by row, channels last. The logits of cells are resized bilinearly; of equal ones the first class counts. */
fun segment(raw: FloatArray): IntArray {
    val logits = answersTo(raw)
    val cells = settings.getJSONObject("output").getJSONArray("shape")
    val (rows, columns, classes) = List(3) { cells.getInt(it + 1) }
    val (height, width) = List(2) { shape.getInt(it + 1) }
    val down = between(rows, height)
    val across = between(columns, width)
    return IntArray(height * width) { at ->
        val (top, bottom, low) = down[at / width]
        val (left, right, aside) = across[at % width]
        var best = 0
        var most = Float.NEGATIVE_INFINITY
        for (c in 0 until classes) {
            val onLeft = mix(logits[(top * columns + left) * classes + c], logits[(bottom * columns + left) * classes + c], low)
            val onRight = mix(logits[(top * columns + right) * classes + c], logits[(bottom * columns + right) * classes + c], low)
            val value = mix(onLeft, onRight, aside)
            if (value > most) {
                best = c
                most = value
            }
        }
        best
    }
}

/** Labels with their shares of the pixels, the largest first. */
fun sharesOf(mask: IntArray): List<Pair<String, Float>> =
    mask.toList().groupingBy { it }.eachCount().map { (c, count) -> labels[c] to count.toFloat() / mask.size }.sortedByDescending { it.second }

/** The mask as a picture of colours, whose hues lie a golden angle apart. */
fun coloured(mask: IntArray): Bitmap {
    val (height, width) = List(2) { shape.getInt(it + 1) }
    val colors = List(labels.size) { android.graphics.Color.HSVToColor(floatArrayOf(it * 137.508f % 360, 0.8235f, 0.85f)) }
    return Bitmap.createBitmap(IntArray(mask.size) { colors[mask[it]] }, width, height, Bitmap.Config.ARGB_8888)
}

/** The two cells that each pixel of an axis lies between, and how far it is from the first. */
private fun between(cells: Int, pixels: Int): List<Triple<Int, Int, Float>> = List(pixels) { pixel ->
    val place = max(0.0, (pixel + 0.5) * cells / pixels - 0.5)
    val low = min(cells - 1, place.toInt())
    Triple(low, min(cells - 1, low + 1), (place - low).toFloat())
}

private fun mix(a: Float, b: Float, share: Float): Float = a + (b - a) * share
