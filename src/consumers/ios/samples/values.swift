// == FIELDS ==
private let isLogits: Bool

// == OPENED ==
isLogits = settings.output.answers == "logits"

// == METHODS ==
/// A text, or the two of a pair.
func predict(_ texts: String...) throws -> [(label: String, value: Float)] {
  let found = try answers(to: tokenizer.sample(texts))
  return zip(labels, found).map { (label: $0, value: isLogits ? 1 / (1 + exp(-$1)) : $1) }
}
