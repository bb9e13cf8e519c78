import android.content.Context
import android.graphics.Bitmap
import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
import kotlin.math.PI
import kotlin.math.abs
// __IMPORTS__
import kotlin.math.max
import kotlin.math.min
import kotlin.math.round
import kotlin.math.sin
import org.json.JSONObject

/** __DOC__ Not safe for several threads at once. */
class __NAME__(context: Context, file: String, accelerator: Accelerator = Accelerator.CPU) : AutoCloseable {
    private val assets = context.assets
    private val settings = JSONObject(text("preprocessing.json"))
    // __LABELS__
    private val normalization = settings.getJSONObject("normalization")
    private val scale = normalization.getDouble("scale")
    private val mean = numbers("mean")
    private val std = numbers("std")
    private val missing = normalization.optJSONArray("missing")
    private val shape = settings.getJSONObject("input").getJSONArray("shape")
    private val model = CompiledModel.create(assets, file, CompiledModel.Options(accelerator), null)
    private val inputs = model.createInputBuffers()
    private val outputs = model.createOutputBuffers()

    // __METHODS__

    // __KOTLIN_SEARCH__

    /** Numbers that the model gives for values before normalization. */
    private fun answersTo(raw: FloatArray): FloatArray {
        val size = List(shape.length()) { shape.getInt(it) }.reduce { product, length -> product * length }
        require(raw.size == size) { "expected $size numbers, received ${raw.size}" }
        feed(prepared(raw))
        model.run(inputs, outputs)
        return __READ_KOTLIN__
    }

    /** Values as the model was trained on them, channel by channel, computed in double precision. NaN is a missing value. */
    private fun prepared(raw: FloatArray) = FloatArray(raw.size) { i ->
        val value = if (raw[i].isNaN()) missing?.optDouble(i % missing.length()) ?: Double.NaN else raw[i].toDouble()
        require(value.isFinite()) { "value $i: expected a number, received ${raw[i]}" }
        ((value * scale - mean[i % mean.size]) / std[i % std.size]).toFloat()
    }

    /** Values of a picture with one or three channels, which stands upright and has no transparent parts. */
    private fun valuesOf(picture: Bitmap, height: Int = shape.getInt(1), width: Int = shape.getInt(2)): FloatArray {
        val channels = shape.getInt(3)
        val colors = scaled(picture, height, width)
        if (channels == 3) return colors
        return FloatArray(height * width) { i ->
            round(0.299f * colors[3 * i] + 0.587f * colors[3 * i + 1] + 0.114f * colors[3 * i + 2])
        }
    }

    /**
     * Red, green and blue at another size, as the pictures that the model learnt from were scaled: by Lanczos' filter over all pixels.
     * Bitmap.createScaledBitmap makes each pixel of four at most, and small pictures of large ones come out as noise.
     */
    private fun scaled(picture: Bitmap, height: Int, width: Int): FloatArray {
        val across = taps(picture.width, width)
        val pixels = IntArray(picture.width)
        val rows = FloatArray(picture.height * width * 3)
        for (y in 0 until picture.height) {
            picture.getPixels(pixels, 0, pixels.size, 0, y, pixels.size, 1)
            require(pixels.all { it ushr 24 == 255 }) { "expected a picture without transparent parts" }
            across.forEachIndexed { x, (first, weights) ->
                for (c in 0 until 3) rows[(y * width + x) * 3 + c] = level(weights) { pixels[first + it] shr (16 - 8 * c) and 255 }
            }
        }
        val out = FloatArray(height * width * 3)
        taps(picture.height, height).forEachIndexed { y, (first, weights) ->
            for (i in 0 until width * 3) out[y * width * 3 + i] = level(weights) { rows[(first + it) * width * 3 + i].toInt() }
        }
        return out
    }

    private inline fun level(weights: FloatArray, value: (Int) -> Int): Float {
        var sum = 0f
        for (k in weights.indices) sum += weights[k] * value(k)
        return round(sum.coerceIn(0f, 255f))
    }

    /** First pixel of each output pixel, and the weights of those from there on. */
    private fun taps(from: Int, to: Int): List<Pair<Int, FloatArray>> {
        val scale = from.toDouble() / to
        val size = max(scale, 1.0)
        return List(to) { i ->
            val centre = (i + 0.5) * scale
            val first = max(0, (centre - 3 * size + 0.5).toInt())
            val end = min(from, (centre + 3 * size + 0.5).toInt())
            val weights = DoubleArray(end - first) { k -> lanczos((first + k + 0.5 - centre) / size) }
            val sum = weights.sum()
            first to FloatArray(weights.size) { (weights[it] / sum).toFloat() }
        }
    }

    private fun lanczos(x: Double): Double = if (abs(x) < 3) sinc(x) * sinc(x / 3) else 0.0

    private fun sinc(x: Double): Double = if (x == 0.0) 1.0 else sin(PI * x) / (PI * x)

    override fun close() = model.close()

    // __FEEDS__

    private fun text(file: String) = assets.open(file).bufferedReader().use { it.readText() }

    private fun numbers(key: String): DoubleArray {
        val values = normalization.getJSONArray(key)
        return DoubleArray(values.length()) { values.getDouble(it) }
    }
}
