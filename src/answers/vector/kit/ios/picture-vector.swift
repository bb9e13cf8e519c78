// == METHODS ==
/// Takes values before normalization, row by row, channels last; NaN stands for a missing one. A model with several inputs takes all of them in one row, in the places that preprocessing.json states.
func vector(of raw: [Float]) throws -> [Float] {
  try answers(to: raw)
}

/// For models of pictures with one or three channels; the picture stands upright and has no transparent parts.
func vector(of picture: CGImage) throws -> [Float] {
  try vector(of: values(of: picture))
}
