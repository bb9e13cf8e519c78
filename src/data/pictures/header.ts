import type { Metadata } from 'sharp';

/** Facts of a picture that its header tells. */
export type PictureHeader = Pick<
  Metadata,
  'width' | 'height' | 'channels' | 'hasAlpha' | 'space' | 'icc' | 'orientation' | 'autoOrient'
>;

/** Most parts of a picture file that are read before its size or its pixels. Usual files have a dozen; the server's own process reads files of strangers. */
const MOST_PARTS = 1000;

/**
 * Header of a plain PNG or JPEG picture, as sharp's `metadata()` says it, which takes as long as decoding 32×32 pixels. Undefined for all else, which
 * sharp is to look at: other formats, pictures that Exif may turn, inks, 12-bit samples, damaged headers.
 */
export function plainHeader(bytes: Uint8Array): PictureHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const hasRoom = bytes.length > 33;
  if (hasRoom && view.getUint32(0) === 0x89504e47 && view.getUint32(4) === 0x0d0a1a0a) return ofPng(view);
  return hasRoom && view.getUint16(0) === 0xffd8 ? ofJpeg(view) : undefined;
}

/** Channels of the colour types of PNG, without transparency; a palette (3) is of colours (https://www.w3.org/TR/png-3/#11IHDR). */
const PNG_CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 3, 4: 1, 6: 3 };

function ofPng(view: DataView): PictureHeader | undefined {
  const type = view.getUint8(25);
  const colours = PNG_CHANNELS[type];
  const isHead = view.getUint32(8) === 13 && chunkAt(view, 8) === 'IHDR';
  if (!isHead || colours === undefined) return undefined;
  let hasAlpha = type >= 4;
  for (
    let [at, part] = [33, 0];
    part < MOST_PARTS && at + 8 <= view.byteLength;
    part++, at += 12 + view.getUint32(at)
  ) {
    const chunk = chunkAt(view, at);
    if (chunk === 'eXIf') return undefined;
    if (chunk === 'tRNS') hasAlpha = true;
    if (chunk === 'IDAT') return headerOf(view.getUint32(16), view.getUint32(20), colours + Number(hasAlpha), hasAlpha);
  }
  return undefined;
}

function chunkAt(view: DataView, at: number): string {
  return String.fromCharCode(...[4, 5, 6, 7].map((i) => view.getUint8(at + i)));
}

/** Walks over the segments up to the frame header (ITU-T T.81, B.2.2). */
function ofJpeg(view: DataView): PictureHeader | undefined {
  for (
    let [at, part] = [2, 0];
    part < MOST_PARTS && at + 10 <= view.byteLength;
    part++, at += 2 + view.getUint16(at + 2)
  ) {
    const marker = view.getUint16(at);
    const isFrame = marker >= 0xffc0 && marker <= 0xffc2;
    if (isFrame) {
      const [bits, channels] = [view.getUint8(at + 4), view.getUint8(at + 9)];
      if (bits !== 8 || (channels !== 1 && channels !== 3)) return undefined;
      return headerOf(view.getUint16(at + 7), view.getUint16(at + 5), channels, false);
    }
    // Tables, comments and application data may precede the frame; APP1 holds Exif.
    const isPassed = [0xffdb, 0xffc4, 0xffdd, 0xfffe].includes(marker) || (marker >= 0xffe0 && marker <= 0xffef);
    if (!isPassed || marker === 0xffe1) return undefined;
  }
  return undefined;
}

function headerOf(width: number, height: number, channels: number, hasAlpha: boolean): PictureHeader | undefined {
  if (width === 0 || height === 0) return undefined;
  const space = channels <= 2 ? 'b-w' : 'srgb';
  return { width, height, channels: channels as Metadata['channels'], hasAlpha, space, autoOrient: { width, height } };
}
