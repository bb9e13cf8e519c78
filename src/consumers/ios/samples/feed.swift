/// Gives each input its part of a prepared sample.
private func feed(_ sample: [Float]) throws {
  for (i, part) in parts.enumerated() {
    let values = Array(sample[part.from..<(part.from + part.shape.reduce(1, *))])
    if part.dtype == "int32", values.contains(where: { Int32(exactly: $0) == nil }) {
      throw NSError(domain: "expected whole numbers", code: i)
    }
    let data = part.dtype == "int32"
      ? values.map { Int32($0) }.withUnsafeBufferPointer { Data(buffer: $0) }
      : values.withUnsafeBufferPointer { Data(buffer: $0) }
    try interpreter.copy(data, toInputAt: i)
  }
}
