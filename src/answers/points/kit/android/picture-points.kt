// == IMPORTS ==
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Paint
import kotlin.math.exp
import kotlin.math.sqrt

// == METHODS ==
/** A point in pixels of the picture, and how sure it is, from 0 to 1. */
class Point(val name: String, val x: Float, val y: Float, val score: Float)

/** Points in the order of labels.txt; the picture stands upright and has no transparent parts. */
fun find(picture: Bitmap): List<Point> {
    val fitted = fitted(picture)
    val found = decoded(answersTo(fitted.values))
    return labels.mapIndexed { k, name -> Point(name, fitted.x(found[3 * k]), fitted.y(found[3 * k + 1]), found[3 * k + 2]) }
}

/** The picture with points and the lines between them, the surer the more opaque. Their hues lie a golden angle apart. */
fun drawn(picture: Bitmap, found: List<Point>): Bitmap {
    val out = picture.copy(Bitmap.Config.ARGB_8888, true)
    val canvas = Canvas(out)
    val paint = Paint(Paint.ANTI_ALIAS_FLAG).apply { strokeCap = Paint.Cap.ROUND }
    val thick = max(2f, min(out.width, out.height) / 60f)
    fun use(k: Int, width: Float, score: Float) {
        paint.color = Color.HSVToColor(round(255 * sqrt(score)).toInt(), floatArrayOf(k * 137.508f % 360, 0.8235f, 0.85f))
        paint.strokeWidth = width
    }
    val skeleton = settings.getJSONObject("output").getJSONArray("skeleton")
    for (i in 0 until skeleton.length()) {
        val (a, b) = List(2) { skeleton.getJSONArray(i).getInt(it) }
        use(b, thick, min(found[a].score, found[b].score))
        canvas.drawLine(found[a].x, found[a].y, found[b].x, found[b].y, paint)
    }
    found.forEachIndexed { k, one ->
        use(k, 2.4f * thick, one.score)
        canvas.drawPoint(one.x, one.y, paint)
    }
    return out
}

// __FITTED__

/**
 * Points [points, 3], x and y as shares of the input and a score, of logits [points, 2, places]: the middle of the most probable column and row, the first
 * of equal ones. The score is the smaller of their probabilities, as a share of that of a label's Gaussian. A file that decodes them answers with them.
 */
private fun decoded(answers: FloatArray): FloatArray {
    if (answers.size == 3 * labels.size) return answers
    val places = answers.size / labels.size / 2
    val deviation = sqrt(places / 16.0)
    val peak = 1 / (-places..places).sumOf { exp(-0.5 * it * it / (deviation * deviation)) }
    val out = FloatArray(3 * labels.size) { 1f }
    for (row in 0 until 2 * labels.size) {
        val logits = answers.copyOfRange(row * places, (row + 1) * places)
        var best = 0
        for (i in logits.indices) if (logits[i] > logits[best]) best = i
        val point = 3 * (row / 2)
        out[point + row % 2] = (best + 0.5f) / places
        out[point + 2] = min(out[point + 2], (1 / logits.sumOf { exp((it - logits[best]).toDouble()) } / peak).toFloat())
    }
    return out
}
