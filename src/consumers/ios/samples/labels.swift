// == SWIFT_LABELS ==
private let labels: [String]

// == READ_LABELS ==
labels = try String(contentsOf: url("labels", "txt"), encoding: .utf8)
  .split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)

// == READ_TEXT_LABELS ==
labels = try Tokenizer.text("labels.txt", bundle)
  .split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
