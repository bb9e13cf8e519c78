/** Values of a picture as the model takes it; `x`, `y`: pixels of the picture, of shares of the width and the height of the model's input. */
private class Fitted(val values: FloatArray, val x: (Float) -> Float, val y: (Float) -> Float)

/** A picture in the middle of grey with its proportions kept, or stretched, as the pictures that the model learnt from. */
private fun fitted(picture: Bitmap): Fitted {
    val (height, width, channels) = List(3) { shape.getInt(it + 1) }
    val isStretched = settings.getJSONObject("input").optString("fit") != "letterbox"
    val scale = min(height.toDouble() / picture.height, width.toDouble() / picture.width)
    fun side(own: Int, most: Int) = if (isStretched) most else (own * scale + 0.5).toInt().coerceIn(1, most)
    val (down, across) = side(picture.height, height) to side(picture.width, width)
    val (top, left) = (height - down) / 2 to (width - across) / 2
    val inner = valuesOf(picture, down, across)
    val values = FloatArray(height * width * channels) { 114f }
    val row = across * channels
    for (y in 0 until down) inner.copyInto(values, ((top + y) * width + left) * channels, y * row, (y + 1) * row)
    fun pixel(place: Float, from: Int, length: Int, own: Int) = ((place - from) * own / length).coerceIn(0f, own.toFloat())
    return Fitted(values, { pixel(it * width, left, across, picture.width) }, { pixel(it * height, top, down, picture.height) })
}
