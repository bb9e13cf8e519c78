/// Values of a picture as the model takes it, in the middle of grey with its proportions kept, or stretched, as the pictures that the model learnt from.
/// `pixel`: place in the picture of shares of the width and the height of the model's input.
private func fitted(_ picture: CGImage) throws -> (values: [Float], pixel: (Float, Float) -> CGPoint) {
  let (height, width, channels) = (parts[0].shape[1], parts[0].shape[2], parts[0].shape[3])
  let scale = min(Double(height) / Double(picture.height), Double(width) / Double(picture.width))
  func side(_ own: Int, _ most: Int) -> Int { isFitted ? min(most, max(1, Int(Double(own) * scale + 0.5))) : most }
  let (down, across) = (side(picture.height, height), side(picture.width, width))
  let (top, left) = ((height - down) / 2, (width - across) / 2)
  let inner = try values(of: picture, height: down, width: across)
  var raw = [Float](repeating: 114, count: height * width * channels)
  let row = across * channels
  for y in 0..<down {
    let start = ((top + y) * width + left) * channels
    raw.replaceSubrange(start..<(start + row), with: inner[(y * row)..<((y + 1) * row)])
  }
  func pixel(_ place: Float, _ from: Int, _ length: Int, _ own: Int) -> CGFloat {
    CGFloat(min(max((place - Float(from)) * Float(own) / Float(length), 0), Float(own)))
  }
  return (
    values: raw,
    pixel: { x, y in
      CGPoint(
        x: pixel(x * Float(width), left, across, picture.width), y: pixel(y * Float(height), top, down, picture.height))
    }
  )
}
