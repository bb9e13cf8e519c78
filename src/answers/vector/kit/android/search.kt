// == KOTLIN_SEARCH ==
companion object {
    /** Places of the vectors that are most alike to a vector of length 1, the most alike first, with the cosines of the angles between. */
    fun nearest(vector: FloatArray, vectors: List<FloatArray>, count: Int = 10): List<Pair<Int, Float>> =
        vectors
            .mapIndexed { i, other -> Pair(i, vector.indices.fold(0f) { sum, k -> sum + vector[k] * other[k] }) }
            .sortedByDescending { it.second }
            .take(count)

    /** Vectors of a file that `limbeck embed --vectors` writes: float32 [samples, size] of NumPy. */
    fun vectorsIn(npy: ByteArray, size: Int): List<FloatArray> {
        require(npy.size > 10 && npy[0] == 0x93.toByte() && npy[6] == 1.toByte()) { "expected a file of NumPy, version 1" }
        val start = 10 + (npy[8].toInt() and 255) + 256 * (npy[9].toInt() and 255)
        val floats = ByteBuffer.wrap(npy, start, npy.size - start).slice().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer()
        require(floats.remaining() % size == 0) { "expected vectors of $size numbers" }
        return List(floats.remaining() / size) { FloatArray(size).also { vector -> floats.get(vector) } }
    }
}
