// == INPUT ==
let fit: String?

// == OUTPUT ==
struct Output: Decodable { let overlap, threshold: Float }
let output: Output

// == FIELDS ==
private let isFitted: Bool
private let mostOverlap, threshold: Float

// == BEGIN ==
isFitted = settings.input.fit == "letterbox"
mostOverlap = settings.output.overlap
threshold = settings.output.threshold

// == METHODS ==
/// A box with its sides in pixels of the picture.
struct Detection {
  let label: String
  let score: Float
  let box: CGRect
}

/// Boxes with at least this score (default: that of preprocessing.json), the highest first; the picture stands upright and has no transparent parts.
func detect(picture: CGImage, minScore: Float? = nil) throws -> [Detection] {
  let fitted = try self.fitted(picture)
  return suppressed(try answers(to: fitted.values), minScore: minScore ?? threshold).map { one in
    let (corner, end) = (fitted.pixel(one.box[0], one.box[1]), fitted.pixel(one.box[2], one.box[3]))
    let box = CGRect(x: corner.x, y: corner.y, width: end.x - corner.x, height: end.y - corner.y)
    return Detection(label: labels[one.label], score: one.score, box: box)
  }
}

/// The picture with boxes in the colours of their classes, whose hues lie a golden angle apart.
func drawn(picture: CGImage, found: [Detection]) throws -> CGImage {
  try drawn(over: picture) { context in
    context.setLineWidth(max(2, CGFloat(min(picture.width, picture.height)) / 120))
    for one in found {
      let color = colour(of: labels.firstIndex(of: one.label) ?? 0)
      context.setStrokeColor(red: color[0], green: color[1], blue: color[2], alpha: 1)
      context.stroke(one.box)
    }
  }
}

// __DRAWING__

// __FITTED__

/// Non-maximum suppression by class: at most 100 boxes (left, top, right, bottom as shares of the input), the highest score first. A box that overlaps one of
/// the same class and a higher score by more than preprocessing.json says is left out. Answers are boxes [points, 4], then logits [points, classes].
private func suppressed(_ answers: [Float], minScore: Float) -> [(label: Int, score: Float, box: [Float])] {
  let points = answers.count / (4 + labels.count)
  let scores = answers[(4 * points)...].map { 1 / (1 + exp(-$0)) }
  // Of equal scores the first counts as higher.
  let order = scores.indices.filter { scores[$0] >= minScore }.sorted { scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1 }
  var kept: [(label: Int, score: Float, box: [Float])] = []
  for i in order where kept.count < 100 {
    let (label, point) = (i % labels.count, i / labels.count)
    let box = Array(answers[(4 * point)..<(4 * point + 4)])
    if kept.contains(where: { $0.label == label && overlap($0.box, box) > mostOverlap }) { continue }
    kept.append((label: label, score: scores[i], box: box))
  }
  return kept
}

/// Intersection of two boxes over their union.
private func overlap(_ a: [Float], _ b: [Float]) -> Float {
  let (width, height) = (min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1]))
  guard width > 0, height > 0 else { return 0 }
  let both = width * height
  return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)
}
