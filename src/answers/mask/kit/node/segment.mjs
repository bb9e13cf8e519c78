// == MODULES ==
import { writeFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { colouredMask } from './mask-colours.js';
import { masksOf } from './masks.js';

// == DOC ==
/** Logits [rows, columns, classes] of a picture, of which a cell stands for some pixels. */

// == HELPER ==
const [, height, width, channels] = input.shape;
const [, rows, columns] = output.shape;
const grid = { rows, columns, classes: names.length, stride: height / rows };

/** Makes a PNG file of a picture under the half transparent colours of its mask. Values are from 0 to 255 or from 0 to 1; one channel is shown as grey. */
function png(raw, mask) {
  const white = raw.some((value) => value > 1) ? 255 : 1;
  const colours = colouredMask(mask, names.length);
  const lines = Buffer.alloc(height * (3 * width + 1));
  for (let at = 0; at < height * width; at++)
    for (let c = 0; c < 3; c++) {
      const value = (255 * raw[at * channels + (channels < 3 ? 0 : c)]) / white;
      lines[Math.floor(at / width) * (3 * width + 1) + 1 + 3 * (at % width) + c] =
        (Math.min(255, Math.max(0, value)) + colours[3 * at + c]) / 2;
    }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    ...[chunk('IHDR', head), chunk('IDAT', deflateSync(lines)), chunk('IEND', Buffer.alloc(0))],
  ]);
}

function chunk(name, data) {
  const out = Buffer.alloc(data.length + 12);
  out.writeUInt32BE(data.length, 0);
  out.write(name, 4, 'latin1');
  out.set(data, 8);
  out.writeUInt32BE(checksum(out.subarray(4, -4)), data.length + 8);
  return out;
}

/** CRC-32 of bytes, as PNG files have it. */
function checksum(bytes) {
  let sum = -1;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

/** Names of the files that were written. */
const written = [];

// == EACH ==
const expected = sample.logits;
// __TAKE__
const logits = await logitsOf(raw);
const mask = masksOf(Float32Array.from(logits), grid);
const file = 'mask-' + (written.length + 1) + '.png';
written.push(file);
writeFileSync(file, png(raw, mask));
const shares = names.map((name, c) => [name, mask.filter((index) => index === c).length / mask.length]);
const found = shares.filter(([, share]) => share > 0).sort(([, a], [, b]) => b - a);
console.log(file + '\t' + found.map(([name, share]) => name + ' ' + (100 * share).toFixed(1) + ' %').join(', '));
if (expected?.some((value, i) => Math.abs(value - logits[i]) > 1e-3 * Math.max(1, Math.abs(value)))) {
  console.error('not the logits that example.json holds');
  process.exitCode = 1;
}
