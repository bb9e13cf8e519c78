// == METHODS ==
/// Takes values before normalization, row by row, channels last. A model with several inputs takes all of them in one row, in the places that preprocessing.json states.
func classify(raw: [Float]) throws -> [(label: String, probability: Float)] {
  let logits = try answers(to: raw)
  let largest = logits.max() ?? 0
  let powers = logits.map { exp($0 - largest) }
  let sum = powers.reduce(0, +)
  return zip(labels, powers.map { $0 / sum }).sorted { $0.1 > $1.1 }.map { (label: $0.0, probability: $0.1) }
}

/// Labels and their scores, for models of pictures with one or three channels; the picture stands upright and has no transparent parts.
func classify(picture: CGImage) throws -> [(label: String, probability: Float)] {
  try classify(raw: values(of: picture))
}
