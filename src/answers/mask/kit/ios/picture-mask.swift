// == OUTPUT ==
struct Output: Decodable { let shape: [Int] }
let output: Output

// == FIELDS ==
private let cells: [Int]

// == BEGIN ==
cells = settings.output.shape

// == METHODS ==
/// The picture with the colours of its mask over it; it stands upright and has no transparent parts.
func masked(picture: CGImage) throws -> CGImage {
  let colours = try coloured(mask: segment(picture: picture))
  guard let space = CGColorSpace(name: CGColorSpace.sRGB),
    let context = CGContext(
      data: nil, width: picture.width, height: picture.height, bitsPerComponent: 8, bytesPerRow: 0, space: space,
      bitmapInfo: CGImageAlphaInfo.premultipliedLast.rawValue)
  else { throw CocoaError(.fileReadCorruptFile) }
  let whole = CGRect(x: 0, y: 0, width: picture.width, height: picture.height)
  context.draw(picture, in: whole)
  context.setAlpha(0.5)
  context.interpolationQuality = .none
  context.draw(colours, in: whole)
  guard let out = context.makeImage() else { throw CocoaError(.fileReadCorruptFile) }
  return out
}

/// Class of each pixel at the size of the model's input, row by row: its place in labels.txt.
func segment(picture: CGImage) throws -> [Int] {
  try segment(raw: values(of: picture))
}

/// Values before normalization, row by row, channels last. The logits of cells are resized bilinearly; of equal ones the first class counts.
func segment(raw: [Float]) throws -> [Int] {
  let logits = try answers(to: raw)
  let (columns, classes) = (cells[2], cells[3])
  let down = between(cells[1], pixels: parts[0].shape[1])
  let across = between(columns, pixels: parts[0].shape[2])
  func mix(_ a: Float, _ b: Float, _ share: Float) -> Float { a + (b - a) * share }
  func logit(_ row: Int, _ column: Int, _ c: Int) -> Float { logits[(row * columns + column) * classes + c] }
  return down.flatMap { y in
    across.map { x in
      var (best, most) = (0, -Float.infinity)
      for c in 0..<classes {
        let left = mix(logit(y.low, x.low, c), logit(y.high, x.low, c), y.share)
        let right = mix(logit(y.low, x.high, c), logit(y.high, x.high, c), y.share)
        let value = mix(left, right, x.share)
        if value > most { (best, most) = (c, value) }
      }
      return best
    }
  }
}

/// Labels with their shares of the pixels, the largest first.
func shares(of mask: [Int]) -> [(label: String, share: Float)] {
  let counts = Dictionary(mask.map { ($0, 1) }, uniquingKeysWith: +)
  return counts.map { (label: labels[$0.key], share: Float($0.value) / Float(mask.count)) }.sorted { $0.share > $1.share }
}

/// The mask as a picture of colours, whose hues lie a golden angle apart.
func coloured(mask: [Int]) throws -> CGImage {
  let (height, width) = (parts[0].shape[1], parts[0].shape[2])
  let colors = labels.indices.map { colour(of: $0) }
  let bytes = Data(mask.flatMap { colors[$0] + [255] })
  guard let provider = CGDataProvider(data: bytes as CFData), let space = CGColorSpace(name: CGColorSpace.sRGB),
    let out = CGImage(
      width: width, height: height, bitsPerComponent: 8, bitsPerPixel: 32, bytesPerRow: width * 4, space: space,
      bitmapInfo: CGBitmapInfo(rawValue: CGImageAlphaInfo.noneSkipLast.rawValue), provider: provider, decode: nil,
      shouldInterpolate: false, intent: .defaultIntent)
  else { throw CocoaError(.fileReadCorruptFile) }
  return out
}

private func colour(of index: Int) -> [UInt8] {
  let hue = (Double(index) * 137.508).truncatingRemainder(dividingBy: 360)
  return [0.0, 8.0, 4.0].map { offset in
    let place = (offset + hue / 30).truncatingRemainder(dividingBy: 12)
    return UInt8((255 * (0.5 - 0.35 * max(-1, min(place - 3, 9 - place, 1)))).rounded())
  }
}

/// The two cells that each pixel of an axis lies between, and how far it is from the first.
private func between(_ cells: Int, pixels: Int) -> [(low: Int, high: Int, share: Float)] {
  (0..<pixels).map { pixel in
    let place = max(0, (Double(pixel) + 0.5) * Double(cells) / Double(pixels) - 0.5)
    let low = min(cells - 1, Int(place))
    return (low: low, high: min(cells - 1, low + 1), share: Float(place - Double(low)))
  }
}
