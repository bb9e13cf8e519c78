// == METHODS ==
func tag(_ text: String) throws -> [(word: String, tag: String?)] {
  try tag(tokenizer.words(in: text))
}

func tag(_ words: [String]) throws -> [(word: String, tag: String?)] {
  let (sample, starts) = try tokenizer.sample(words)
  let logits = try answers(to: sample)
  var tags = [String?](repeating: nil, count: words.count)
  for (at, word) in starts.enumerated() where word >= 0 {
    let row = logits[(at * labels.count)..<((at + 1) * labels.count)]
    let best = row.indices.reduce(row.startIndex) { row[$1] > row[$0] ? $1 : $0 }
    tags[word] = labels[best - row.startIndex]
  }
  return zip(words, tags).map { (word: $0, tag: $1) }
}

// == EXAMPLE ==
let given = try sample(example["words"] as? [String] ?? []).sample

// == SAMPLE ==
/// A list of words as the model takes it, and for each token the position of the word that begins with it, or -1.
func sample(_ words: [String]) throws -> (sample: [Float], starts: [Int]) {
  let answer = try ask("encodeWords", [Tokenizer.json(words)])
  return (joined(answer), (answer["words"] as? [NSNumber] ?? []).map(\.intValue))
}

/// A text as words and punctuation marks.
func words(in text: String) throws -> [String] {
  try ask("cutWords", [Tokenizer.json(text)])["words"] as? [String] ?? []
}
