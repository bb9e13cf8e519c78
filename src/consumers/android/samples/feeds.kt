/** The inputs of the TFLite files, in their order. */
private val parts = settings.getJSONArray("models").let { models ->
    List(models.length()) { models.getJSONObject(it) }.first { it.getString("format") == "tflite" }.getJSONArray("inputs")
}

/** Gives each input its part of a prepared sample. */
private fun feed(sample: FloatArray) {
    inputs.forEachIndexed { i, input ->
        val part = parts.getJSONObject(i)
        val shape = part.getJSONArray("shape")
        val from = part.getInt("from")
        val values = sample.copyOfRange(from, from + List(shape.length()) { shape.getInt(it) }.reduce { size, length -> size * length })
        if (part.getString("dtype") == "int32") {
            require(values.all { it == it.toInt().toFloat() }) { "input $i: expected whole numbers" }
            input.writeInt(IntArray(values.size) { values[it].toInt() })
        } else input.writeFloat(values)
    }
}
