// == OUTPUT ==
struct Output: Decodable { let answers: String? }
let output: Output

// == FIELDS ==
private let isLogits: Bool

// == BEGIN ==
isLogits = settings.output.answers == "logits"

// == METHODS ==
/// Takes values before normalization, row by row, channels last; NaN stands for a missing one. A model with several inputs takes all of them in one row, in the places that preprocessing.json states.
func predict(raw: [Float]) throws -> [(label: String, value: Float)] {
  zip(labels, try answers(to: raw)).map { (label: $0, value: isLogits ? 1 / (1 + exp(-$1)) : $1) }
}

/// For models of pictures with one or three channels; the picture stands upright and has no transparent parts.
func predict(picture: CGImage) throws -> [(label: String, value: Float)] {
  try predict(raw: values(of: picture))
}
