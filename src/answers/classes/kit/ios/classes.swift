// == METHODS ==
/// A text, or the two of a pair.
func classify(_ texts: String...) throws -> [(label: String, probability: Float)] {
  let logits = try answers(to: tokenizer.sample(texts))
  let largest = logits.max() ?? 0
  let powers = logits.map { exp($0 - largest) }
  let sum = powers.reduce(0, +)
  return zip(labels, powers.map { $0 / sum }).sorted { $0.1 > $1.1 }.map { (label: $0.0, probability: $0.1) }
}
