import { deflateSync } from 'node:zlib';

/** As PNG has it. Node's own came with 20.15. */
function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** A PNG with the checksums of its chunks as they should be, so that libpng looks at what they hold; changed in place. */
export function withRightSums<B extends Uint8Array>(bytes: B): B {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 8; at + 12 <= bytes.length;) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > bytes.length) break;
    view.setUint32(end, crc32(bytes.subarray(at + 4, end)));
    at = end + 4;
  }
  return bytes;
}

interface Indexed {
  readonly height: number;
  readonly width: number;
  /** Bits of a pixel; default: 8. */
  readonly depth?: 1 | 2 | 4 | 8;
  /** Default: a palette. */
  readonly kind?: 'palette' | 'grey';
}

/** A PNG whose pixels are these indexes into a palette of random colours with transparent ones among them, or grey values. */
export function indexedPng(
  indexes: ArrayLike<number>,
  { height, width, depth = 8, kind = 'palette' }: Indexed,
): Uint8Array {
  const row = 1 + Math.ceil((width * depth) / 8);
  const rows = Buffer.alloc(height * row);
  for (let i = 0; i < height * width; i++) {
    const bit = (i % width) * depth;
    const at = Math.floor(i / width) * row + 1 + (bit >> 3);
    rows[at]! |= indexes[i]! << (8 - depth - (bit & 7));
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, kind === 'palette' ? 3 : 0], 8);
  const palette = Uint8Array.from({ length: 3 * 2 ** depth }, (_, i) => (i * 89 + 13) % 256);
  const shown = kind === 'palette' ? [chunk('PLTE', palette), chunk('tRNS', Buffer.from([0, 99]))] : [];
  const parts = [chunk('IHDR', header), chunk('gAMA', Buffer.from([0, 0, 0x20, 0])), ...shown];
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return withRightSums(
    Buffer.concat([signature, ...parts, chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]),
  );
}

function chunk(type: string, body: Uint8Array): Buffer {
  const out = Buffer.alloc(12 + body.length);
  out.writeUInt32BE(body.length, 0);
  out.write(type, 4, 'latin1');
  out.set(body, 8);
  return out;
}
