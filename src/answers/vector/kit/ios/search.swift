// == SWIFT_SEARCH ==
/// Places of the vectors that are most alike to a vector of length 1, the most alike first, with the cosines of the angles between.
static func nearest(to vector: [Float], among vectors: [[Float]], count: Int = 10) -> [(index: Int, cosine: Float)] {
  let cosines = vectors.map { other in zip(vector, other).reduce(Float(0)) { sum, pair in sum + pair.0 * pair.1 } }
  return cosines.enumerated().sorted { $0.element > $1.element }.prefix(count).map { (index: $0.offset, cosine: $0.element) }
}

/// Vectors of a file that `limbeck embed --vectors` writes: float32 [samples, size] of NumPy.
static func vectors(in npy: Data, size: Int) throws -> [[Float]] {
  let bytes = [UInt8](npy)
  guard bytes.count > 10, bytes[0] == 0x93, bytes[6] == 1 else { throw CocoaError(.fileReadCorruptFile) }
  let start = 10 + Int(bytes[8]) + 256 * Int(bytes[9])
  guard start <= bytes.count, (bytes.count - start) % (4 * size) == 0 else { throw CocoaError(.fileReadCorruptFile) }
  return stride(from: start, to: bytes.count, by: 4 * size).map { row in
    (0..<size).map { i in
      let bits = (0..<4).reduce(UInt32(0)) { sum, k in sum | UInt32(bytes[row + 4 * i + k]) << UInt32(8 * k) }
      return Float(bitPattern: bits)
    }
  }
}
