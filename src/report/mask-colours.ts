/** Colour of a class of pixels in pictures of masks, [red, green, blue] from 0 to 255; the first class, which most data sets have for the background, is grey. */
export function maskColour(index: number): readonly [number, number, number] {
  return index === 0 ? [88, 96, 105] : boxColour(index);
}

/** Colour of a class of boxes: hues a golden angle apart, so that neighbours differ. */
export function boxColour(index: number): readonly [number, number, number] {
  const hue = (index * 137.508) % 360;
  const [lightness, chroma] = [0.5, 0.35];
  const channel = (offset: number): number => {
    const place = (offset + hue / 30) % 12;
    return Math.round(255 * (lightness - chroma * Math.max(-1, Math.min(place - 3, 9 - place, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}

/** A mask as pixels of colour, [pixels · 3]; pixels without a class, whose value has no name, are white. */
export function colouredMask(mask: ArrayLike<number>, classes: number): Uint8Array {
  const colours = Array.from({ length: classes }, (_, c) => maskColour(c));
  const out = new Uint8Array(mask.length * 3).fill(255);
  for (let at = 0; at < mask.length; at++) if (mask[at]! < classes) out.set(colours[mask[at]!]!, 3 * at);
  return out;
}
