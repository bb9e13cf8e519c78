/// A picture over which `draw` draws in pixels that are counted from its upper left corner.
private func drawn(over picture: CGImage, _ draw: (CGContext) -> Void) throws -> CGImage {
  guard let space = CGColorSpace(name: CGColorSpace.sRGB),
    let context = CGContext(
      data: nil, width: picture.width, height: picture.height, bitsPerComponent: 8, bytesPerRow: 0, space: space,
      bitmapInfo: CGImageAlphaInfo.premultipliedLast.rawValue)
  else { throw CocoaError(.fileReadCorruptFile) }
  context.draw(picture, in: CGRect(x: 0, y: 0, width: picture.width, height: picture.height))
  // The context counts rows from below.
  context.translateBy(x: 0, y: CGFloat(picture.height))
  context.scaleBy(x: 1, y: -1)
  draw(context)
  guard let out = context.makeImage() else { throw CocoaError(.fileReadCorruptFile) }
  return out
}

/// Red, green and blue; hues lie a golden angle apart.
private func colour(of index: Int) -> [CGFloat] {
  let hue = (Double(index) * 137.508).truncatingRemainder(dividingBy: 360)
  return [0.0, 8.0, 4.0].map { offset in
    let place = (offset + hue / 30).truncatingRemainder(dividingBy: 12)
    return CGFloat(0.5 - 0.35 * max(-1, min(place - 3, 9 - place, 1)))
  }
}
