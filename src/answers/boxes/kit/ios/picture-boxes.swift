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
  let (height, width, channels) = (parts[0].shape[1], parts[0].shape[2], parts[0].shape[3])
  let place = self.place(of: picture)
  let inner = try values(of: picture, height: place.height, width: place.width)
  // Grey beside the picture, as the pictures that the model learnt from have it.
  var raw = [Float](repeating: 114, count: height * width * channels)
  let row = place.width * channels
  for y in 0..<place.height {
    let start = ((place.top + y) * width + place.left) * channels
    raw.replaceSubrange(start..<(start + row), with: inner[(y * row)..<((y + 1) * row)])
  }
  func side(_ share: Float, _ size: Int, _ from: Int, _ length: Int, _ own: Int) -> CGFloat {
    let value = (share * Float(size) - Float(from)) * Float(own) / Float(length)
    return CGFloat(min(max(value, 0), Float(own)))
  }
  return suppressed(try answers(to: raw), minScore: minScore ?? threshold).map { one in
    let x = [one.box[0], one.box[2]].map { side($0, width, place.left, place.width, picture.width) }
    let y = [one.box[1], one.box[3]].map { side($0, height, place.top, place.height, picture.height) }
    let box = CGRect(x: x[0], y: y[0], width: x[1] - x[0], height: y[1] - y[0])
    return Detection(label: labels[one.label], score: one.score, box: box)
  }
}

/// The picture with boxes in the colours of their classes, whose hues lie a golden angle apart.
func drawn(picture: CGImage, found: [Detection]) throws -> CGImage {
  guard let space = CGColorSpace(name: CGColorSpace.sRGB),
    let context = CGContext(
      data: nil, width: picture.width, height: picture.height, bitsPerComponent: 8, bytesPerRow: 0, space: space,
      bitmapInfo: CGImageAlphaInfo.premultipliedLast.rawValue)
  else { throw CocoaError(.fileReadCorruptFile) }
  context.draw(picture, in: CGRect(x: 0, y: 0, width: picture.width, height: picture.height))
  context.setLineWidth(max(2, CGFloat(min(picture.width, picture.height)) / 120))
  for one in found {
    let color = colour(of: labels.firstIndex(of: one.label) ?? 0)
    context.setStrokeColor(red: color[0], green: color[1], blue: color[2], alpha: 1)
    // The context counts rows from below.
    let top = CGFloat(picture.height) - one.box.maxY
    context.stroke(CGRect(x: one.box.minX, y: top, width: one.box.width, height: one.box.height))
  }
  guard let out = context.makeImage() else { throw CocoaError(.fileReadCorruptFile) }
  return out
}

private func colour(of index: Int) -> [CGFloat] {
  let hue = (Double(index) * 137.508).truncatingRemainder(dividingBy: 360)
  return [0.0, 8.0, 4.0].map { offset in
    let place = (offset + hue / 30).truncatingRemainder(dividingBy: 12)
    return CGFloat(0.5 - 0.35 * max(-1, min(place - 3, 9 - place, 1)))
  }
}

/// Place of a picture in the model's input, in pixels: in its middle with proportions kept, or the whole.
private func place(of picture: CGImage) -> (top: Int, left: Int, height: Int, width: Int) {
  let (height, width) = (parts[0].shape[1], parts[0].shape[2])
  guard isFitted else { return (top: 0, left: 0, height: height, width: width) }
  let scale = min(Double(height) / Double(picture.height), Double(width) / Double(picture.width))
  func side(_ own: Int, _ most: Int) -> Int { min(most, max(1, Int((Double(own) * scale + 0.5).rounded(.down)))) }
  let (down, across) = (side(picture.height, height), side(picture.width, width))
  return (top: (height - down) / 2, left: (width - across) / 2, height: down, width: across)
}

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
