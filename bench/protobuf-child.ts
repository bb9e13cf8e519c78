/** One process, one measurement: `node protobuf-child.js DIST FILE read|write` prints a JSON line. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as Protobuf from '../src/formats/onnx/protobuf.ts';
import { median } from './processes.ts';

const [dist, file, operation] = process.argv.slice(2) as [string, string, string];
const url = pathToFileURL(path.join(dist, 'formats/onnx/protobuf.js')).href;
const { decodeModel, encodeModel } = (await import(url)) as typeof Protobuf;
const bytes = new Uint8Array(readFileSync(file));
const model = operation === 'write' ? decodeModel(bytes, file) : undefined;
const once = (): Uint8Array | undefined => {
  if (model !== undefined) return encodeModel(model);
  decodeModel(bytes, file);
  return undefined;
};

const start = performance.now();
const written = once();
const first = performance.now() - start;
const memory = process.resourceUsage().maxRSS / 1024;
const next = median(
  [1, 2, 3, 4].map(() => {
    const from = performance.now();
    once();
    return performance.now() - from;
  }),
);
const hash = written === undefined ? '' : createHash('sha256').update(written).digest('hex');
console.log(JSON.stringify({ first, next, memory, hash }));
