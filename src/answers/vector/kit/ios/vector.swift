// == METHODS ==
/// A text, or the two of a pair.
func vector(of texts: String...) throws -> [Float] {
  try answers(to: tokenizer.sample(texts))
}
