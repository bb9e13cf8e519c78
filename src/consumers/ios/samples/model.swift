private struct Model: Decodable {
  struct Part: Decodable { let shape: [Int]; let dtype: String; let from: Int }
  let format: String
  let inputs: [Part]
}
