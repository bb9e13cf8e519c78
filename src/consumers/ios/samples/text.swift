// == EXAMPLE ==
let given = try sample(example["text"] as? [String] ?? [example["text"] as? String ?? ""])

// == SAMPLE ==
/// A text, or the two of a pair, as the model takes it.
func sample(_ texts: [String]) throws -> [Float] {
  try joined(ask("encode", [Tokenizer.json(texts)]))
}
