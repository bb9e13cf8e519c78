import { firstLine, UserError } from '../../base/errors.ts';
import { concatBytes } from '../../base/bytes.ts';
import { OF_FILES, withPicture } from './picture.ts';

/** Size in pixels. */
export interface MaskSize {
  readonly height: number;
  readonly width: number;
}

/** Signature of a PNG, then length and type of its header. */
const BEGINNING = Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR', 'latin1');
/** Bytes of signature and header. */
const HEADER = 33;
/** Types of PNG, by their number. */
const [GREY, PALETTE] = [0, 3];
/** Parts of a PNG that its numbers are read from; others, such as palette and gamma, say how they are shown. */
const READ = new Set(['IDAT', 'IEND']);

const SAVE =
  'Save it as a PNG with a palette, or of 8 bits of grey: the class of each pixel, counted from 0, and 255 for none.';

/**
 * Class indexes of a mask, [height, width]: the indexes into the palette of a PNG, or its grey values. `size`: that of its picture. `UserError` for
 * another size, and for a file that holds colours in place of indexes.
 */
export async function maskPixels(bytes: Uint8Array, file: string, { height, width }: MaskSize): Promise<Uint8Array> {
  if (bytes.length < HEADER || BEGINNING.some((byte, i) => bytes[i] !== byte))
    throw new UserError(`${file}: the mask is no PNG (${bytes.length} bytes)`, SAVE);
  const header = new DataView(bytes.buffer, bytes.byteOffset);
  if (header.getUint32(HEADER - 4) !== crc32(bytes.subarray(12, HEADER - 4)))
    throw new UserError(`${file}: the header of the mask has a wrong checksum`, 'Get the file again.');
  const [ownWidth, ownHeight, depth, kind] = [header.getUint32(16), header.getUint32(20), bytes[24]!, bytes[25]!];
  if (ownHeight !== height || ownWidth !== width)
    throw new UserError(
      `${file}: the mask is ${ownHeight}x${ownWidth} (height x width), and its picture ${height}x${width}`,
      'A mask has a pixel for each pixel of its picture.',
    );
  if (kind !== PALETTE && (kind !== GREY || depth > 8))
    throw new UserError(
      `${file}: the mask holds ${kind === GREY ? `grey of ${depth} bits` : 'colours'}, expected class indexes`,
      SAVE,
    );
  // sharp turns the indexes of a palette into colours. Called grey, they are left as they are.
  const decoded = withPicture(asGrey(bytes), OF_FILES, (image) =>
    image.toColourspace('b-w').raw({ depth: 'uchar' }).toBuffer(),
  );
  const data = await decoded.catch((error: unknown) => {
    throw new UserError(
      `${file}: cannot decode the mask: ${firstLine(error)} (received ${bytes.length} bytes)`,
      'Get the file again, or save the mask anew.',
      { cause: error },
    );
  });
  // Grey of fewer bits is spread over 0 … 255.
  const unit = 255 / (2 ** depth - 1);
  return unit === 1 ? data : data.map((value) => value / unit);
}

/** The PNG as grey, without palette, transparency and whatever else says how its numbers are shown. */
function asGrey(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const parts = [bytes.subarray(0, HEADER)];
  for (let at = HEADER; at + 12 <= bytes.length;) {
    const end = at + 12 + view.getUint32(at);
    if (READ.has(String.fromCharCode(...bytes.subarray(at + 4, at + 8)))) parts.push(bytes.subarray(at, end));
    at = end;
  }
  const out = concatBytes(parts);
  out[25] = GREY;
  new DataView(out.buffer).setUint32(HEADER - 4, crc32(out.subarray(12, HEADER - 4)));
  return out;
}

/** As PNG has it. Node's own came with 20.15. */
function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** A mask at another size: each pixel has the class of the nearest pixel, as the resized picture has its place. */
export function resizedMask(mask: Uint8Array, from: MaskSize, to: MaskSize): Uint8Array {
  if (from.height === to.height && from.width === to.width) return mask;
  const across = Int32Array.from({ length: to.width }, (_, x) => Math.floor(((x + 0.5) * from.width) / to.width));
  const out = new Uint8Array(to.height * to.width);
  for (let y = 0, at = 0; y < to.height; y++) {
    const row = Math.floor(((y + 0.5) * from.height) / to.height) * from.width;
    for (const x of across) out[at++] = mask[row + x]!;
  }
  return out;
}
