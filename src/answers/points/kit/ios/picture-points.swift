// == INPUT ==
let fit: String?

// == OUTPUT ==
struct Output: Decodable { let skeleton: [[Int]] }
let output: Output

// == FIELDS ==
private let isFitted: Bool
private let skeleton: [[Int]]

// == BEGIN ==
isFitted = settings.input.fit == "letterbox"
skeleton = settings.output.skeleton

// == METHODS ==
/// A point in pixels of the picture, and how sure it is, from 0 to 1.
struct Point {
  let name: String
  let place: CGPoint
  let score: Float
}

/// Points in the order of labels.txt; the picture stands upright and has no transparent parts.
func find(picture: CGImage) throws -> [Point] {
  let fitted = try self.fitted(picture)
  let found = decoded(try answers(to: fitted.values))
  return labels.indices.map { k in
    Point(name: labels[k], place: fitted.pixel(found[3 * k], found[3 * k + 1]), score: found[3 * k + 2])
  }
}

/// The picture with points and the lines between them, the surer the more opaque. Their hues lie a golden angle apart.
func drawn(picture: CGImage, found: [Point]) throws -> CGImage {
  let thick = max(2, CGFloat(min(picture.width, picture.height)) / 60)
  return try drawn(over: picture) { context in
    context.setLineCap(.round)
    func line(_ a: Int, _ b: Int, _ width: CGFloat) {
      let color = colour(of: b)
      let alpha = CGFloat(min(found[a].score, found[b].score)).squareRoot()
      context.setStrokeColor(red: color[0], green: color[1], blue: color[2], alpha: alpha)
      context.setLineWidth(width)
      context.strokeLineSegments(between: [found[a].place, found[b].place])
    }
    for pair in skeleton { line(pair[0], pair[1], thick) }
    for k in found.indices { line(k, k, 2.4 * thick) }
  }
}

// __DRAWING__

// __FITTED__

/// Points [points, 3], x and y as shares of the input and a score, of logits [points, 2, places]: the middle of the most probable column and row, the first of
/// equal ones. The score is the smaller of their probabilities, as a share of that of a label's Gaussian. A file that decodes them answers with them.
private func decoded(_ answers: [Float]) -> [Float] {
  if answers.count == 3 * labels.count { return answers }
  let places = answers.count / labels.count / 2
  let variance = Double(places) / 16
  let peak = 1 / (-places...places).reduce(0.0) { $0 + exp(-0.5 * Double($1 * $1) / variance) }
  var out = [Float](repeating: 1, count: 3 * labels.count)
  for row in 0..<(2 * labels.count) {
    let logits = Array(answers[(row * places)..<((row + 1) * places)])
    var best = 0
    for i in logits.indices where logits[i] > logits[best] { best = i }
    let sum = logits.reduce(0.0) { $0 + exp(Double($1 - logits[best])) }
    let point = 3 * (row / 2)
    out[point + row % 2] = (Float(best) + 0.5) / Float(places)
    out[point + 2] = min(out[point + 2], Float(1 / sum / peak))
  }
  return out
}
