// == IMPORTS ==
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Paint
import kotlin.math.exp

// == METHODS ==
/** A box with its sides in pixels of the picture. */
class Detection(val label: String, val score: Float, val left: Float, val top: Float, val right: Float, val bottom: Float)

/** Boxes with at least this score (default: that of preprocessing.json), the highest first; the picture stands upright and has no transparent parts. */
fun detect(picture: Bitmap, minScore: Float = settings.getJSONObject("output").getDouble("threshold").toFloat()): List<Detection> {
    val fitted = fitted(picture)
    return suppressed(answersTo(fitted.values), minScore).map { (label, score, box) ->
        Detection(labels[label], score, fitted.x(box[0]), fitted.y(box[1]), fitted.x(box[2]), fitted.y(box[3]))
    }
}

/** The picture with boxes in the colours of their classes, whose hues lie a golden angle apart. */
fun drawn(picture: Bitmap, found: List<Detection>): Bitmap {
    val out = picture.copy(Bitmap.Config.ARGB_8888, true)
    val paint = Paint().apply { style = Paint.Style.STROKE; strokeWidth = max(2f, min(out.width, out.height) / 120f) }
    val canvas = Canvas(out)
    for (one in found) {
        paint.color = Color.HSVToColor(floatArrayOf(labels.indexOf(one.label) * 137.508f % 360, 0.8235f, 0.85f))
        canvas.drawRect(one.left, one.top, one.right, one.bottom, paint)
    }
    return out
}

// __FITTED__

/**
 * Non-maximum suppression by class: label, score and sides (left, top, right, bottom as shares of the input) of at most 100 boxes, the highest score first.
 * A box that overlaps one of the same class and a higher score by more than preprocessing.json says is left out. Answers are boxes [points, 4], then logits [points, classes].
 */
private fun suppressed(answers: FloatArray, minScore: Float): List<Triple<Int, Float, FloatArray>> {
    val most = settings.getJSONObject("output").getDouble("overlap")
    val points = answers.size / (4 + labels.size)
    val all = (4 * points until answers.size).map { i ->
        val (point, label) = (i - 4 * points) / labels.size to (i - 4 * points) % labels.size
        Triple(label, 1 / (1 + exp(-answers[i])), answers.copyOfRange(4 * point, 4 * point + 4))
    }
    val kept = mutableListOf<Triple<Int, Float, FloatArray>>()
    for (one in all.filter { it.second >= minScore }.sortedByDescending { it.second }) {
        if (kept.size == 100) break
        if (kept.none { it.first == one.first && overlap(it.third, one.third) > most }) kept += one
    }
    return kept
}

/** Intersection of two boxes over their union. */
private fun overlap(a: FloatArray, b: FloatArray): Float {
    val width = min(a[2], b[2]) - max(a[0], b[0])
    val height = min(a[3], b[3]) - max(a[1], b[1])
    if (width <= 0 || height <= 0) return 0f
    val both = width * height
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)
}
